"""Collect tables of one host into a snapshot, whatever one of them does.

The parent is the watchdog; a child reads the tables and hands each one over as soon as it is done. A table
that hangs costs its own time only: the child is killed, the table named, a new child goes on with the rest.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import json
import os
import resource
import select
import signal
import struct
import time

from .bounds import bounded, suspect
from .host import Host
from .spec import Absent, Result, Unreadable, Unsupported
from .tables import TABLES
from .text import rfc3339

SCHEMA = "ringwall.snapshot/1"
VERSION = "1.0.0"
DEFAULTS = {
    "tables": None,  # names; None is every fast table
    "options": {},  # table -> its options
    "root": "/",
    "timeout": 240.0,  # seconds for all tables
    "table_timeout": 60.0,  # seconds for one table
    "memory": 512,  # MiB of address space of the child
    "nice": 19,
}
_HEADER = struct.Struct("!II")
MAX_TABLE = 64 << 20
"""Bytes of JSON of one table: what the parent is willing to hold."""


def _encode(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def _failed(spec, state, why):
    return {"version": spec.version, "state": state, "why": why, "rows": {}}


def collect_table(module, host, options):
    """Return ``{version, state, why, rows, cost}`` of one table; nothing a collector raises goes further.

    ``cost`` is ``{cpu, wall}`` in seconds.
    """
    spec = module.TABLE
    cpu, wall = time.process_time(), time.monotonic()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        if spec.live_only and not host.live:
            raise Unsupported("only a running system can tell")
        result = module.collect(host, options)
        if not isinstance(result, Result):
            result = Result(result)
        table = {"version": spec.version, "state": result.state, "why": result.why, "rows": result.rows}
    except Unsupported as error:
        table = _failed(spec, "unsupported", str(error))
    except Absent as error:
        table = _failed(spec, "unsupported", "%s is not there" % error)
    except Unreadable as error:
        table = _failed(spec, "denied" if error.kind == "denied" else "partial", error.why)
    except MemoryError:
        table = _failed(spec, "error", "out of memory")
    except Exception as error:  # a collector fails alone
        table = _failed(spec, "error", _trace(error))
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = time.process_time() - cpu + ended.ru_utime + ended.ru_stime - children.ru_utime - children.ru_stime
    table["cost"] = {"cpu": round(cpu, 4), "wall": round(time.monotonic() - wall, 4)}
    return table


def _trace(error):
    """Name the error and our line: no values, which may hold what a file says."""
    line, trace = "", error.__traceback__
    while trace is not None:
        line = "%s:%d" % (os.path.basename(trace.tb_frame.f_code.co_filename), trace.tb_lineno)
        trace = trace.tb_next
    return "%s at %s" % (type(error).__name__, line)


def _end(_number, _frame):
    raise SystemExit(1)


def _read_tables(names, settings, sink):
    """The child: read each table and write it to ``sink`` (a descriptor); never returns."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # By SystemExit the commands that a table started are ended too (host.run); SIGKILL follows soon.
    signal.signal(signal.SIGTERM, _end)
    limit = int(settings["memory"]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        os.nice(settings["nice"])  # the watchdog keeps its priority
    except OSError:
        pass
    host = Host(settings["root"])
    for name in names:
        # A table that bounds itself ends before the watchdog would end it, and hands over what it has.
        options = dict({"seconds": settings["table_timeout"] * 0.8}, **settings["options"].get(name, {}))
        table = collect_table(TABLES[name], host, options)
        try:
            data = _encode(table)
            if len(table["rows"]) > TABLES[name].TABLE.max_rows or suspect(data):
                data = _encode(bounded(table, TABLES[name].TABLE.max_rows))
        except (TypeError, ValueError) as error:
            data = _encode(dict(_failed(TABLES[name].TABLE, "error", _trace(error)), cost=table["cost"]))
        if len(data) > MAX_TABLE:
            why = "larger than %d bytes" % MAX_TABLE
            data = _encode(dict(_failed(TABLES[name].TABLE, "error", why), cost=table["cost"]))
        label = name.encode("ascii")
        _write(sink, _HEADER.pack(len(label), len(data)) + label + data)


def _write(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


class _Child:
    """A forked reader of tables and the half-read frame that came from it."""

    def __init__(self, names, settings):
        self.source, sink = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.source)
                null = os.open(os.devnull, os.O_RDWR)
                for standard in (0, 1, 2):
                    os.dup2(null, standard)
                _read_tables(names, settings, sink)
            except BaseException:
                os._exit(1)
            os._exit(0)
        os.close(sink)
        self.buffer = bytearray()

    def next(self, deadline):
        """Return (name, JSON bytes), None at the end of the stream; raise TimeoutError at the deadline."""
        while True:
            if len(self.buffer) >= _HEADER.size:
                label, data = _HEADER.unpack_from(self.buffer)
                end = _HEADER.size + label + data
                if len(self.buffer) >= end:
                    name = bytes(self.buffer[_HEADER.size : _HEADER.size + label]).decode("ascii")
                    content = bytes(self.buffer[_HEADER.size + label : end])
                    del self.buffer[:end]
                    return name, content
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.source], [], [], left)[0]:
                raise TimeoutError
            chunk = os.read(self.source, 1 << 20)
            if not chunk:
                return None
            self.buffer += chunk

    def patient_next(self, seconds, deadline):
        """Like ``next`` within so many seconds. When a quarter of them is over, the child is no longer nice: on a host
        that others keep busy (a user may do so on purpose) the last priority would never be served.
        """
        began = time.monotonic()
        try:
            return self.next(min(deadline, began + seconds / 4))
        except TimeoutError:
            try:
                os.setpriority(os.PRIO_PROCESS, self.pid, 0)
            except OSError:
                pass  # an ordinary user may not
            return self.next(min(deadline, began + seconds))

    def end(self):
        """Kill the child and what it started. A child stuck in the kernel is left behind, not waited for."""
        os.close(self.source)
        self._signal(os.kill, signal.SIGTERM)
        if self._gone(0.1):
            return
        self._signal(os.killpg, signal.SIGKILL)
        self._signal(os.kill, signal.SIGKILL)
        self._gone(0.4)

    def _signal(self, send, number):
        try:
            send(self.pid, number)
        except OSError:
            pass

    def _gone(self, seconds):
        """True when the child ended within so many seconds (about)."""
        pause = 0.0005
        while True:
            try:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    return True
            except ChildProcessError:
                return True  # whoever started us ignores SIGCHLD: the kernel reaped it
            if seconds <= 0:
                return False
            time.sleep(pause)
            seconds -= pause
            pause = min(pause * 2, 0.05)


def collect(settings):
    """Return the snapshot as JSON bytes: ``{schema, collector, taken, euid, root, tables, errors}``.

    ``settings`` are those of DEFAULTS. Tables whose name is unknown are listed in ``errors``.
    """
    settings = dict(DEFAULTS, **settings)
    taken = time.time()
    deadline = time.monotonic() + settings["timeout"]
    wanted = settings["tables"]
    if wanted is None:
        wanted = [name for name, module in TABLES.items() if module.TABLE.cadence == "fast"]
    errors = ["unknown table %s" % name for name in wanted if name not in TABLES]
    todo = [name for name in wanted if name in TABLES]
    tables = {}
    while todo:
        child = _Child(todo, settings)
        ending = "ended without an answer (killed, or out of memory)"
        try:
            while todo:
                done = child.patient_next(settings["table_timeout"], deadline)
                if done is None:
                    break
                tables[done[0]] = done[1]
                todo.remove(done[0])
        except TimeoutError:
            ending = "no answer in time: its reading hung"
        finally:
            child.end()
        if todo:
            name = todo.pop(0)
            state = "partial" if "time" in ending else "error"
            tables[name] = _encode(dict(_failed(TABLES[name].TABLE, state, ending), cost={"cpu": 0.0, "wall": 0.0}))
            if time.monotonic() >= deadline:
                for late in todo:
                    tables[late] = _encode(
                        dict(
                            _failed(TABLES[late].TABLE, "partial", "not read: %s used up the time" % name),
                            cost={"cpu": 0.0, "wall": 0.0},
                        )
                    )
                todo = []
    head = _encode(
        {
            "schema": SCHEMA,
            "collector": VERSION,
            "taken": rfc3339(taken),
            "euid": os.geteuid(),
            "root": settings["root"],
            "errors": errors,
        }
    )
    body = b",".join(b'"' + name.encode("ascii") + b'":' + content for name, content in tables.items())
    return head[:-1] + b',"tables":{' + body + b"}}"

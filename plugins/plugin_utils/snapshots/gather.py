"""Bring one host's snapshot home, inside that host's worker process, whatever the host does.

Two faces of the same collector: ``pipe`` (standard input of the remote Python: one SSH operation, nothing
written on the target) and ``module`` (``library/snapshot.py`` through AnsiballZ, for connections without
standard input). See payload.py.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import resource
import shlex
import signal

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError

from ...module_utils.tables import TABLES
from . import check, limits, payload, wire
from .limits import HostFailure

MODULE = "ringwall.servers.snapshot"
_BECOME = re.compile(
    r"(?i)(sudo:|su:|doas:|become|privilege escalation|a password is required|incorrect .* password|"
    r"missing .* password|not in the sudoers)"
)
_HOST_KEY = re.compile(
    r"(?i)(host key verification failed|remote host identification has changed|host key .* has changed)"
)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class _Late(BaseException):
    """The time for this host is over. No Exception: plugins on the way must not swallow it."""


@contextlib.contextmanager
def deadline(seconds, failure=None):
    """Raise HostFailure ``timeout`` (or ``failure``) in this (main) thread after ``seconds``; end child processes."""

    def ring(_signal, _frame):
        raise _Late

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # again each second, should a finally block wait
    try:
        yield
    except _Late:
        signal.setitimer(signal.ITIMER_REAL, 0)
        end_children()
        raise failure or HostFailure(
            "timeout",
            f"no complete answer after {seconds:g} s",
            "Look at the load and the mounts of that host; raise ringwall_timeout if it is merely slow.",
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def end_children():
    """End the processes (ssh, sudo) that this worker started and that still run."""
    with contextlib.suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        for pid in file.read().split():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)


@contextlib.contextmanager
def address_space(extra):
    """Bound this process to ``extra`` bytes of address space beyond what it maps now, never above the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm", encoding="ascii") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    bound = mapped + extra
    if hard != resource.RLIM_INFINITY:
        bound = min(bound, hard)
    resource.setrlimit(resource.RLIMIT_AS, (bound, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def gather(action, task_vars, tables, options, timeout, transport="pipe", collectors=None):
    """Return a checked snapshot (dict) of the host that ``action`` runs for.

    ``tables`` are names, ``options`` those of tables by name, ``timeout`` is seconds for everything.
    ``collectors`` is what assessment.collectors returned. Raise HostFailure with ``state`` unreachable or failed.
    """
    settings = {
        "tables": sorted(tables),
        "options": options,
        "timeout": max(5.0, timeout - 15.0),
        "table_timeout": max(3.0, min(60.0, timeout / 3)),
        "root": options.get("root", "/"),
    }
    settings["options"] = {name: value for name, value in options.items() if name in TABLES}
    with failures():
        with deadline(timeout), address_space(limits.ANSWER_ADDRESS_SPACE):
            if transport == "module":
                data = _module(action, task_vars, settings)
            else:
                data = _piped(action, task_vars, settings, collectors, options.get("python"))
        with deadline(timeout), address_space(limits.WORKER_ADDRESS_SPACE):
            return check.check(wire.unpack(data), asked=set(tables))


@contextlib.contextmanager
def failures():
    """Turn what connections and memory raise into HostFailure, and leave no child process behind."""
    try:
        yield
    except MemoryError:
        end_children()
        raise wire.too_large("the answer does not fit into the memory that a host may use") from None
    except AnsibleConnectionFailure as error:
        end_children()
        raise _no_connection(error) from None
    except (AnsibleActionFail, AnsibleError) as error:
        end_children()
        raise _refused(error) from None


def ask(action, task_vars, entry, request, packed, timeout):
    """Return what ``entry`` of the packed code answers to a request (dict), unpacked within the bounds on any answer.

    Raise HostFailure. What is in the answer was written by the host: it is for the caller to check.
    """
    with failures(), deadline(timeout), address_space(limits.ANSWER_ADDRESS_SPACE):
        return wire.unpack(_pipe(action, task_vars, request, packed, entry))


def _piped(action, task_vars, settings, collectors, python):
    """Send bytecode to a host that had our Python last time, else source; ask again if it has another by now."""
    if collectors is None:
        return _pipe(action, task_vars, settings, None)
    if python == collectors["magic"]:
        try:
            return _pipe(action, task_vars, settings, pathlib.Path(collectors["bytecode"]).read_bytes())
        except HostFailure as failure:
            if failure.code != "other_python":
                raise
    return _pipe(action, task_vars, settings, pathlib.Path(collectors["source"]).read_bytes())


def _pipe(action, task_vars, settings, packed, entry=payload.COLLECTOR):
    connection = action._connection
    if getattr(connection._shell, "_IS_WINDOWS", False):
        raise HostFailure(
            "unsupported", "Windows hosts are not assessed by this version", "Take it out of the inventory's group."
        )
    interpreter = action._templar.template(task_vars.get("ansible_python_interpreter"))
    if interpreter is not None and str(interpreter).startswith("auto"):
        interpreter = None  # "auto", "auto_silent" and so on: payload.command looks for one in the same round trip
    result = action._low_level_execute_command(
        payload.command(shlex.quote, None if interpreter is None else str(interpreter)),
        in_data=payload.build(settings, packed, entry),
        executable="/bin/sh",
        encoding_errors="surrogate_then_replace",
    )
    stdout = result["stdout"]
    if result["rc"] not in (0, None) and "RINGWALL" not in stdout:
        said = result["stderr"] + stdout[-2000:]
        if _BECOME.search(said):
            raise _become(said)
    return wire.find(stdout, result["stderr"], result["rc"])


def _module(action, task_vars, settings):
    result = action._execute_module(
        module_name=MODULE, module_args={"settings": settings, "payload": "packed"}, task_vars=task_vars
    )
    if result.get("unreachable"):
        raise _no_connection(result.get("msg", ""))
    data = result.get("snapshot")
    if not isinstance(data, str):
        said = f"{result.get('msg', '')} {result.get('module_stderr', '')}"
        raise (
            _become(said)
            if _BECOME.search(said)
            else HostFailure(
                "no_snapshot",
                f"the collector ended without a snapshot: {_short(said)}",
                "Run with -vvv to see what it said.",
            )
        )
    return data


def _short(value):
    return " ".join(_ANSI.sub("", str(value)).split())[:400]


def _become(said):
    return HostFailure(
        "become",
        f"becoming root failed: {_short(said)}",
        "Allow it (NOPASSWD in sudoers, or BECOME=ask for the password), or set ringwall_become: false "
        "to assess what an ordinary user may read.",
    )


def _no_connection(error):
    said = _short(error)
    if _HOST_KEY.search(said):
        return HostFailure(
            "host_key",
            f"the SSH host key is not the known one: {said}",
            "Find out why before you go on: reinstalled, or somebody in between? Then `ssh-keygen -R <host>`.",
            state="unreachable",
        )
    if "privilege escalation" in said:
        return _become(said)
    return HostFailure(
        "unreachable", said or "no connection", "Is it on? Try `ssh <host>` as the same user.", state="unreachable"
    )


def _refused(error):
    said = _short(error)
    return _become(said) if _BECOME.search(said) else HostFailure("failed", said, "Run with -vvv to see what happened.")

"""The engine's face to the controller: one request on standard input, one answer, in the form of frame.py.

Requests: ``{verb, run, ...}``:

- ``plan`` ``{operations}`` -> ``{digest, operations: [{index, changes, before, after, diff, digest_before, problem}],
  owner}``
- ``apply`` ``{run, operations, digest, before, after}`` -> ``{phase: unchanged|switched|rolled_back, results: [{index,
  status, reason}], failed: {control: reason}, followed, why?, conflicts?, problems?, healed}``
- ``confirm`` ``{run}``, ``rollback`` ``{run, controls?}`` -> ``{phase, undone, conflicts, problems}``
- ``status`` ``{run?, result?}`` -> ``{runs: {run: {phase, since, after, fired, why, ...}}, owner, boot_id}``

An answer always bears ``ok``; when it is false, ``code`` (refused, problem, spec, defect) and ``problem`` say why.
What changes something goes on without the connection: a child of a session of its own does it.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import json
import os
import signal

from ..frame import framed
from .engine import VERBS
from .hostlock import Refused
from .spec import SpecError
from .target import Problem

CHANGING = ("apply", "confirm", "rollback")


def carry_out(request):
    """Return the answer to a request; never raises."""
    try:
        return dict(VERBS[request["verb"]](request), ok=True)
    except Refused as error:
        return {"ok": False, "code": "refused", "problem": str(error), "owner": error.owner}
    except SpecError as error:
        return {"ok": False, "code": "spec", "problem": str(error)}
    except Problem as error:
        return {"ok": False, "code": "problem", "problem": str(error)}
    except Exception as error:
        trace, line = error.__traceback__, ""
        while trace is not None:
            line = "%s:%d" % (os.path.basename(trace.tb_frame.f_code.co_filename), trace.tb_lineno)
            trace = trace.tb_next
        return {"ok": False, "code": "defect", "problem": "%s at %s: %s" % (type(error).__name__, line, error)}


def _detached(request):
    """Carry it out in a child that no lost connection ends; return its answer."""
    source, sink = os.pipe()
    if os.fork() == 0:
        try:
            os.close(source)
            os.setsid()
            for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            null = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(null, standard)
            data = json.dumps(carry_out(request)).encode("ascii")
            while data:
                data = data[os.write(sink, data) :]
        finally:
            os._exit(0)
    os.close(sink)
    chunks = []
    while True:
        chunk = os.read(source, 1 << 16)
        if not chunk:
            break
        chunks.append(chunk)
    os.wait()
    try:
        return json.loads(b"".join(chunks))
    except ValueError:
        return {"ok": False, "code": "defect", "problem": "the process that made the change was ended half-way"}


def answer(request):
    """Carry out the request, and return what is written to standard output (bytes)."""
    os.umask(0o022)
    result = _detached(request) if request.get("verb") in CHANGING else carry_out(request)
    return framed(json.dumps(result).encode("ascii"))

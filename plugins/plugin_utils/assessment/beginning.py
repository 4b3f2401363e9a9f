"""What is done once, before any host: content compiled, the run opened, the collector packed."""

from __future__ import annotations

import itertools
import os

from ...module_utils.collect import VERSION as COLLECTOR
from .. import provenance
from ..content import compile_content, keep_newest, roots
from ..evidence import atomic, past, runs
from ..evidence.state import open_state
from ..findings.disposition_files import load_dispositions
from ..posture import VOCABULARY
from ..settings import DEFAULTS, ENVIRONMENT
from ..snapshots import payload
from . import clock
from .capabilities import needs

RUN_ID = runs.new_run_id()
"""Made once in the process that starts the play: workers are forked from it and share this value. See ``run_id``."""


def begin(settings, asked, options, known):
    """Open the run (or find it open: a later batch of the same play) and return what ``assess_host`` needs.

    ``asked`` are inventory names, ``options`` ``{cadence, benchmarks, check_mode, ...}``, ``known`` a function
    (scope, hosts) -> {host: what the store knows of it}. Raise ContentError, StateError with file, line and what to do.
    """
    state = open_state(settings.state)
    content = load_content(settings, state)
    run = runs.open_run(state, name_of(settings, state, options), header_of(settings, content, asked, options))
    past.write(run, known(settings.scope, sorted(asked)))
    # For all benchmarks: a host may name others (ringwall_benchmarks) than the one that this step runs as.
    tables, paths, configs = needs(content, {**options, "benchmarks": None})
    return {
        "run": run.id,
        "state": settings.state,
        "content": content.digest,
        "collectors": collectors(state),
        "tables": sorted(tables),
        "paths": sorted(paths),
        "configs": configs,
    }


def header_of(settings, content, asked, options):
    """Return what run.json says of a run when it is opened: who judges which hosts, by what."""
    return {
        "pid": os.getppid(),  # the play's own process: this worker ends with its task
        "scope": settings.scope,
        "asked": sorted(asked),
        "started": clock.now(),
        "collector": COLLECTOR,
        "actor": provenance.actor(),
        "version": provenance.version(),
        "project_commit": provenance.commit(settings.project_dir),
        "inventory": provenance.digest_of_files(settings.inventory_dirs),
        "content": content.digest,
        # What the score goes by: the store must be able to compute it again when the content is another one.
        "controls": {
            name: {key: control.get(key) for key in ("severity", "score")} for name, control in content.controls.items()
        },
        "dispositions": load_dispositions(settings.dispositions),
        "options": options,
    }


def name_of(settings, state, options):
    """The run's id; a run that verifies another (``options["verifies"]``) bears that one's id and an ending."""
    if options.get("verifies"):
        return runs.check_run_id(f"{options['verifies']}.verify")
    return settings.run or run_id(state)


def run_id(state):
    """Return RUN_ID; with a number behind it when this process has sealed a run of that id: a later play is another."""

    def sealed(name):
        try:
            return runs.load_run(state, name).header["state"] != "running"  # a later batch joins a running one
        except runs.RunError:
            return False

    names = itertools.chain([RUN_ID], (f"{RUN_ID}.{number}" for number in itertools.count(2)))
    return next(name for name in names if not sealed(name))


def collectors(state):
    """Return ``{source, bytecode, magic}``: paths of the packed collector in the state's cache, made when it is new.

    ``magic`` is the magic number (hexadecimal) of the Python that the bytecode is for: this one.
    """
    digest, magic = payload.digest(), payload.MAGIC.hex()
    paths = {"source": f"collector-{digest}.bin", "bytecode": f"collector-{digest}-{magic}.bin"}
    for kind, code in (("source", payload.SOURCE), ("bytecode", payload.BYTECODE)):
        paths[kind] = os.path.join(state.cache, paths[kind])
        if not os.path.exists(paths[kind]):
            atomic.write(paths[kind], payload.pack(code))
    return dict(paths, magic=magic)


def keep_content():
    """Load the content of the last play with the default state: what the play's process does before it forks."""
    place = os.environ.get(ENVIRONMENT["ringwall_state"]) or DEFAULTS["ringwall_state"]
    keep_newest(os.path.join(os.path.abspath(os.path.expanduser(place)), "cache"))


def load_content(settings, state):
    """Return the compiled Content of our collection and the user's directories, through the cache in the state."""
    return compile_content(roots(extra=settings.content), VOCABULARY, cache=state.cache)

"""From a recorded run to its files: what the action of the playbook calls."""

from __future__ import annotations

import os

from ..content import compile_content
from ..evidence.state import open_state
from ..store import open_store
from .build import build_report
from .formats import FORMATS, no_collection, point_latest, write_files
from .of_files import RunFiles
from .terminal import summary_text


class _NoContent:
    """Content of a run whose compiled content is gone."""

    controls: dict = {}
    benchmarks: dict = {}
    frameworks: dict = {}


def write_reports(settings, run_id, formats=None):
    """Write the reports of ``run_id`` into ``<state>/reports/<run>``; return ``{"files": {format: path}, "text"}``.

    ``settings`` are the run's Settings; ``formats`` a list of names, by default all. ``<state>/reports/latest`` names
    the run if it is the newest of its scope. Raise ValueError for an unknown format, StateError, StoreError,
    MissingDependency.
    """
    state = open_state(settings.state)
    store = open_store(settings.store, state)
    try:
        with no_collection():
            run = store.run(run_id)
            late = bool(run.get("rejudged_from")) and store.late(run_id)
            source = RunFiles(store.evidence_of(run_id)) if late else store
            report = build_report(source, run_id, _content(run, state))
            newest = not late and store.run(scope=run["scope"])["id"] == run_id
            files = write_files(report, os.path.join(state.reports, run_id), formats or tuple(FORMATS))
            text = summary_text(report, files.get("html") or next(iter(files.values()), None))
    finally:
        store.close()
    if newest:
        point_latest(state.reports, run_id)
    return {"files": files, "text": text}


def _content(run, state):
    """The content that the run was judged by, from the cache of compiled content: never the content of today."""
    try:
        return compile_content(digest=run["content"], cache=state.cache)
    except (FileNotFoundError, KeyError):
        return _NoContent()

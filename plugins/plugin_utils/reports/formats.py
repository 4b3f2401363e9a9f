"""The files of a report: which there are, written whole or not at all, and the link to the latest."""

from __future__ import annotations

import contextlib
import gc
import os
import pathlib
import secrets

from .to_csv import write_csv
from .to_framework_csv import write_framework_csv
from .to_html import write_html
from .to_json import write_json
from .to_junit import write_junit
from .to_markdown import write_markdown

FORMATS = {
    "json": ("report.json", write_json),
    "html": ("report.html", write_html),
    "csv": ("findings.csv", write_csv),
    "frameworks": ("frameworks.csv", write_framework_csv),
    "junit": ("junit.xml", write_junit),
    "markdown": ("summary.md", write_markdown),
}
"""Format name -> (file name, writer of a report dict into an open text file)."""


@contextlib.contextmanager
def no_collection():
    """Keep the cyclic garbage collector from walking a report's millions of objects again and again.

    Reports are trees without cycles: nothing is lost by waiting.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def write_files(report, directory, formats=tuple(FORMATS)):
    """Write the report in each of ``formats`` into ``directory`` (made with mode 0700); return {format: path}.

    Files have mode 0600 and appear whole. Raise ValueError for an unknown format before anything is written, OSError,
    and MissingDependency when HTML is asked for without Jinja2.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ValueError(f"unknown report format {unknown[0]}: expected one of {', '.join(FORMATS)}")
    directory = pathlib.Path(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = {}
    with no_collection():
        for name in formats:
            file_name, writer = FORMATS[name]
            paths[name] = str(directory / file_name)
            with _whole_file(directory / file_name) as file:
                writer(report, file)
    return paths


@contextlib.contextmanager
def _whole_file(path):
    """Open a new text file beside ``path``; it takes that name when the block ends without an exception."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        # Lone surrogates cannot reach UTF-8: writers make them visible, and JSON is ASCII.
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def point_latest(reports, run_id):
    """Let ``<reports>/latest`` name the directory of this run (a relative link, replaced in one step)."""
    temporary = os.path.join(reports, f".latest.{secrets.token_hex(6)}.tmp")
    os.symlink(run_id, temporary)
    try:
        os.replace(temporary, os.path.join(reports, "latest"))
    except OSError:
        os.unlink(temporary)
        raise

"""Directives of the configuration files that controls name."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..config_files import profile, read
from ..spec import Absent, Column, Table, Unreadable, unreadable

MAX_CONFIGS = 300

TABLE = Table(
    name="config",
    description="Directives of the configuration files asked for (option `files`: a list of maps `file`, `format`, "
    "`drop_ins`), with the drop-ins of the program and the files that are included, in the program's own order. Every "
    "file asked for has a row, also when nothing is there. What could not be read wholly has unreadable cells in its "
    "own row and does not spoil the table.",
    key="path of the main file, as it was asked for",
    columns=(
        Column("exists", "bool", "the file or one of its drop-ins is there"),
        Column("format", "text", "how it was read: systemd, ini, keyvalue, shell, words, postfix, aide"),
        Column("files", "list", "paths that were read, in that order"),
        Column(
            "directives",
            "list",
            "every directive in the order of reading, as {section, name, value, where}; values of secret names are "
            "redacted; the last of a name is in force unless the program has it otherwise",
        ),
    ),
    max_rows=MAX_CONFIGS,
)


def row(host, spec):
    """Return the row of one ``{file, format, drop_ins}``."""
    found = {"exists": None, "format": profile(spec)["format"], "files": None, "directives": None}
    try:
        directives, files = read(host, spec)
    except Absent:
        return dict(found, exists=False, files=[], directives=[])
    except Unreadable as error:
        return dict(found, exists=error.cell(), files=error.cell(), directives=error.cell())
    return dict(found, exists=bool(files), files=files, directives=directives)


def collect(host, options):
    """Return one row for each entry of ``options["files"]``."""
    asked = {spec["file"]: spec for spec in options.get("files") or ()}
    if len(asked) > MAX_CONFIGS:
        raise Unreadable("partial", "more than %d configuration files asked for" % MAX_CONFIGS)
    rows = {}
    for path, spec in asked.items():
        if path.startswith("/"):
            rows[path] = row(host, spec)
        else:
            cell = unreadable("invalid", "not an absolute path")
            rows[path] = {"exists": cell, "format": None, "files": cell, "directives": cell}
    return rows

"""PAM: the stack of each service and type as libpam would run it."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..pam_stacks import DIRECTORIES, KEYWORDS, TYPES, Reader, module_names, parse
from ..spec import Absent, Column, Result, Table, Unreadable

TABLE = Table(
    name="pam",
    description="PAM stacks, one row for each service and type, with @include, include and substack expanded.",
    key="`<service>:<type>`, type one of auth, account, password, session; a type without modules has a row too",
    columns=(
        Column("service", "text", "name of the service"),
        Column("type", "text", "auth, account, password or session"),
        Column(
            "stack",
            "list",
            "modules in order: {control (as written), actions (return value -> ignore|bad|die|ok|done|reset|"
            "number to skip; only for controls in brackets: the four keywords mean what pam.conf(5) says), "
            "module, args, where, level (depth of substack; a substack has an entry of its own), quiet "
            "(missing module tolerated), jumps (return value -> index in this list where it goes on), "
            "missing (true when no such module file was found)}; empty lists, maps and false are left out",
        ),
        Column("files", "list", "service file, then included ones"),
        Column("problems", "list", "places libpam would refuse: missing include, unknown control, short line"),
    ),
    max_rows=4000,
)


def services(host):
    """Names of the services that have a file; raise Unreadable."""
    names = set()
    for directory in DIRECTORIES:
        try:
            names.update(host.listdir(directory))
        except Absent:
            continue
    return sorted(
        name
        for name in names
        if not name.endswith(("~", ".dpkg-old", ".dpkg-new", ".dpkg-dist", ".rpmsave", ".rpmnew", ".bak"))
    )


def slim(entry, modules, host):
    """The entry as it goes into the row: without what a reader knows anyway."""
    kept = {key: value for key, value in entry.items() if value not in ([], {}, False, None) or key == "level"}
    if entry["control"] in KEYWORDS:
        kept.pop("actions", None)
    module = entry["module"]
    if entry["control"] == "substack" or modules is None:
        return kept
    if module.startswith("/"):
        try:
            missing = not host.exists(module)
        except Unreadable:
            missing = False
    else:
        missing = module not in modules
    if missing:
        kept["missing"] = True
    return kept


def _legacy(host, reader, rows, modules, gaps):
    """/etc/pam.conf counts only on a system without /etc/pam.d (pam.conf(5))."""
    try:
        lines, problems = parse(host.lines("/etc/pam.conf", 1 << 20), "/etc/pam.conf", with_service=True)
    except Absent:
        return
    except Unreadable as error:
        gaps.append(error.why)
        return
    for service in sorted({line.service for line in lines}):
        reader._files[service] = ([line for line in lines if line.service == service], problems)
        _service(host, reader, service, rows, modules, gaps)


def _service(host, reader, name, rows, modules, gaps):
    label = host.text(name.encode("utf-8", "surrogateescape"))
    for kind in TYPES:
        row = {"service": label, "type": kind, "stack": [], "files": [], "problems": []}
        try:
            entries, problems, files = reader.stack(name, kind)
            row.update(
                {"stack": [slim(entry, modules, host) for entry in entries], "files": files, "problems": problems}
            )
        except Absent:
            continue  # removed meanwhile, or a directory
        except Unreadable as error:
            row["stack"] = error.cell()
            if error.why not in gaps:
                gaps.append(error.why)
        rows["%s:%s" % (label, kind)] = row


def collect(host, options):
    """Return four rows for each service."""
    reader, rows, gaps = Reader(host), {}, []
    modules = module_names(host)
    if host.is_dir("/etc/pam.d") or host.is_dir("/usr/lib/pam.d"):
        for name in services(host)[:1000]:
            _service(host, reader, name, rows, modules, gaps)
    else:
        _legacy(host, reader, rows, modules, gaps)
    return Result(rows, "partial", "; ".join(gaps[:5])) if gaps else rows

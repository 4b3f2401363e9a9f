"""The system-wide cryptographic policy and whether the programs of the system follow it."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from .. import crypto_policies
from ..crypto_programs import programs
from ..reading import first_line, names_in
from ..spec import Absent, Column, Result, Table, Unreadable, Unsupported, is_unreadable
from ..text import text

TABLE = Table(
    name="crypto_policy",
    description="FIPS mode of the kernel; the system-wide cryptographic policy of the Red Hat family, its subpolicies"
    " and rules, the back ends that programs read, and whether the programs read them.",
    key="`host`; `rule <name>@<scope>`; `module <NAME>`; `back end <name>`; `program <name>`",
    columns=(
        Column("kind", "text", "host, rule, module, back end, program"),
        Column("fips", "bool", "host: the running kernel is in FIPS mode (/proc/sys/crypto/fips_enabled)"),
        Column("fips_configured", "bool", "host: the system was set up for FIPS (/etc/system-fips or dracut's module)"),
        Column("installed", "bool", "host: the package's policies are there"),
        Column("configured", "text", "host: policy as configured, `DEFAULT:NO-SHA1`"),
        Column("applied", "text", "host: policy that was applied last"),
        Column("base", "text", "host: the applied policy without its subpolicies"),
        Column("subpolicies", "list", "host: subpolicies of the applied policy"),
        Column("overrides", "list", "host: files of local.d, which are added to back ends"),
        Column("altered", "list", "host: files of the package that are not as it brought them; null where rpm is not"
               " asked (not live)"),
        Column("name", "text", "name of a rule (cipher, mac, hash, ...), module, back end or program"),
        Column("scope", "text", "rule: scope in small letters; empty for all"),
        Column("values", "list", "rule: what it names, in order; module: its lines `name@scope = values`"),
        Column("settings", "map", "back end of OpenSSH: keyword in lower case -> algorithms in order"),
        Column("target", "text", "back end: where the link leads; null for a file"),
        Column("follows", "bool", "back end: it is what the applied policy makes; program: it reads its back end"),
        Column("where", "text", "path, with line where there is one"),
        Column("why", "text", "program: what tells that it does not follow"),
    ),
    max_rows=1000,
)  # fmt: skip

ETC = "/etc/crypto-policies"
SHARE = "/usr/share/crypto-policies"


def _row(kind, **cells):
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(cells, kind=kind)
    return row


def _first(host, *paths):
    for path in paths:
        try:
            found = crypto_policies.first_policy(host.lines(path, 65536))
        except Absent:
            continue
        if found:
            return found[:200]
    return None


def _altered(host):
    """Files of the package that differ from what it brought, as ``rpm -V`` tells; None where it is not asked."""
    if not host.live or host.which("rpm") is None:
        return None
    try:
        lines = host.run(["rpm", "-V", "--nomtime", "--noscripts", "--nodeps", "crypto-policies"], timeout=15).lines()
    except (Absent, Unsupported):
        return None
    except Unreadable as error:
        return error.cell()
    found = []
    for line in lines:
        words = line.split()
        # `S.5....T.  c /path`: size or digest differ; configuration files are there to be changed.
        if len(words) < 2 or not words[-1].startswith("/") or words[-2] == "c":
            continue
        if words[0] == "missing" or "5" in words[0][:3] or words[0].startswith("S"):
            found.append(words[-1])
    return sorted(found)[:50]


def _host(host):
    fips = first_line(host, "/proc/sys/crypto/fips_enabled") if host.live else None
    row = _row("host", fips=fips if is_unreadable(fips) else None if not host.live else fips == "1")
    row["fips_configured"] = host.exists("/etc/system-fips") or any(
        name.endswith("fips.conf") for name in names_in(host, "/etc/dracut.conf.d")
    )
    row["installed"] = host.is_dir(SHARE + "/policies") or host.is_dir(SHARE + "/DEFAULT")
    if row["installed"]:
        row["configured"] = _first(host, ETC + "/config")
        row["applied"] = _first(host, ETC + "/state/current", ETC + "/config")
        row["base"], row["subpolicies"] = crypto_policies.split_policy(row["applied"] or "")
        row["overrides"] = [text(os.fsencode(name)) for name in names_in(host, ETC + "/local.d")
                            if name.endswith(".config")][:50]  # fmt: skip
        row["altered"] = _altered(host)
    return row


def _rules(host, rows, applied):
    path = ETC + "/state/CURRENT.pol"
    try:
        lines = host.lines(path, 1 << 20)
    except Absent:
        return
    for name, scope, values, line in crypto_policies.parse_rules(lines):
        key = "rule %s@%s" % (name, scope) if scope else "rule " + name
        rows[key[:200]] = _row("rule", name=name, scope=scope, values=values, where="%s:%d" % (path, line))


def _modules(host, rows, names):
    """Rows of the subpolicies that are in force, the site's own first (crypto-policies(7), CUSTOM POLICIES)."""
    for name in names[:20]:
        if "/" in name or name.startswith("."):
            continue
        for path in (
            "%s/policies/modules/%s.pmod" % (ETC, name),
            "%s/policies/modules/%s.pmod" % (SHARE, name),
        ):
            try:
                rules = crypto_policies.parse_rules(host.lines(path, 65536))
            except Absent:
                continue
            lines = ["%s%s = %s" % (rule[0], "@" + rule[1] if rule[1] else "", " ".join(rule[2])) for rule in rules]
            rows["module " + name] = _row("module", name=name, values=lines[:100], where=path)
            break


def _back_ends(host, rows, row):
    """A back end is a link to the policy's own text, or, with subpolicies or of a policy of the site, a file."""
    for name in names_in(host, ETC + "/back-ends")[:60]:
        if not name.endswith(".config") or not all(c.isalnum() or c in "._-" for c in name):
            continue
        path, short = "%s/back-ends/%s" % (ETC, name), name[: -len(".config")]
        try:
            target = host.readlink(path)
        except Absent:
            continue
        given = "%s/%s/%s.txt" % (SHARE, row["base"], short)
        plain = not row["subpolicies"] and not row["overrides"] and host.exists(given)
        settings = None
        if short in ("openssh", "opensshserver"):
            try:
                settings = crypto_policies.parse_openssh(host.lines(path, 1 << 20))
            except Absent:
                settings = {}
            except Unreadable as error:
                settings = error.cell()
        rows["back end " + short] = _row(
            "back end",
            name=short,
            target=target,
            settings=settings,
            where=path,
            # What is composed is written as a file of its own; that of NSS always is.
            follows=short == "nss" or (target == given if plain else target is None),
        )


def collect(host, options):
    """Return the rows; only ``host`` where the system has no such policies."""
    row = _host(host)
    rows, gaps = {"host": row}, []
    if not row["installed"]:
        return rows
    for read in (
        lambda: _rules(host, rows, row["applied"]),
        lambda: _modules(host, rows, row["subpolicies"]),
        lambda: _back_ends(host, rows, row),
    ):
        try:
            read()
        except Unreadable as error:
            gaps.append(error.why)
    for name, follows, where, why in programs(host):
        rows["program " + name] = _row("program", name=name, follows=follows, where=where, why=why)
    return Result(rows, "partial", "; ".join(gaps[:5])) if gaps else rows

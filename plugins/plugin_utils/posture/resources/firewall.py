"""``firewall``: what a packet filter does to packets by default, to loopback's, and to ports that something serves."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import cell
from ..lookups import ipv6
from ..reach import in_ports
from .base import Resource, Verdict

HOOKS = ("input", "forward", "output")
LOOPBACK = ("in", "out", "spoofed")
FRONT_ENDS = ("nftables", "ufw", "firewalld", "iptables")
FAMILIES = ("ip", "ip6")
SWITCHES = ("saved", "established", "table", "base_chains", "open_ports", "unused_ports", "limited_ports")
KEYS = (*HOOKS, "of", "families", "loopback", *SWITCHES)
STRICT = ("drop", "reject")
ROWS = {("iptables", "ip"): ("iptables", "iptables-legacy"), ("iptables", "ip6"): ("ip6tables", "ip6tables-legacy")}
"""Rows of the table in which a front end's rules of a family stand, where they are not its own name's."""

WORDS = {
    "in": "rules accept what comes in by the loopback interface",
    "out": "rules accept what goes out by the loopback interface",
    "spoofed": "rules drop loopback addresses that come from elsewhere",
}
INSIDE = ("loopback", "unix")


class Firewall(Resource):
    """See ``summary``."""

    name = "firewall"
    summary = (
        "`firewall: {of: nftables|ufw|firewalld|iptables, families: [ip, ip6], input: [drop], forward: [drop], output: "
        "[drop], saved: true}`: what becomes of a packet that no rule names, now and (`saved`) by the files loaded "
        "at boot. Without `of` it is all filters together. `loopback: [in, out, spoofed]`: its packets are "
        "accepted, its addresses from elsewhere dropped. `established: true`: answers get in. `table: true`, "
        "`base_chains: true`: there is a table, and chains for packets that come in, pass and go out. `open_ports: "
        "true`: a rule names every port that something listens on; `unused_ports: false`: rules open no other; "
        "`limited_ports: true`: ufw limits the rate of new connections to each. IPv6 counts where it is on."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key, value in statement.items():
            if key not in KEYS:
                raise ContentError(where, f"firewall: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
            if key == "of" and value not in FRONT_ENDS:
                raise ContentError(where, f"firewall: of is {value!r}", "one of " + ", ".join(FRONT_ENDS))
            known = {"families": FAMILIES, "loopback": LOOPBACK, **dict.fromkeys(HOOKS, ("accept", *STRICT))}.get(key)
            if known and (not isinstance(value, list) or not value or not set(value) <= set(known)):
                raise ContentError(where, f"firewall: {key} is {value!r}", f"{key}: a list of " + ", ".join(known))
            if key in SWITCHES and not isinstance(value, bool):
                raise ContentError(where, f"firewall: {key} is {value!r}", f"{key}: true")
        if not set(statement) - {"of", "families", "saved"}:
            raise ContentError(where, "firewall expects nothing", "input: [drop, reject]")

    def tables(self, statement):
        """The packet filter, whether IPv6 is on, and who listens where that counts."""
        found = ("firewall", "sysctl")
        return (*found, "listeners") if any(key.endswith("_ports") for key in statement) else found

    def settings(self, statement):
        """One ``firewall`` setting: which front end, and what it must do."""
        wanted = {key: value for key, value in statement.items() if key != "of"}
        return [{"kind": "firewall", "front_end": statement.get("of"), "wanted": wanted}]

    def judge(self, statement, snapshot):
        """Return a Verdict for each thing that is expected."""
        front_end = statement.get("of")
        on, fact = ipv6(snapshot)
        families = [name for name in statement.get("families", FAMILIES) if name == "ip" or on]
        if not families:
            return [Verdict("not_applicable", reason=fact)]
        found = []
        for key, value in statement.items():
            if key in HOOKS:
                found += [_policy(front_end, family, key, value, snapshot, "policies") for family in families]
                if statement.get("saved"):
                    found += [_policy(front_end, family, key, value, snapshot, "saved_policies") for family in families]
            elif key == "loopback":
                found += [_loopback(front_end, family, value, snapshot) for family in families]
            elif key in _TESTS and value:
                found += [_TESTS[key](front_end, family, snapshot) for family in families]
            elif key == "open_ports" and value:
                found.append(_open_ports(front_end, snapshot, families, "open_ports"))
            elif key == "limited_ports" and value:
                found.append(_open_ports(front_end, snapshot, families, "limited"))
            elif key == "unused_ports" and not value:
                found.append(_unused(front_end, snapshot))
        return found


def row_of(front_end, family, snapshot):
    """Return ``(key, row)`` in which the front end's rules of a family stand, the row None where there is none."""
    for key in ROWS.get((front_end, family), (front_end or "host",)):
        row = snapshot.row("firewall", key)
        if row is not None:
            return key, row
    return front_end or "host", None


def _cell(front_end, family, snapshot, column):
    key, row = row_of(front_end, family, snapshot)
    return key, (cell(row, column) if row is not None else None)


def _policy(front_end, family, hook, wanted, snapshot, column):
    key, policies = _cell(front_end, family, snapshot, column)
    name = f"{family} {hook}"
    verdict = (policies or {}).get(name)
    when = "at boot" if column == "saved_policies" else "now"
    expected = {f"{name} {when}": " or ".join(wanted)}
    where = f"firewall: {key}"
    if column == "saved_policies":
        files = _cell(front_end, family, snapshot, "saved_in")[1]
        where = ", ".join(files or []) or f"{where}: no file is loaded at boot"
    what = f"{name}: {verdict or 'nothing filters there'}"
    status = "pass" if verdict in wanted else "fail"
    return Verdict(status, expected, {name: verdict}, [{"where": where, "what": what}])


def _loopback(front_end, family, wanted, snapshot):
    key, facts = _cell(front_end, family, snapshot, "loopback")
    told = (facts or {}).get(family) or {}
    if front_end == "firewalld":
        told = _trusted(told, family, snapshot)
    missing = [name for name in wanted if not told.get(name)]
    evidence = [
        {"where": f"firewall: {key}", "what": f"{family}: {'no ' if name in missing else ''}{WORDS[name]}"}
        for name in missing or wanted
    ]
    expected = {family: ", ".join(WORDS[name] for name in wanted)}
    return Verdict("fail" if missing else "pass", expected, {family: {name: bool(told.get(name)) for name in wanted}},
                   evidence)  # fmt: skip


def _trusted(told, family, snapshot):
    """firewalld: the zone that holds ``lo`` trusts it; a rich rule of a zone in use drops loopback addresses."""
    settings = _cell("firewalld", family, snapshot, "settings")[1] or {}
    zones = settings.get("zones") or {}
    bound = any("lo" in zone.get("interfaces", ()) and zone.get("target") == "ACCEPT" for zone in zones.values())
    restricted = any(family in zone.get("loopback_restricted", ()) for zone in zones.values())
    return {"in": bound or told.get("in"), "out": told.get("out"), "spoofed": restricted or told.get("spoofed")}


def _established(front_end, family, snapshot):
    key, places = _cell(front_end, family, snapshot, "established")
    good = f"{family} input" in (places or ())
    what = f"{family}: {'' if good else 'no '}rule accepts established connections"
    return Verdict("pass" if good else "fail", {family: "established connections are accepted"},
                   sorted(places or ()), [{"where": f"firewall: {key}", "what": what}])  # fmt: skip


def _table(front_end, family, snapshot):
    key, tables = _cell(front_end, family, snapshot, "tables")
    good = any(name.split(" ", 1)[0] in (family, "inet") for name in tables or ())
    what = ", ".join(tables or ()) or "no table"
    return Verdict("pass" if good else "fail", {family: "a table"}, tables or [],
                   [{"where": f"firewall: {key}", "what": what}])  # fmt: skip


def _base_chains(front_end, family, snapshot):
    key, policies = _cell(front_end, family, snapshot, "policies")
    missing = [hook for hook in HOOKS if (policies or {}).get(f"{family} {hook}") is None]
    what = f"{family}: no base chain for {', '.join(missing)}" if missing else f"{family}: all three base chains"
    return Verdict("fail" if missing else "pass", {family: ", ".join(HOOKS)}, {family: f"without {missing}"},
                   [{"where": f"firewall: {key}", "what": what}])  # fmt: skip


_TESTS = {"established": _established, "table": _table, "base_chains": _base_chains}


def served(snapshot, families=FAMILIES):
    """Yield ``(proto, port, key)`` of sockets that others than this machine may reach, by those families."""
    for key, row in sorted(snapshot.rows("listeners").items()):
        proto, port = cell(row, "proto"), cell(row, "port")
        if proto not in ("tcp", "udp") or not port or cell(row, "scope") == "loopback":
            continue
        by = {"ip"} if cell(row, "family") != "ipv6" else {"ip6", "ip"} if cell(row, "scope") == "any" else {"ip6"}
        if by & set(families):
            yield proto, port, key


def opened(front_end, snapshot, families=FAMILIES):
    """Return the ports that rules of a front end let in, as ``tcp/22``; raise Gap."""
    found = []
    for family in families:
        found += _cell(front_end, family, snapshot, "open_ports")[1] or []
    return sorted(set(found))


def named(proto, port, ports):
    """True if ``tcp/22`` of rules, with ranges, holds the port."""
    return any(kind in (proto, "any", "all") and in_ports(port, [number]) for kind, number in
               (item.partition("/")[::2] for item in ports))  # fmt: skip


def _limited(snapshot):
    row = snapshot.row("firewall", "ufw")
    rules = (cell(row, "settings") or {}).get("rules", ()) if row else ()
    return [
        f"{kind}/{port}"
        for rule in rules
        if rule["action"] == "limit" and rule["direction"] == "in"
        for kind in (("tcp", "udp") if rule["proto"] == "any" else (rule["proto"],))
        for port in rule["port"].split(",")
    ]


def _open_ports(front_end, snapshot, families, what):
    ports = opened(front_end, snapshot, families) if what == "open_ports" else _limited(snapshot)
    sockets = list(served(snapshot, families))
    missing = sorted({f"{proto}/{port}" for proto, port, _key in sockets if not named(proto, port, ports)})
    verb = "names" if what == "open_ports" else "limits the rate of"
    evidence = [{"where": "listeners", "what": f"no rule {verb} {name}"} for name in missing] or [
        {"where": f"firewall: {front_end or 'host'}", "what": ", ".join(ports) or "nothing listens"}
    ]
    return Verdict("fail" if missing else "pass", f"a rule {verb} every port that something listens on", missing,
                   evidence)  # fmt: skip


def _unused(front_end, snapshot):
    sockets = {(proto, port) for proto, port, _key in served(snapshot)}
    extra = []
    for item in opened(front_end, snapshot):
        kind, _slash, number = item.partition("/")
        if not any(kind in (proto, "any", "all") and in_ports(port, [number]) for proto, port in sockets):
            extra.append(item)
    where = f"firewall: {front_end or 'host'}"
    evidence = [{"where": where, "what": f"{item} is open, nothing listens"} for item in extra]
    evidence = evidence or [{"where": "listeners", "what": "something listens on every port that is open"}]
    return Verdict("fail" if extra else "pass", "rules open no port that nothing serves", extra, evidence)

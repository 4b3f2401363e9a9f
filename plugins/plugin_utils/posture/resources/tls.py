"""``tls``: how services on the host that speak TLS are set."""

from __future__ import annotations

from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from ..lookups import packages
from ..query_functions import days_between
from ..tls_facts import BY_LEVEL, PROCESSES, broken_ciphers, in_force, old_protocols, serves
from .base import Resource, Verdict

TABLE = "tls_services"
KEYS = ("old_protocols", "broken_ciphers", "certificate_days", "key_mode")
OPENSSL_3 = ("libssl3", "libssl3t64", "libopenssl3")


class Tls(Resource):
    """See ``summary``."""

    name = "tls"
    summary = (
        "`tls: {old_protocols: false}`: no service that speaks TLS leaves a protocol older than TLS 1.2 on (with "
        "OpenSSL 3, which refuses TLS 1.0 and 1.1 above security level 0, that level has to be set too). "
        "`{broken_ciphers: false}`: none names broken ciphers. `{certificate_days: 14}`: each certificate is there and "
        'ends that many days from now at the earliest. `{key_mode: "0640"}`: key files have no bits beyond these. It '
        "does not apply where nothing speaks TLS; what a service does without a setting is not seen."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key, value in statement.items():
            if key not in KEYS:
                raise ContentError(where, f"tls: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
            if key in KEYS[:2] and value is not False:
                raise ContentError(where, f"tls: {key} is {value!r}", f"{key}: false")
            if key == "certificate_days" and (isinstance(value, bool) or not isinstance(value, (int, float))):
                raise ContentError(where, f"tls: {key} is {value!r}", f"{key}: 14")
            if key == "key_mode" and (not isinstance(value, str) or value.strip("01234567")):
                raise ContentError(where, f"tls: {key} is {value!r}", 'key_mode: "0640"')

    def tables(self, statement):
        """The settings, what runs, and which OpenSSL is there."""
        return (TABLE, "processes", "packages") if "old_protocols" in statement else (TABLE, "processes")

    def judge(self, statement, snapshot):
        """Return a Verdict for each key of the statement."""
        services = in_use(snapshot)
        if not services:
            return [Verdict("not_applicable", reason="no service here is set to speak TLS")]
        return [_JUDGES[key](value, services, snapshot) for key, value in statement.items()]


def in_use(snapshot):
    """Return service -> its rows that are in force, of services that are set to speak TLS and run; raise Gap.

    Where processes cannot be seen, what is set counts as running.
    """
    by_service = {}
    for row in snapshot.rows(TABLE).values():
        by_service.setdefault(cell(row, "service"), []).append(row)
    found = {name: in_force(name, rows) for name, rows in sorted(by_service.items()) if serves(name, rows)}
    if not found:
        return {}
    try:
        running = {row.get("name") for row in snapshot.rows("processes").values()}
    except Gap:
        return found
    return {name: rows for name, rows in found.items() if running.intersection(PROCESSES[name])}


def _settings(services):
    for service, rows in services.items():
        for row in rows:
            if row["kind"] == "setting":
                yield service, row


def _item(row, what):
    return {"where": str(row.get("where")), "what": what}


def _verdict(expected, bad, good, none):
    if bad:
        return Verdict("fail", expected, f"{len(bad)} not so", bad)
    return Verdict("pass", expected, "so everywhere", good or [{"where": TABLE, "what": none}])


def _is_openssl_3(snapshot):
    known = packages(snapshot)
    versions = [str(row.get("version")) for row in known.get("openssl-libs", ())]
    return any(name in known for name in OPENSSL_3) or any(
        version.rpartition(":")[2].startswith("3") for version in versions
    )


def _protocols(_value, services, snapshot):
    settings = list(_settings(services))
    level_0 = {service for service, row in settings if "security level 0" in broken_ciphers(row)}
    for row in snapshot.rows(TABLE).values():
        if row["service"] == "openssl" and "security level 0" in broken_ciphers(row):
            level_0.update(services)
    bad, good = [], []
    for service, row in settings:
        found = old_protocols(service, row)
        if not found:
            continue
        said = f"{row['directive']} {row['value']}"
        refused = set(found) <= set(BY_LEVEL) and service not in level_0 and _is_openssl_3(snapshot)
        if refused:
            good.append(_item(row, f"{said}: OpenSSL 3 refuses {', '.join(found)} at its security level"))
        else:
            bad.append(_item(row, f"{said} leaves {', '.join(found)} on"))
    return _verdict("TLS 1.2 or newer only", bad, good, f"{', '.join(services)}: no older protocol is named")


def _ciphers(_value, services, snapshot):
    bad = []
    for _service, row in _settings(services):
        found = broken_ciphers(row)
        if found:
            bad.append(_item(row, f"{row['directive']} names {', '.join(found[:8])}"))
    return _verdict("no broken ciphers", bad, [], f"{', '.join(services)}: none is named")


def _certificates(days, services, snapshot):
    now = snapshot.table(TABLE).observed_at or snapshot.taken
    bad, good, gap = [], [], None
    for rows in services.values():
        for row in rows:
            if row["kind"] != "certificate":
                continue
            try:
                end = cell(row, "not_after")
            except Gap as found:
                if found.status == "error":  # it is not there, or is none
                    bad.append(_item(row, found.why))
                else:
                    gap = gap or found
                continue
            what = f"{row['path']} ({row.get('subject') or 'no name'}) ends {end}"
            (bad if days_between(now, end) < days else good).append(_item(row, what))
    expected = f"certificates that are valid for {days:g} more days" if days else "certificates that are valid"
    return _gapped(expected, bad, good, gap, "no certificate is named")


def _key_modes(most, services, snapshot):
    bad, good, gap = [], [], None
    for rows in services.values():
        for row in rows:
            if row["kind"] != "key":
                continue
            try:
                mode = cell(row, "mode")
            except Gap as found:
                if found.status != "error":
                    gap = gap or found
                continue
            (bad if int(mode, 8) & ~int(most, 8) else good).append(_item(row, f"{row['path']} has mode {mode}"))
    return _gapped(f"key files with mode {most} or less", bad, good, gap, "no key file is named")


def _gapped(expected, bad, good, gap, none):
    if gap and not bad:
        return Verdict(gap.status, expected, reason=gap.why)
    return _verdict(expected, bad, good, none)


_JUDGES = {
    "old_protocols": _protocols,
    "broken_ciphers": _ciphers,
    "certificate_days": _certificates,
    "key_mode": _key_modes,
}

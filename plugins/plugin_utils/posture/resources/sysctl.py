"""``sysctl``: kernel parameters, in force and set for the next boot."""

from __future__ import annotations

from ...snapshots.view import cell
from .. import comparison
from ..memo import memo
from ..settable import value_for
from .base import Resource, Verdict

CONF = ("net.ipv4.conf.", "net.ipv6.conf.")


def _and(whole, own):
    return whole and own


def _or(whole, own):
    return whole or own


COMBINED = {
    "accept_local": _or,
    "accept_source_route": _and,
    "arp_announce": max,
    "arp_filter": _or,
    "arp_ignore": max,
    "log_martians": _or,
    "mc_forwarding": _and,
    "proxy_arp": _or,
    "route_localnet": _or,
    "rp_filter": max,
    "secure_redirects": _or,
    "send_redirects": _or,
    "shared_media": _or,
    "src_valid_mark": _or,
}
"""How the kernel joins ``net.ipv4.conf.all.X`` with an interface's own value (include/linux/inetdevice.h).
What is not named here, and everything of IPv6, is the interface's own value alone."""


def in_force(name, whole, own, forwarding):
    """Return the value (int) that counts on an IPv4 interface; ``whole`` is that of ``all``."""
    if name == "accept_redirects":  # IN_DEV_RX_REDIRECTS: both must allow it on a router, either one on a host
        return int(bool(whole and own if forwarding else whole or own))
    rule = COMBINED.get(name)
    return own if rule is None else int(rule(whole, own))


class Sysctl(Resource):
    """See ``summary``."""

    name = "sysctl"
    entries = True
    summary = (
        "`sysctl: {<key>: <value or comparators>}`: the running value and the value that the files set at boot must "
        "both meet it. For `net.ipv4.conf.all.X` and `net.ipv6.conf.all.X` also what is in force on every interface "
        "but `lo`. IPv6 keys do not count where IPv6 is off; keys of the host's kernel do not count in a container."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for expected in statement.values():
            comparison.check(expected, where)

    def tables(self, statement):
        """The one table it reads."""
        return ("sysctl",)

    def judge(self, statement, snapshot):
        """Return a Verdict a key."""
        return [self._key(key, expected, snapshot) for key, expected in statement.items()]

    def settings(self, statement):
        """One ``sysctl`` setting a key of which a value can be named; interfaces follow where they differ."""
        pairs = [(key, *value_for(expected)) for key, expected in statement.items()]
        return [
            {"kind": "sysctl", "key": key, "value": value} for key, known, value in pairs if known and value is not None
        ]

    def _key(self, key, expected, snapshot):
        wanted = {key: comparison.words(expected)}
        if key.startswith("net.ipv6.") and ipv6_off(snapshot):
            return Verdict("not_applicable", wanted, reason="IPv6 is off, now and at boot")
        row = snapshot.row("sysctl", key)
        if not asked(snapshot) and not _set_right(expected, row):
            # An image tells nothing of a running kernel, and yet what it will be after the next boot.
            persisted = cell(row, "persisted") if row else None
            place = row.get("persisted_where") if row else None
            evidence = [{"where": place, "what": f"{key} = {persisted}"} if place else _no_file(key)]
            return Verdict("fail", wanted, {key: {"persisted": persisted}}, evidence)
        if row is None or cell(row, "runtime") is None:
            found = {"runtime": None, "persisted": cell(row, "persisted") if row else None}
            evidence = [{"where": proc_path(key), "what": "the running kernel has no such parameter"}]
            return Verdict("fail", wanted, {key: found}, evidence, f"the running kernel has no {key}")
        if row.get("host_global"):
            return Verdict("not_applicable", wanted, reason=f"{key} belongs to the kernel of the container's host")
        runtime, persisted = cell(row, "runtime"), cell(row, "persisted")
        evidence = [{"where": proc_path(key), "what": f"{key} = {runtime}"}]
        place = row.get("persisted_where")
        evidence.append({"where": place, "what": f"{key} = {persisted}"} if place else _no_file(key))
        actual = {"runtime": runtime, "persisted": persisted}
        good = comparison.holds(expected, runtime) and persisted is not None and comparison.holds(expected, persisted)
        others = self._interfaces(key, expected, row, snapshot)
        if others:
            actual["interfaces"] = others
            evidence += [{"where": name, "what": f"in force: {value}"} for name, value in others.items()]
        return Verdict("pass" if good and not others else "fail", wanted, {key: actual}, evidence)

    def _interfaces(self, key, expected, row, snapshot):
        """Return interface key -> value in force, for those where it is not what is expected."""
        family = next((prefix for prefix in CONF if key.startswith(prefix + "all.")), None)
        if family is None:
            return {}
        leaf = key[len(family) + 4 :]
        found = {}
        for name, other in interfaces(snapshot, family):
            own_key = f"{family}{name}.{leaf}"
            if own_key not in other:
                continue
            own = comparison.number(cell(other[own_key], "runtime"))
            whole = comparison.number(cell(row, "runtime"))
            if own is None or whole is None:
                continue
            value = own
            if family == CONF[0]:
                forwarding = comparison.number(cell(other.get(f"{family}{name}.forwarding", {}), "runtime"))
                value = in_force(leaf, whole, own, bool(forwarding))
            if not comparison.holds(expected, value):
                found[own_key] = value
        return found


def asked(snapshot):
    """False where no running kernel could be asked: the rows are those of the files of an image."""

    def build():
        rows = snapshot.table("sysctl").rows.values()
        return not any(isinstance(row.get("runtime"), dict) for row in rows) or any(
            isinstance(row.get("runtime"), str) for row in rows
        )

    return memo(snapshot, "sysctl asked", build)


def _set_right(expected, row):
    persisted = cell(row, "persisted") if row else None
    return persisted is not None and comparison.holds(expected, persisted)


def proc_path(key):
    """Return the file of a key; a ``/`` in the key stands for a dot inside one of its parts (sysctl(8))."""
    return "/proc/sys/" + key.translate({ord("."): "/", ord("/"): "."})


def _no_file(key):
    return {"where": "/etc/sysctl.d", "what": f"no file sets {key}"}


def interfaces(snapshot, family):
    """Return ``[(interface, {key: row})]`` of the family (one of CONF), without all, default and lo."""

    def build():
        found = {}
        for key, row in snapshot.table("sysctl").rows.items():
            if key.startswith(family) and not row.get("glob"):
                name = key[len(family) :].rsplit(".", 1)[0]
                if name not in ("all", "default", "lo"):
                    found.setdefault(name, {})[key] = row
        return sorted(found.items())

    return memo(snapshot, f"sysctl interfaces {family}", build)


def ipv6_off(snapshot):
    """True if the kernel has no IPv6, or has it switched off now and by a file for the next boot."""
    row = snapshot.row("sysctl", "net.ipv6.conf.all.disable_ipv6")
    if not asked(snapshot):
        return row is not None and comparison.same(cell(row, "persisted"), 1)
    if row is None or cell(row, "runtime") is None:
        return True
    return comparison.same(cell(row, "runtime"), 1) and comparison.same(cell(row, "persisted"), 1)

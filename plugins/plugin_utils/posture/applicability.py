"""``when``: the conditions under which a control applies, each with the fact that decided it.

A fact that cannot be read raises Gap: such a control is unreadable, never not applicable.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..content.errors import ContentError
from ..content.lines import near
from ..snapshots.view import Gap, cell
from . import comparison, in_charge
from .lookups import active, enabled, installed, ipv6, mounted, unit
from .queries import search
from .query_check import check_query

PLATFORM_FACTS = (
    "id",
    "id_like",
    "family",
    "version_id",
    "architecture",
    "kernel",
    "init",
    "virtualization",
    "container",
    "cloud",
)

FAMILIES = ("debian", "rhel", "suse", "alpine", "arch")
"""Families of systems that content may name: those of the table ``platform``."""


@dataclass(frozen=True)
class Condition:
    """One ``when`` key. ``test(value, snapshot, context)`` returns ``(holds, fact)``; ``fact`` is a sentence."""

    name: str
    summary: str
    reads: tuple
    check: object
    test: object

    def tables(self, value):
        """Names of the tables the condition reads."""
        return self.reads(value) if callable(self.reads) else self.reads


def _items(value):
    return value if isinstance(value, list) else [value]


def _boolean(value, where):
    if not isinstance(value, bool):
        raise ContentError(where, f"found {value!r}", "true or false")


def _names(value, where):
    if not _items(value) or not all(isinstance(item, str) and item for item in _items(value)):
        raise ContentError(where, f"found {value!r}", "a name or a list of names")


def platform(snapshot):
    """Return the row of the platform table; raise Gap when it is not there."""
    row = snapshot.row("platform", "host")
    if row is None:
        raise Gap("error", "platform: no row")
    return row


def in_container(snapshot):
    """Return the container's kind (``docker``, ``lxc``, ...) or None on a machine; raise Gap if that is unknown."""
    return cell(platform(snapshot), "container") or None


def _container(value, snapshot, context):
    kind = in_container(snapshot)
    return (kind is not None) is value, f"runs in a container ({kind})" if kind else "is not a container"


def _role(value, snapshot, context):
    roles = set(context.get("roles") or ())
    shared = sorted(roles.intersection(_items(value)))
    return bool(shared), f"has the role {', '.join(shared)}" if shared else f"has no role {', '.join(_items(value))}"


def _not_role(value, snapshot, context):
    held, fact = _role(value, snapshot, context)
    return not held, fact


def _package(value, snapshot, context):
    found = [name for name in _items(value) if installed(snapshot, name)]
    if found:
        return True, f"package {', '.join(found)} is installed"
    return False, f"package {' or '.join(_items(value))} is not installed"


def _no_package(value, snapshot, context):
    held, fact = _package(value, snapshot, context)
    return not held, fact


def _service(value, snapshot, context):
    found = [name for name in _items(value) if unit(snapshot, name) is not None]
    return bool(found), f"{' or '.join(found or _items(value))} {'exists' if found else 'does not exist'}"


def _in_use(value, snapshot, context):
    for name in _items(value):
        if active(snapshot, name) or enabled(snapshot, name):
            return True, f"{name} is in use"
    return False, f"{' or '.join(_items(value))} is neither enabled nor running"


def _unused(value, snapshot, context):
    held, fact = _in_use(value, snapshot, context)
    return not held, fact


def _mount(value, snapshot, context):
    found = mounted(snapshot, value)
    return found, f"{value} is {'a' if found else 'no'} file system of its own"


def _ipv6(value, snapshot, context):
    on, fact = ipv6(snapshot)
    return on is value, fact


def _check_platform(value, where):
    if not isinstance(value, dict) or not value:
        raise ContentError(where, "platform takes a map", 'platform: {id: debian, version_id: "12"}')
    for name, expected in value.items():
        if name not in PLATFORM_FACTS:
            problem = f"unknown platform fact {name}{near(name, PLATFORM_FACTS)}"
            raise ContentError(where, problem, "one of " + ", ".join(PLATFORM_FACTS))
        comparison.check(expected, where)


def _platform(value, snapshot, context):
    row = platform(snapshot)
    for name, expected in value.items():
        actual = cell(row, name)
        wanted = {"one_of": expected} if isinstance(expected, list) else expected
        if not comparison.holds(wanted, actual):
            return False, f"{name} is {actual}"
    return True, ", ".join(f"{name} is {row.get(name)}" for name in value)


def _arch(value, snapshot, context):
    return _platform({"architecture": {"one_of": _items(value)}}, snapshot, context)


def _check_family(value, where):
    _names(value, where)
    for name in _items(value):
        if name not in FAMILIES:
            raise ContentError(where, f"unknown family {name}{near(name, FAMILIES)}", "one of " + ", ".join(FAMILIES))


def _family(value, snapshot, context):
    found = cell(platform(snapshot), "family")
    if found is None:
        raise Gap("unreadable", "platform: the family of the system is not known")
    return found in _items(value), f"the system is of the {found} family"


def _check_in_charge(value, where):
    if not isinstance(value, dict) or not value:
        raise ContentError(where, "in_charge takes a map", "in_charge: {firewall: ufw}")
    for group, names in value.items():
        if group not in in_charge.GROUPS:
            problem = f"unknown group {group}{near(group, in_charge.GROUPS)}"
            raise ContentError(where, problem, "one of " + ", ".join(in_charge.GROUPS))
        _names(names, where)
        members = in_charge.GROUPS[group][1]
        for name in _items(names):
            if name not in members:
                problem = f"{name} is none of the group {group}{near(name, members)}"
                raise ContentError(where, problem, "one of " + ", ".join(members))


def _in_charge(value, snapshot, context):
    facts = []
    for group, names in value.items():
        facts.append(in_charge.fact(snapshot, group))
        if not set(in_charge.in_charge(snapshot, group)).intersection(_items(names)):
            return False, facts[-1]
    return True, ", ".join(facts)


def _in_charge_reads(value):
    return tuple(dict.fromkeys(table for group in value for table in in_charge.GROUPS[group][2]))


def _check_query(value, where):
    if not isinstance(value, dict) or not isinstance(value.get("table"), str) or "expression" not in value:
        raise ContentError(
            where, "query takes table, expression and a comparator", "query: {table: ..., expression: ...}"
        )
    check_query((value["table"],), value["expression"], False, where)
    comparison.check(_query_expected(value), where)


def _query_expected(value):
    return {name: item for name, item in value.items() if name not in ("table", "expression", "fact")} or {
        "empty": False
    }


def _query(value, snapshot, context):
    actual, gap = search(snapshot, (value["table"],), value["expression"])
    if gap:
        raise gap
    held = comparison.holds(_query_expected(value), actual)
    fact = value.get("fact", f"{value['table']}: {value['expression']}")
    return held, fact if held else f"it is not so that {fact}"


_ALL = (
    Condition("container", "true or false: the host runs in a container", ("platform",), _boolean, _container),
    Condition("role", "the host has one of these roles (`ringwall_roles`)", (), _names, _role),
    Condition("not_role", "the host has none of these roles (`ringwall_roles`)", (), _names, _not_role),
    Condition("package", "one of these packages is installed", ("packages",), _names, _package),
    Condition("no_package", "none of these packages is installed", ("packages",), _names, _no_package),
    Condition("service", "one of these units exists", ("units",), _names, _service),
    Condition("service_in_use", "one of these units is enabled or running", ("units",), _names, _in_use),
    Condition("service_unused", "none of these units is enabled or running", ("units",), _names, _unused),
    Condition("mount", "this path is a file system of its own", ("mounts",), _names, _mount),
    Condition("ipv6", "true or false: IPv6 is on", ("sysctl",), _boolean, _ipv6),
    Condition("arch", "the machine's architecture is one of these", ("platform",), _names, _arch),
    Condition("platform", "platform facts: value, list or comparators", ("platform",), _check_platform, _platform),
    Condition("family", "the system is of one of these families: " + ", ".join(FAMILIES), ("platform",),
              _check_family, _family),
    Condition("in_charge", "this member of a group has the job here: "
              + "; ".join(f"`{group}`: " + ", ".join(body[1]) for group, body in in_charge.GROUPS.items()),
              _in_charge_reads, _check_in_charge, _in_charge),
    Condition("query", "`{table, expression, <comparator>}`: a JMESPath over `rows`; without comparator: not empty",
              lambda value: (value["table"],), _check_query, _query),
)  # fmt: skip

CONDITIONS = {condition.name: condition for condition in _ALL}
"""``when`` key -> Condition."""


NOT = "does not apply: "
"""What stands before the fact that decided."""


def applies(when, snapshot, context):
    """Return ``(True, "")`` or ``(False, fact)``; raise Gap when a fact is missing and no other one decides.

    All conditions must hold. One that certainly does not hold decides, although another could not be read.
    """
    gap = None
    for name, value in when.items():
        try:
            held, fact = CONDITIONS[name].test(value, snapshot, context)
        except Gap as error:
            gap = gap or error
            continue
        if not held:
            return False, NOT + fact
    if gap:
        raise Gap(gap.status, f"whether it applies is not known: {gap.why}")
    return True, ""

"""Packet filters: each front end, what it does to packets by default, and which one is in charge."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..firewall_config import read_firewalld, read_nft_scripts, read_saved, read_ufw, ufw_enabled
from ..firewall_facts import STRICT, Facts
from ..firewall_state import state
from ..procfs import processes
from ..spec import Absent, Column, Table, Unreadable, Unsupported, unreadable

TABLE = Table(
    name="firewall",
    description="Front ends of the packet filter (the kernel's own tables by nftables and iptables, and ufw and "
    "firewalld, which write those), and the row `host`, which is what all of them together do.",
    key="nftables, iptables, ip6tables, iptables-legacy, ip6tables-legacy, ufw, firewalld (only those that are there) "
    "and host",
    columns=(
        Column("active", "bool", "it filters now: rules or a strict policy for incoming packets; firewalld: it runs"),
        Column("enabled", "bool", "its own settings say that it is on (ufw); null where only a unit decides"),
        Column(
            "in_charge",
            "bool",
            "it is the one that decides about incoming packets; of ufw or firewalld and "
            "the tables that they write, ufw or firewalld",
        ),
        Column("front_end", "text", "of the row `host`: the one in charge, or null; of others their own name"),
        Column("others", "list", "of the row `host`: further front ends that also decide about incoming packets"),
        Column(
            "policies",
            "map",
            "`ip input`, `ip6 forward`, ... -> accept, reject or drop: what becomes of a "
            "packet that no condition matched; null when nothing filters there",
        ),
        Column(
            "loopback",
            "map",
            "ip and ip6 -> {in, out, spoofed}: rules accept loopback's packets coming in and "
            "going out, and drop its addresses from other interfaces",
        ),
        Column("established", "list", "`ip input`, ... where rules accept established connections"),
        Column("open_ports", "list", "`tcp/22`, ... that rules accept on input, whatever their other conditions"),
        Column("tables", "list", "kernel tables as `<family> <name>`"),
        Column("chains", "int", "number of chains"),
        Column("rules", "int", "number of rules"),
        Column("digest", "text", "SHA-256 of chains and rules in their order, without counters"),
        Column("saved_policies", "map", "like `policies`, of the files that are loaded at boot"),
        Column("saved_in", "list", "those files"),
        Column(
            "settings",
            "map",
            "of ufw and firewalld: their default policies, default zone, logging, the rules of ufw's commands, the "
            "zones in use",
        ),
    ),
    max_rows=10,
)

READ_CELLS = (
    "active",
    "in_charge",
    "policies",
    "loopback",
    "established",
    "open_ports",
    "tables",
    "chains",
    "rules",
    "digest",
)
ORDER = ("firewalld", "ufw", "nftables", "iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy")


def blank(name):
    """A row in which nothing is known yet."""
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(front_end=name, in_charge=False, active=False)
    return row


def facts_cells(facts):
    """The cells that a ruleset fills."""
    return {
        "policies": facts.policies(),
        "loopback": facts.loopback(),
        "established": facts.established(),
        "open_ports": facts.open_ports(),
        "digest": facts.digest(),
        "active": facts.filters_input(),
        "tables": sorted({"%s %s" % (chain["family"], chain["table"]) for chain in facts.chains})[:200],
        "chains": len(facts.chains),
        "rules": len(facts.rules),
    }


def _kernel_row(name, found):
    row = blank(name)
    if isinstance(found, Facts):
        row.update(facts_cells(found))
    else:
        row.update(dict.fromkeys(READ_CELLS, found.cell()))
    return row


def _saved(row, read, *arguments):
    try:
        row["saved_policies"], row["saved_in"] = read(*arguments)
    except Unreadable as error:
        row["saved_policies"] = row["saved_in"] = error.cell()


def _ufw_row(host, kernel):
    row = blank("ufw")
    try:
        found = read_ufw(host)
    except Unreadable as error:
        row.update(dict.fromkeys(READ_CELLS + ("settings", "saved_policies", "saved_in"), error.cell()))
        try:
            row["enabled"] = ufw_enabled(host)  # anyone may read that one
        except Unreadable:
            row["enabled"] = error.cell()
        return row
    if found is None:
        return None
    enabled, row["settings"], row["saved_in"], model = found
    row["enabled"] = enabled
    row["saved_policies"] = model.policies()
    row.update(facts_cells(model))
    live = [facts for facts in kernel if isinstance(facts, Facts)]
    if any(chain["name"].startswith("ufw-") for facts in live for chain in facts.chains):
        row["active"] = True
    elif len(live) == len(kernel):
        row["active"] = False  # switched on or not: none of its chains is in the kernel
    else:
        row["active"] = next(error for error in kernel if not isinstance(error, Facts)).cell()
    return row


def _runs(host, name):
    """True if the daemon runs, by its unit or its program's name; a cell when that cannot be told."""
    try:
        return any(
            process["name"] == name or process["unit"] == name + ".service"
            for process in processes(host)
            if not process["container"]
        )
    except Unreadable as error:
        return error.cell()
    except Unsupported as error:
        return unreadable("partial", str(error))


def _firewalld_row(host, nft):
    row = blank("firewalld")
    try:
        found = read_firewalld(host)
    except Unreadable as error:
        row["settings"] = row["saved_in"] = error.cell()
        found = ()
    if found is None:
        return None
    if found:
        row["settings"], row["saved_in"] = found
    if isinstance(nft, Facts):
        ours = [chain for chain in nft.chains if chain["table"].startswith("firewalld")]
        row.update(facts_cells(Facts(ours, [rule for rule in nft.rules if rule["table"].startswith("firewalld")])))
    elif nft is not None:
        row.update(dict.fromkeys(READ_CELLS, nft.cell()))
    row["active"] = _runs(host, "firewalld")
    return row


def combine(parts):
    """The strictest of several ``policies`` maps: a packet has to pass all of them."""
    together = {}
    for policies in parts:
        for key, verdict in policies.items():
            if key not in together or (verdict and STRICT.get(verdict, 0) >= STRICT.get(together[key], -1)):
                together[key] = verdict
    return together


def host_row(rows, kernel):
    """The row of all filters together. ``kernel`` are the Facts of nftables and iptables (or an Unreadable)."""
    row = blank(None)
    gap = next((error for error in kernel if not isinstance(error, Facts)), None)
    if gap is not None:
        row.update(dict.fromkeys(READ_CELLS + ("front_end", "others"), gap.cell()))
        for other in rows.values():
            other["in_charge"] = gap.cell()
        return row
    everything = Facts(
        [chain for facts in kernel for chain in facts.chains], [rule for facts in kernel for rule in facts.rules]
    )
    row.update(facts_cells(everything))
    row["policies"] = combine(facts.policies() for facts in kernel)
    deciding = [name for name in ORDER if name in rows and rows[name]["active"] is True]
    row["front_end"] = deciding[0] if deciding else None
    # ip6tables is the other half of iptables, and both are only the hands of ufw.
    written = {
        "ufw": ("iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy"),
        "iptables": ("ip6tables",),
        "iptables-legacy": ("ip6tables-legacy",),
        "firewalld": (),
    }
    row["others"] = [name for name in deciding[1:] if name not in written.get(deciding[0], ())]
    row["in_charge"] = bool(deciding)
    for name in rows:
        rows[name]["in_charge"] = name == row["front_end"]
    return row


def _kernel(host, rows):
    """Fill the rows of the running kernel; return what decides, as Facts or errors."""
    found = state(host)
    kernel = []
    if not isinstance(found.nft, Absent):
        own = found.nft_own
        if isinstance(own, Facts):
            own = Facts(
                [chain for chain in own.chains if not chain["table"].startswith("firewalld")],
                [rule for rule in own.rules if not rule["table"].startswith("firewalld")],
            )
            kernel.append(found.nft_own)
        else:
            kernel.append(own)
        rows["nftables"] = _kernel_row("nftables", own)
    elif isinstance(found.iptables["iptables"], Absent):
        kernel.append(Unreadable("partial", "packets may be filtered, and neither nft nor iptables is there to ask"))
    for name, facts in found.iptables.items():
        if not isinstance(facts, Absent):
            rows[name] = _kernel_row(name, facts)
            kernel.append(facts)
    return found, kernel


def collect(host, options):
    """Return the rows of the front ends that are there and the row ``host``; only root sees the kernel's rules."""
    rows = {}
    if host.live:
        found, kernel = _kernel(host, rows)
        nft = found.nft if not isinstance(found.nft, Absent) else None
    else:
        gap = Unreadable("partial", "only a running system can tell")
        kernel, nft = [gap], gap
        for name, program in (("nftables", "nft"), ("iptables", "iptables"), ("ip6tables", "ip6tables")):
            if any(host.exists(directory + program) for directory in ("/usr/sbin/", "/sbin/")):
                rows[name] = _kernel_row(name, gap)
    for name, read, arguments in (
        ("nftables", read_nft_scripts, (host,)),
        ("iptables", read_saved, (host, "iptables")),
        ("ip6tables", read_saved, (host, "ip6tables")),
    ):
        if name in rows:
            _saved(rows[name], read, *arguments)
    for row in (_ufw_row(host, kernel), _firewalld_row(host, nft)):
        if row is not None:
            rows[row["front_end"]] = row
    rows["host"] = host_row(rows, kernel)
    return rows

"""The packet filters of the running kernel, read once for the tables firewall and firewall_rules."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import json

from .firewall_facts import Facts
from .firewall_iptables import parse_save
from .firewall_nft import parse_ruleset, xtables
from .spec import Absent, Unreadable

SAVE = {"iptables": "iptables-save", "ip6tables": "ip6tables-save"}
LOADED_LEGACY = {"iptables": "/proc/net/ip_tables_names", "ip6tables": "/proc/net/ip6_tables_names"}


def _denied(program, error):
    """The Unreadable for a program that ended badly; its own words may name rules and are not repeated."""
    low = error.lower()
    refused = b"permission denied" in low or b"not permitted" in low or b"must be root" in low
    return Unreadable(
        "denied" if refused else "invalid",
        "%s: %s" % (program, "only root may list the rules" if refused else "ended with an error"),
    )


def nf_tables_loaded(host):
    """False if the kernel certainly has no nf_tables at work; True if it has or it cannot be told.

    Asking netlink would load the module, and an assessment changes nothing.
    """
    try:
        if any(line.startswith("nf_tables ") for line in host.lines("/proc/modules")):
            return True
        release = host.read_text("/proc/sys/kernel/osrelease", 256).strip()
        return "/nf_tables.ko" in host.read_text("/lib/modules/%s/modules.builtin" % release)
    except (Absent, Unreadable):
        return True


def read_nft(host):
    """Return Facts of the whole nftables ruleset, sets' elements left out. Raise Unreadable or Absent (no nft)."""
    if not nf_tables_loaded(host):
        return Facts([], [])
    if host.which("nft") is None:
        raise Absent("nft")
    done = host.run(["nft", "-j", "-t", "list", "ruleset"])
    if done.code and b"option" in done.err:
        done = host.run(["nft", "-j", "list", "ruleset"])  # nft 0.9.1 and older know no --terse
    if done.code:
        raise _denied("nft", done.err)
    try:
        return (
            Facts(*parse_ruleset(json.loads(done.out.decode("utf-8", "replace"))))
            if done.out.strip()
            else Facts([], [])
        )
    except (ValueError, RecursionError):
        raise Unreadable("invalid", "nft: its JSON cannot be read") from None


def read_iptables(host, name, program=None):
    """Return Facts of iptables or ip6tables as ``<name>-save`` lists them. Raise Unreadable or Absent."""
    program = program or SAVE[name]
    if host.which(program) is None:
        raise Absent(program)
    done = host.run([program])
    if done.code:
        raise _denied(program, done.err)
    return Facts(*parse_save(done.lines(), "ip6" if name == "ip6tables" else "ip"))


def _legacy_loaded(host, name):
    """True if the kernel has tables of the old iptables; asking only then keeps its modules from being loaded."""
    try:
        return bool(host.read_text(LOADED_LEGACY[name], 4096).strip())
    except Absent:
        return False


def _try(read, *arguments):
    try:
        return read(*arguments)
    except (Absent, Unreadable) as error:
        return error


class State:
    """What was found: each of ``nft``, and the values of ``iptables``, is Facts, Absent or Unreadable.

    ``nft_own`` is ``nft`` without the tables that iptables made; ``iptables`` maps iptables, ip6tables and, where
    the old kernel tables are loaded beside the new, iptables-legacy, ip6tables-legacy.
    """

    def __init__(self, host):
        self.nft = _try(read_nft, host)
        self.iptables = {}
        managed = xtables(self.nft.chains) if isinstance(self.nft, Facts) else None
        for name, family in (("iptables", "ip"), ("ip6tables", "ip6")):
            legacy = _try(_legacy_loaded, host, name)
            if isinstance(self.nft, Facts) and legacy is False and not any(key[0] == family for key in managed):
                # Neither kernel interface holds a table: nothing to list, no program to start.
                self.iptables[name] = Facts([], []) if host.which(SAVE[name]) else Absent(SAVE[name])
                continue
            self.iptables[name] = _try(read_iptables, host, name)
            old = name + "-legacy-save"
            if legacy is True and host.which(old) and host.which(name + "-nft-save"):
                self.iptables[name + "-legacy"] = _try(read_iptables, host, name, old)
        self.nft_own = self.nft
        if managed and not isinstance(self.iptables["iptables"], Absent):
            self.nft_own = Facts(
                [chain for chain in self.nft.chains if (chain["family"], chain["table"]) not in managed],
                [rule for rule in self.nft.rules if (rule["family"], rule["table"]) not in managed],
            )

    def gap(self):
        """The first Unreadable, or None when everything was read."""
        for found in [self.nft] + list(self.iptables.values()):
            if isinstance(found, Unreadable):
                return found
        return None


def state(host):
    """The State of this host, read once; raise Unsupported under a root that is not running."""
    host.need_live()
    return host.cached("firewall", lambda: State(host))

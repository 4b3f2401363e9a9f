"""System-wide cryptographic policies of the Red Hat family: what is configured, what the programs were given.

Sources: crypto-policies(7), update-crypto-policies(8).
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

SETTINGS = ("ciphers", "macs", "kexalgorithms", "gssapikexalgorithms", "hostkeyalgorithms", "pubkeyacceptedalgorithms",
            "pubkeyacceptedkeytypes", "casignaturealgorithms", "hostbasedacceptedalgorithms")  # fmt: skip
"""Keywords of OpenSSH that its back ends set."""

MAX_RULES = 300
_RULE = re.compile(r"\s*([a-z_]+(?:@[A-Za-z0-9_.,{}-]+)?)\s*=\s*([^#]*)")
_OPTION = re.compile(r"-o([A-Za-z]+)=(\S+)")


def split_policy(text):
    """Return ``(base, [subpolicies])`` of ``DEFAULT:NO-SHA1``; ``("", [])`` for an empty text."""
    parts = [part.strip() for part in text.strip().split(":")]
    return parts[0], [part for part in parts[1:] if part]


def first_policy(lines):
    """Return the policy of a configuration file: its first line that is neither empty nor a comment."""
    for line in lines:
        line = line.split("#", 1)[0].strip()
        if line:
            return line
    return ""


def parse_rules(lines):
    """Return ``[(name, scope, [values], line number)]`` of a policy, a subpolicy or the dump of the one in force.

    ``cipher@{SSH,libssh} = -*-CBC`` gives a rule for each scope; scopes in small letters.
    """
    found = []
    for number, line in enumerate(lines, 1):
        match = _RULE.match(line) if not line.lstrip().startswith("#") else None
        if not match:
            continue
        name, _at, scopes = match.group(1).partition("@")
        values = match.group(2).split()[:200]
        found += [(name, scope.strip().lower(), values, number) for scope in scopes.strip("{}").split(",")]
        if len(found) >= MAX_RULES:
            break
    return found


def parse_openssh(lines):
    """Return ``{keyword: [algorithms]}`` of a back end for OpenSSH: lines of ssh_config(5), or the option list of
    ``CRYPTO_POLICY='-oCiphers=... -oMACs=...'`` as older releases write it for the server.
    """
    found = {}
    for line in lines:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        pairs = _OPTION.findall(line.strip("'\"")) if "-o" in line and line.startswith("CRYPTO_POLICY") else [
            tuple((line.replace("=", " ", 1).split(None, 1) + [""])[:2])
        ]  # fmt: skip
        for keyword, value in pairs:
            if keyword.lower() in SETTINGS:
                found.setdefault(keyword.lower(), [item for item in value.strip("'\" ").split(",") if item][:100])
    return found

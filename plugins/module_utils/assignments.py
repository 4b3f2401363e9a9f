"""Files of ``NAME=value`` lines: shell assignments as /etc/default and systemd's state files hold them."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type


def parse_assignments(lines):
    """Return NAME -> value of a file of shell assignments; quotes go, the last one wins."""
    found = {}
    for line in lines:
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found

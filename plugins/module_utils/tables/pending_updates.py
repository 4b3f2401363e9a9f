"""Packages for which the lists on disk know a newer version."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..pending import read_pending
from ..spec import Column, Table

TABLE = Table(
    name="pending_updates",
    description=(
        "Packages with a newer version in the lists that the host fetched last (`updates.lists_time`): those of"
        " security archives, with option `pending: true` those of all. Pins and phased updates are not weighed."
    ),
    key="key of the package in the table packages",
    columns=(
        Column("installed", "text", "version that is installed"),
        Column("candidate", "text", "newest version in the lists"),
        Column("security", "bool", "it comes from a security archive or a security advisory"),
        Column("advisory", "text", "id of the advisory when the manager names it (dnf)"),
    ),
    max_rows=20000,
)


def collect(host, options):
    """Return one row a package. Raise Unreadable when there are no lists to tell from."""
    return read_pending(host, bool(options.get("pending")))

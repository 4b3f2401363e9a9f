"""``name_servers``: how many servers a host asks for names."""

from __future__ import annotations

from ...content.errors import ContentError
from ...snapshots.view import Gap, cell
from .. import comparison
from .base import Resource, Verdict

TABLE = "config"
PATH = "/etc/resolv.conf"
OWN = ("127.", "::1")
MOST = 3
"""The library asks the first three (resolv.conf(5), MAXNS)."""


class NameServers(Resource):
    """See ``summary``."""

    name = "name_servers"
    summary = (
        "`name_servers: {min: 2}`: so many different servers that are asked stand in /etc/resolv.conf. Where a "
        "resolver of this host is asked, which has servers of its own, this does not apply."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        if set(statement) != {"min"} or not isinstance(statement["min"], int) or not 1 <= statement["min"] <= MOST:
            raise ContentError(where, f"name_servers: {statement!r}", "name_servers: {min: 2}")

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def configs(self, statement):
        """The one file it reads."""
        return ({"file": PATH, "format": "words", "drop_ins": None},)

    def judge(self, statement, snapshot):
        """Return one Verdict."""
        row = snapshot.row(TABLE, PATH)
        if row is None:
            raise Gap("unreadable", f"{PATH} was not asked for")
        there, directives = cell(row, "exists"), cell(row, "directives") or []
        lines = [line for line in directives if line["name"] == "nameserver" and line["value"]]
        wanted = {"servers": comparison.words(statement)}
        own = [line["value"] for line in lines if line["value"].startswith(OWN)]
        if own:
            return [
                Verdict("not_applicable", wanted, reason=f"does not apply: a resolver of this host ({own[0]}) asks")
            ]
        servers = list(dict.fromkeys(line["value"].split()[0] for line in lines))[:MOST]
        evidence = [{"where": line["where"], "what": f"nameserver {line['value']}"} for line in lines] or [
            {"where": PATH, "what": "no server is named" if there else "does not exist"}
        ]
        good = comparison.holds(statement, len(servers))
        return [Verdict("pass" if good else "fail", wanted, {"servers": servers}, evidence)]

"""``end_of_support``: the release of the system still gets security updates."""

from __future__ import annotations

import datetime

from ...content.errors import ContentError
from ...snapshots.view import cell
from ..applicability import platform
from .base import Resource, Verdict


class EndOfSupport(Resource):
    """See ``summary``."""

    name = "end_of_support"
    summary = (
        '`end_of_support: {<id of os-release>: {"<version>": "<last day>"}}`: the last day of security updates for '
        "the release, which is looked up by its VERSION_ID and by the number before its first dot, has not passed. A "
        "release that is not listed is `manual`."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for system, releases in statement.items():
            if not isinstance(releases, dict) or not releases:
                raise ContentError(where, f"{system} is no map of releases", f'{system}: {{"12": "2028-06-30"}}')
            for version, day in releases.items():
                if not isinstance(version, str) or not _is_day(day):
                    raise ContentError(where, f"{system}: {version!r}: {day!r}", '"12": "2028-06-30", both in quotes')

    def tables(self, statement):
        """The one table it reads."""
        return ("platform",)

    def judge(self, statement, snapshot):
        """Return one Verdict, by the day on which the platform was read."""
        row = platform(snapshot)
        system, version = cell(row, "id"), cell(row, "version_id")
        known = statement.get(system, {})
        day = known.get(version) or known.get(str(version).partition(".")[0])
        name = cell(row, "pretty_name") or f"{system} {version or ''}".strip()
        expected = "a release that gets security updates"
        if day is None:
            return [Verdict("manual", expected, name, reason=f"until when {name} is supported is not known here")]
        moment = snapshot.table("platform").observed_at or snapshot.taken
        evidence = [{"where": "/etc/os-release", "what": f"{name}: security updates until {day}"}]
        return [Verdict("pass" if moment[:10] <= day else "fail", expected, name, evidence)]


def _is_day(value):
    try:
        return isinstance(value, str) and len(value) == 10 and bool(datetime.date.fromisoformat(value))
    except ValueError:
        return False

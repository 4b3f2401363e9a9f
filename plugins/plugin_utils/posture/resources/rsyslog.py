"""``rsyslog``: what it writes, sends and receives, however that is written down."""

from __future__ import annotations

import re

from ...content.errors import ContentError
from ...content.lines import near
from .. import comparison
from ..rsyslog_facts import GLOBAL, file_modes, forwards, logged, receivers, stream_setting
from .base import Resource, Verdict

TABLE = "logging"
FILE = "/etc/rsyslog.conf"
DROP_IN = "/etc/rsyslog.d/00-ringwall.conf"
"""Read first: an old directive is for the actions behind it."""
KEYS = ("file_mode", "receives", "forwards", "logs", *GLOBAL)
DIRECTIVES = {"streamdriver": "DefaultNetstreamDriver", "streamdrivermode": "ActionSendStreamDriverMode",
              "streamdriverauthmode": "ActionSendStreamDriverAuthMode"}  # fmt: skip
_MODE = re.compile(r"0?[0-7]{3}")


class Rsyslog(Resource):
    """See ``summary``."""

    name = "rsyslog"
    summary = (
        '`rsyslog: {file_mode: "0640"}`: new files have these bits at the most. `{receives: false}`: it takes '
        "nothing from the network. `{forwards: true}`: it sends to another host; a list of comparators' map: to "
        "one like that. `{logs: [cron, auth]}`: every message of these facilities goes to some file. "
        "`{streamdriver: ..., streamdrivermode: ..., streamdriverauthmode: ...}`: a value or comparators for "
        "what is sent, of each forward or of all."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        for key, value in statement.items():
            if key not in KEYS:
                raise ContentError(where, f"rsyslog: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
            if key == "file_mode" and not (isinstance(value, str) and _MODE.fullmatch(value)):
                raise ContentError(where, f"rsyslog: file_mode {value!r}", 'file_mode: "0640"')
            if key == "receives" and value is not False:
                raise ContentError(where, "rsyslog: receives takes false", "receives: false")
            if key == "logs" and (not isinstance(value, list) or not value):
                raise ContentError(where, "rsyslog: logs takes a list of facilities", "logs: [auth, authpriv]")
            if key in GLOBAL or key == "forwards":
                comparison.check(value, where)

    def tables(self, statement):
        """The one table it reads."""
        return (TABLE,)

    def judge(self, statement, snapshot):
        """Return a Verdict a key."""
        return [getattr(self, "_" + ("stream" if key in GLOBAL else key))(key, value, snapshot)
                for key, value in statement.items()]  # fmt: skip

    def settings(self, statement):
        """What can be set without knowing the site: modes, and how what is sent is protected."""
        lines = {}
        if "file_mode" in statement:
            lines["$FileCreateMode"] = statement["file_mode"]
        for key, directive in DIRECTIVES.items():
            if key in statement and not isinstance(statement[key], dict):
                lines["$" + directive] = str(statement[key])
        return [
            {"kind": "line", "path": DROP_IN, "regexp": rf"^\{name}\s", "line": f"{name} {value}", "state": "present",
             "create": {"mode": "0644", "owner": "root", "group": "root"}, "follow": "restart:rsyslog"}
            for name, value in lines.items()
        ]  # fmt: skip

    def _file_mode(self, _key, value, snapshot):
        expected = {"mode of new files": f"{value} or stricter"}
        found = file_modes(snapshot)
        if not found:
            told = "no mode is set: the default is 0644"
            return Verdict("fail", expected, {"mode of new files": "0644"}, [{"where": FILE, "what": told}])
        loose = [item for item in found if not _MODE.fullmatch(item[1]) or int(item[1], 8) & ~int(value, 8)]
        evidence = [{"where": where or FILE, "what": f"new files get {mode}"} for where, mode in loose or found]
        shown = [mode for _where, mode in loose or found]
        return Verdict("fail" if loose else "pass", expected, {"mode of new files": shown}, evidence)

    def _receives(self, _key, _value, snapshot):
        found = receivers(snapshot)
        evidence = [{"where": where or FILE, "what": what} for where, what in found]
        evidence = evidence or [{"where": FILE, "what": "no input from the network"}]
        actual = {"receives": [what for _where, what in found] or "nothing"}
        return Verdict("fail" if found else "pass", {"receives": "nothing"}, actual, evidence)

    def _forwards(self, _key, value, snapshot):
        found = forwards(snapshot)
        if isinstance(value, dict):
            found = [row for row in found if comparison.holds(value, row.get("value"))]
        evidence = [{"where": row.get("where") or FILE, "what": f"sends to {row.get('value')}"} for row in found]
        evidence = evidence or [{"where": FILE, "what": "nothing is sent to another host"}]
        wanted = comparison.words(value) if isinstance(value, dict) else "another host"
        actual = {"sends to": [row.get("value") for row in found] or "nobody"}
        return Verdict("pass" if found else "fail", {"sends to": wanted}, actual, evidence)

    def _logs(self, _key, value, snapshot):
        evidence, missing = [], []
        for facility in value:
            found = logged(snapshot, facility)
            if found:
                evidence.append({"where": found[0][0] or FILE, "what": f"{facility} goes to {found[0][1]}"})
            else:
                missing.append(facility)
                evidence.insert(0, {"where": FILE, "what": f"not every message of {facility} goes to a file"})
        actual = {"not logged": missing} if missing else {"logged": value}
        return Verdict("fail" if missing else "pass", {"logged": value}, actual, evidence)

    def _stream(self, key, value, snapshot):
        found = stream_setting(snapshot, key)
        bad = [item for item in found if not comparison.holds(value, item[1])]
        evidence = [{"where": where or FILE, "what": f"{DIRECTIVES[key]} is {one}"} for where, one in bad or found]
        actual = {key: [one for _where, one in bad or found]}
        return Verdict("fail" if bad else "pass", {key: comparison.words(value)}, actual, evidence)

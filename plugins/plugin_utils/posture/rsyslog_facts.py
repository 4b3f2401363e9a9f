"""What rsyslog does with messages, put together from the lines that the table ``logging`` holds."""

from __future__ import annotations

from ..snapshots.view import cell

GLOBAL = {
    "streamdriver": ("DefaultNetstreamDriver", "defaultnetstreamdriver"),
    "streamdrivermode": ("ActionSendStreamDriverMode", None),
    "streamdriverauthmode": ("ActionSendStreamDriverAuthMode", None),
}
"""Parameter of a forward -> the directive and the parameter of ``global()`` that hold where it says nothing."""

INPUTS = ("imtcp", "imudp", "imrelp", "imptcp")
_INPUT_DIRECTIVES = ("InputTCPServerRun", "UDPServerRun", "InputRELPServerRun")
ANY = ("*", "debug")
"""Priorities that let every message through."""


def rows_of(snapshot, name=None):
    """Rows of rsyslog, in the order of reading; of one name if given. Raise Gap."""
    found = [row for row in snapshot.rows("logging").values() if cell(row, "component") == "rsyslog"]
    return [row for row in found if name is None or cell(row, "name") == name]


def parameters(row):
    """The parameters of an object, a map."""
    return cell(row, "parameters") or {}


def receivers(snapshot):
    """Return ``[(where, what)]`` of everything that takes messages from the network."""
    found = []
    for row in rows_of(snapshot):
        name, value = cell(row, "name"), str(cell(row, "value") or "")
        if name in _INPUT_DIRECTIVES:
            found.append((row.get("where"), f"${name} {value}"))
        elif (name == "input" and value in INPUTS) or (name in ("module", "ModLoad") and value in INPUTS):
            found.append((row.get("where"), f"{name} {value}"))
    return found


def file_modes(snapshot):
    """Return ``[(where, octal text)]`` of every mode that is set for new files, by default or for one file."""
    found = []
    for row in rows_of(snapshot):
        if cell(row, "name") == "FileCreateMode":
            found.append((row.get("where"), str(cell(row, "value"))))
        elif parameters(row).get("filecreatemode"):
            found.append((row.get("where"), parameters(row)["filecreatemode"]))
    return found


def forwards(snapshot):
    """Return the rows of what sends messages to other hosts."""
    return rows_of(snapshot, "forward")


def stream_setting(snapshot, name):
    """Return ``[(where, value)]``: what each forward goes by, or what all would go by where there is none."""
    directive, parameter = GLOBAL[name]
    common = (None, None)
    for row in rows_of(snapshot):
        if cell(row, "name") == directive:
            common = (row.get("where"), str(cell(row, "value")))
        elif cell(row, "name") == "global" and parameter and parameters(row).get(parameter):
            common = (row.get("where"), parameters(row)[parameter])
    sending = forwards(snapshot)
    if not sending:
        return [common]
    found = []
    for row in sending:
        own = parameters(row).get(name) or parameters(row).get(name.replace("streamdriver", "streamdriver.", 1))
        if name == "streamdriver":
            own = own or parameters(row).get("streamdriver.name")
        found.append((row.get("where"), own) if own else (row.get("where"), common[1]))
    return found


def everything_of(selector, facility):
    """True if a selector (``auth,authpriv.*;cron.none``) lets every message of a facility through."""
    passed = False
    for part in str(selector).lower().split(";"):
        names, dot, priority = part.strip().rpartition(".")
        if not dot or not ({"*", facility} & {name.strip() for name in names.split(",")}):
            continue
        passed = priority != "none" and priority[:1] != "!" and (priority in ANY or passed)
    return passed


def logged(snapshot, facility):
    """Return ``[(where, path)]`` of the files that hold every message of a facility."""
    return [
        (row.get("where"), cell(row, "value"))
        for row in rows_of(snapshot, "file")
        if everything_of(parameters(row).get("selector") or "", facility)
    ]

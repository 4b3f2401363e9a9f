"""Rules of what may run or be plugged in: fapolicyd and USBGuard."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from ..spec import Absent, Column, Table, Unreadable

TABLE = Table(
    name="allowlists",
    description="The rule files of fapolicyd (which programs run) and USBGuard (which devices connect).",
    key="fapolicyd or usbguard; a row only where its rule file is there",
    columns=(
        Column("files", "list", "rule files that were read, in order"),
        Column("rules", "int", "how many rules they hold"),
        Column("targets", "map", "how many rules begin with each word: allow, deny, block, reject, ..."),
        Column("last", "text", "the last rule, at most 300 characters; null without rules"),
        Column("denies_rest", "bool", "the last rule refuses whatever no rule before allowed; null for usbguard"),
    ),
    max_rows=10,
)

FAPOLICYD = ("/etc/fapolicyd/compiled.rules", "/etc/fapolicyd/fapolicyd.rules")
"""The first one there is read by the daemon: fagenrules(8) makes it of rules.d; older releases know the second only."""
USBGUARD = ("/etc/usbguard/rules.conf", "/etc/usbguard/rules.d/*.conf")
LIMIT = 4 * 1024 * 1024


def parse(lines):
    """Return the rules of a file: lines that are neither empty, comments nor settings of names (``%name=``)."""
    found = []
    for line in lines:
        line = line.strip()
        if line and line[0] not in "#%":
            found.append(" ".join(line.split()))
    return found


def refuses_rest(rule):
    """True for a rule of fapolicyd that denies everything: any permission, all subjects, all objects."""
    words = rule.split()
    if not words or not words[0].startswith("deny"):
        return False
    before, colon, after = " ".join(words[1:]).partition(":")
    subject = [word for word in before.split() if not word.startswith("perm=")]
    permission = [word for word in before.split() if word.startswith("perm=")]
    return colon == ":" and permission in (["perm=any"],) and subject == ["all"] and after.split() == ["all"]


def _row(files, rules, denies):
    targets = {}
    for rule in rules:
        word = rule.split(" ", 1)[0][:32]
        if word in targets or len(targets) < 20:
            targets[word] = targets.get(word, 0) + 1
    last = rules[-1] if rules else None
    return {
        "files": files,
        "rules": len(rules),
        "targets": targets,
        "last": last[:300] if last else None,
        "denies_rest": (refuses_rest(last) if last else False) if denies else None,
    }


def _refused(error):
    return dict({column.name: error.cell() for column in TABLE.columns}, files=[])


def collect(host, options):
    """Return a row for each of the two that has rules on disk."""
    rows = {}
    for path in FAPOLICYD:
        try:
            rows["fapolicyd"] = _row([path], parse(host.lines(path, LIMIT)), True)
        except Absent:
            continue
        except Unreadable as error:
            rows["fapolicyd"] = _refused(error)
        break
    files, rules = [], []
    try:
        for pattern in USBGUARD:
            for path in host.glob(pattern) if "*" in pattern else [pattern]:
                try:
                    rules += parse(host.lines(path, LIMIT))
                except Absent:
                    continue
                files.append(path)
        if files:
            rows["usbguard"] = _row(files[:50], rules, False)
    except Unreadable as error:
        rows["usbguard"] = _refused(error)
    return rows

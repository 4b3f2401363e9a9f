"""Cases of judging whose tables are made from lines as hosts have them: rules, settings, listings.

A case may hold, beside ``tables``: ``audit`` ({disk, loaded}: lines of rule files and of ``auditctl -l``), ``auditd``
(text of auditd.conf), ``config`` ({path: text}), ``rsyslog`` (text of rsyslog.conf), ``logs`` and ``listed`` (lines
``mode owner:group type path``, of /var/log and of named paths). ``recorded`` is a list of lines of rules of which the
control wants every one: it stands for the cases that follow from that.
"""

from __future__ import annotations

import fnmatch

from ansible_collections.ringwall.servers.plugins.module_utils import config_files, rsyslog_config
from ansible_collections.ringwall.servers.plugins.module_utils.tables import audit_config, audit_rules, logging
from ansible_collections.ringwall.servers.plugins.module_utils.tables import audit_rules_loaded as loaded_rules

IDS = {"root": 0, "adm": 4, "syslog": 104, "systemd-journal": 101, "utmp": 43, "ann": 1000, "sssd": 110, "gdm": 111, "gdm3": 112,
       "landscape": 113}  # fmt: skip
RULES = "/etc/audit/rules.d/50-site.rules"


def unfold(case):
    """Return the cases that one entry of a fixture stands for."""
    if "recorded" not in case:
        return [_with_tables(case)]
    lines = case["recorded"]
    halves = [
        ("loaded and on disk", "pass", [line + " -k site" for line in lines], lines),
        ("on disk and not loaded", "fail", lines, []),
        ("loaded by hand and not on disk", "fail", [], lines),
        ("switched off", "fail", ["-a never,task", *lines], ["-a never,task", *lines]),
    ]
    if len(lines) > 1:
        halves += [(f"without {line}", "fail", *[[one for one in lines if one != line]] * 2) for line in lines]
    halves += [(f"only {line}", "fail", [line], [line]) for line in case.get("narrower", [])]
    common = {key: value for key, value in case.items() if key not in ("recorded", "narrower")}
    return [
        _with_tables({**common, "case": name, "status": status, "audit": {"disk": disk, "loaded": loaded}})
        for name, status, disk, loaded in halves
    ]


def _with_tables(case):
    tables = dict(case.get("tables") or {})
    if "audit" in case:
        tables["audit_rules"] = audit_rules.parse([(RULES, case["audit"].get("disk") or [])])
        tables["audit_rules_loaded"] = loaded_rules.parse(case["audit"].get("loaded") or [])[0]
    if "auditd" in case:
        tables["audit_config"] = audit_config.parse(case["auditd"].splitlines())
    if "config" in case:
        tables["config"] = {path: _config(path, text) for path, text in case["config"].items()}
    if "rsyslog" in case:
        entries = rsyslog_config.parse(case["rsyslog"].splitlines(), "/etc/rsyslog.conf")
        tables["logging"] = {**logging.rsyslog_rows(entries), **tables.get("logging", {})}
    if "logs" in case:
        tables["log_files"] = dict(_listed(line) for line in case["logs"])
    return {**case, "tables": tables}


def _config(path, text):
    how = config_files.profile({"file": path, "format": "keyvalue" if "plugins.d" in path else None})
    if text is None:
        return {"exists": False, "format": how["format"], "files": [], "directives": []}
    found = config_files.parse(text.splitlines(), path, how)
    names = ("section", "name", "value", "where")
    directives = [dict(zip(names, line, strict=True)) for line in found]
    return {"exists": True, "format": how["format"], "files": [path], "directives": directives}


def _listed(line):
    mode, names, kind, path = line.split(" ", 3)
    path, _arrow, target = path.partition(" -> ")
    owner, group = names.split(":")
    return path, {
        "exists": True, "type": kind, "mode": int(mode, 8), "mode_text": mode, "uid": IDS[owner], "gid": IDS[group],
        "owner": owner, "group": group, "is_link": bool(target), "link_target": target or None, "matches": None,
        "space": None,
    }  # fmt: skip


def with_files(case, paths):
    """Return the case with the rows of ``file_attributes`` for the paths and patterns that a control asks for."""
    if "listed" not in case:
        return case
    rows = dict(_listed(line) for line in case["listed"])
    found = dict(rows)
    for path in paths:
        matches = sorted(one for one in rows if one.count("/") == path.count("/") and fnmatch.fnmatchcase(one, path))
        if any(character in path for character in "*?["):
            found[path] = {"exists": bool(matches), "type": "pattern", "matches": matches}
        elif path not in rows:
            found[path] = {"exists": False, "type": None, "matches": None}
    return {**case, "tables": {**case["tables"], "file_attributes": found}}

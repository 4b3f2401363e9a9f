"""A hardened Debian host as its own files and outputs, and the same host with one thing changed."""

import fnmatch
from pathlib import Path

import yaml
from ansible_collections.ringwall.servers.plugins.module_utils import grub
from ansible_collections.ringwall.servers.plugins.module_utils.dpkg import parse_status
from ansible_collections.ringwall.servers.plugins.module_utils.sshd_config import parse_effective
from ansible_collections.ringwall.servers.plugins.module_utils.tables import audit_config, audit_rules
from ansible_collections.ringwall.servers.plugins.module_utils.tables import audit_rules_loaded as loaded_rules

HARDENED = Path(__file__).parents[2] / "fixtures" / "posture" / "hardened"
THEMES = ("linux.sshd.", "linux.audit.", "linux.files.")
IDS = {"root": 0, "ann": 1000, "adm": 4, "shadow": 42, "users": 100, "ssh_keys": 101, "_ssh": 102}
CHANGES = ("sshd", "conf", "rules", "disk", "loaded", "stat", "walk", "grub", "cmdline", "enabled", "unit", "packages")


class HardenedHost:
    """Files and outputs of the host as text, to be changed before its tables are made."""

    def __init__(self):
        def read(name):
            return (HARDENED / name).read_text()

        self.sshd = dict(line.split(" ", 1) for line in read("sshd_T.txt").splitlines())
        self.conf = read("auditd.conf")
        self.disk = {name: read(name).splitlines() for name in ("audit.rules", "50-cis.rules", "99-finalize.rules")}
        self.loaded = read("auditctl_l.txt").splitlines()
        self.stat = read("stat.txt").splitlines()
        self.walk = read("find.txt").splitlines()
        self.cmdline, self.grub = read("cmdline").strip(), read("grub.cfg")
        self.packages, self.units = read("status"), read("systemctl.txt").splitlines()
        self.enabled = 2

    def change(self, case):
        """Apply one entry of deviations.yml."""
        self.sshd.update(case.get("sshd", {}))
        for name, value in case.get("conf", {}).items():
            lines = [line for line in self.conf.splitlines() if not line.startswith(name + " ")]
            self.conf = "\n".join([*lines, f"{name} = {value}"])
        for where in ("disk", "loaded", "rules"):
            self._rules(case.get(where, {}), where)
        stat = case.get("stat", [])
        for change in [stat] if isinstance(stat, str) else stat:
            path = change.removeprefix("absent ").split(" ", 3)[-1]
            self.stat = [line for line in self.stat if not line.endswith(" " + path)]
            if not change.startswith("absent"):
                self.stat.append(change)
        if "walk" in case:
            self.walk.append(case["walk"])
        if "grub" in case:
            assert case["grub"]["drop"] in self.grub
            self.grub = self.grub.replace(case["grub"]["drop"], case["grub"]["put"])
        self.cmdline = case.get("cmdline", self.cmdline)
        self.enabled = case.get("enabled", self.enabled)
        if "unit" in case:
            self.units = [case["unit"]]
        if "packages" in case:
            name, other = f"Package: {case['packages']['drop']}\n", case["packages"].get("put")
            kept = [part for part in self.packages.split("\n\n") if other or name not in part]
            self.packages = "\n\n".join(kept).replace(name, f"Package: {other}\n")

    def _rules(self, body, where):
        lists = ([self.loaded] if where != "disk" else []) + (list(self.disk.values()) if where != "loaded" else [])
        if "drop" in body:
            before = sum(map(len, lists))
            for lines in lists:
                lines[:] = [line for line in lines if body["drop"] not in line]
            assert sum(map(len, lists)) < before, f"no line with {body['drop']}"
        if "add" in body and where != "disk":
            self.loaded.append(body["add"])
        if "add" in body and where != "loaded":
            self.disk["50-cis.rules"].append(body["add"])

    def tables(self, paths):
        """Return the rows of each table; ``paths`` are those that the controls ask for."""
        files = [(f"/etc/audit/rules.d/{name}", lines) for name, lines in sorted(self.disk.items())]
        return {
            "audit_config": audit_config.parse(self.conf.splitlines()),
            "audit_rules": audit_rules.parse(files),
            "audit_rules_loaded": loaded_rules.parse(self.loaded)[0],
            "audit_status": {"host": {"enabled": self.enabled}},
            "boot": {"host": self._boot()},
            "file_attributes": self._files(paths),
            "file_walk": self._walk(),
            "packages": {f"{row['name']}:amd64": row for row in parse_status(self.packages.encode())},
            "platform": {"host": {"architecture": "x86_64", "container": None, "family": "debian"}},
            "sshd": {"/etc/ssh/sshd_config": self._sshd()},
            "units": {line.split()[0]: _unit(*line.split()) for line in self.units},
        }

    def _sshd(self):
        lines = [f"{keyword} {value}" for keyword, value in self.sshd.items() if value]
        return {
            "effective": parse_effective(lines), "effective_root": {}, "matches": [], "where": {}, "running": True,
            "enabled": True, "source": "sshd -T", "outdated": False,
        }  # fmt: skip

    def _boot(self):
        menu = grub.parse_menu(self.grub.splitlines(), "/boot/grub/grub.cfg")
        return {"cmdline": self.cmdline, "kernel_lines": menu["kernels"], "host_global": False}

    def _files(self, paths):
        rows = {}
        for line in self.stat:
            mode, names, kind, path = line.split(" ", 3)
            owner, group = names.split(":")
            rows[path] = {
                "exists": True, "type": kind, "mode": int(mode, 8), "uid": IDS[owner], "gid": IDS[group],
                "owner": owner, "group": group, "is_link": False, "link_target": None, "matches": None,
            }  # fmt: skip
        found = {}
        for path in paths:
            matches = [one for one in rows if one.count("/") == path.count("/") and fnmatch.fnmatchcase(one, path)]
            if any(char in path for char in "*?["):
                found[path] = {"exists": bool(matches), "type": "pattern", "matches": matches}
            elif not matches:
                found[path] = {"exists": False, "type": None, "matches": None}
            found.update({one: rows[one] for one in matches})
        return found

    def _walk(self):
        rows = {"filesystem:/": {"kind": "filesystem", "type": "ext4", "options": ["rw"], "complete": True}}
        for line in self.walk:
            mode, ids, kind, path = line.split(" ", 3)
            uid, gid = map(int, ids.split(":"))
            bits = int(mode, 8)
            rows[path] = {
                "kind": "found", "type": kind, "filesystem": "/", "mode": bits, "mode_text": mode,
                "uid": uid, "gid": gid,
                "world_writable": bool(bits & 0o002) and not bits & 0o1000, "setuid": bool(bits & 0o4000),
                "setgid": bool(bits & 0o2000), "device": False, "unowned": uid == 4711, "ungrouped": gid == 4711,
            }  # fmt: skip
        return rows


def _unit(name, enabled, active):
    return {
        "type": "service", "enabled": enabled, "active": active, "masked": False, "aliases": [], "triggered_by": [],
        "wanted_by": ["multi-user.target"] if enabled == "enabled" else [], "path": f"/lib/systemd/system/{name}",
    }  # fmt: skip


def deviations():
    """Return the entries of deviations.yaml, ``each`` and ``with`` unfolded: {control, status, fails, case, ...}."""
    found = []
    for entry in yaml.safe_load((HARDENED / "deviations.yaml").read_text()):
        common = {key: value for key, value in entry.items() if key not in ("each", "with")}
        for change in entry.get("each", [{}]):
            for control in entry.get("with", [change.get("control", entry.get("control"))]):
                case = {"status": "fail", **common, **change, "control": control}
                case.setdefault("fails", [] if case["status"] == "pass" else [control])
                case["case"] = str({key: case[key] for key in (*CHANGES, "parameters", "roles") if key in case})
                found.append(case)
    return found


def changed(case):
    """Return the host after one entry of ``deviations``."""
    host = HardenedHost()
    host.change(case)
    return host


def covered(controls):
    """Return those of ``controls`` (compiled, by id) that some change breaks: the host was made for them.

    Controls of these themes that speak of other systems have cases of their own.
    """
    named = {name for case in deviations() for name in (case["control"], *case.get("fails", ()))}
    return {name: body for name, body in controls.items() if name.startswith(THEMES) and name in named}


def cases(controls):
    """Return the cases of these themes as every case of judging is: {control, case, status, tables, ...}.

    ``controls``: compiled controls by id; each passes on the unchanged host.
    """
    ours = covered(controls)
    paths = sorted({path for body in ours.values() for path in body["paths"]})
    tables = HardenedHost().tables(paths)
    found = [{"control": name, "case": "hardened host", "status": "pass", "tables": tables} for name in ours]
    found += [{**case, "tables": changed(case).tables(paths)} for case in deviations() if case["control"] in ours]
    return [{**case, "file": "deviations.yaml", "number": number} for number, case in enumerate(found)]

"""What arguments of PAM modules come to: the line, then the module's own file, then login.defs, then its default.

Sources: faillock.conf(5), pwquality.conf(5), pwhistory.conf(5), pam_unix(8), pam_faildelay(8); in Linux-PAM
faillock_config.c, pwhistory_config.c and pam_unix/support.c (_set_ctrl). A word on the line wins over the file.
"""

from __future__ import annotations

from ...module_utils.deb_version import version_key
from ...module_utils.pam_paths import plain
from ..snapshots.view import Gap, cell

FILES = {"pam_faillock": "faillock", "pam_pwquality": "pwquality", "pam_pwhistory": "pwhistory"}
"""Module -> group of the table ``pam_settings`` that holds its file."""

DEFAULTS = {
    "pam_faillock": {"dir": "/var/run/faillock", "deny": "3", "fail_interval": "900", "unlock_time": "600"},
    "pam_pwquality": {
        "difok": "1", "minlen": "8", "dcredit": "0", "ucredit": "0", "lcredit": "0", "ocredit": "0", "minclass": "0",
        "maxrepeat": "0", "maxsequence": "0", "maxclassrepeat": "0", "gecoscheck": "0", "dictcheck": "1",
        "usercheck": "1", "usersubstr": "0", "enforcing": "1", "retry": "1",
    },
    "pam_pwhistory": {"remember": "10", "retry": "1"},
}  # fmt: skip

FLAGS = {
    "pam_faillock": ("audit", "silent", "no_log_info", "local_users_only", "even_deny_root", "nodelay"),
    "pam_pwquality": ("enforce_for_root", "local_users_only", "use_authtok"),
    "pam_pwhistory": ("enforce_for_root", "use_authtok"),
    "pam_unix": ("nullok", "nullok_secure", "use_authtok", "try_first_pass", "use_first_pass", "shadow", "obscure"),
    "pam_wheel": ("use_uid", "deny", "trust", "root_only"),
}
"""Words that stand alone: true when there, else false."""

METHODS = ("md5", "bigcrypt", "sha256", "sha512", "blowfish", "gost_yescrypt", "yescrypt")
"""Words of pam_unix that choose how a new password is hashed; the last one counts."""
ROUNDS = {"sha256": "5000", "sha512": "5000", "yescrypt": "5", "gost_yescrypt": "5", "blowfish": "5"}

HISTORY_FILE_SINCE = "1.5.3"
"""Linux-PAM that reads pwhistory.conf first; Red Hat's older ones were taught to."""

ELSEWHERE = ("conf=",)


class Arguments:
    """Arguments in force of entries of stacks of one host."""

    def __init__(self, snapshot):
        self.snapshot = snapshot

    def value(self, entry, name):
        """Return ``(value, where)``: text, True or False for a switch, None without a value; raise Gap."""
        module, words = plain(entry["module"]), list(entry.get("args") or ())
        if module == "pam_unix" and name == "hash":
            return self._hash(entry, words)
        found = on_line(words, name)
        if found is not None:
            return normal(name, found), entry["where"]
        if module == "pam_unix" and name == "rounds":
            return self._rounds(entry, words)
        if module == "pam_faildelay" and name == "delay":
            seconds, where = self._login_defs("FAIL_DELAY")
            return str(int(seconds) * 1000000) if str(seconds).isdigit() else "0", where or entry["where"]
        if module in FILES:
            found, where = self._file(entry, module, words, name)
            if where:
                return normal(name, True if found == "" else found), where
        if module == "pam_faillock" and name == "root_unlock_time":
            return self.value(entry, "unlock_time")
        if name in FLAGS.get(module, ()):
            return False, entry["where"]
        return DEFAULTS.get(module, {}).get(name), entry["where"]

    def _file(self, entry, module, words, name):
        for word in words:
            if word.startswith(ELSEWHERE):
                raise Gap("unreadable", f"{entry['where']}: settings are in another file ({word})")
        row = self.snapshot.row("pam_settings", f"{FILES[module]}:{name}")
        if row is None or (module == "pam_pwhistory" and not self._reads_history_file()):
            return None, None
        return cell(row, "value"), cell(row, "where")

    def _reads_history_file(self):
        for row in self.snapshot.rows("packages").values():
            if row.get("name") == "libpam-modules" and cell(row, "installed"):
                return version_key(str(cell(row, "version"))) >= version_key(HISTORY_FILE_SINCE)
        return True

    def _login_defs(self, name):
        row = self.snapshot.row("login_defs", name)
        return (cell(row, "value"), cell(row, "where")) if row else (None, None)

    def _hash(self, entry, words):
        for word in reversed(words):
            if word in METHODS:
                return word, entry["where"]
        method, where = self._login_defs("ENCRYPT_METHOD")
        return (method.lower(), where) if method else ("des", entry["where"])

    def _rounds(self, entry, words):
        method, _where = self._hash(entry, words)
        if method in ("sha256", "sha512") and not set(words).intersection(METHODS):
            rounds, where = self._login_defs("SHA_CRYPT_MAX_ROUNDS")
            if rounds:
                return rounds, where
        return ROUNDS.get(method), entry["where"]


def on_line(words, name):
    """Return what a line says of ``name``: True for a word alone, text after ``=``, None when it is not there."""
    for word in reversed(words):
        key, separator, text = word.partition("=")
        if key == name:
            return text if separator else True
    return None


def normal(name, value):
    """``never`` is 0 to pam_faillock."""
    return "0" if name in ("unlock_time", "root_unlock_time") and value == "never" else value

"""PAM: ``{kind: pam, what: lockout|module|no_module|argument, type, module, name, value, services}``.

Modules come in by the recipes of ``pam_recipes``. Arguments go into the module's own file where it has one, and away
from lines that say otherwise; into the line where it has none.
"""

from __future__ import annotations

import re

from ....module_utils.deb_version import version_key
from ...snapshots.view import Gap, cell
from .. import pam_recipes as recipes
from ..operations import CREATED, change, controls_of, edit, left, merged

KIND = "pam"
ORDER = ("lockout", "pam_pwquality", "pam_pwhistory")
FILES = {
    "pam_faillock": "/etc/security/faillock.conf",
    "pam_pwquality": "/etc/security/pwquality.conf",
    "pam_pwhistory": "/etc/security/pwhistory.conf",
}
ON_LINE = ("use_authtok",)
"""Arguments that no file knows."""
METHODS = ("md5", "bigcrypt", "sha256", "sha512", "blowfish", "gost_yescrypt", "yescrypt")
SERVICE_FILE = re.compile(r"/etc/pam\.d/[A-Za-z0-9][A-Za-z0-9_.-]*")
VALUE = re.compile(r"[A-Za-z0-9_/.-]{1,200}")
FAILLOCK_SINCE, HISTORY_FILE_SINCE = "1.4.0", "1.5.3"


def operations(settings, facts):
    """Return what brings modules into the stacks, then arguments; files of PAM are checked before they count."""
    found, modules, arguments = [], {}, []
    for item in settings:
        setting = item["setting"]
        if setting["what"] == "argument":
            arguments.append(item)
        elif setting["what"] == "no_module":
            found += _away(item, facts)
        elif setting["what"] == "lockout" or not setting.get("services"):
            modules.setdefault("lockout" if setting["what"] == "lockout" else setting["module"], []).append(item)
    names = sorted(modules, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    for name in names:
        found += _module(name, controls_of(modules[name]), arguments, modules, facts)
    return found + _arguments(arguments, modules, facts)


def managed(facts):
    """``pam-auth-update``, ``authselect``, ``plain`` (Red Hat without it), or None: we do not know these stacks."""
    if facts.family == "debian":
        return "pam-auth-update" if facts.row("pam", "common-auth:auth") else None
    if facts.row("pam_settings", "authselect:profile"):
        return "authselect"
    return "plain" if facts.row("pam", "system-auth:auth") else None


def _pam_version(facts):
    for row in facts.rows("packages").values():
        if row.get("name") == "libpam-modules" and row.get("installed"):
            return str(row.get("version"))
    return None


def _since(facts, least):
    version = _pam_version(facts)
    return version is None or version_key(version) >= version_key(least)


def _module(name, controls, arguments, modules, facts):
    how = managed(facts)
    if how is None:
        return [left(controls, "the shared stacks of PAM on this system are not known")]
    if name == "lockout":
        if how == "authselect":
            return _feature("lockout", controls, facts)
        if how == "plain":
            return recipes.plain_lockout(controls)
        if not _since(facts, FAILLOCK_SINCE):
            return [left(controls, "pam_faillock comes with Linux-PAM 1.4")]
        return recipes.debian_lockout(controls)
    if name == "pam_pwquality":
        if how == "authselect":
            return _in_profile("pam_pwquality", controls, facts)
        if how == "plain":
            return recipes.plain_password(name + ".so", controls, {})
        return recipes.debian_quality(controls, facts.installed("libpam-pwquality"), _calls(facts, "password", name))
    if name == "pam_pwhistory":
        if how == "authselect":
            return _feature("history", controls, facts)
        words = _history_words(arguments, modules, facts)
        if how == "plain":
            return recipes.plain_password(name + ".so", controls, words)
        return recipes.debian_history(controls, words)
    if name == "pam_unix":
        return [left(controls, "pam_unix is missing in a stack: how people log in there is for people to say")]
    return [left(controls, f"{name} asks people for what they must be given first")]


def _history_words(arguments, modules, facts):
    """Arguments of the history's line: it judges the password that a test before it asked for."""
    words = {}
    if "pam_pwquality" in modules or _calls(facts, "password", "pam_pwquality"):
        words["use_authtok"] = None
    if facts.family == "debian" and not _since(facts, HISTORY_FILE_SINCE):
        for item in arguments:
            setting = item["setting"]
            if setting["module"] == "pam_pwhistory" and setting["name"] not in ON_LINE:
                words[setting["name"]] = None if setting["value"] is True else str(setting["value"])
    return words


def _feature(name, controls, facts):
    profile = str(facts.value("pam_settings", "authselect:profile", "value", ""))
    if "/" in profile:
        return [left(controls, f"the profile {profile[:80]} of authselect is the site's own: change it there")]
    return [recipes.feature(name, controls)]


def _in_profile(module, controls, facts):
    if _calls(facts, "password", module):
        return []
    return [left(controls, f"the profile of authselect does not call {module}: choose another one")]


def _calls(facts, kind, module):
    return any(entry.get("module") == module + ".so" for _path, entry in _lines(facts, kind, None))


def _lines(facts, kind, services):
    """Yield (path, entry) of the lines of a type in the shared stacks, or in the services named, each once."""
    shared = ("common-auth", "common-account", "common-password", "common-session", "system-auth", "password-auth")
    seen = set()
    for row in facts.rows("pam").values():
        if row.get("type") != kind or (services != "all" and row.get("service") not in (services or shared)):
            continue
        try:
            stack = cell(row, "stack") or []
        except Gap:
            continue
        for entry in stack:
            path = str(entry.get("where", "")).rsplit(":", 1)[0]
            if entry.get("control") != "substack" and entry.get("where") not in seen:
                seen.add(entry.get("where"))
                yield path, entry


def _away(item, facts):
    setting, found = item["setting"], {}
    for path, entry in _lines(facts, setting["type"], setting.get("services")):
        if entry.get("module") == setting["module"] + ".so":
            found.setdefault(path, recipes.pam(setting["type"], setting["module"] + ".so", state="absent"))
    return [_file(path, [line], item["controls"], facts) for path, line in sorted(found.items())]


def _file(path, edits, controls, facts):
    if managed(facts) == "authselect" and path.rsplit("/", 1)[-1] in ("system-auth", "password-auth"):
        return left(controls, f"{path[:100]} is written by authselect: this needs a profile of the site's own")
    if not SERVICE_FILE.fullmatch(path):
        return left(controls, f"{path[:100]} is no file of PAM that is ours to change")
    return recipes.pam_edit(path, edits, controls)


def _arguments(arguments, modules, facts):
    """Arguments by module: into its file or onto its lines."""
    files, lines, found = {}, {}, []
    for item in arguments:
        setting = item["setting"]
        module, value = setting["module"], setting["value"]
        if not (value is None or isinstance(value, (bool, int)) or VALUE.fullmatch(str(value))):
            found.append(left(item["controls"], f"{module}: {setting['name']} cannot be set to that value"))
        elif module == "pam_unix" and setting["name"] in ("nullok", "nullok_secure") and managed(facts) == "authselect":
            found += _feature("nullok", item["controls"], facts) if setting["name"] == "nullok" else []
        elif module in FILES and setting["name"] not in ON_LINE and _has_file(module, facts):
            files.setdefault(FILES[module], []).append(item)
            _clear(lines, item, facts)
        elif module in FILES and setting["name"] not in ON_LINE and "pam_pwhistory" in modules:
            continue  # the recipe wrote it on the line
        else:
            found += _on_lines(lines, item, modules, facts)
    for path, items in sorted(files.items()):
        edits = [_conf(item) for item in sorted(items, key=lambda one: one["setting"]["name"])]
        found.append(edit(path, edits, controls_of(items), create=CREATED))
    for path, items in sorted(lines.items()):
        wanted = sorted({name for _one, controls in items for name in controls})
        found.append(_file(path, merged(change(controls, **one) for one, controls in items), wanted, facts))
    return found


def _has_file(module, facts):
    return module != "pam_pwhistory" or facts.family != "debian" or _since(facts, HISTORY_FILE_SINCE)


def _conf(item):
    name, value = item["setting"]["name"], item["setting"]["value"]
    if value is True:
        return change(item["controls"], line=name, replaces=rf"^\s*{name}\s*(=.*)?$")
    if value is False or value is None:
        return change(item["controls"], line=name, state="absent", replaces=rf"^\s*{name}\s*(=.*)?$")
    return change(item["controls"], set=name, value=str(value), separator=" = ")


def _clear(lines, item, facts):
    """Lines that say otherwise would win over the file."""
    setting = item["setting"]
    for kind in ("auth", "account", "password"):
        for path, entry in _lines(facts, kind, "all"):
            words = {word.partition("=")[0] for word in entry.get("args") or ()}
            if (
                entry.get("module") == setting["module"] + ".so"
                and setting["name"] in words
                and setting["value"] is not True
            ):
                one = recipes.pam(kind, setting["module"] + ".so", remove=[setting["name"]])
                lines.setdefault(path, []).append((one, item["controls"]))


def _on_lines(lines, item, modules, facts):
    setting = item["setting"]
    module, name, value = setting["module"], setting["name"], setting["value"]
    kinds = ("auth", "account", "password", "session") if setting["type"] == "any" else (setting["type"],)
    services = "all" if setting["type"] == "any" else setting.get("services")
    if name == "use_authtok" and value is True and not _asked_before(module, modules, facts):
        return [left(item["controls"], f"{module} is the first to ask for a new password: nothing was typed before it")]
    hits = {}
    for kind in kinds:
        for path, entry in _lines(facts, kind, services):
            if entry.get("module") == module + ".so":
                hits.setdefault((path, kind), entry)
    for path, kind in hits:
        fields = _words(name, value)
        if module == "pam_wheel":  # Red Hat's example line lets members in without a password, and nobody else out
            fields = {**fields, "control": "required", "remove": sorted({"trust", *fields.get("remove", ())})}
        lines.setdefault(path, []).append((recipes.pam(kind, module + ".so", **fields), item["controls"]))
    if hits or value in (False, None) or module == "pam_pwhistory":
        return []
    return _new_line(lines, item)


def _asked_before(module, modules, facts):
    before = {"pam_pwhistory": ("pam_pwquality",), "pam_unix": ("pam_pwquality", "pam_pwhistory")}.get(module, ())
    return any(name in modules or _calls(facts, "password", name) for name in before)


def _words(name, value):
    if name == "hash":
        return {"add": {str(value): None}, "remove": [one for one in METHODS if one != value]}
    if value in (False, None):
        return {"remove": [name]}
    return {"add": {name: None if value is True else str(value)}}


def _new_line(lines, item):
    """Modules that a line of arguments alone can bring in: pam_wheel in su, pam_faildelay in the shared stack."""
    setting = item["setting"]
    if setting["module"] == "pam_wheel" and "su" in (setting.get("services") or ()):
        fields = {"control": "required", "position": {"after": "pam_rootok.so"}}
        path = "/etc/pam.d/su"
    elif setting["module"] == "pam_faildelay" and len(setting.get("services") or ()) == 1:
        fields = {"control": "required", "position": "first"}
        path = "/etc/pam.d/" + setting["services"][0]
    else:
        return [left(item["controls"], f"{setting['module']} is not called: it cannot be told anything")]
    one = recipes.pam(setting["type"], setting["module"] + ".so", **_words(setting["name"], setting["value"]), **fields)
    lines.setdefault(path, []).append((one, item["controls"]))
    return []

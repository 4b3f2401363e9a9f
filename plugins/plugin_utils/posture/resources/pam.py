"""``pam``: what the PAM stacks come to: modules that are called, refuse with effect, and their arguments."""

from __future__ import annotations

from ....module_utils.pam_paths import (
    TooMany,
    indexes,
    passed_by,
    reached,
    refusal_overruled,
    uncounted,
)
from ....module_utils.pam_stacks import TYPES
from ...content.errors import ContentError
from ...content.lines import near
from ...snapshots.view import Gap, cell
from .. import comparison
from ..memo import memo
from ..pam_arguments import Arguments
from ..settable import value_for
from .base import Resource, Verdict

TABLE = "pam"
SHARED = {
    "auth": ("common-auth", "system-auth", "password-auth"),
    "account": ("common-account", "system-auth", "password-auth"),
    "password": ("common-password", "system-auth", "password-auth"),
    "session": ("common-session", "system-auth", "password-auth"),
}
"""Stacks that services share, of Debian and SUSE, and of Red Hat."""
LOGINS = ("login", "sshd", "su", "sudo", "passwd")
"""Services that people meet first: each must get what the shared stacks give."""
PASSWORDS = "pam_unix"
KEYS = ("called", "denies", "arguments", "having")


class Pam(Resource):
    """See ``summary``."""

    name = "pam"
    summary = (
        "`pam: {<type>: {<module>: {called: true, denies: true, arguments: {<name>: <value or comparators>}}}}`, type "
        "one of auth, account, password, session, any: what the stacks come to after includes, substacks, jumps and "
        "modules that end a stack early, in the shared stacks (common-*, system-auth, password-auth) and in login, "
        "sshd, su, sudo and passwd, where they take passwords; `services: [<name>]` names others, `services: all` all. "
        "`called`: nobody whose password pam_unix accepts gets past it (false: it is never called). `denies`: whom it "
        "refuses is not let in. `arguments`: in force for each line that is reached: the line, then faillock.conf, "
        "pwquality.conf, pwhistory.conf or login.defs, then the module's default; a word that stands alone is true or "
        "false; `hash` of pam_unix is the method of new passwords. `having: [<word>]`: lines with these words only. "
        "`lockout: true`: pam_faillock is asked before the password is tried, counts each wrong one, and forgets them "
        "after a good one."
    )

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        self.expect_map(statement, where)
        if not any(key in statement for key in (*TYPES, "any", "lockout")):
            raise ContentError(where, "pam expects nothing", "pam: {auth: {pam_unix: {...}}}")
        for kind, modules in statement.items():
            if kind == "services":
                if modules != "all" and not (modules and isinstance(modules, list)):
                    raise ContentError(where, f"pam: services: {modules!r}", "all, or a list of names")
            elif kind == "lockout":
                if modules is not True:
                    raise ContentError(where, f"pam: lockout: {modules!r}", "lockout: true")
            elif kind not in (*TYPES, "any"):
                raise ContentError(where, f"pam: unknown type {kind}{near(kind, TYPES)}", "one of " + ", ".join(TYPES))
            else:
                self.expect_map(modules, where)
                for module, wanted in modules.items():
                    self._check_module(kind, module, wanted, where)

    def _check_module(self, kind, module, wanted, where):
        if not isinstance(wanted, dict) or not set(wanted) & {"called", "denies", "arguments"}:
            raise ContentError(where, f"pam: {module} expects nothing", "called, denies or arguments")
        for key, value in wanted.items():
            if key not in KEYS:
                raise ContentError(where, f"pam: unknown key {key}{near(key, KEYS)}", "one of " + ", ".join(KEYS))
            if (key == "called" and not isinstance(value, bool)) or (key == "denies" and value is not True):
                raise ContentError(where, f"pam: {key}: {value!r}", "called: true or false; denies: true")
            if key == "having" and not (value and isinstance(value, list)):
                raise ContentError(where, f"pam: having: {value!r}", "having: [preauth]")
        if kind == "any" and set(wanted) - {"arguments"}:
            raise ContentError(where, "pam: any: only arguments can be told of all types", "a type")
        if "arguments" in wanted:
            self.expect_map(wanted["arguments"], where)
            for expected in wanted["arguments"].values():
                comparison.check(expected, where)

    def tables(self, statement):
        """The stacks; and what arguments may come from."""
        modules = [
            name for kind in (*TYPES, "any") for name, body in statement.get(kind, {}).items() if "arguments" in body
        ]
        found = [TABLE]
        if modules:
            found += ["pam_settings", "login_defs"]
        if "pam_pwhistory" in modules:
            found.append("packages")
        return tuple(found)

    def judge(self, statement, snapshot):
        """Return a Verdict for each module, argument and the like over all services in question."""
        rows = snapshot.rows(TABLE)
        if not rows:
            return [Verdict("not_applicable", _words(statement), reason="PAM has no configuration here")]
        named, verdicts = statement.get("services"), []
        if "lockout" in statement:
            verdicts.append(
                _over(rows, named, "auth", ("lockout", True), lambda key, stack: _lockout(snapshot, rows, key, stack))
            )
        for kind in TYPES:
            for module, wanted in statement.get(kind, {}).items():
                verdicts += _module(snapshot, rows, named, kind, module, wanted)
        for module, wanted in statement.get("any", {}).items():
            for name, expected in wanted["arguments"].items():
                verdicts.append(
                    _argument(snapshot, rows, "all" if named is None else named, TYPES, module, (), name, expected)
                )
        return verdicts

    def settings(self, statement):
        """A ``pam`` setting for each thing that must be so."""
        found, base = [], {"kind": "pam"}
        if "services" in statement and statement["services"] != "all":
            base["services"] = list(statement["services"])
        if "lockout" in statement:
            found.append(dict(base, what="lockout"))
        for kind in (*TYPES, "any"):
            for module, wanted in statement.get(kind, {}).items():
                item = dict(base, type=kind, module=module)
                if wanted.get("called") is True or "denies" in wanted:
                    found.append(dict(item, what="module", **_fixed_words(wanted)))
                if wanted.get("called") is False:
                    found.append(dict(item, what="no_module"))
                for name, expected in wanted.get("arguments", {}).items():
                    known, value = value_for(expected)
                    if known:
                        found.append(dict(item, what="argument", name=name, value=value))
        return found


def _fixed_words(wanted):
    return {"having": list(wanted["having"])} if "having" in wanted else {}


def _words(statement):
    return {key: value for key, value in statement.items() if key != "services"}


def services(rows, kind, named):
    """Return ``[(key, stack)]`` to judge for a type; raise Gap for a stack that could not be read.

    ``named`` None: the shared stacks, and log-in services that ask pam_unix for this type.
    """
    if named == "all":
        names = [row["service"] for row in rows.values() if row.get("type") == kind]
    else:
        names = list(named) if named else [*SHARED[kind], *LOGINS]
    found = []
    for name in names:
        row = rows.get(f"{name}:{kind}")
        stack = cell(row, "stack") if row else None
        if stack and (named or name in SHARED[kind] or indexes(stack, PASSWORDS)):
            found.append((f"{name}:{kind}", stack))
    return found


def _over(rows, named, kind, wanted, judge):
    """One Verdict over all services: ``judge(key, stack)`` returns ``(good, evidence)``."""
    name, expected = wanted
    words = {name: comparison.words(expected)}
    try:
        chosen = services(rows, kind, named)
        if not chosen:
            missing = ", ".join(named) if isinstance(named, list) else f"a shared stack of the type {kind}"
            return Verdict("fail", words, {name: None}, [{"where": "/etc/pam.d", "what": f"there is no {missing}"}])
        bad, seen = [], []
        for key, stack in chosen:
            good, evidence = judge(key, stack)
            (seen if good else bad).extend(evidence)
    except Gap as gap:
        return Verdict(gap.status, words, reason=gap.why)
    except TooMany:
        return Verdict("error", words, reason="a stack has more ways than can be walked")
    shown = list({(item["where"], item["what"]): item for item in (bad or seen)}.values())
    actual = {name: [item["what"] for item in shown[:5]] if bad else comparison.words(expected)}
    return Verdict("fail" if bad else "pass", words, actual, shown)


def _where(stack, places):
    return [{"where": stack[index]["where"], "what": _line(stack[index])} for index in places]


def _line(entry):
    return " ".join([entry["control"], entry["module"], *(entry.get("args") or ())])


def _module(snapshot, rows, named, kind, module, wanted):
    having, verdicts = tuple(wanted.get("having", ())), []
    if "called" in wanted:
        title = (f"{module} called", wanted["called"])
        verdicts.append(
            _over(
                rows,
                named,
                kind,
                title,
                lambda key, stack: _called(snapshot, key, stack, module, having, wanted["called"]),
            )
        )
    if "denies" in wanted:
        title = (f"{module} denies", True)
        verdicts.append(_over(rows, named, kind, title, lambda key, stack: _denies(key, stack, module, having)))
    for name, expected in wanted.get("arguments", {}).items():
        verdicts.append(_argument(snapshot, rows, named, (kind,), module, having, name, expected))
    return verdicts


def _live(snapshot, key, stack):
    """Indexes of the entries that are called on some way, found once a stack."""
    return memo(snapshot, f"pam reached {key}", lambda: reached(stack))


def _called(snapshot, key, stack, module, having, wanted):
    live = _live(snapshot, key, stack)
    targets = [index for index in indexes(stack, module, having) if index in live]
    where = _where(stack, targets)
    if not wanted:
        return not targets, where or [{"where": f"/etc/pam.d/{key}", "what": f"{module} is not called"}]
    if not targets:
        dead = indexes(stack, module, having)
        what = f"{key}: {module} is {'never reached' if dead else 'not in the stack'}"
        return False, [*_where(stack, dead), {"where": f"/etc/pam.d/{key.split(':')[0]}", "what": what}]
    anchors = [] if module == PASSWORDS else indexes(stack, PASSWORDS)
    if module == PASSWORDS or not passed_by(stack, targets, anchors):
        return True, where
    return False, [*where, {"where": stack[targets[0]]["where"], "what": f"{key}: there is a way in that passes it by"}]


def _denies(key, stack, module, having):
    targets = indexes(stack, module, having)
    if not targets:
        return False, [{"where": f"/etc/pam.d/{key.split(':')[0]}", "what": f"{key}: {module} is not in the stack"}]
    where = _where(stack, targets)
    if not refusal_overruled(stack, targets):
        return True, where
    return False, [*where, {"where": stack[targets[0]]["where"], "what": f"{key}: whom it refuses may be let in"}]


def _lockout(snapshot, rows, key, stack):
    service, anchors = key.split(":")[0], indexes(stack, PASSWORDS)
    before = indexes(stack, "pam_faillock", ("preauth",))
    failed = indexes(stack, "pam_faillock", ("authfail",))
    where, bad = _where(stack, [*before, *failed]), []
    if not before or passed_by(stack, before, anchors):
        bad.append("the password is tried without a look at earlier failures (preauth)")
    elif refusal_overruled(stack, before):
        bad.append("who is locked out may be let in (preauth is overruled)")
    if not failed or uncounted(stack, anchors, failed):
        bad.append("a wrong password is not counted (authfail)")
    elif refusal_overruled(stack, failed):
        bad.append("a counted failure may still be let in (authfail is overruled)")
    if not _forgets(snapshot, rows, service, stack):
        bad.append("failures are not forgotten after a good password (account, or authsucc)")
    place = where[0]["where"] if where else f"/etc/pam.d/{service}"
    return not bad, where + [{"where": place, "what": f"{key}: {what}"} for what in bad]


def _forgets(snapshot, rows, service, stack):
    live = _live(snapshot, f"{service}:auth", stack)
    if any(index in live for index in indexes(stack, "pam_faillock", ("authsucc",))):
        return True
    twin = service.replace("-auth", "-account") if service.startswith("common-") else service
    row = rows.get(f"{twin}:account")
    account = cell(row, "stack") if row else None
    live = _live(snapshot, f"{twin}:account", account) if account else set()
    return any(index in live for index in indexes(account or [], "pam_faillock"))


def _argument(snapshot, rows, named, kinds, module, having, name, expected):
    words, known = {f"{module} {name}": comparison.words(expected)}, Arguments(snapshot)
    seen, bad, gap = [], [], None
    try:
        for kind in kinds:
            for key, stack in services(rows, kind, named):
                places = indexes(stack, module, having)
                live = _live(snapshot, key, stack) if places else ()
                for index in places:
                    if index not in live:
                        continue
                    try:
                        value, where = known.value(stack[index], name)
                    except Gap as error:
                        gap = gap or error
                        continue
                    seen.append((value, where, stack[index]))
                    if not comparison.holds(expected, value):
                        bad.append((value, where, stack[index]))
    except Gap as error:
        return Verdict(error.status, words, reason=error.why)
    except TooMany:
        return Verdict("error", words, reason="a stack has more ways than can be walked")
    if gap and not bad:
        return Verdict(gap.status, words, reason=gap.why)
    if not seen:
        value = False if expected is False else None
        what = f"{module}{' ' + ' '.join(having) if having else ''} is not called"
        good = comparison.holds(expected, value)
        return Verdict(
            "pass" if good else "fail", words, {f"{module} {name}": value}, [{"where": "/etc/pam.d", "what": what}]
        )
    chosen = {(value, where): entry for value, where, entry in (bad or seen)}
    evidence = [
        {"where": where, "what": f"{name} = {_shown(value)} ({_line(entry)})"}
        for (value, where), entry in chosen.items()
    ]
    values = list(dict.fromkeys(value for value, _where in chosen))
    actual = {f"{module} {name}": values[0] if len(values) == 1 else values}
    return Verdict("fail" if bad else "pass", words, actual, evidence)


def _shown(value):
    return {True: "yes", False: "no", None: "no value"}.get(value, value) if not isinstance(value, str) else value

"""What the actions of the role ``hardening`` do, between Ansible's objects and the engine's plain data."""

from __future__ import annotations

import ipaddress
import re
import shlex

from ansible import constants as C
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ..module_utils.changes import spec
from . import settings as settings_room
from .actions import told
from .assessment import hardening as flow
from .assessment.planning import SelectionError
from .changes import guarded, undoing
from .changes.transport import Host
from .evidence.state import open_state
from .plain import plain
from .snapshots.limits import HostFailure, harmless

CALLBACK = "ringwall.servers.progress"
SSH = ("ssh", "paramiko", "paramiko_ssh")
SELECTION = ("benchmarks", "level", "profile", "controls", "sections", "attack", "severity", "release", "mode")
PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,127}")


def _option(plugin, name, default=None):
    try:
        value = plugin.get_option(name)
    except (KeyError, AttributeError):
        return default
    return default if value is None else value


def connection_of(action, controllers):
    """Return what hardening.facts.Connection takes, from the connection that this task has."""
    connection, context = action._connection, action._play_context
    become = connection.become if context.become else None
    flags = str(_option(become, "become_flags", "")) if become else ""
    local = connection.transport not in SSH
    named = _option(connection, "remote_user") or context.remote_user
    seen, logged_in = ([], named) if local and named else _said_by_host(action)
    if not (named or logged_in):
        raise HostFailure("user", "who logs in there is not known", "Set ansible_user for it.")
    return {
        "user": str(named or logged_in),
        "become": bool(context.become),
        "become_method": str(context.become_method or "sudo").rsplit(".", 1)[-1],
        "become_password": bool(become and _option(become, "become_pass")),
        "become_login": bool({"-i", "-l", "-", "--login"} & set(flags.split())),
        "password": bool(_option(connection, "password")) and not local,
        "remote_tmp": str(_option(connection._shell, "remote_tmp", "~/.ansible/tmp")),
        "port": int(_option(connection, "port") or 22),
        "transfer": str(_option(connection, "ssh_transfer_method") or "smart"),
        "pipelining": bool(_option(connection, "pipelining", False)),
        "local": local,
        "controllers": sorted({*_addresses(controllers), *(() if local else seen)}),
    }


def _addresses(values):
    found = []
    for value in [values] if isinstance(values, str) else values or []:
        try:
            found.append(str(ipaddress.ip_network(str(value), strict=False)).removesuffix("/32").removesuffix("/128"))
        except ValueError:
            raise AnsibleActionFail(f"ringwall_controllers holds {value!r}; expected an address or a network") from None
    return found


def _said_by_host(action):
    """Return ``([the address that the host sees us at], the account that we are there, or None)``.

    The account counts only where nothing here names it (~/.ssh/config may). Both are said by the host: they count only
    if they are an address and a plain name.
    """
    answer = action._low_level_execute_command('echo "from $SSH_CONNECTION"; echo "as $(id -un)"', sudoable=False)
    lines = [line.split() for line in str(answer.get("stdout", "")).splitlines()]
    words = next((line[1:] for line in lines if line[:1] == ["from"]), [])
    names = next((line[1:] for line in lines if line[:1] == ["as"]), [])
    name = names[0] if len(names) == 1 and spec.NAME.fullmatch(names[0]) else None
    try:
        return [str(ipaddress.ip_address(words[0].split("%")[0]))] if words else [], name
    except ValueError:
        return [], name


def _removal(names, family):
    """The command that says, one a line, what would go with these packages; it removes nothing."""
    quoted = " ".join(shlex.quote(name) for name in names)
    if family == "debian":
        return f"apt-get --simulate --quiet remove {quoted} 2>/dev/null | sed -n 's/^Remv \\([^ ]*\\).*/\\1/p'"
    return f"rpm --erase --test {quoted} 2>&1 | sed -n 's/.*needed by (installed) \\([^ ]*\\).*/\\1/p'"


def company_of(action):
    """Return ``alone(names, family)``: asks the host's package manager what would be removed with each package."""

    def alone(names, family):
        names = [name for name in names if PACKAGE.fullmatch(name)]
        steps = [f"echo = {shlex.quote(name)}; {_removal([name], family)}" for name in names]
        answer = action._low_level_execute_command("LC_ALL=C; export LC_ALL; " + "; ".join(steps))
        found, current = {}, None
        for line in str(answer.get("stdout", "")).splitlines():
            if line.startswith("= ") and line[2:] in names:
                current = line[2:]
                found[current] = []
            elif current and line.split(":")[0] != current and PACKAGE.fullmatch(line.split(":")[0]):
                found[current].append(line.split(":")[0])
        for name in set(names) - set(found):
            found[name] = ["something that could not be told"]
        return found

    return alone


def plan(action, task_vars):
    """Plan the host of this worker, or look again at what its plan meets after packages came or went."""
    arguments = plain(action._task.args)
    host, begun = str(task_vars["inventory_hostname"]), arguments["run"]
    checking = bool(task_vars.get("ansible_check_mode"))

    def ask(operations):
        return guarded.plan(Host(action, task_vars), operations)

    with told():
        try:
            if arguments.get("again"):
                return {"path": flow.look_again(host, begun, ask), "changed": False}
            wanted = {
                "selection": {name: arguments.get(name) for name in SELECTION},
                "plan": arguments.get("plan"),
                "windows": arguments.get("windows"),
                "check": checking,
            }
            flow.windows.read(wanted["windows"] or [])
            flow.health.read(arguments.get("health") or [])
            options = {name: arguments.get(name) for name in ("parameters", "roles", "judged_by")}
            options["benchmarks"] = options.pop("judged_by")
            options["connection"] = connection_of(action, arguments.get("controllers"))
            result, text = flow.plan_host(host, begun, options, wanted, ask, company_of(action))
        except HostFailure as failure:
            reason = f"the host cannot be asked: {failure.text}. {failure.fix}".strip()
            return {"state": "refused", "reason": harmless(reason), "changes": False, "changed": False}
        except flow.Refused as refused:
            return {"state": "refused", "reason": harmless(str(refused)), "changes": False, "changed": False}
        except (SelectionError, flow.windows.WindowError, flow.health.HealthError) as error:
            raise AnsibleActionFail(str(error)) from None
    if result["state"] == "refused" and result.get("changes"):
        result["changes"] = False
    answer = {**result, "changed": checking and bool(result.get("changes"))}
    if text:
        showing = bool(action._task.diff)
        answer.update({"diff": {"prepared": text + "\n"}} if showing else {"text": text.splitlines()[0]})
    if result["state"] != "planned":
        answer["text"] = harmless(f"{host}: {result['state'].replace('_', ' ')}: {result['reason']}")
    return _said_here(action, answer)


def _said_here(action, answer):
    """Say the text where no callback of ours does (AWX, ansible-runner); return the answer."""
    if answer.get("text") and C.DEFAULT_STDOUT_CALLBACK != CALLBACK:
        action._display.display(answer["text"])
    return answer


def outcome(action, task_vars):
    """Say what came of the host of this worker: health, changed, failed, held; write it to the ledger."""
    arguments = plain(action._task.args)
    host = str(task_vars["inventory_hostname"])
    planned = arguments.get("plan") or {}
    if planned.get("state") != "planned":
        state = planned.get("state") or "not_planned"
        text = f"{host}: {state.replace('_', ' ')}. {planned.get('reason', '')}"
        return {"state": state, "reason": planned.get("reason", ""), "text": text, "unwell": False, "changed": False}
    problems = user_checks(action, task_vars, arguments.get("health") or [])
    packages = {verb: _said(arguments.get(key)) for verb, key in (("install", "installed"), ("remove", "removed"))}
    with told():
        try:
            found = flow.finish_host(
                host, arguments["run"], arguments["verified"], arguments.get("applied") or None, packages, problems
            )
        except flow.Refused as refused:
            text = f"{host}: failed. {harmless(str(refused))}"
            return {"state": "failed", "reason": str(refused), "text": text, "unwell": True, "changed": False}
    found.update(unwell=found["state"] in flow.outcome.UNWELL, changed=found["state"] in ("changed", "partly"))
    if found["changed"] or found["state"] == "unwell":
        found["text"] += f"\n  to undo it: playbooks/rollback.yml -e ringwall_rollback_run={arguments['run']['run']}"
    return _said_here(action, found)


def _said(results):
    """The first error of package tasks (a list of registered results), with what helps when there is no network."""
    for result in results or []:
        if isinstance(result, dict) and result.get("failed"):
            text = " ".join(str(result.get("msg") or result.get("stderr") or "failed").split())[:200]
            network = re.search(r"(?i)resolve|unreachable|timed? ?out|connect|cache update failed|no route", text)
            return harmless(text) + (" (is there a way from this host to its package sources?)" if network else "")
    return None


def user_checks(action, task_vars, checks):
    """Carry out ``ringwall_health`` from the host with Ansible's own modules; return sentences of what fails."""
    problems = []
    for check in flow.health.read(checks):
        module, arguments = flow.health.task_of(check)
        try:
            answer = action._execute_module(module_name=module, module_args=arguments, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            answer = {"failed": True, "msg": f"the host cannot be reached: {error}"}
        if answer.get("failed") or answer.get("unreachable") or answer.get("rc"):
            said = " ".join(str(answer.get("msg") or answer.get("stderr") or "").split())[:120]
            problems.append(f"{flow.health.words(check)} is not well: {harmless(said)}")
    return problems


def _going(action, done):
    """Return ``(done, sentences)``: packages that came and that something else needs by now stay, with a reason."""
    names, family = [name for name in done["remove"] if PACKAGE.fullmatch(name)], done["family"]
    if not names:
        return {**done, "remove": []}, []
    answer = action._low_level_execute_command(f"LC_ALL=C; export LC_ALL; {_removal(names, family)}")
    gone = {line.split(":")[0] for line in str(answer.get("stdout", "")).split()}
    if gone and gone <= set(names):
        return {**done, "remove": names}, []  # the usual case, in one question
    going, staying = undoing.closed(names, company_of(action)(names, family))
    said = [f"{name} stays: {harmless(', '.join(others[:5]))} would go with it" for name, others in staying.items()]
    accounts = {key: [] for key in ("accounts", "groups") if staying}
    return {**done, **accounts, "remove": going}, said


def rollback(action, task_vars):
    """Undo a run, or what some controls wanted of it, on the host of this worker."""
    arguments = plain(action._task.args)
    host, run = str(task_vars["inventory_hostname"]), arguments.get("target")
    controls = arguments.get("controls") or None
    with told():
        settings = settings_room.resolve(action)
        state = open_state(settings.state)
        if not isinstance(run, str) or not spec.RUN.fullmatch(run):
            raise AnsibleActionFail(f"ringwall_rollback_run is {run!r}; expected the id of a run that changed hosts")
        done = flow.packages_of(state, run, host, controls)
        answer = {"changed": False, "state": "nothing", "reason": "", **done}
        try:
            planned = undoing.plan_rollback(Host(action, task_vars), run, controls)
            done, kept = _going(action, done)
            answer.update(done, kept=kept)
            if planned["possible"] and not task_vars.get("ansible_check_mode"):
                came = undoing.rollback(Host(action, task_vars), run, controls, state, host, settings.scope)
                answer.update(came, state="rolled_back", changed=bool(came["undone"]))
            else:
                state_now = "possible" if planned["possible"] else "nothing"
                answer.update(state=state_now, reason=planned["why"], changed=planned["possible"])
        except AnsibleConnectionFailure as error:
            answer.update(failed=True, state="failed", msg=harmless(str(error)))
        except HostFailure as failure:
            answer.update(failed=True, state="failed", msg=harmless(f"{failure.text}. {failure.fix}".strip()))
    if answer.get("conflicts"):
        answer["msg"] = "changed by others since, and left as they are: " + harmless(
            "; ".join(answer["conflicts"][:10])
        )
    return _said_here(action, {**answer, "text": _undone(host, answer)})


PASSWORD_BACKUPS = "passwd-, shadow-, group- and gshadow-"


def _undone(host, answer):
    """One short text for a host: what was undone, and all that stays different by it."""
    parts = [f"{host}: {answer['state'].replace('_', ' ')}"]
    if answer["state"] == "rolled_back":
        parts.append(f"{len(answer['undone'])} things are as they were")
    parts += [str(answer[key]) for key in ("reason", "msg") if answer.get(key)]
    parts += (answer.get("kept") or [])[:5]
    parts += [f"problem: {harmless(problem)}" for problem in (answer.get("problems") or [])[:5]]
    if answer["state"] in ("rolled_back", "possible") and answer["remove"]:
        stays = "/etc/ld.so.cache" + (
            f", and {PASSWORD_BACKUPS} in /etc" if answer["accounts"] + answer["groups"] else ""
        )
        parts.append(f"packages go that came ({len(answer['remove'])}); written anew by that: {stays}")
    return "; ".join(parts)

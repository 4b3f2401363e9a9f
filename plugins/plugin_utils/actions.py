"""What the action plugins do, between Ansible's objects and the engine's plain data."""

from __future__ import annotations

import contextlib
import errno

from ansible import constants as C
from ansible.errors import AnsibleActionFail

from . import settings as settings_room
from . import variables
from .content.errors import ContentError
from .evidence.runs import RunError
from .evidence.state import StateError, open_state
from .findings.model import SEVERITIES
from .plain import plain
from .snapshots.gather import gather
from .third_party import MissingDependency

CADENCES = ("auto", "fast", "deep")
TRANSPORTS = ("pipe", "module")
STORE_ADVICE = (
    "It is derived from the runs, which are whole: make room if the disk is full, start the database if it is off; "
    "a damaged ringwall.db may be moved away, and playbooks/store_rebuild.yml builds it anew."
)


@contextlib.contextmanager
def told():
    """Turn the engine's own errors, which say what, where and what to do, into Ansible's."""
    try:
        yield
    except (ContentError, StateError, RunError, MissingDependency) as error:
        raise AnsibleActionFail(str(error)) from None
    except Exception as error:
        # The store's own errors; their classes are not imported here, for the store brings SQLAlchemy along.
        if type(error).__name__ == "StoreError":
            raise AnsibleActionFail(str(error)) from None
        if type(error).__module__ == "sqlalchemy.exc":
            text = str(getattr(error, "orig", None) or error).strip().split("\n", maxsplit=1)[0]
            raise AnsibleActionFail(f"the store cannot be used: {text}. {STORE_ADVICE}") from None
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise AnsibleActionFail(f"no space left on the disk of the state directory: {error.filename}") from None
        raise


def _choice(name, value, choices):
    if value not in choices:
        raise AnsibleActionFail(f"{name} is {value!r}; expected one of {', '.join(choices)}")
    return value


def begin(action, assessment, task_vars):
    """Open the run of this play; options come from the task's arguments."""
    arguments = plain(action._task.args)
    for role in ("assessment", *(("hardening",) if "max_hosts" in arguments else ())):
        for warning in variables.check(role, task_vars, action._templar):
            action._display.warning(warning)
    with told():
        settings = settings_room.resolve(action)
        options = {
            "cadence": _choice("ringwall_cadence", arguments.get("cadence", "auto"), CADENCES),
            "benchmarks": arguments.get("benchmarks"),
            "check_mode": bool(task_vars.get("ansible_check_mode")),
            "slice": bool(settings.run),
            "limited": bool(settings.run or task_vars.get("ansible_limit") or task_vars.get("ringwall_hosts")),
        }
        if arguments.get("verifies"):
            options["verifies"] = str(arguments["verifies"])
        asked = plain(task_vars.get("ansible_play_hosts_all") or [])
        _not_too_many(asked, arguments.get("max_hosts"), options["check_mode"])
        begun = assessment.begin(settings, asked, options, _past(settings, action._display.warning))
    return dict(begun, changed=False)


def _not_too_many(asked, most, checking):
    """A changing verb on more hosts than somebody said is likely a slip of an inventory pattern."""
    if most is not None and len(asked) > int(most) and not checking:
        raise AnsibleActionFail(
            f"this would change {len(asked)} hosts and ringwall_max_hosts allows {most}: narrow it by --limit, "
            "or raise ringwall_max_hosts if all of them are meant"
        )


def _past(settings, warn):
    """The function that tells what is known of hosts. The store module is imported only if it must be asked."""

    def past(scope, hosts):
        from .store import open_store

        store = open_store(settings.store, open_state(settings.state))
        try:
            if store.refilled:
                warn(filled_again(store.refilled))
            return store.pasts(scope, hosts)
        finally:
            store.close()

    return past


def filled_again(result):
    """Return the warning about a store that was empty, from what ``Store.rebuild`` returned."""
    text = f"The store was empty and has been filled again from {result['runs']} recorded runs"
    if result["checkpoint"]:
        text += " and a checkpoint of older ones"
    missing = result["missing"]
    if missing:
        text += f"; {len(missing)} runs are not there any more: {', '.join(missing[:5])}"
    return text + "."


def assess(action, assessment, task_vars):
    """Assess the host of this worker."""
    arguments = plain(action._task.args)
    host = str(task_vars["inventory_hostname"])
    transport = _choice("ringwall_transport", arguments.get("transport", "pipe"), TRANSPORTS)
    timeout = float(arguments.get("timeout", 300))
    with told():
        summary = assessment.assess_host(
            host,
            arguments["run"],
            _inventory(arguments, task_vars),
            _host_options(arguments, task_vars),
            lambda tables, options: gather(
                action, task_vars, tables, options, timeout, transport, arguments["run"]["collectors"]
            ),
        )
    return dict(summary, changed=False)


def _inventory(arguments, task_vars):
    tags = arguments.get("tags") or {}
    return {
        "groups": sorted(set(plain(task_vars.get("group_names") or [])) - {"all", "ungrouped"}),
        "owner": arguments.get("owner"),
        "team": arguments.get("team"),
        "environment": arguments.get("environment"),
        "criticality": arguments.get("criticality"),
        "tags": tags if isinstance(tags, dict) else {"tags": tags},
    }


def _host_options(arguments, task_vars):
    return {
        "cadence": _choice("ringwall_cadence", arguments.get("cadence", "auto"), CADENCES),
        "parameters": arguments.get("parameters"),
        "parameter_origins": variables.origins(task_vars.get("ringwall_parameters")),
        "roles": arguments.get("roles"),
        "benchmarks": arguments.get("benchmarks"),
        "root": arguments.get("root"),
    }


def record(action, assessment, task_vars):
    """Bring the run into the store; the run is finished when no other batch of this play is to come."""
    arguments = plain(action._task.args)
    with told():
        settings = settings_room.resolve(action)
        result = assessment.record(
            settings,
            arguments["run"],
            plain(task_vars.get("ansible_play_hosts_all") or []),
            set(plain(task_vars.get("ansible_play_hosts") or [])),
            bool(arguments.get("ending")),
        )
    return dict(result, changed=False)


def rejudge(action, task_vars):
    """Judge a run again from what was read then; record it."""
    from .rejudging import rejudge as again

    arguments = plain(action._task.args)
    with told():
        result = again(settings_room.resolve(action), arguments.get("run"), arguments.get("benchmarks"))
    return dict(result, changed=False)


def report(action, task_vars):
    """Write the reports of the run and return their paths and the text for the terminal."""
    from .reports.write import write_reports

    arguments = plain(action._task.args)
    with told():
        settings = settings_room.resolve(action)
        result = write_reports(settings, arguments["run"]["run"], arguments.get("formats"))
    if C.DEFAULT_STDOUT_CALLBACK != "ringwall.servers.progress":
        action._display.display(result["text"])  # without our ansible.cfg nothing else would say it
    return dict(result, changed=False)


def verdict(action, task_vars):
    """Return unreachable or failed for this host if it was, or if ``fail_on`` says so."""
    arguments = plain(action._task.args)
    summary = arguments.get("assessment") or {}
    state, reason = summary.get("state"), summary.get("reason") or {}
    text = (
        f"{reason.get('code', 'unknown')}: {reason.get('text', 'it was not assessed')}. {reason.get('fix', '')}".strip()
    )
    if state == "unreachable":
        return {"unreachable": True, "msg": text, "changed": False}
    if state != "assessed":
        return {"failed": True, "msg": text, "changed": False}
    outcome = arguments.get("outcome") or {}
    problems = refused(summary, arguments.get("fail_on") or {})
    if outcome.get("unwell") or outcome.get("state") == "refused":
        problems.insert(0, f"{outcome['state'].replace('_', ' ')}: {outcome.get('reason') or 'not well'}")
    return {"failed": bool(problems), "msg": "; ".join(problems) or "assessed", "changed": False}


def refused(summary, fail_on):
    """Return why ``ringwall_fail_on`` (``{severity, score}``) refuses this host; empty if it does not.

    ``severity``: a finding of at least that severity failed and is not disposed of. ``score``: the host's
    own secure score in percent is below it.
    """
    problems = []
    unknown = set(fail_on) - {"severity", "score"}
    if unknown:
        raise AnsibleActionFail(f"ringwall_fail_on has no {', '.join(sorted(unknown))}; expected severity or score")
    if "severity" in fail_on:
        least = _choice("ringwall_fail_on.severity", fail_on["severity"], tuple(SEVERITIES))
        counted = SEVERITIES[: SEVERITIES.index(least) + 1]
        failed = {name: summary["failed_by_severity"].get(name, 0) for name in counted}
        if any(failed.values()):
            problems.append("failed: " + ", ".join(f"{count} {name}" for name, count in failed.items() if count))
    if "score" in fail_on and summary.get("score") is not None and summary["score"] < float(fail_on["score"]):
        problems.append(f"score {summary['score']:.0f} % is below {float(fail_on['score']):g} %")
    return problems


def keep_store(action, task_vars):
    """Carry out one verb of the role ``store`` and return what it did."""
    from . import keeping

    arguments = plain(action._task.args)
    verb = _choice("store__verb", arguments.get("verb"), keeping.VERBS)
    with told():
        return keeping.keep(
            settings_room.resolve(action),
            verb,
            arguments.get("subject"),
            arguments.get("reason"),
            int(arguments.get("keep_runs", 50)),
            int(arguments.get("keep_days", 90)),
            bool(task_vars.get("ansible_check_mode")),
        )

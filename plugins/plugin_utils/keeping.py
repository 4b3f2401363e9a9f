"""What people do with the store beside recording runs: prune, rebuild, verify, hold, release, retire."""

from __future__ import annotations

import contextlib

from ansible.errors import AnsibleActionFail

from . import provenance
from .evidence import runs
from .evidence.state import open_state
from .evidence.verify import verify
from .store import open_store
from .store.prune import HOLD

VERBS = ("prune", "rebuild", "verify", "hold", "release", "retire")


def keep(settings, verb, subject, reason, keep_runs, keep_days, check_mode):
    """Carry out ``verb``; return an Ansible result. Raises StateError, RunError, StoreError, AnsibleActionFail."""
    state = open_state(settings.state)
    shared = not settings.store.startswith("sqlite")
    if verb == "verify":
        if shared:  # SQLite is not opened: evidence is verified when its database is damaged, too
            with contextlib.closing(open_store(settings.store, state)) as store:
                store.bring_evidence()
        problems = verify(state, contents=True)
        text = "; ".join(f"{one['where']}: {one['problem']}" for one in problems[:20])
        return {
            "failed": bool(problems),
            "problems": problems,
            "changed": False,
            "msg": text or "the evidence is what it was",
        }
    if verb in ("hold", "release", "retire") and not (subject and reason):
        raise AnsibleActionFail(f"{verb} needs ringwall_store_subject (a run or a host) and ringwall_store_reason")
    if verb in ("hold", "release") and not shared:
        runs.load_run(state, subject)
    if check_mode:
        return {"changed": False, "skipped": True, "msg": f"{verb} changes nothing in check mode"}
    with contextlib.closing(open_store(settings.store, state, fill=verb != "rebuild")) as store:
        if verb in ("hold", "release"):
            entry = {"action": verb, "reason": reason, "actor": provenance.actor()}
            return {"changed": True, "result": store.decide_on_run(HOLD, subject, entry)}
        if verb == "prune":
            result = store.prune(keep_runs, keep_days)
            return {"changed": bool(result["runs"] or result["objects"] or result["alerts"]), "result": result}
        if verb == "rebuild":
            return {"changed": True, "result": store.rebuild()}
        store.retire(settings.scope, subject, reason, provenance.actor())
        return {"changed": True, "result": {"host": subject}}

"""What people do with the store beside recording runs: prune, rebuild, verify, hold, release, retire."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail

from . import provenance
from .evidence import ledger, runs
from .evidence.state import open_state
from .evidence.verify import verify
from .store import open_store
from .store.prune import HOLD

VERBS = ("prune", "rebuild", "verify", "hold", "release", "retire")


def keep(settings, verb, subject, reason, keep_runs, keep_days, check_mode):
    """Carry out ``verb``; return an Ansible result. Raises StateError, RunError, StoreError, AnsibleActionFail."""
    state = open_state(settings.state)
    if verb == "verify":
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
    if verb in ("hold", "release"):
        runs.load_run(state, subject)
    if check_mode:
        return {"changed": False, "skipped": True, "msg": f"{verb} changes nothing in check mode"}
    if verb in ("hold", "release"):
        entry = {"action": verb, "run": subject, "reason": reason, "actor": provenance.actor()}
        return {"changed": True, "result": ledger.append(state, HOLD, entry)}
    store = open_store(settings.store, state)
    try:
        if verb == "prune":
            result = store.prune(keep_runs, keep_days)
            return {"changed": bool(result["runs"] or result["objects"] or result["alerts"]), "result": result}
        if verb == "rebuild":
            return {"changed": True, "result": store.rebuild()}
        store.retire(settings.scope, subject, reason, provenance.actor())
        return {"changed": True, "result": {"host": subject}}
    finally:
        store.close()

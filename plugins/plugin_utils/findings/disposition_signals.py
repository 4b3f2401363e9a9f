"""Exceptions that want a decision, as signals of the fleet: one that fits nothing, one that has ended."""

from __future__ import annotations

import fnmatch

from . import dispositions
from .alerts import make_signal
from .signals import RULES

KINDS = {"unused": "dispositions.unused", "expired": "dispositions.expired"}
"""Kind of dispositions.notices -> rule. The entity is the disposition's id, the host "" (the fleet)."""


def disposition_signals(known, hosts, scope, options, now, at, open_ids):
    """Return the signals of the run's dispositions.

    ``known``, ``hosts``, ``options``, ``now``: as in dispositions.fits_nothing. ``at``: RFC 3339 UTC of the signals.
    ``open_ids``: rule -> ids that have an alert, so that one whose disposition was removed resolves. What the run
    cannot tell is neither raised nor cleared.
    """
    common = {"scope": scope, "host": "", "at": at}
    unused, untold = dispositions.fits_nothing(known, hosts, scope, options, now)
    mine = [one for one in known if fnmatch.fnmatchcase(scope, one["scope"])]
    notices = {(one["kind"], one["disposition"]): one for one in dispositions.notices(mine, unused, now)}
    signals = []
    for kind, rule in KINDS.items():
        for one in mine:
            notice = notices.get((kind, one["id"]))
            if notice:
                signals.append(_raised(rule, one, notice, common))
        for name in open_ids.get(rule, ()):
            if (kind, name) not in notices and not (kind == "unused" and name in untold):
                text = "it fits, was changed or was removed"
                signals.append(make_signal(rule, entity=name, kind="cleared", description=text, **common))
    return signals


def _raised(rule, one, notice, common):
    return make_signal(
        rule,
        entity=one["id"],
        description=f"The exception {one['id']} {notice['text']}.",
        entities=[{"type": "disposition", "name": one["id"]}],
        evidence=[{"where": notice["where"], "what": notice["text"]}],
        **RULES[rule],
        **common,
    )

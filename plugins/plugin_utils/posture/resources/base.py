"""What every resource type of ``require`` is: check its statement at load, judge it, name its needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...content.errors import ContentError
from ...findings.model import STATUSES


@dataclass
class Verdict:
    """The judgement of one statement.

    ``expected`` and ``actual`` are short JSON values for people (text, number, list, map); ``evidence`` is
    a list of ``{where, what}`` (``where``: path:line or a live source such as ``/proc/sys/...``);
    ``reason`` explains every status other than pass and fail, and the fact that made it not applicable.
    """

    status: str
    expected: object = None
    actual: object = None
    evidence: list = field(default_factory=list)
    reason: str = ""


def worst(verdicts):
    """Merge the verdicts of several statements of one control into one Verdict.

    The status is the first present of STATUSES; expected, actual and evidence come from the verdicts with
    that status (all of them listed when there are several).
    """
    present = {verdict.status for verdict in verdicts}
    status = next((name for name in STATUSES if name in present), "not_applicable")
    chosen = [verdict for verdict in verdicts if verdict.status == status]
    if len(chosen) == 1:
        return chosen[0]
    return Verdict(
        status,
        expected=[verdict.expected for verdict in chosen],
        actual=[verdict.actual for verdict in chosen],
        evidence=[item for verdict in chosen for item in verdict.evidence],
        reason="; ".join(dict.fromkeys(verdict.reason for verdict in chosen if verdict.reason)),
    )


class Resource:
    """Base of the resource types. A subclass is one file in this package and one entry in ``__init__``.

    ``statement`` is what stands under the type's name in ``require`` (already without parameters:
    ``{parameter: x}`` is replaced by its value before judge, and by its default before ``check``).
    """

    name = ""
    summary = ""  # one sentence and the form of the statement, for docs/controls.md

    def check(self, statement, where):
        """Raise ContentError when the statement is malformed."""
        raise NotImplementedError

    def tables(self, statement):
        """Names of the tables that judging this statement reads."""
        raise NotImplementedError

    def paths(self, statement):
        """Paths (globs allowed) that the ``file_attributes`` table must contain."""
        return ()

    def configs(self, statement):
        """Configuration files that the ``config`` table must hold: plain maps, ``file`` and how it is read."""
        return ()

    def judge(self, statement, snapshot):
        """Return a list of Verdict. May raise snapshots.view.Gap: the caller turns it into a verdict."""
        raise NotImplementedError

    def settings(self, statement):
        """What hardening must set: a list of plain dicts ``{kind: <resource>, ...}``, empty if nothing can be."""
        return []

    def expect_map(self, statement, where):
        """Raise ContentError unless the statement is a map that is not empty."""
        if not isinstance(statement, dict) or not statement:
            raise ContentError(where, f"{self.name} takes a map", f"{self.name}: {{<name>: <value>}}")

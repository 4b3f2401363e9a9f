"""Asking the engine on a host: one round trip a verb, by the way that snapshots come home."""

from __future__ import annotations

import contextlib
import functools
import secrets

from ..snapshots import gather, payload
from ..snapshots.limits import HostFailure

SECONDS = {"plan": 240.0, "apply": 1900.0, "confirm": 30.0, "rollback": 1900.0, "status": 30.0}
"""How long an answer may take; applying builds initial file systems and boot menus."""


@functools.cache
def packed():
    """The engine as it travels; some 0.2 s. Call it before the workers are forked: none of them pays again."""
    return payload.pack(entry=payload.CHANGES)


class Host:
    """The host of an action plugin, as a change sees it."""

    def __init__(self, action, task_vars):
        self.action, self.task_vars = action, task_vars

    def ask(self, verb, timeout=None, **request):
        """Return the answer (dict, unchecked: see answers.py) to a verb; raise HostFailure."""
        seconds = SECONDS[verb] if timeout is None else timeout
        return gather.ask(
            self.action, self.task_vars, payload.CHANGES, {"verb": verb, **request}, packed(), max(1.0, seconds)
        )

    def drop_connection(self):
        """End the shared connection, so that whatever comes next is a log-in of its own."""
        connection = self.action._connection
        with contextlib.suppress(Exception):
            connection.reset()
        if getattr(connection, "transport", "") == "ssh":
            # Should the old master still be there, nobody finds it: the next log-in has a socket of its own.
            with contextlib.suppress(Exception):
                connection.set_option("control_path", "%(directory)s/" + secrets.token_hex(5))

    def prove(self, timeout):
        """Run one module by a new log-in and become; raise HostFailure."""
        with gather.failures(), gather.deadline(max(1.0, timeout)):
            result = self.action._execute_module(
                module_name="ansible.builtin.ping", module_args={}, task_vars=self.task_vars
            )
        if result.get("ping") != "pong":
            said = str(result.get("msg") or result.get("module_stderr") or "no answer")[:300]
            raise HostFailure("unconfirmed", f"no module runs any more: {said}", "", "unreachable")

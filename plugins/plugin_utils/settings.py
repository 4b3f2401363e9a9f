"""Where a run's settings come from: the play, extra variables or the environment, never a host or a group.

A host's variables may be written by whoever manages that host; where evidence goes is not theirs to say.
"""

from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass

from .plain import plain

ENVIRONMENT = {
    "ringwall_state": "RINGWALL_STATE",
    "ringwall_store": "RINGWALL_STORE",
    "ringwall_run": "RINGWALL_RUN",
    "ringwall_scope": "RINGWALL_SCOPE",
}
DEFAULTS = {
    "ringwall_state": "state",
    "ringwall_store": None,
    "ringwall_run": None,
    "ringwall_scope": "default",
    "ringwall_content": None,
    "ringwall_dispositions": None,
    "ringwall_score_drop": 5,
}


@dataclass(frozen=True)
class Settings:
    """Settings of one run. Paths are absolute; ``store`` is an SQLAlchemy URL, maybe with password: never print it."""

    state: str
    store: str
    run: str | None
    scope: str
    content: list
    dispositions: list
    inventory_dirs: list
    project_dir: str
    score_drop: float

    def __repr__(self):
        return f"Settings(state={self.state!r}, scope={self.scope!r})"


def _value(name, variables, templar):
    if name in variables:
        value = templar.template(variables[name])
        if value not in (None, ""):
            return plain(value)
    environment = ENVIRONMENT.get(name)
    if environment and os.environ.get(environment):
        return os.environ[environment]
    return DEFAULTS[name]


def _paths(value, directories, default):
    """Absolute paths of a text or list; without any, the existing ``default`` inside each inventory directory."""
    if value is None:
        return [path for path in (os.path.join(folder, default) for folder in directories) if os.path.exists(path)]
    return [os.path.abspath(os.path.expanduser(str(path))) for path in ([value] if isinstance(value, str) else value)]


def inventory_directories(variables):
    """Directories of the inventory sources of this ansible-playbook, in their order."""
    found = []
    for source in variables.get("ansible_inventory_sources") or []:
        path = pathlib.Path(str(source))
        folder = path if path.is_dir() else path.parent
        if folder.is_dir() and str(folder) not in found:
            found.append(str(folder.resolve()))
    return found


def resolve(action):
    """Return the Settings of the play that ``action`` (an ActionBase) runs in."""
    task = action._task
    variables = task.get_variable_manager().get_vars(play=task.play)
    templar = action._templar.copy_with_new_env(available_variables=variables)
    values = {name: _value(name, variables, templar) for name in DEFAULTS}
    state = os.path.abspath(os.path.expanduser(values["ringwall_state"]))
    folders = inventory_directories(variables)
    return Settings(
        state=state,
        store=values["ringwall_store"] or f"sqlite:///{os.path.join(state, 'ringwall.db')}",
        run=values["ringwall_run"],
        scope=str(values["ringwall_scope"]),
        content=_paths(values["ringwall_content"], folders, "ringwall"),
        dispositions=_paths(values["ringwall_dispositions"], folders, os.path.join("ringwall", "dispositions.yml")),
        inventory_dirs=folders,
        project_dir=os.getcwd(),
        score_drop=float(values["ringwall_score_drop"]),
    )

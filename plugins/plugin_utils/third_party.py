"""Third-party packages, imported when they are needed and named with the way to get them.

Workers judge hosts without a database library; only who opens the store pays for one.
"""

from __future__ import annotations

import importlib

PIP_NAMES = {
    "alembic": "alembic",
    "jmespath": "jmespath",
    "jinja2": "jinja2",
    "netaddr": "netaddr",
    "psycopg": "psycopg[binary]",
    "sqlalchemy": "sqlalchemy>=2.0",
    "winrm": "pywinrm",
    "yaml": "pyyaml",
}
"""What to install for a package: the name pip knows, by the top package that is imported."""


class Absent:
    """Stands in for a package that is not there while modules that use it are imported: it has every name, all itself.

    Tests that import every file without our dependencies get through, and nothing works with it: what opens the door to
    such modules (``store.open_store``) calls ``load`` first.
    """

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_arguments, **_options):
        """Return itself."""
        return self


class MissingDependency(Exception):
    """A Python package of the controller is not there. ``package`` is its import name, ``command`` installs it."""

    def __init__(self, package, command, cause):
        self.package = package
        self.command = command
        super().__init__(f"the Python package {package} cannot be imported ({cause}); install it with: {command}")


def load(name):
    """Import and return the module ``name`` (dotted names too); raise MissingDependency with the pip command."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        top = name.partition(".")[0]
        missing = (getattr(error, "name", None) or name).partition(".")[0]
        # What a present package fails to import is that other package's absence, not its own.
        package = missing if missing in PIP_NAMES else top
        raise MissingDependency(package, f"pip install '{PIP_NAMES.get(package, package)}'", error) from error


def present(name):
    """Return the module ``name``, or an Absent when it cannot be imported. For the top of modules alone."""
    try:
        return load(name)
    except MissingDependency:
        return Absent()

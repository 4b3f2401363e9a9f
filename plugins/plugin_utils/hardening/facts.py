"""What the planning of one host knows of it: its snapshot, its platform and how we are connected to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..snapshots.view import Gap, Snapshot, cell


@dataclass(frozen=True)
class Connection:
    """How the controller reaches the host; from the inventory and the connection plugin, never from the host.

    ``user``: the account that logs in. ``become``: whether it becomes root, ``become_method`` how, ``become_password``
    whether with a password, ``become_login`` whether by a log-in shell. ``password``: it logs in with a password.
    ``remote_tmp``: where modules are put on the host. ``transfer``: ``sftp``, ``scp`` or ``piped``; ``pipelining``:
    modules need no transfer. ``local``: the host is the controller itself. ``controllers``: addresses that must stay
    able to connect.
    """

    user: str = "root"
    become: bool = False
    become_method: str = "sudo"
    become_password: bool = False
    become_login: bool = False
    password: bool = False
    remote_tmp: str = "~/.ansible/tmp"
    port: int = 22
    transfer: str = "sftp"
    pipelining: bool = False
    local: bool = False
    controllers: tuple = ()


@dataclass(frozen=True)
class Facts:
    """Everything that holds and kinds may look at. All of it but ``snapshot`` and ``platform`` is the controller's own.

    A text out of ``snapshot`` or ``platform`` was written by the host: it may be compared, but never becomes a path, a
    command or a value of an operation unless it fits a pattern that leaves nothing to choose.
    """

    snapshot: Snapshot
    platform: dict = field(default_factory=dict)
    connection: Connection = field(default_factory=Connection)
    parameters: dict = field(default_factory=dict)
    roles: tuple = ()

    @property
    def family(self):
        """``debian``, ``rhel``, ``suse``, ``alpine``, ... or an empty text."""
        return self.platform.get("family") or ""

    @property
    def own_kernel(self):
        """False in a container: kernel modules and most kernel parameters are not this host's own."""
        return self.platform.get("own_kernel") is not False

    def known(self, table):
        """True if absence may be concluded from the table: it was read completely."""
        return self.snapshot.table(table).gap() is None

    def rows(self, table):
        """The rows that were read (maybe not all: see ``known``); never raises."""
        view = self.snapshot.table(table)
        return {} if view.stale else view.rows

    def row(self, table, key):
        """One row, or None when it is absent or not known."""
        return self.rows(table).get(key)

    def value(self, table, key, column, default=None):
        """One cell; ``default`` when the row is not there, the cell is null or could not be read."""
        row = self.row(table, key)
        if row is None:
            return default
        try:
            found = cell(row, column)
        except Gap:
            return default
        return default if found is None else found

    def installed(self, *names):
        """True if a package of one of these names is installed."""
        return any(row.get("name") in names and row.get("installed") is True for row in self.rows("packages").values())

    def active(self, *units):
        """True if one of these units runs now."""
        return any(self.value("units", name, "active") in ("active", "activating", "reloading") for name in units)

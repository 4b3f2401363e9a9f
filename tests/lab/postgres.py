"""A PostgreSQL server of Debian's package in a temporary directory, for as long as a test session needs it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

BIN = pathlib.Path(os.environ.get("RINGWALL_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))
CLEAN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


class Unavailable(Exception):
    """There is no server to be had here; the message says why."""


class Server:
    """A running server. ``fsync`` of the server is off: what is tested is us, not its disk."""

    def __init__(self, sockets, port):
        self.sockets = sockets
        self.port = port
        self._count = 0

    def url(self, name):
        """URL of the database ``name``, as ringwall_store takes it."""
        return f"postgresql://ringwall@/{name}?host={self.sockets}&port={self.port}"

    def connect(self, name="postgres"):
        """Return a psycopg connection (autocommit) to the database ``name``."""
        import psycopg

        return psycopg.connect(
            f"host={self.sockets} port={self.port} user=ringwall dbname={name}", autocommit=True
        )  # fmt: skip

    def new_database(self):
        """Make an empty database; return its URL."""
        self._count += 1
        name = f"t{os.getpid()}_{self._count}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)


def _as_postgres(*command):
    """PostgreSQL refuses to run as root: then it runs as Debian's account for it."""
    if os.geteuid():
        return [*command]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(*options):
    """A Server (context manager); ``options`` are ``name=value`` settings of it. Raises Unavailable."""
    if not (BIN / "initdb").exists():
        raise Unavailable(f"no PostgreSQL in {BIN}: apt install postgresql")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ringwall-pg-"))
    try:
        folder.chmod(0o755)
        data, sockets = folder / "data", folder / "sockets"
        for place in (data, sockets):
            place.mkdir(mode=0o700)
            if os.geteuid() == 0:
                shutil.chown(place, "postgres", "postgres")
        made = subprocess.run(
            _as_postgres(str(BIN / "initdb"), "-D", str(data), "-A", "trust", "-U", "ringwall", "-E", "UTF8", "-N"),
            capture_output=True, text=True, check=False, cwd="/", env=CLEAN,
        )  # fmt: skip
        if made.returncode:
            raise Unavailable(f"initdb failed: {made.stderr[-300:]}")
        port = _free_port()
        given = [part for option in ("fsync=off", "max_connections=20", *options) for part in ("-c", option)]
        process = subprocess.Popen(
            _as_postgres(
                str(BIN / "postgres"), "-D", str(data), "-p", str(port), "-k", str(sockets), "-h", "127.0.0.1", *given
            ),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", env=CLEAN,
        )  # fmt: skip
        try:
            running = Server(sockets, port)
            _wait(process, running)
            yield running
        finally:
            process.send_signal(2)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            if process.poll() is None:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def server_or_skip():
    """The same for a fixture: where there is none the tests skip, or fail if RINGWALL_REQUIRE_HOSTS=1."""
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(server())
        except Unavailable as error:
            if os.environ.get("RINGWALL_REQUIRE_HOSTS") == "1":
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield running


def _wait(process, running):
    import psycopg

    for _attempt in range(150):
        if process.poll() is not None:
            break
        try:
            running.connect().close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise Unavailable("PostgreSQL did not start")

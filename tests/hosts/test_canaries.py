"""Secrets lie where real servers keep them; after every playbook ran, none is found in anything that was left anywhere.

And nothing is left on the server: an assessment changes nothing there.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import os
import pathlib
import sqlite3
import stat
import time
import zlib

import pytest

from lab import canaries, plays, secrets
from lab import hosts as lab_hosts
from lab.image import CACHE

PLAYBOOKS = sorted(path.name for path in (plays.ROOT / "playbooks").glob("*.yml"))
READING = ("assess.yml", "snapshot.yml")
CHANGING = ("harden.yml", "rollback.yml")
"""Playbooks that change the target; they come last, in this order."""

WAYS = {
    "pipe": {"ringwall_cadence": "deep"},
    "check": {"cmdline": "--check --diff -vvv", "ringwall_cadence": "fast"},
    "module": {"ringwall_transport": "module", "ringwall_cadence": "fast"},
}
"""How an assessment can read a host."""

TOLD = {"ringwall_store_subject": "canary", "ringwall_store_reason": "a test"}
"""What playbooks of the store ask for."""

OUTPUTS = ("/tmp", "/var/tmp", str(pathlib.Path.home() / ".ansible"))
"""Where programs on the control machine leave files."""

UNCHANGED_BUT = (
    "/proc",
    "/sys",
    "/dev",
    "/run/log",
    "/var/log/journal",
    "/var/log/wtmp",
    "/var/log/btmp",
    "/var/log/lastlog",
    "/var/log/auth.log",
    "/run/utmp",
    "/run/motd.dynamic",
    "/run/user",
    "/run/systemd",
    "/run/sudo",
    "/var/lib/sudo",
    "/run/credentials",
    "/var/lib/systemd",
)
"""What logging in itself writes on a target: records of log-ins, sudo's marks, journal and state of systemd."""

TIMES_ONLY = ("/tmp", "/var/tmp", "/run")
"""Directories in which files may come and go; their own times move, nothing may stay."""


@pytest.fixture(scope="module")
def host(engine, tmp_path_factory):
    """A server full of secrets: (engine, its canaries, inventory)."""
    folder = tmp_path_factory.mktemp("canaries")
    address = engine.start("canary")
    lab_hosts.wait(address)
    planted = canaries.plant(engine, "canary", secrets.FILES, secrets.SCRIPT, folder / "tree")
    yield engine, planted, lab_hosts.inventory(folder, {"canary": {"ansible_host": address}}), folder
    engine.docker("rm", "-f", "-v", "canary")


def new_files(since):
    """Regular files below OUTPUTS, on their file system, that were written since a moment (Unix time)."""
    found = []
    for top in OUTPUTS:
        for folder, names, files in os.walk(top):
            # The lab's own disks hold what was planted, and they lie here if the clone does.
            names[:] = [
                name
                for name in names
                if not os.path.ismount(os.path.join(folder, name)) and pathlib.Path(folder, name) != CACHE
            ]
            for name in files:
                path = pathlib.Path(folder, name)
                with contextlib.suppress(OSError):
                    info = path.lstat()
                    if (
                        stat.S_ISREG(info.st_mode)
                        and max(info.st_mtime, info.st_ctime) >= since
                        and info.st_size < 1 << 26
                    ):
                        found.append(path)
    return found


@pytest.fixture(scope="module")
def played(host):
    """Every playbook, those that read a host in every way; the target's file system before and after those that only
    read, and when it began."""
    engine, _planted, inventory, folder = host
    began = time.time()
    before = canaries.listing(engine, "canary", UNCHANGED_BUT)
    runs, after = [], None
    for name in [*sorted(set(PLAYBOOKS) - set(CHANGING), key=lambda name: (name not in READING, name)), *CHANGING]:
        if name == CHANGING[0]:
            after = canaries.listing(engine, "canary", UNCHANGED_BUT)
        for way, extra in WAYS.items() if name == "assess.yml" else [("plain", TOLD)]:
            options = {"cmdline": "--diff -vvv", **extra}
            runs.append(
                (
                    name,
                    way,
                    plays.play(
                        folder / f"{name}-{way}", inventory, f"playbooks/{name}", state=folder / "state", **options
                    ),
                )
            )
        if name == "harden.yml":
            hardened = runs[-1][2].run()["id"].removesuffix(".verify")
            TOLD["ringwall_rollback_run"] = hardened
    return runs, before, after, began


def test_the_secrets_lie_there_and_the_search_finds_them(host, tmp_path):
    _engine, planted, _inventory, folder = host
    assert len(planted) >= 40
    assert len({canary.value for canary in planted}) == len(planted)
    found, count = canaries.leaks(planted, [path for path in (folder / "tree").rglob("*") if path.is_file()], tmp_path)
    assert count == len(secrets.FILES)
    lying = {place for place, _form, _file in found}
    assert lying == set(secrets.FILES) & {canary.place for canary in planted}


@pytest.mark.parametrize("packed", ["gzip", "store", "answer", "answer on one line", "base64", "hex", "url"])
def test_the_search_sees_through_what_packs(packed, tmp_path):
    canary = canaries.Canary("Falke7x!winter77", "here")
    secret = b'{"value":"%s"}' % canary.value.encode()
    file = tmp_path / "file"
    answer = base64.b64encode(zlib.compress(os.urandom(60).hex().encode() + secret))
    plain = {
        "gzip": gzip.compress(secret),
        "answer": b"RINGWALL\n" + answer + b"\n",
        "answer on one line": b"(0, b'" + answer + b"\\n', b'')",
        "base64": base64.b64encode(b"xy" + secret),
        "hex": secret.hex().encode(),
        "url": b"?q=Falke7x%21winter77",
    }
    if packed == "store":
        with contextlib.closing(sqlite3.connect(file)) as store, store:
            store.execute("create table t (a, b)")
            store.execute("insert into t values ('x', ?)", (zlib.compress(secret),))
    else:
        file.write_bytes(plain[packed])
    assert {place for place, _form, _file in canaries.leaks([canary], [file], tmp_path / "search")[0]} == {"here"}


def test_every_playbook_ran_on_it(played):
    runs, _before, _after, _began = played
    assert {name for name, _way, _run in runs} == set(PLAYBOOKS) >= {"assess.yml"}
    for name, way, run in runs:
        # The others want to be told what to do; what they say instead is searched like all output.
        assert run.code == 0 or name not in READING, (name, way, run.output[-3000:])
        if name == "assess.yml":
            assert run.hosts()["canary"]["state"] == "assessed", (way, run.hosts()["canary"]["reason"])


def test_what_holds_secrets_was_really_read(played):
    """Otherwise the search below would prove nothing."""
    runs, _before, _after, _began = played
    text = "".join(read(runs[0][2].state))
    for sign in (
        "mysqldump",
        "canary.service",
        "mnt/dav",
        "ssl_certificate_key",
        "/etc/cron.d/canary",
        "canary.conf",
        "[redacted]",
        "ommysql",
        "pam_mysql.so",
        "8443",
        "bindpw",
        "cloud.invalid/live",
    ):
        assert sign in text, sign


def read(state):
    """Texts of the objects of a state directory."""
    return [gzip.decompress(path.read_bytes()).decode() for path in sorted((state / "objects").rglob("*.gz"))]


def test_no_secret_is_found_anywhere(host, played, tmp_path):
    _engine, planted, _inventory, folder = host
    _runs, _before, _after, began = played
    places = [path for path in folder.rglob("*") if path.is_file() and folder / "tree" not in path.parents]
    others = [path for path in new_files(began) if folder.parent not in path.parents]
    found, count = canaries.leaks(planted, places, tmp_path / "search", others)
    assert count > 50
    assert not found, "\n".join(f"{place}: {form} in {file}" for place, form, file in found)


def test_nothing_is_changed_or_left_on_the_target(played):
    _runs, before, after, _began = played
    assert len(before) > 5000
    for path in TIMES_ONLY:
        before.pop(path, None), after.pop(path, None)
    assert {
        path: (before.get(path), after.get(path))
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    } == {}


def test_nothing_runs_on_the_target_after_the_last_playbook(host, played):
    engine, _planted, _inventory, _folder = host
    processes = engine.shell(
        "canary", "for d in /proc/[0-9]*; do tr '\\0' ' ' <$d/cmdline 2>/dev/null || true; echo; done"
    )
    assert "ringwall" not in processes
    assert "AnsiballZ" not in processes

"""Runs: who assessed what, with which content, and one file a host; sealed into a chain of digests."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import time

from ...module_utils.text import rfc3339
from . import atomic, chain, hostfile, process
from .canonical import canonical, sha256

SCHEMA = "ringwall.run/1"
ENDINGS = ("complete", "interrupted")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RunError(Exception):
    """A run cannot be opened, read or sealed; the message says why and what to do."""


def new_run_id(now=None):
    """UTC time and 6 random hexadecimal digits: ``20260131T120000Z-1a2b3c``; sorts by time."""
    moment = time.gmtime(time.time() if now is None else now)
    return time.strftime("%Y%m%dT%H%M%SZ", moment) + "-" + secrets.token_hex(3)


def check_run_id(run_id):
    """Return the id; raise RunError if it could not be a directory's name."""
    if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
        raise RunError(f"{run_id!r} is no run id: up to 64 letters, digits, '.', '_' and '-', the first no sign")
    return run_id


class Run:
    """A run on disk. Making one reads nothing: workers attach to a run with ``Run(state, run_id)``."""

    def __init__(self, state, run_id):
        self.state = state
        self.id = check_run_id(run_id)
        self.path = os.path.join(state.runs, run_id)
        self.hosts_path = os.path.join(self.path, "hosts")
        self.file = os.path.join(self.path, "run.json")

    def raw(self):
        """The bytes of run.json; raise RunError if there is none."""
        try:
            with open(self.file, "rb") as file:
                return file.read()
        except FileNotFoundError:
            raise RunError(f"there is no run {self.id} in {self.state.runs}") from None

    @property
    def header(self):
        """run.json as it is on disk now."""
        try:
            header = json.loads(self.raw())
        except ValueError as error:
            raise RunError(f"{self.file} is damaged: {error}") from error
        if not isinstance(header, dict) or header.get("schema") != SCHEMA:
            raise RunError(f"{self.file} is of a schema that this version does not know; expected {SCHEMA}")
        return header

    def write_host(self, host_file):
        """Write one host's file (``{host, state, ...}``); durable on return, safe in many processes at once."""
        full = dict(host_file, run=self.id)
        atomic.write(os.path.join(self.hosts_path, hostfile.file_name(full["host"])), hostfile.encode(full))

    def file_names(self):
        """Names of the host files on disk (``<16 hex>.json.gz``), sorted."""
        try:
            found = os.listdir(self.hosts_path)
        except FileNotFoundError:
            return []
        return sorted(name for name in found if name.endswith(".json.gz") and not name.startswith("."))

    def host_names(self):
        """Inventory names of the hosts that have a readable file, as a set. Reads the summaries alone."""
        found = set()
        for name in self.file_names():
            with contextlib.suppress(hostfile.HostFileError):
                found.add(hostfile.decode_summary(self.host_raw(name))["host"])
        return found

    def host_raw(self, name):
        """The bytes of one host file by its file name."""
        with open(os.path.join(self.hosts_path, os.path.basename(name)), "rb") as file:
            return file.read()

    def host(self, host):
        """One host's file, or None if it has none in this run; raise hostfile.HostFileError if damaged."""
        try:
            return hostfile.decode(self.host_raw(hostfile.file_name(host)))
        except FileNotFoundError:
            return None

    def hosts(self):
        """Iterate over the host files as dicts; raise hostfile.HostFileError at a damaged one."""
        for name in self.file_names():
            yield hostfile.decode(self.host_raw(name))

    def finish(self, state="complete", **extra):
        """Seal the run: digests of every host file and of the run before it, ``extra`` fields. Returns run.json.

        A run that is sealed already is returned as it is, unless host files were added since (a slice that came late).
        """
        if state not in ENDINGS:
            raise RunError(f"a run ends as one of {ENDINGS}, not {state!r}")
        with atomic.locked(os.path.join(self.state.runs, ".lock")):
            header = self.header
            hosts = self._summaries()
            if header["state"] in ENDINGS and header.get("hosts") == hosts and not extra:
                return header
            if header["state"] in ENDINGS and not chain.is_head(self.state, self):
                raise RunError(f"run {self.id} is sealed and followed by another: nothing can be added to it")
            states = [host["state"] for host in hosts.values()]
            header.update(extra)
            header.update(
                state=state,
                finished=rfc3339(time.time()),
                hosts=hosts,
                assessed=states.count("assessed"),
                not_assessed={host["host"]: host["reason"] for host in hosts.values() if host["state"] != "assessed"},
            )
            chain.seal(self, header)
            return header

    def _summaries(self):
        hosts = {}
        for name in self.file_names():
            data = self.host_raw(name)
            entry = {"sha256": sha256(data), "host": None, "state": "damaged", "reason": None}
            with contextlib.suppress(hostfile.HostFileError):
                summary = hostfile.decode_summary(data)
                entry.update(host=summary["host"], state=summary.get("state"), reason=summary.get("reason"))
            hosts[name] = entry
        return hosts

    def last_sign(self):
        """When this run last wrote anything (Unix seconds)."""
        moments = [0.0]
        for path in (self.file, self.hosts_path):
            with contextlib.suppress(OSError):
                moments.append(os.stat(path).st_mtime)
        return max(moments)

    def interrupted(self):
        """True if the run says ``running`` and no process that opened it is left."""
        header = self.header
        if header["state"] != "running":
            return False
        sign = self.last_sign()
        return not any(process.alive(owner, sign) for owner in header.get("owners", ()))

    def remove(self):
        """Remove the run from disk. Its name goes first, so that a kill never leaves half a run that looks whole."""
        grave = os.path.join(self.state.runs, f".{self.id}.removed")
        with contextlib.suppress(FileNotFoundError):
            os.rename(self.path, grave)
            atomic.fsync_directory(self.state.runs)
        shutil.rmtree(grave, ignore_errors=True)


def remove_grave(state, name):
    """Remove what a killed ``Run.remove`` left; ``name`` is that of the directory in the runs directory."""
    shutil.rmtree(os.path.join(state.runs, os.path.basename(name)), ignore_errors=True)


def open_run(state, run_id, header):
    """Open a run, ``running``, and return it. ``header``: ``scope, actor, project_commit, digests, versions, ...``.

    ``header["pid"]`` names the process that lives as long as the run (an action's worker gives its parent's); the
    default is this process. Slices that share an id join the run that is there; raise RunError if it is of another
    scope or a later run already follows it in the chain.
    """
    run = Run(state, run_id)
    fields = dict(header)
    owner = process.describe(fields.pop("pid", None))
    scope = fields.setdefault("scope", "default")
    atomic.make_directory(run.hosts_path)
    with atomic.locked(os.path.join(state.runs, ".lock")):
        if os.path.exists(run.file):
            found = run.header
            if found["scope"] != scope:
                raise RunError(f"run {run_id} is of scope {found['scope']!r}, not {scope!r}; use another ringwall_run")
            if found["state"] in ENDINGS and not chain.is_head(state, run):
                raise RunError(f"run {run_id} is sealed and followed by another; use another ringwall_run")
            owners = [old for old in found.get("owners", ()) if old != owner] + [owner]
            asked = sorted({*found.get("asked", ()), *fields.get("asked", ())})
            found.update(state="running", owners=owners, asked=asked)
        else:
            found = {"asked": [], "started": rfc3339(time.time()), **fields}
            found.update(schema=SCHEMA, id=run_id, state="running", owners=[owner])
        atomic.write(run.file, canonical(found).encode("ascii"))
    return run


def load_run(state, run_id):
    """Return the Run; raise RunError if it is not there."""
    run = Run(state, run_id)
    if not os.path.exists(run.file):
        raise RunError(f"there is no run {run_id} in {state.runs}")
    return run


def list_runs(state):
    """Ids of all runs on disk, sorted (ids made by new_run_id sort by time)."""
    return sorted(
        name
        for name in os.listdir(state.runs)
        if _RUN_ID.fullmatch(name) and os.path.exists(os.path.join(state.runs, name, "run.json"))
    )


def interrupted(state):
    """Ids of the runs that say ``running`` although their processes are gone."""
    found = []
    for run_id in list_runs(state):
        with contextlib.suppress(RunError):
            if Run(state, run_id).interrupted():
                found.append(run_id)
    return found

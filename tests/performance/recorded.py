"""A real answer of a real host, recorded once, for what judges or replays it."""

from __future__ import annotations

import functools
import json
import pathlib
import tempfile

import bench_target
import furnish

TAKEN = "2026-03-01T12:00:00Z"


@functools.cache
def snapshot():
    """Return the checked raw snapshot (dict) of a test host, every table of it, with the paths that controls name."""
    from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES
    from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots import check, wire

    from lab.chroots import Chroots
    from lab.namespaces import Network

    needs = content().needs()
    settings = {
        "options": {"file_attributes": {"paths": sorted(needs["paths"])}, "config": {"files": needs["configs"]}},
        "tables": sorted(TABLES),
    }
    with tempfile.TemporaryDirectory(prefix="rwbench-") as folder, Network() as network:
        lists = furnish.Furnish(pathlib.Path(folder))
        with Chroots({"recorded": "127.0.1.1"}, network, prepare=lists) as hosts:
            output = bench_target.answer(hosts, **settings)[0]
    return check.check(wire.unpack(wire.find(output.decode("ascii"))))


@functools.cache
def content():
    """Return the compiled content of this collection."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils import posture
    from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots

    return compile_content(roots(), posture.VOCABULARY)


def answer(raw, machine_id):
    """Return what the collector would print for this snapshot on a machine of that id (bytes)."""
    import hashlib

    from ansible_collections.ringwall.servers.plugins.module_utils.frame import MARKER, pack

    identity = raw["tables"]["identity"]
    rows = {key: dict(row, machine_id=machine_id) for key, row in identity["rows"].items()}
    tables = dict(raw["tables"], identity=dict(identity, rows=rows))
    data = pack(json.dumps(dict(raw, tables=tables), separators=(",", ":")).encode("ascii"))
    return b"\n%s %d %s\n%s\n" % (MARKER, len(data), hashlib.sha256(data).hexdigest().encode("ascii"), data)

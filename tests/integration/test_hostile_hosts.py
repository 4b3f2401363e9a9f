"""Hosts that send what no collector sends: each fails with its reason, nothing is run or overwritten, the others finish.

The hostile host is an interpreter that answers in the collector's place: what reaches the controller is what a hostile
target would send.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import threading
import time

import pytest

from lab import plays

HEAD = r"""#!{python}
import base64, hashlib, json, sys, time, zlib
sys.stdin.buffer.read()
sys.path.insert(0, {collections!r})
from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES

def send(value, compress=True):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    data = base64.b64encode(zlib.compress(data, 1) if compress else data)
    sys.stdout.buffer.write(b"\nRINGWALL-SNAPSHOT/1 %d %s\n%s\n" % (len(data), hashlib.sha256(data).hexdigest().encode(), data))

def table(name, rows):
    return {{"version": TABLES[name].TABLE.version, "state": "ok", "why": "", "rows": rows, "cost": {{}}}}

def snapshot(**changes):
    base = {{"schema": "ringwall.snapshot/1", "collector": "1.0.0", "taken": "2026-01-01T00:00:00Z", "euid": 0, "root": "/",
             "errors": [], "tables": {{}}}}
    base.update(changes)
    return base

def identity(**cells):
    row = dict.fromkeys(column.name for column in TABLES["identity"].TABLE.columns)
    row.update(cells)
    return snapshot(tables={{"identity": table("identity", {{"host": row}})}})

"""
ANSWERS = {
    "wrong-types": ("send(snapshot(tables=[1]))", "malformed"),
    "row-types": ("send(identity(boot_id=7))", "malformed"),
    "bomb": (
        "engine = zlib.compressobj(9)\n"  # 10 GiB: one flushed block of 16 MiB again and again
        "first = engine.compress(bytes(1 << 24)) + engine.flush(zlib.Z_FULL_FLUSH)\nsend(first + first[2:] * 639, False)",
        "too_large",
    ),
    "endless": ("import os\nblock = b'A' * 65536\nwhile True:\n    os.write(1, block)", ("too_large", "timeout")),
    "trickle": ("while True:\n    sys.stdout.write('A')\n    sys.stdout.flush()\n    time.sleep(1)", "timeout"),
    "hang": ("time.sleep(600)", "timeout"),
    "million-rows": (
        "send(snapshot(tables={'packages': table('packages', {str(i): {} for i in range(1000000)})}))",
        "malformed",
    ),
    "deep": ("send(b'{\"a\":' * 100000 + b'1' + b'}' * 100000)", "malformed"),
    "surrogate": ("send(identity(boot_id='\\ud800'))", "malformed"),
    "nul": ("send(identity(boot_id='a\\0b'))", "malformed"),
    "big-integer": ("send(b'{\"schema\": ' + str(2**70).encode() + b'}')", "malformed"),
    "facts": (
        "send(snapshot(ansible_facts={'ansible_python_interpreter': '/tmp/x'}, _ansible_no_log=True))",
        "malformed",
    ),
    "path-name": ("send(snapshot(tables={'../../../../etc/cron.d/x': table('identity', {})}))", "malformed"),
    "exits": ("sys.exit(3)", "no_snapshot"),
    "lies": ("print('RINGWALL-SNAPSHOT/1 5 ' + '0' * 64)\nprint('AAAAA')", "malformed"),
    "json-result": ('print(\'{"changed": true, "ansible_facts": {"x": 1}, "invocation": {}}\')', "no_snapshot"),
}
ACCEPTED = {
    "template": "send(identity(machine_id=\"{{ lookup('pipe', 'touch MARK') }}\", boot_id='../../../etc/passwd'))",
    "controls": "send(identity(hostname='evil\\x1b[2J\\u202e\\u200b<script>alert(1)</script>'))",
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """All hostile hosts and a good one, assessed in one play; what it left and the peak memory of its main process."""
    folder = tmp_path_factory.mktemp("hostile")
    mark = folder / "executed"
    hosts = {"good": plays.HERE}
    head = HEAD.format(python=plays.BIN / "python", collections=str(plays.ROOT / "collections"))
    answers = {name: body for name, (body, _code) in ANSWERS.items()} | {
        name: body.replace("MARK", str(mark)) for name, body in ACCEPTED.items()
    }
    for name, body in answers.items():
        script = folder / f"{name}.py"
        script.write_text(head + body + "\n")
        script.chmod(0o755)
        hosts[name] = dict(plays.HERE, ansible_python_interpreter=str(script))
    inventory = plays.write_inventory(folder, hosts)
    played, peak = watched(folder, inventory)
    return played, peak, mark


def watched(folder, inventory):
    environment = dict(os.environ, ANSIBLE_CONFIG=str(plays.ROOT / "ansible.cfg"), RINGWALL_STATE=str(folder / "state"))
    process = subprocess.Popen(
        [
            plays.BIN / "ansible-playbook",
            "-i",
            inventory,
            "playbooks/assess.yml",
            "-e",
            "ringwall_cadence=fast",
            "-e",
            "ringwall_timeout=25",
            "-vvv",
        ],
        cwd=plays.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    peak = [0]

    def watch():
        while process.poll() is None:
            try:
                for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        peak[0] = max(peak[0], int(line.split()[1]))
            except OSError:
                pass
            time.sleep(0.1)

    thread = threading.Thread(target=watch)
    thread.start()
    output, _none = process.communicate(timeout=400)
    thread.join()
    return plays.Played(process.returncode, output.decode(errors="replace"), {}, folder / "state", []), peak[0]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_host_fails_with_its_reason(fleet, name):
    played, _peak, _mark = fleet
    host = played.hosts()[name]
    codes = ANSWERS[name][1]
    assert host["state"] == "failed"
    assert host["reason"]["code"] in ((codes,) if isinstance(codes, str) else codes), host["reason"]
    assert host["reason"]["fix"]


def test_the_others_finish(fleet):
    played, _peak, _mark = fleet
    assert played.code == 2
    assert played.hosts()["good"]["state"] == "assessed"
    assert played.hosts()["good"]["findings"]
    assert played.run()["state"] == "complete"


@pytest.mark.parametrize("name", ACCEPTED)
def test_odd_text_is_only_text(fleet, name):
    played, _peak, mark = fleet
    assert played.hosts()[name]["state"] == "assessed", played.hosts()[name]["reason"]
    assert not mark.exists()


def test_what_a_host_says_never_drives_the_terminal(fleet):
    played, _peak, _mark = fleet
    assert "\x1b[2J" not in played.output
    assert "\u202e" not in played.output
    page = (played.state / "reports" / "latest" / "report.html").read_text()
    assert "<script>alert(1)" not in page
    assert "\u202e" not in page


def test_nothing_was_written_outside_the_state(fleet):
    played, _peak, _mark = fleet
    assert not pathlib.Path("/etc/cron.d/x").exists()
    for path in played.state.rglob("*"):
        assert path.resolve().is_relative_to(played.state.resolve())


def test_the_main_process_stays_small(fleet):
    _played, peak, _mark = fleet
    assert peak < 200 * 1024, f"{peak} KiB"

"""Servers whose users fight whoever reads them: each is assessed in bounded time, nothing of theirs runs as root, nothing leaks."""

from __future__ import annotations

import gzip
import json
import time

import pytest

from lab import hostile, plays
from lab import hosts as lab_hosts
from lab.engine import SYSTEMD_FLAGS

SECRET = "hostilesecret7tulpe"
SECONDS = 45
"""The time for one host (``ringwall_timeout``): a table that hangs gets a third of it."""


@pytest.fixture(scope="module")
def servers(engine, tmp_path_factory):
    """Servers by what is wrong with them: (engine, inventory, folder)."""
    folder = tmp_path_factory.mktemp("hostile")
    flags = (*SYSTEMD_FLAGS, "--device", "/dev/fuse", "--security-opt", "apparmor=unconfined")
    programs = {
        "files": hostile.FILES + hostile.NAMES,
        "live": hostile.FILES.split("# Huge")[0] + hostile.LIVE,
        "hung": hostile.HUNG,
        "traps": hostile.TRAPS,
    }
    addresses = {name: engine.start(name, flags=flags) for name in programs}
    for address in addresses.values():
        lab_hosts.wait(address)
    inventory = lab_hosts.inventory(folder, {name: {"ansible_host": address} for name, address in addresses.items()})
    for name, program in programs.items():
        engine.shell(name, "systemctl stop cron")
        engine.feed(name, ["python3", "-I", "-"], (hostile.SETUP + program).encode())
    yield engine, inventory, folder
    engine.docker("rm", "-f", "-v", *programs)


@pytest.fixture(scope="module")
def played(servers):
    """One assessment of all of them, everything read; (what it left, seconds it took)."""
    _engine, inventory, folder = servers
    began = time.monotonic()
    run = plays.play(folder / "run", inventory, cmdline="-vvv", ringwall_timeout=SECONDS, ringwall_cadence="deep")
    return run, time.monotonic() - began


def tables(run, host):
    """Table name -> {state, why, rows} of one host of the newest run."""
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence import objects, runs
    from ansible_collections.ringwall.servers.plugins.plugin_utils.evidence.state import open_state

    state = open_state(str(run.state))
    file = runs.load_run(state, run.run()["id"]).host(host)
    return {
        name: dict(table, rows=objects.get(state, table["digest"])["rows"]) for name, table in file["tables"].items()
    }


def gap(table):
    """Why a table is not complete; it must not be ``ok``."""
    assert table["state"] == "partial", table["state"]
    return table["why"]


def test_each_is_assessed_in_bounded_time(played):
    run, seconds = played
    assert {name: host["state"] for name, host in run.hosts().items()} == dict.fromkeys(
        ("files", "live", "hung", "traps"), "assessed"
    )
    assert run.code == 0
    assert seconds < 2 * SECONDS + 15
    for name in run.hosts():
        for table, content in tables(run, name).items():
            assert content["state"] != "error", (name, table, content["why"])
            assert content["cost"].get("wall", 0) < SECONDS, (name, table)


def test_what_is_no_plain_file_is_a_gap_and_not_silence(played):
    found = tables(played[0], "files")
    assert "/etc/sudoers.d/fifo: not a regular file" in gap(found["sudoers"])
    assert "/etc/sudoers.d/users: a link that uid" in found["sudoers"]["why"]
    assert "/etc/cron.d/fifo: not a regular file" in gap(found["cron"])
    assert "/etc/modprobe.d/users.conf: a link that uid" in gap(found["kernel_modules"])
    assert "sparse.conf: larger than" in found["kernel_modules"]["why"]
    for sign in (
        "/etc/sysctl.d/50-fifo.conf: not a regular file",
        "/etc/sysctl.d/60-users.conf: a link that uid",
        "70-sparse.conf: larger than",
    ):
        assert sign in gap(found["sysctl"])


def test_what_could_not_be_read_never_passes(played):
    findings = played[0].hosts()["files"]["findings"]
    settings = [f for f in findings if f["control"].startswith("linux.sysctl.") and f["section"].startswith("3.3.")]
    assert len(settings) > 8
    assert {f["status"] for f in settings} == {"unreadable"}
    assert all("50-fifo.conf" in f["reason"] for f in settings)


def test_a_spool_of_200000_files_costs_no_more_than_its_bound(played):
    found = tables(played[0], "files")["cron"]
    assert "of 200000 entries" in gap(found)
    assert found["cost"]["wall"] < SECONDS / 3


def test_homes_that_lead_elsewhere_are_not_followed(played):
    rows = tables(played[0], "files")["users"]["rows"]
    assert "!" in rows["etchome"]["home_mode"], rows["etchome"]
    assert json.dumps(rows).count("not followed") >= 1


def test_odd_names_come_home_written_out(played):
    found = tables(played[0], "files")
    rows = found["users"]["rows"]
    assert "b\\xffd" in rows
    assert "{{ 7*191 }}" in rows
    assert found["identity"]["rows"]["host"]["hostname"].startswith("ev\\xffil")
    everything = json.dumps(found)
    assert "1337" not in json.dumps([row["name"] for row in rows.values()])
    for lost in ("\\udcff", "\\u0000", "\\udcfe"):
        assert lost not in everything
    assert any("\\xff\\xfe" in key for key in found["file_walk"]["rows"])


def test_what_names_hold_reaches_no_terminal_and_no_page(played):
    run, _seconds = played
    page = (run.state / "reports" / "latest" / "report.html").read_text()
    for text in (run.output, page, (run.state / "reports" / "latest" / "summary.md").read_text()):
        for sign in ("\x1b]0;owned", "\x1b[2J", "\u202e"):
            assert sign not in text


def test_thousands_of_processes_listeners_and_rules(played):
    found = tables(played[0], "live")
    assert len(found["processes"]["rows"]) > 2000
    assert len(found["listeners"]["rows"]) > 10000
    assert "5000 of 10000 rules" in gap(found["firewall_rules"])
    rows = found["processes"]["rows"].values()
    assert {"li\nst\x1b[2Jen", "sleep"} <= {row["name"] for row in rows}
    commands = "\0".join(row["command"] or "" for row in rows)
    for lie in ("[kworker/0:0]", "x) S 1 (y", "{{ 7*191 }}", "/usr/sbin/sshd 9999", "\\xff\\xfe"):
        assert lie in commands


def test_a_process_that_calls_itself_sshd_is_none(played):
    """The server's own settings are told; a liar among the processes adds no instance of it."""
    found = tables(played[0], "live")["sshd"]
    assert found["state"] == "ok"
    assert all(
        row["uid" if "uid" in row else "config"] in (0, "/etc/ssh/sshd_config") for row in found["rows"].values()
    )


def test_a_file_system_that_hangs_is_not_touched(played, servers):
    engine, _inventory, _folder = servers
    assert engine.shell("hung", "timeout 1 ls /home/hung || echo $?").strip() == "124"
    found = tables(played[0], "hung")
    row = found["users"]["rows"]["hung"]
    assert row["home_mode"]["!"] == "partial"
    assert "not touched" in row["home_mode"]["why"]
    assert {"/home/hung", "/mnt/hung"} <= set(found["mounts"]["rows"])
    assert sum(table["cost"]["wall"] for table in found.values()) < SECONDS / 3


@pytest.mark.parametrize(
    ("way", "extra"),
    [
        ("pipe", {}),
        ("a user's own rights", {"ringwall_become": False}),
        ("module", {"ringwall_transport": "module", "ansible_python_interpreter": "/usr/bin/python3"}),
    ],
)
def test_nothing_of_the_log_in_user_runs(servers, tmp_path, way, extra):
    engine, inventory, _folder = servers
    engine.shell("traps", ": >/var/tmp/trapped")
    run = plays.play(tmp_path, inventory, limit="traps", ringwall_cadence="fast", **extra)
    assert run.hosts()["traps"]["state"] == "assessed", run.hosts()["traps"]["reason"]
    trapped = engine.shell("traps", "cat /var/tmp/trapped").split("\n")
    # Modules go through Ansible's own shell lines: they take `sleep` from that PATH, and an interpreter where none is named.
    assert [
        line
        for line in trapped
        if line.startswith("0 ") and not (way == "module" and line in ("0 bin/sleep", "0 bin/echo"))
    ] == []
    if way != "module":
        assert [line for line in trapped if line and "bin/" not in line] == []


def test_the_traps_are_live(servers):
    engine, _inventory, _folder = servers
    engine.shell(
        "traps",
        "cd /home/deploy; su deploy -s /bin/bash -c '. ./.bashrc 2>/dev/null; id; python3 -c 0; /usr/bin/python3 -c \"import json\"'"
        " >/dev/null 2>&1 || true",
    )
    trapped = engine.shell("traps", "cat /var/tmp/trapped")
    for sign in ("1000 bin/id", "1000 bin/python3", "module/json"):
        assert sign in trapped


def test_the_secret_behind_the_links_is_nowhere(played):
    run, _seconds = played
    texts = [path.read_bytes() for path in run.state.rglob("*") if path.is_file()]
    texts = [gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text for text in texts]
    assert len(texts) > 50
    assert not [text for text in [run.output.encode(), *texts] if SECRET.encode() in text]


LINKED = (
    "etc/hostname",
    "etc/os-release",
    "etc/passwd",
    "etc/group",
    "etc/shadow",
    "etc/sudoers",
    "etc/fstab",
    "etc/crontab",
    "etc/cron.d/x",
    "etc/ssh/sshd_config",
    "etc/login.defs",
    "etc/sysctl.d/x.conf",
    "etc/modprobe.d/x.conf",
    "etc/pam.d/sshd",
    "etc/machine-id",
    "etc/audit/auditd.conf",
    "etc/chrony/chrony.conf",
    "etc/rsyslog.conf",
    "etc/nftables.conf",
    "etc/debian_version",
    "var/lib/dpkg/status",
    "etc/default/grub",
    "boot/grub/grub.cfg",
    "etc/hosts.allow",
)


def test_links_of_an_image_never_lead_to_the_control_machine(tmp_path):
    """Every file of the image is a link to one of ours: absolute, with ``..``, through /proc, by a directory."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text(f"{SECRET}:x:0:0:{SECRET}:/:/bin/sh\nID={SECRET}\n{SECRET} = {SECRET}\n")
    image = tmp_path / "image"
    ways = [
        str(outside / "secret"),
        "../" * 40 + str(outside / "secret").lstrip("/"),
        f"/proc/self/root{outside}/secret",
        "/out/secret",
        "/proc/self/cwd/secret",
    ]
    (image / "proc").mkdir(parents=True)
    for number, name in enumerate(LINKED):
        (image / name).parent.mkdir(parents=True, exist_ok=True)
        (image / name).symlink_to(ways[number % len(ways)])
    (image / "out").symlink_to(outside)
    (image / "etc/sudoers.d").symlink_to("../" * 30 + str(outside).lstrip("/"))
    inventory = plays.write_inventory(tmp_path, {"image": dict(plays.HERE, ringwall_root=str(image))})
    run = plays.play(tmp_path / "run", inventory, cmdline="-vvv", ringwall_cadence="deep")
    host = run.hosts()["image"]
    assert host["state"] == "assessed", host["reason"]
    assert not [f for f in host["findings"] if f["status"] == "error"], [
        f for f in host["findings"] if f["status"] == "error"
    ][:2]
    texts = [path.read_bytes() for path in run.state.rglob("*") if path.is_file()]
    texts = [gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text for text in texts]
    assert not [text for text in [run.output.encode(), *texts] if SECRET.encode() in text]
    found = tables(run, "image")
    assert found["users"]["rows"] == {}
    assert all(
        row["link_target"]
        for path, row in found["file_attributes"]["rows"].items()
        if path in ("/etc/passwd", "/etc/shadow") and row.get("exists")
    )

"""units: enablement from files as systemctl tells it, live states, init scripts."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import init_scripts, systemd_units
from ansible_collections.ringwall.servers.plugins.module_utils.host import Completed, Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result
from ansible_collections.ringwall.servers.plugins.module_utils.tables import units
from hypothesis import given
from hypothesis import strategies as st

SSH = """[Unit]
Description=OpenBSD Secure Shell server
# WantedBy=comment.target
[Service]
ExecStart=/usr/sbin/sshd -D \\
  $SSHD_OPTS
User=
[Install]
WantedBy=multi-user.target
Alias=sshd.service
"""
LIB = "/usr/lib/systemd/system/"
ETC = "/etc/systemd/system/"
FILES = {
    LIB + "ssh.service": SSH,
    LIB + "ssh.socket": "[Socket]\nListenStream=22\nAccept=no\n[Install]\nWantedBy=sockets.target\n",
    LIB + "ssh@.service": "[Service]\nExecStart=-/usr/sbin/sshd -i\n",
    LIB + "rpcbind.service": "[Service]\nExecStart=/sbin/rpcbind\n[Install]\nWantedBy=multi-user.target\n",
    LIB + "cups.service": "[Service]\nExecStart=/usr/sbin/cupsd\n[Install]\nWantedBy=printer.target\n",
    LIB + "cups.socket": "[Socket]\nListenStream=\nListenStream=/run/cups/cups.sock\n[Install]\nAlso=cups.service\n",
    LIB + "getty@.service": "[Service]\nExecStart=-/sbin/agetty\n"
    "[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n",
    LIB + "wg-quick@.service": "[Service]\nType=oneshot\n[Install]\nWantedBy=multi-user.target\n",
    LIB + "dbus.service": "[Service]\nExecStart=/usr/bin/dbus-daemon\n",
    LIB + "multi-user.target": "[Unit]\nDescription=x\n",
    LIB + "apt-daily.timer": "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
    LIB + "apt-daily.service": "[Service]\nType=oneshot\nExecStart=/usr/lib/apt/apt.systemd.daily\n",
    LIB + "multi-user.target.wants/dbus.service": ("link", "../dbus.service"),
    ETC + "multi-user.target.wants/ssh.service": ("link", "/lib/systemd/system/ssh.service"),
    ETC + "sshd.service": ("link", "/lib/systemd/system/ssh.service"),
    ETC + "getty.target.wants/getty@tty1.service": ("link", "/lib/systemd/system/getty@.service"),
    ETC + "multi-user.target.wants/wg-quick@wg0.service": ("link", "/lib/systemd/system/wg-quick@.service"),
    ETC + "rpcbind.service": ("link", "/dev/null"),
    ETC + "empty.service": "",
    ETC + "own.service": ("link", "/opt/own/own.service"),
    "/opt/own/own.service": "[Service]\nExecStart=/opt/own/run --password=hunter2\n[Install]\nWantedBy=x.target\n",
    ETC + "ssh.service.d/10-user.conf": "[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -D -p 2222\nUser=nobody\n",
    "/run/systemd/system/temporary.service": "[Service]\nExecStart=/bin/sleep 1\n",
    "/run/systemd/system/multi-user.target.wants/cups.service": ("link", LIB + "cups.service"),
    "/run/systemd/generator/data.mount": "[Mount]\nWhat=/dev/vdb\nWhere=/data\n",
}
STATES = {
    "ssh.service": "enabled",
    "sshd.service": "alias",
    "ssh.socket": "disabled",
    "ssh@.service": "static",
    "rpcbind.service": "masked",
    "empty.service": "masked",
    "cups.service": "enabled-runtime",
    "cups.socket": "indirect",
    "getty@.service": "enabled",
    "getty@tty1.service": "enabled",
    "wg-quick@.service": "indirect",
    "wg-quick@wg0.service": "enabled",
    "dbus.service": "static",
    "own.service": "linked",
    "temporary.service": "static",
    "data.mount": "generated",
    "apt-daily.timer": "disabled",
    "apt-daily.service": "static",
    "multi-user.target": "static",
}


@pytest.fixture
def image(file_host, tmp_path):
    (tmp_path / "lib").symlink_to("usr/lib")
    return file_host(FILES)


def rows_of(result):
    return result.rows if isinstance(result, Result) else result


def test_unit_file_states(image):
    rows = rows_of(units.collect(image, {}))
    assert {name: row["enabled"] for name, row in rows.items()} == STATES
    assert {name for name, row in rows.items() if row["masked"]} == {"rpcbind.service", "empty.service"}
    assert all(row["active"] is None for row in rows.values())
    assert all(set(row) == {column.name for column in units.TABLE.columns} for row in rows.values())


def test_systemctl_says_the_same_of_that_root(image):
    if not shutil.which("systemctl"):
        pytest.skip("no systemctl here")
    command = ["systemctl", f"--root={image.root}", "list-unit-files", "--no-legend", "--no-pager"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("systemctl --root does not work here")
    theirs = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
    # Offline systemctl does not look into the directories of generators, and lists no instances.
    ours = {name: state for name, state in STATES.items() if name in theirs}
    assert theirs == ours
    assert len(ours) >= 15


def test_drop_ins_and_aliases(image):
    rows = rows_of(units.collect(image, {}))
    ssh = rows["ssh.service"]
    assert ssh["exec_start"] == "/usr/sbin/sshd -D -p 2222"
    assert ssh["user"] == "nobody"
    assert ssh["drop_ins"] == [ETC + "ssh.service.d/10-user.conf"]
    assert ssh["aliases"] == ["sshd.service"]
    assert ssh["wanted_by"] == ["multi-user.target"]
    assert rows["sshd.service"]["alias_of"] == "ssh.service"


def test_what_starts_a_service_on_demand(image):
    rows = rows_of(units.collect(image, {}))
    assert rows["ssh.service"]["triggered_by"] == ["ssh.socket"]
    assert rows["cups.service"]["triggered_by"] == ["cups.socket"]
    assert rows["apt-daily.service"]["triggered_by"] == ["apt-daily.timer"]
    assert rows["cups.socket"]["listen"] == ["ListenStream /run/cups/cups.sock"]


def test_a_socket_with_accept_starts_instances(file_host):
    host = file_host(
        {LIB + "ssh.socket": "[Socket]\nListenStream=22\nAccept=yes\n", LIB + "ssh@.service": "[Service]\n"}
    )
    rows = rows_of(units.collect(host, {}))
    assert rows["ssh@.service"]["triggered_by"] == ["ssh.socket"]


def test_secrets_in_command_lines_are_redacted(image):
    row = rows_of(units.collect(image, {}))["own.service"]
    assert "hunter2" not in row["exec_start"]


def test_an_unreadable_unit_is_not_a_disabled_one(file_host, tmp_path):
    host = file_host({LIB + "a.service": "[Service]\n"})
    (tmp_path / "usr/lib/systemd/system/big.service").write_bytes(b"#" * (systemd_units.FILE_LIMIT + 1))
    rows = rows_of(units.collect(host, {}))
    assert rows["big.service"]["enabled"]["!"] == "invalid"


LIVE = """\
  ssh.service loaded active running OpenBSD Secure Shell server
● cups.service loaded failed failed CUPS Scheduler
* nothere.service not-found inactive dead nothere.service
  apt-daily.timer loaded active waiting Daily apt download activities
  init.scope loaded active running System and Service Manager
  user@1000.service loaded active running User Manager for UID 1000
  ssh@0-10.0.0.1:22-10.0.0.9:5000.service loaded active running per-connection
  run-docker.mount loaded active mounted /run/docker
  rpcbind.service masked inactive dead rpcbind.service
"""


class Live(Host):
    """A root of files that behaves like a running system under systemd."""

    def __init__(self, root, output=LIVE, code=0):
        super().__init__(root)
        self.live = True
        self.answer = Completed(code, output.encode(), b"")
        self.calls = []

    def systemd(self):
        return True

    def run(self, argv, **_options):
        self.calls.append(argv)
        return self.answer


def test_live_states_from_one_call(image):
    host = Live(image.root)
    rows = rows_of(units.collect(host, {}))
    assert len(host.calls) == 1
    assert (rows["ssh.service"]["active"], rows["ssh.service"]["sub"]) == ("active", "running")
    assert rows["sshd.service"]["active"] == "active"
    assert rows["cups.service"]["active"] == "failed"
    assert rows["dbus.service"]["active"] == "inactive"
    assert rows["run-docker.mount"]["source"] == "live"
    assert rows["run-docker.mount"]["enabled"] is None
    assert rows["rpcbind.service"]["load"] == "masked"
    for gone in ("nothere.service", "init.scope", "user@1000.service"):
        assert gone not in rows


def test_instances_of_connections_are_left_out(file_host):
    files = {LIB + "ssh.socket": "[Socket]\nListenStream=22\nAccept=yes\n", LIB + "ssh@.service": "[Service]\n"}
    rows = rows_of(units.collect(Live(file_host(files).root), {}))
    assert not [name for name in rows if "10.0.0.1" in name]


def test_a_failing_systemctl_leaves_the_state_unreadable(image):
    result = units.collect(Live(image.root, "", 1), {})
    assert result.state == "partial"
    assert result.rows["ssh.service"]["active"]["!"] == "invalid"
    assert result.rows["ssh.service"]["enabled"] == "enabled"


def test_init_scripts(file_host, tmp_path):
    host = file_host(
        {
            "/etc/init.d/legacy": "#!/bin/sh\n",
            "/etc/init.d/off": "#!/bin/sh\n",
            "/etc/init.d/ssh": "#!/bin/sh\n",
            "/etc/init.d/README": "x",
            "/etc/init.d/notexec": "x",
            "/etc/rc3.d/S01legacy": ("link", "../init.d/legacy"),
            "/etc/rc2.d/K01off": ("link", "../init.d/off"),
            LIB + "ssh.service": SSH,
        }
    )
    for name in ("legacy", "off", "ssh", "README"):
        (tmp_path / "etc/init.d" / name).chmod(0o755)
    rows = rows_of(units.collect(host, {}))
    assert {name: (row["source"], row["enabled"]) for name, row in rows.items()} == {
        "legacy.service": ("sysv", "enabled"),
        "off.service": ("sysv", "disabled"),
        "ssh.service": ("unit", "disabled"),
    }


def test_openrc(file_host, tmp_path):
    host = file_host(
        {
            "/etc/init.d/sshd": "#!/sbin/openrc-run\n",
            "/etc/init.d/nginx": "#!/sbin/openrc-run\n",
            "/etc/runlevels/default/sshd": ("link", "/etc/init.d/sshd"),
        }
    )
    for name in ("sshd", "nginx"):
        (tmp_path / "etc/init.d" / name).chmod(0o755)
    rows = rows_of(units.collect(host, {}))
    assert (rows["sshd.service"]["enabled"], rows["sshd.service"]["wanted_by"]) == ("enabled", ["default"])
    assert rows["nginx.service"]["enabled"] == "disabled"
    assert init_scripts.is_openrc(host)


def test_a_system_without_units_is_read_completely(file_host):
    assert rows_of(units.collect(file_host({"/etc/x": ""}), {})) == {}


def test_drop_in_directories():
    assert systemd_units.drop_in_names("foo-bar@x.service") == [
        "foo-bar@x.service.d",
        "foo-bar@.service.d",
        "foo-.service.d",
        "service.d",
    ]


@given(st.binary(max_size=400))
def test_unit_files_of_any_kind(data):
    for section, key, value in systemd_units.parse_unit(data):
        (section + key + value).encode("utf-8")


@given(st.text(max_size=300))
def test_list_units_of_any_kind(output):
    units.parse_list_units(output.split("\n"))

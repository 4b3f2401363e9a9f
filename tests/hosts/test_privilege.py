"""``make assess`` of the machine one is on: as root, with sudo, and as an ordinary user with one line of advice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig

import pytest

from lab import hosts as lab_hosts
from lab import plays
from lab.engine import SYSTEMD_FLAGS

ADVICE = "Read as an ordinary user"


@pytest.fixture(scope="module")
def workstation(engine, tmp_path_factory):
    """A Debian machine with a clone of the project and its Python packages."""
    folder = tmp_path_factory.mktemp("clone") / "ringwall"
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=plays.ROOT,
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    for name in filter(None, files):
        source = plays.ROOT / name.decode()
        if source.is_symlink() or source.is_file():
            target = folder / name.decode()
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    address = engine.start(
        "workstation",
        flags=(*SYSTEMD_FLAGS, "-v", f"{folder}:/clone:ro", "-v", f"{sysconfig.get_path('purelib')}:/packages:ro"),
    )
    lab_hosts.wait(address)
    return engine


def assess(engine, user):
    """Run the play of ``make assess`` as ``user``; return (exit code, output, report)."""
    state = f"/tmp/state-{user}"
    script = (
        f"cd /clone && export HOME=/tmp/home-{user} PYTHONPATH=/packages ANSIBLE_CONFIG=/clone/ansible.cfg RINGWALL_STATE={state} "
        f"ANSIBLE_LOCAL_TEMP=/tmp/ansible-{user} PYTHONDONTWRITEBYTECODE=1; mkdir -p $HOME; "
        "python3 -m ansible playbook -i inventories/local playbooks/assess.yml -e ringwall_cadence=fast"
    )
    result = subprocess.run(
        [*engine._docker(), "exec", "-u", user, "workstation", "sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
    )
    report = json.loads(engine.docker("exec", "workstation", "cat", f"{state}/reports/latest/report.json"))
    return result.returncode, result.stdout + result.stderr, report


@pytest.mark.parametrize(("user", "privilege"), [("root", "root"), ("deploy", "root"), ("plain", "user")])
def test_this_machine_is_assessed_with_whatever_rights_there_are(workstation, user, privilege):
    code, output, report = assess(workstation, user)
    assert code == 0, output
    assert report["run"]["privilege"] == privilege
    assert "Secure score" in output
    assert (ADVICE in output) == (privilege == "user")
    unreadable = [finding for finding in report["hosts"][0]["findings"] if finding["status"] == "unreadable"]
    if privilege == "user":
        assert (
            any(finding["section"] == "7.1.10" or "shadow" in json.dumps(finding) for finding in unreadable)
            or len(unreadable) > 10
        )
    assert not [finding for finding in report["hosts"][0]["findings"] if finding["status"] == "error"]

"""The progress callback in a real playbook, on a pseudo-terminal and into a pipe."""

from __future__ import annotations

import os
import pty
import subprocess

from lab import plays

HOSTILE = "evil\x1bc\u202ename"  # ESC c resets a terminal


def command(folder):
    inventory = plays.write_inventory(folder, {HOSTILE: plays.HERE, "good": plays.HERE})
    environment = dict(
        os.environ, ANSIBLE_CONFIG=str(plays.ROOT / "ansible.cfg"), RINGWALL_STATE=str(folder / "state"), TERM="xterm"
    )
    environment.pop("NO_COLOR", None)
    arguments = ["-i", inventory, "playbooks/assess.yml", "-e", "ringwall_cadence=fast"]
    return [plays.BIN / "ansible-playbook", *arguments], environment


def on_terminal(folder):
    """Run the playbook with a pseudo-terminal as its output; return (code, what it wrote)."""
    arguments, environment = command(folder)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(arguments, cwd=plays.ROOT, env=environment, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    chunks = []
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # Linux answers EIO when the last writer is gone
            break
        if not data:
            break
        chunks.append(data)
    os.close(ours)
    return process.wait(), b"".join(chunks).decode()


def before_recap(output):
    return output.partition("PLAY RECAP")[0]


def test_a_terminal_sees_a_renewed_line_then_the_summary(tmp_path):
    code, output = on_terminal(tmp_path)
    assert code == 0, output
    shown = before_recap(output)
    assert "\r\x1b[K2 of 2 hosts" in shown
    assert "of 46 points" in shown
    assert "\x1bc" not in shown
    assert "\u202e" not in shown
    assert "TASK [" not in shown


def test_a_pipe_sees_plain_lines(tmp_path):
    arguments, environment = command(tmp_path)
    result = subprocess.run(arguments, cwd=plays.ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    shown = before_recap(result.stdout)
    assert "2 of 2 hosts, " in shown
    assert "\x1b" not in shown
    assert "\r" not in shown


def test_a_misspelt_variable_is_said(tmp_path):
    arguments, environment = command(tmp_path)
    result = subprocess.run(
        [*arguments, "-e", "ringwall_tiemout=3"], cwd=plays.ROOT, env=environment, capture_output=True, text=True
    )
    assert "did you mean ringwall_timeout" in result.stdout + result.stderr


def test_without_our_callback_the_summary_and_the_place_of_the_report_are_said_all_the_same(tmp_path):
    arguments, environment = command(tmp_path)
    environment["ANSIBLE_STDOUT_CALLBACK"] = "default"
    result = subprocess.run(arguments, cwd=plays.ROOT, env=environment, capture_output=True, text=True)
    assert "of 46 points" in result.stdout
    assert "report.html" in result.stdout

"""Which form of the collector a host gets, and what happens when its Python is another by now."""

from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots import gather
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.limits import HostFailure


@pytest.fixture
def sent(tmp_path, monkeypatch):
    """Collectors on disk; what was sent is listed, and bytecode is refused while ``refuse`` is set."""
    told = {"sent": [], "refuse": None}
    for kind in ("source", "bytecode"):
        (tmp_path / kind).write_bytes(kind.encode())

    def pipe(action, task_vars, settings, packed):
        told["sent"].append(packed.decode())
        if packed == b"bytecode" and told["refuse"]:
            raise told["refuse"]
        return "answer"

    monkeypatch.setattr(gather, "_pipe", pipe)
    told["collectors"] = {
        "source": str(tmp_path / "source"),
        "bytecode": str(tmp_path / "bytecode"),
        "magic": "a70d0d0a",
    }
    return told


@pytest.mark.parametrize(
    ("python", "kinds"), [(None, ["source"]), ("6f0d0d0a", ["source"]), ("a70d0d0a", ["bytecode"]), (7, ["source"])]
)
def test_bytecode_goes_to_hosts_that_had_our_python_alone(sent, python, kinds):
    assert gather._piped(None, {}, {}, sent["collectors"], python) == "answer"
    assert sent["sent"] == kinds


def test_a_host_whose_python_changed_is_asked_again_with_source(sent):
    sent["refuse"] = HostFailure("other_python", "")
    assert gather._piped(None, {}, {}, sent["collectors"], "a70d0d0a") == "answer"
    assert sent["sent"] == ["bytecode", "source"]


def test_other_failures_are_not_tried_again(sent):
    sent["refuse"] = HostFailure("become", "")
    with pytest.raises(HostFailure):
        gather._piped(None, {}, {}, sent["collectors"], "a70d0d0a")
    assert sent["sent"] == ["bytecode"]

"""Hosts made of files, for collectors that read a root which is not running."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "tables"


@pytest.fixture
def table_fixture():
    """Return the text of a file below tests/fixtures/tables."""
    return lambda name: (FIXTURES / name).read_text(encoding="utf-8")


@pytest.fixture
def file_host(tmp_path):
    """Return ``make(files)``: a Host whose root holds the files ``{path: text, bytes, or ("link", target)}``."""

    def make(files):
        for path, content in files.items():
            place = tmp_path / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, tuple):
                place.symlink_to(content[1])
            else:
                place.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return Host(str(tmp_path))

    return make

"""What docs/controls.md shows as content of one's own compiles as it stands."""

from __future__ import annotations

import pathlib
import re

from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY

DOCUMENT = pathlib.Path(__file__).parents[3] / "docs" / "controls.md"


def test_the_example_compiles(tmp_path):
    control, benchmark, framework = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    assert len(control.splitlines()) <= 10
    (tmp_path / "benchmarks" / "controls" / "linux").mkdir(parents=True)
    (tmp_path / "benchmarks" / "controls" / "linux" / "site.yml").write_text(control)
    (tmp_path / "benchmarks" / "site.yml").write_text(benchmark)
    (tmp_path / "benchmarks" / "frameworks").mkdir()
    (tmp_path / "benchmarks" / "frameworks" / "house.yml").write_text(framework)
    content = compile_content(roots(extra=[str(tmp_path)]), VOCABULARY)
    assert content.benchmarks["site"]["sections"]["site.1"]["controls"] == ["linux.site.no_compiler"]
    assert len(content.benchmarks["site"]["sections"]) == 311
    assert content.frameworks["house"]["requirements"]["A.1"]["controls"] == ["linux.site.no_compiler"]

"""Content is found in a clone and beside an installed collection, compiled to plain data and cached."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import (
    ContentError,
    Root,
    compile_content,
    keep_newest,
    roots,
)
from ansible_collections.ringwall.servers.plugins.plugin_utils.content.vocabulary import SCORES
from ansible_collections.ringwall.servers.plugins.plugin_utils.findings.score import CONTROLS
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY

PROJECT = pathlib.Path(__file__).parents[3]
SHARED = pathlib.Path(os.environ.get("RINGWALL_SHARED", PROJECT.parent / "shared"))
OWN = """\
- id: linux.site.banner
  title: A banner is shown
  severity: low
  rationale: Because.
  require: {file: {/etc/issue: {mode: "0644"}}}
"""


@pytest.fixture(scope="module")
def content():
    return compile_content(roots(), VOCABULARY)


@pytest.fixture
def own(tmp_path):
    directory = tmp_path / "own" / "benchmarks" / "controls" / "linux"
    directory.mkdir(parents=True)
    (directory / "site.yml").write_text(OWN)
    (tmp_path / "own" / "benchmarks" / "site.yml").write_text(
        'id: site\ntitle: Site\nversion: "1"\ninclude: [cis_debian12]\nplatform: {id: debian}\nsections:\n'
        '  "1.5.1": {title: Ours instead, level: l1, controls: [linux.site.banner]}\n'
    )
    return tmp_path / "own"


def test_every_published_section_is_listed_with_its_facts(content):
    published = SHARED / "benchmarks" / "cis_debian12.json"
    if not published.is_file():
        pytest.skip(f"{published} is not here")
    sections = content.benchmarks["cis_debian12"]["sections"]
    facts = {item["id"]: item for item in json.loads(published.read_text())["controls"]}
    assert set(sections) == set(facts)
    for name, fact in facts.items():
        levels = dict(reversed(level.split("_")) for level in fact["levels"])
        assert sections[name]["level"] == levels["server"], name
        assert sections[name]["workstation"] == levels.get("workstation", ""), name


def test_at_least_120_sections_are_judged_and_the_others_say_why(content):
    sections = content.benchmarks["cis_debian12"]["sections"].values()
    assert sum(bool(section["controls"]) for section in sections) >= 120
    assert all(section["controls"] or section["reason"] for section in sections)


def test_our_own_benchmark_has_every_control_that_no_release_owns(content):
    sections = content.benchmarks["ringwall_linux"]["sections"]
    listed = {name for section in sections.values() for name in section["controls"]}
    assert listed == {name for name, control in content.controls.items() if not control["release"]}


def test_score_controls_are_those_of_the_score():
    assert set(SCORES) == set(CONTROLS)


def test_needs_name_tables_and_paths(content):
    needs = content.needs(["cis_debian12"])
    assert {"platform", "sysctl", "packages", "units", "mounts", "kernel_modules"} <= needs["tables"]
    assert "/etc/crontab" in needs["paths"]
    assert content.needs(["nothing"]) == {"tables": {"platform"}, "paths": set(), "configs": []}


def test_a_directory_of_the_user_adds_and_includes(own):
    content = compile_content(roots(extra=[str(own)]), VOCABULARY)
    assert content.controls["linux.site.banner"]["where"].endswith("site.yml:1")
    sections = content.benchmarks["site"]["sections"]
    assert set(sections) == set(content.benchmarks["cis_debian12"]["sections"])
    assert sections["1.5.1"]["controls"] == ["linux.site.banner"]
    assert "linux.site.banner" not in content.benchmarks["ringwall_linux"]["sections"]
    assert "site.banner" not in content.benchmarks["ringwall_linux"]["sections"]


def test_a_named_directory_that_is_missing_is_an_error_and_a_default_is_not(tmp_path):
    with pytest.raises(ContentError, match="does not exist"):
        roots(extra=[str(tmp_path / "none")])
    assert len(roots(default=tmp_path / "none")) == 1
    assert [root.ours for root in roots(default=tmp_path)] == [True, False]
    assert len(roots(extra=[str(tmp_path)], default="/")) == 2


def test_ours_is_found_beside_an_installed_collection(tmp_path):
    home = tmp_path / "ansible_collections" / "ringwall" / "servers"
    shutil.copytree(PROJECT / "plugins" / "plugin_utils", home / "plugins" / "plugin_utils")
    shutil.copytree(PROJECT / "plugins" / "module_utils", home / "plugins" / "module_utils")
    shutil.copytree(PROJECT / "benchmarks", home / "benchmarks")
    code = (
        "from ansible_collections.ringwall.servers.plugins.plugin_utils.content import compile_content, roots;"
        "from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY;"
        "print(roots()[0].path); print(len(compile_content(roots(), VOCABULARY).controls))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    place, number = done.stdout.split()
    assert place == str(home)
    assert int(number) > 100


def test_the_cache_gives_the_same_and_is_private(tmp_path, content):
    first = compile_content(roots(), VOCABULARY, tmp_path / "cache")
    files = list((tmp_path / "cache").iterdir())
    assert [file.name for file in files] == [f"content-{first.digest}.json"]
    assert files[0].stat().st_mode & 0o077 == 0
    again = compile_content(roots(), VOCABULARY, tmp_path / "cache")
    by_digest = compile_content(digest=first.digest, cache=tmp_path / "cache")
    assert first.data == again.data == by_digest.data == content.data


def test_a_broken_cache_costs_time_only(tmp_path, content):
    path = tmp_path / f"content-{content.digest}.json"
    for wrong in ("", "[]", '{"schema": "x"}', json.dumps({**content.data, "digest": "other"})):
        path.write_text(wrong)
        assert compile_content(roots(), VOCABULARY, tmp_path).data == content.data
    path.unlink()
    with pytest.raises(FileNotFoundError):
        compile_content(digest=content.digest, cache=tmp_path)


def test_any_change_makes_another_digest(own):
    before = compile_content(roots(extra=[str(own)]), VOCABULARY).digest
    file = own / "benchmarks" / "controls" / "linux" / "site.yml"
    file.write_text(OWN.replace("0644", "0640"))
    assert compile_content(roots(extra=[str(own)]), VOCABULARY).digest != before


def test_reload_takes_less_than_30_ms(tmp_path):
    compile_content(roots(), VOCABULARY, tmp_path)
    times = []
    for _ in range(5):
        start = time.process_time()
        compile_content(roots(), VOCABULARY, tmp_path)
        times.append(time.process_time() - start)
    assert min(times) < 0.030


def test_forks_inherit_what_was_compiled_last(tmp_path, content):
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    older = cache / f"content-{'0' * 64}.json"
    older.write_text(json.dumps({**content.data, "digest": "0" * 64}))
    os.utime(older, (1, 1))
    compile_content(roots(), VOCABULARY, cache)
    try:
        keep_newest(cache)
        kept = compile_content(digest=content.digest, cache=cache)
        assert kept.data == content.data
        assert compile_content(digest=content.digest, cache=cache) is kept
        assert compile_content(digest="0" * 64, cache=cache).digest == "0" * 64
        cache.chmod(0o755)
        keep_newest(cache)
        assert compile_content(digest=content.digest, cache=cache) is not kept
        keep_newest(tmp_path / "nowhere")
    finally:
        keep_newest(tmp_path / "nowhere")


def test_unreadable_bytes_are_an_error_that_names_the_file(own):
    file = own / "benchmarks" / "controls" / "linux" / "site.yml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ContentError, match=r"site\.yml: cannot be read"):
        compile_content([Root(str(own))], VOCABULARY)

"""Wrong content is refused with the file, the line and what was expected."""

from __future__ import annotations

import time

import pytest
from ansible_collections.ringwall.servers.plugins.plugin_utils.content import ContentError, Root, compile_content, roots
from ansible_collections.ringwall.servers.plugins.plugin_utils.posture import VOCABULARY

CONTROL = """\
- id: linux.site.banner
  title: A banner is shown
  severity: low
  rationale: Because.
  require: {sysctl: {net.ipv4.ip_forward: 0}}
"""
BENCHMARK = """\
id: site
title: Site rules
version: "1"
sections:
  "1.1": {title: Banner, level: l1, controls: [linux.site.banner]}
"""


@pytest.fixture
def refused(tmp_path):
    def run(control=CONTROL, benchmark=BENCHMARK, ours=False):
        directory = tmp_path / "benchmarks" / "controls" / "linux"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "site.yml").write_text(control)
        (tmp_path / "benchmarks" / "site.yml").write_text(benchmark)
        with pytest.raises(ContentError) as caught:
            compile_content([*(roots() if ours else []), Root(str(tmp_path))], VOCABULARY)
        error = caught.value
        assert error.where.path.startswith(str(tmp_path))
        return error.where.path.rsplit("/", 1)[1], error.where.line, error.problem, error.expected

    return run


CONTROLS = [
    ("require: {sysctl: {net.ipv4.ip_forward: 0}}", "require: {sysctrl: {a: 0}}", 5, "did you mean sysctl?"),
    ("severity: low", "severity: hihg", 3, "did you mean high?"),
    ("severity: low", "severty: low", 3, "did you mean severity?"),
    ("id: linux.site.banner", "id: Banner", 1, "malformed id"),
    ("  rationale: Because.\n", "", 1, "has no rationale"),
    ("rationale: Because.", "rationale: [a]", 4, "rationale is not text"),
    ("rationale: Because.", "rationale: x\n  when: {contaner: true}", 5, "did you mean container?"),
    ("rationale: Because.", "rationale: x\n  when: {container: maybe}", 5, "found 'maybe'"),
    ("rationale: Because.", "rationale: x\n  when: {platform: {vresion_id: '12'}}", 5, "did you mean version_id?"),
    (
        "rationale: Because.",
        "rationale: x\n  when: {query: {table: usres, expression: rows}}",
        5,
        "did you mean users?",
    ),
    ("rationale: Because.", "rationale: x\n  attack: [T15]", 5, "technique ids"),
    ("rationale: Because.", "rationale: x\n  score: fun", 5, "unknown score"),
    ("rationale: Because.", "rationale: x\n  rationale: y", 5, "given twice"),
    ("rationale: Because.", "rationale: x\n  parameters: {a: {stricter: lower}}", 5, "has no default"),
    (
        "rationale: Because.",
        "rationale: x\n  parameters: {a: {default: 1, stricter: lowest}}",
        5,
        "did you mean lower?",
    ),
    ("{net.ipv4.ip_forward: 0}", "{a: {parameter: nowhere}}", 5, "unknown parameter nowhere"),
    ("{net.ipv4.ip_forward: 0}", "{a: {mni: 4}}", 5, "did you mean min?"),
    ("{net.ipv4.ip_forward: 0}", "{a: {min: four}}", 5, "min takes a number"),
    ("{net.ipv4.ip_forward: 0}", "{a: {matches: '['}}", 5, "not a regular expression"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{any_of: [{sysctl: {a: 0}}]}", 5, "any_of takes two"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{package: {vim: gone}}", 5, "package vim: 'gone'"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{service: {cron: running}}", 5, "service cron: 'running'"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{mount: {tmp: {separate: true}}}", 5, "tmp is not an absolute path"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{kernel_module: {udf: off}}", 5, "kernel_module udf"),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{query: {table: listeners, expression: 'rows[?', expected: 1}}",
        5,
        "bad JMESPath",
    ),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{query: {table: listners, expression: rows, expected: 1}}",
        5,
        "did you mean listeners?",
    ),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{query: {table: users, expression: 'rows[?shel==`1`]', expected: {empty: true}}}",
        5,
        "did you mean shell?",
    ),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{query: {table: users, expression: 'rows[*].{a: naem}', expected: 1}}",
        5,
        "unknown column naem",
    ),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{query: {table: users, expression: 'rows | [0].naem', expected: 1}}",
        5,
        "unknown column naem",
    ),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{query: {table: users, expression: 'sort_by(rows, &naem)', expected: 1}}",
        5,
        "unknown column naem",
    ),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{query: {table: users, expression: 'rows.shell', expected: 1}}",
        5,
        "asked of a list of rows",
    ),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{query: {table: users, expression: 'users[*].shell', expected: 1}}",
        5,
        "unknown table users",
    ),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{query: {table: users, expression: 'lenght(rows)', expected: 1}}",
        5,
        "did you mean length?",
    ),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{query: {table: users, expression: 'length(rows, rows)', expected: 1}}",
        5,
        "takes 1 arguments, found 2",
    ),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{query: {table: listeners, expression: rows}}", 5, "no expected value"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{exposure: {tpc: {a: 1}}}", 5, "did you mean tcp?"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{exposure: {tcp: {a: 70000}}}", 5, "no map of ports"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{exposure: {tcp: []}}", 5, "no map of ports"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{exposure: {sshd: false}}", 5, "sshd is False"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{encryption: {of: mounts}}", 5, "of is 'mounts'"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{encryption: {of: mount, exept: []}}", 5, "did you mean except?"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{encryption: {of: mount, except: /boot}}", 5, "except is not a list"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{end_of_support: {debian: 12}}", 5, "debian is no map of releases"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{end_of_support: {debian: {'12': '2028-13-01'}}}", 5, "'2028-13-01'"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", '{end_of_support: {debian: {12: "2028-06-30"}}}', 5, "debian: 12"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{tls: {old_protocol: false}}", 5, "did you mean old_protocols?"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{tls: {old_protocols: true}}", 5, "old_protocols is True"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{tls: {certificate_days: soon}}", 5, "certificate_days is"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{tls: {key_mode: 640}}", 5, "key_mode is 640"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", '{tls: {key_mode: "0888"}}', 5, "key_mode is '0888'"),
    ("{net.ipv4.ip_forward: 0}", "{a: }", 5, "a has no value"),
    ("{net.ipv4.ip_forward: 0}", "{a: {one_of: [1, ]}, b: {equals: ~}}", 5, "equals has no value"),
    ("{net.ipv4.ip_forward: 0}", "{a: {one_of: [1, null]}}", 5, "an entry of the list has no value"),
    ("rationale: Because.", "rationale: x\n  when:", 5, "when has no value"),
    ("{net.ipv4.ip_forward: 0}", "{a: !x 1}", 5, "unknown tag !x"),
    ("{net.ipv4.ip_forward: 0}", "{a: !x {b: 1}}", 5, "unknown tag !x"),
    ("{net.ipv4.ip_forward: 0}", "{a: !!python/tuple [1]}", 5, "unknown tag !!python/tuple"),
    ("{net.ipv4.ip_forward: 0}", "{!!python/name:os.system : 1}", 5, "unknown tag !!python/name:os.system"),
    ("{net.ipv4.ip_forward: 0}", "{a: !!set {b, c}}", 5, "unknown tag !!set"),
    ("{net.ipv4.ip_forward: 0}", "{<<: {b: 1}}", 5, "unknown tag !!merge"),
    ("{sysctl: {net.ipv4.ip_forward: 0}}", "{auditd: {max_log_flie: 8}}", 5, "did you mean max_log_file?"),
    (
        "{sysctl: {net.ipv4.ip_forward: 0}}",
        "{audit_rule: {rules: ['-a always,exit -F arch=b64 -S openta -F key=x']}}",
        5,
        "unknown system call openta; did you mean openat?",
    ),
    ("rationale: Because.", "rationale: x\n  parameters: {a: {default: 1}}", 5, "parameter a is not used"),
    ("- id: linux.site.banner", "- id: [", 3, "not valid YAML"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), CONTROLS, ids=[item[3] for item in CONTROLS])
def test_a_wrong_control(refused, old, new, line, words):
    assert old in CONTROL
    file, found, problem, expected = refused(CONTROL.replace(old, new, 1))
    assert (file, found) == ("site.yml", line)
    assert words in problem
    assert expected


def test_the_line_is_that_of_the_entry_at_fault(refused):
    control = CONTROL.replace("{sysctl: {net.ipv4.ip_forward: 0}}", "\n    sysctl:\n      a: 0\n      b: {mni: 1}")
    assert refused(control)[1] == 8


def test_duplicate_ids_name_both_places(refused):
    _, line, problem, _ = refused(CONTROL + CONTROL)
    assert line == 6
    assert "duplicate" in problem
    assert "site.yml:1" in problem


def test_a_parameter_has_one_definition(refused):
    one = CONTROL + "  parameters: {limit: {default: 1}}\n"
    _, line, problem, _ = refused(one + one.replace("banner", "other"))
    assert line == 12
    assert "already defined by linux.site.banner" in problem


def test_a_user_may_not_shadow_ours(refused):
    _, line, problem, _ = refused(CONTROL.replace("linux.site.banner", "linux.sysctl.syn_cookies"), ours=True)
    assert line == 1
    assert "one of ours (benchmarks/controls/linux/sysctl.yml:" in problem
    _, line, problem, _ = refused(benchmark=BENCHMARK.replace("id: site", "id: cis_debian12"), ours=True)
    assert line == 1
    assert "one of ours (benchmarks/cis_debian12.yml:" in problem


BENCHMARKS = [
    ("controls: [linux.site.banner]", "controls: [linux.site.baner]", 5, "did you mean linux.site.banner?"),
    (", controls: [linux.site.banner]", "", 5, "neither controls nor a reason"),
    ("level: l1", "level: l1, assessment: manual", 5, "manual and says no reason"),
    ("level: l1", "level: l1, assessment: manual, reason: [a]", 5, "reason is not text"),
    (
        'version: "1"',
        'version: "1"\ncollect: {platform: linux}\nthemes:\n  site: {title: Site, level: l0}',
        6,
        "unknown level l0",
    ),
    ("level: l1", "level: L1", 5, "unknown level L1; did you mean l1?"),
    ("level: l1", "level: l1, workstation: l9", 5, "unknown level l9"),
    ("level: l1", "level: l1, reason: null", 5, "reason has no value"),
    ('"1.1"', "1.1", 5, "read as a number"),
    ("title: Banner", "titel: Banner", 5, "did you mean title?"),
    ("level: l1", "level: l1, assessment: manaul", 5, "did you mean manual?"),
    ("level: l1", "level: l1, parameters: [a]", 5, "parameters is not a map"),
    ("level: l1", "level: l1, parameters: {none: 1}", 5, "unknown parameter none"),
    ("controls: [linux.site.banner]", "controls: [linux.site.banner, linux.site.banner]", 5, "names a control twice"),
    ('version: "1"', "version: 1", 3, "version is not text"),
    ('version: "1"', 'version: "1"\nplatform: {id: debian, version_id: 12}', 4, "version_id is not text"),
    ('version: "1"', 'version: "1"\ninclude: [nothing]', 4, "unknown benchmark nothing"),
    ('version: "1"', 'version: "1"\ninclude: [site]', 4, "includes itself"),
    ('version: "1"', 'version: "1"\nbeside: sure', 4, "beside is 'sure'"),
    ('version: "1"', 'version: "1"\nbeside: true\nfallback: true', 4, "a fallback cannot serve beside others"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), BENCHMARKS, ids=[item[3] for item in BENCHMARKS])
def test_a_wrong_benchmark(refused, old, new, line, words):
    assert old in BENCHMARK
    _, found, problem, expected = refused(benchmark=BENCHMARK.replace(old, new, 1))
    assert found == line
    assert words in problem
    assert expected


def test_a_known_parameter_of_another_control_is_not_proposed_for_itself(refused):
    other = CONTROL.replace("banner", "other").replace("0}}", "{parameter: limit}}}")
    control = CONTROL + other + "  parameters: {limit: {default: 1}}\n"
    section = BENCHMARK.replace("level: l1", "level: l1, parameters: {limit: 2}")
    _, line, problem, _ = refused(control, section)
    assert line == 5
    assert problem == "section 1.1: parameter limit belongs to the control linux.site.other, which is not listed here"


def test_a_section_of_no_parameters_proposes_none(refused):
    _, _, problem, _ = refused(benchmark=BENCHMARK.replace("level: l1", "level: l1, parameters: {limt: 2}"))
    assert problem == "section 1.1: unknown parameter limt"


def test_references_that_multiply_are_refused_at_once(refused):
    levels = ["x0: &x0 [a, a, a, a, a, a, a, a, a]"]
    levels += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 12)]
    started = time.monotonic()
    _, line, problem, expected = refused("\n".join(levels) + "\n")
    assert time.monotonic() - started < 5
    assert "too large" in problem
    assert "references" in expected
    assert line <= 12

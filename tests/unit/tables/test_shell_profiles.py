from __future__ import annotations

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.shell_settings import mask_of, parse, path_parts
from ansible_collections.ringwall.servers.plugins.module_utils.tables import shell_profiles
from hypothesis import given
from hypothesis import strategies as st


def settings(lines, csh=False):
    return [(entry["setting"], entry["value"], entry["conditional"]) for entry in parse(lines, csh)]


def test_what_rhel_sets_stands_under_conditions(table_fixture):
    assert settings(table_fixture("shells/rhel8_profile").split("\n")) == [
        ("umask", "0002", True),
        ("umask", "0022", True),
    ]
    found = settings(table_fixture("shells/rhel9_bashrc").replace("\\", "\\x5c").split("\n"))
    assert found == [("PATH", "$PATH:$1", True), ("PATH", "$1:$PATH", True), ("umask", "0022", True)]


@pytest.mark.parametrize(
    ("text", "readonly", "exported"),
    [
        ("TMOUT=900", False, False),
        ("TMOUT=900\nreadonly TMOUT\nexport TMOUT", True, True),
        ("readonly TMOUT=900 ; export TMOUT", True, True),
        ("declare -xr TMOUT=900", True, True),
        ("typeset -r -x TMOUT=900 # idle", True, True),
        ('export TMOUT="900"', False, True),
        ("TMOUT=900; if [ x ]; then readonly TMOUT; export TMOUT; fi", False, False),
    ],
)
def test_how_tmout_is_marked(text, readonly, exported):
    (entry,) = parse(text.split("\n"))
    assert (entry["value"], entry["readonly"], entry["exported"]) == ("900", readonly, exported)
    assert entry["conditional"] is False


@pytest.mark.parametrize(
    ("line", "conditional"),
    [
        ("umask 027", False),
        ("  umask 027 # strict", False),
        ("true; umask 027", False),
        ("[ -n x ] && umask 027", True),
        ("if true; then umask 027; fi", True),
        ("case $x in a) umask 027;; esac", True),
        ("for x in 1; do umask 027; done", True),
    ],
)
def test_conditions(line, conditional):
    assert settings([line]) == [("umask", "0027", conditional)]
    assert settings([line, "umask 077"])[1] == ("umask", "0077", False)


@pytest.mark.parametrize(
    "line", ["# umask 000", "echo umask 000", "echo 'a; umask 000'", "umask", "umask -S", "x=umask"]
)
def test_what_sets_nothing(line):
    assert settings([line]) == []


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["22"], "0022"),
        (["u=rwx,g=rx,o="], "0027"),
        (["a=rwx"], "0000"),
        (["-S", "077"], "0077"),
        (["g-w"], None),
        (["$X"], None),
        (["0999"], None),
    ],
)
def test_masks(words, value):
    assert mask_of(words) == value


def test_csh():
    lines = ["if ($uid > 199) then", "  umask 002", "else", "  umask 022", "endif", "umask 027", "set autologout = 15"]
    assert settings(lines, True) == [
        ("umask", "0002", True),
        ("umask", "0022", True),
        ("umask", "0027", False),
        ("autologout", "15", False),
    ]
    assert settings(["if ($x) umask 000", "umask 077"], True) == [("umask", "0000", True), ("umask", "0077", False)]


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("/usr/bin:/bin", ["/usr/bin", "/bin"]),
        ("$PATH:/opt/x", ["/opt/x"]),
        ("${PATH}:", [""]),
        ("$HOME/bin:${PATH:-/bin}", ["$HOME/bin"]),
        ("/a::/b", ["/a", "", "/b"]),
        (".:$PATH", ["."]),
        ("$PATHX:/a", ["$PATHX", "/a"]),
    ],
)
def test_parts_of_path(value, parts):
    assert path_parts(value) == parts


def test_files_in_their_order(file_host):
    host = file_host(
        {
            "/etc/profile": "umask 022\n",
            "/etc/profile.d/b.sh": "TMOUT=600\n",
            "/etc/profile.d/a.sh": "",
            "/etc/profile.d/c.csh": "umask 077\n",
            "/etc/bash.bashrc": "",
            "/root/.bashrc": "umask 077\n",
        }
    )
    rows = shell_profiles.collect(host, {})
    order = [(row["path"], row["scope"], row["position"]) for row in rows.values() if row["setting"] is None]
    assert order == [
        ("/etc/profile", "login", 1),
        ("/etc/profile.d/a.sh", "login", 2),
        ("/etc/profile.d/b.sh", "login", 3),
        ("/etc/bash.bashrc", "bash", 1),
        ("/etc/profile.d/c.csh", "csh", 1),
        ("/root/.bashrc", "root", 1),
    ]
    assert rows["/etc/profile.d/b.sh:1 TMOUT"]["value"] == "600"


def test_a_file_that_cannot_be_read_has_a_row_that_says_so(file_host):
    files = {"/etc/profile": "x" * (shell_profiles.LIMIT + 1), "/etc/bashrc": "umask 077\n"}
    rows = shell_profiles.collect(file_host(files), {})
    assert rows["/etc/profile"]["value"]["!"] == "partial"
    assert rows["/etc/bashrc:1 umask"]["value"] == "0077"


@given(st.text(alphabet="umask027 TMOUT=;&|(){}'\"`\\#\n$PATH:ifthendoecasn", max_size=200), st.booleans())
def test_parser_takes_any_text(text, csh):
    for entry in parse(text.split("\n"), csh):
        assert entry["setting"] in ("umask", "TMOUT", "PATH", "autologout")

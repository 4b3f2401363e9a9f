from __future__ import annotations

from ansible_collections.ringwall.servers.plugins.module_utils.tables import login_defs
from hypothesis import given
from hypothesis import strategies as st


def test_debians_file(file_host, table_fixture):
    rows = login_defs.collect(file_host({"/etc/login.defs": table_fixture("login_defs/login.defs")}), {})
    assert rows["PASS_MAX_DAYS"]["value"] == "99999"
    assert rows["UMASK"]["value"] == "022"
    assert rows["ENCRYPT_METHOD"]["value"] == "SHA512"
    assert rows["ENV_PATH"]["value"] == "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
    assert "SHA_CRYPT_MIN_ROUNDS" not in rows  # only a comment there


def test_last_line_wins_and_quotes_go():
    rows = login_defs.parse(
        ["PASS_MAX_DAYS 99999", "# PASS_MAX_DAYS 1", ' X "a b" ', "PASS_MAX_DAYS\t365 ", "ALONE"], "/f"
    )
    assert rows["PASS_MAX_DAYS"] == {"value": "365", "where": "/f:4", "earlier": ["/f:1"]}
    assert rows["X"]["value"] == "a b"
    assert rows["ALONE"]["value"] == ""


def test_vendor_file_serves_where_etc_has_none(file_host):
    rows = login_defs.collect(file_host({"/usr/etc/login.defs": "UMASK 077\n"}), {})
    assert rows["UMASK"]["where"] == "/usr/etc/login.defs:1"


def test_no_file_no_rows(file_host):
    assert login_defs.collect(file_host({"/etc/passwd": ""}), {}) == {}


@given(st.text(max_size=300))
def test_parser_takes_any_text(text):
    login_defs.parse(text.split("\n"), "/f")

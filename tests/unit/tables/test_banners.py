from __future__ import annotations

from ansible_collections.ringwall.servers.plugins.module_utils.tables import allowlists, banners, dconf
from hypothesis import given
from hypothesis import strategies as st

OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nID=debian\n'


def test_what_banners_tell(file_host):
    host = file_host(
        {
            "/etc/os-release": OS_RELEASE,
            "/etc/issue": b"Debian GNU/Linux 12 \\n \\l\n",
            "/etc/issue.net": b"Authorized use only.\n",
            "/etc/update-motd.d/10-uname": "#!/bin/sh\nuname -snrvm\n",
            "/etc/ssh/sshd_config": "Banner /etc/ssh/warn\n",
            "/etc/ssh/warn": b"kernel \\r\n",
        }
    )
    rows = banners.collect(host, {})
    assert rows["/etc/issue"]["escapes"] == ["l", "n"]
    assert rows["/etc/issue"]["names"] == ["debian", "debian gnu/linux"]
    assert rows["/etc/issue.net"]["names"] == []
    assert rows["/etc/issue.net"]["text"] == "Authorized use only.\n"
    assert rows["/etc/motd"]["exists"] is False
    assert rows["/etc/update-motd.d/10-uname"]["text"] is None
    assert (rows["/etc/ssh/warn"]["kind"], rows["/etc/ssh/warn"]["escapes"]) == ("ssh", ["r"])


def test_digest_does_not_mind_white_space(file_host):
    rows = banners.collect(file_host({"/etc/os-release": OS_RELEASE, "/etc/issue": "a  b\n", "/etc/motd": " a\nb"}), {})
    assert rows["/etc/issue"]["digest"] == rows["/etc/motd"]["digest"]


def test_a_long_text_does_not_travel(file_host):
    rows = banners.collect(file_host({"/etc/os-release": OS_RELEASE, "/etc/motd": "word " * 1000}), {})
    assert rows["/etc/motd"]["text"] is None
    assert rows["/etc/motd"]["size"] == 5000


def test_without_os_release_no_name_can_be_told(file_host):
    assert banners.collect(file_host({"/etc/issue": "Debian\n"}), {})["/etc/issue"]["names"]["!"] == "partial"


def test_rhel_goes_by_several_names():
    assert banners.system_names(['NAME="Red Hat Enterprise Linux"', 'ID="rhel"']) == [
        "red hat enterprise",
        "red hat enterprise linux",
        "rhel",
    ]


# dconf


def database(file_host, tmp_path, **files):
    import os

    host = file_host(
        {
            "/etc/dconf/profile/user": "user-db:user\nsystem-db:local\n",
            "/etc/dconf/db/local.d/00-site": "[org/gnome/desktop/session]\nidle-delay=uint32 900\n",
            "/etc/dconf/db/local.d/99-late": "# x\n[org/gnome/desktop/session]\nidle-delay=uint32 300\n",
            "/etc/dconf/db/local.d/locks/site": "/org/gnome/desktop/session/idle-delay\n/org/x\n",
            "/etc/dconf/db/local": b"GVariant",
            **files,
        }
    )
    for path in [*(tmp_path / "etc/dconf/db/local.d").rglob("*"), tmp_path / "etc/dconf/db/local.d"]:
        os.utime(path, (1000, 1000))
    os.utime(tmp_path / "etc/dconf/db/local", (2000, 2000))
    return host


def test_the_file_that_sorts_last_counts(file_host, tmp_path):
    rows = dconf.collect(database(file_host, tmp_path), {}).rows
    row = rows["local /org/gnome/desktop/session/idle-delay"]
    assert (row["value"], row["where"]) == ("300", "/etc/dconf/db/local.d/99-late:3")
    assert (row["locked"], row["lock_where"]) == (True, "/etc/dconf/db/local.d/locks/site:1")
    assert row["profiles"] == ["user"]
    assert (rows["local /org/x"]["value"], rows["local /org/x"]["locked"]) == (None, True)
    assert (rows["local"]["compiled"], rows["local"]["up_to_date"]) == (True, True)


def test_files_that_are_newer_than_the_database(file_host, tmp_path):
    import os

    host = database(file_host, tmp_path)
    os.utime(tmp_path / "etc/dconf/db/local.d/locks/site", (3000, 3000))
    assert dconf.collect(host, {}).rows["local"]["up_to_date"] is False


def test_a_database_that_no_profile_names_and_the_greeters_defaults(file_host, tmp_path):
    host = database(
        file_host,
        tmp_path,
        **{
            "/etc/dconf/db/gdm.d/01": "[org/gnome/login-screen]\nbanner-message-text='It\\'s\\nours'\n",
            "/etc/gdm3/greeter.dconf-defaults": "[org/gnome/login-screen]\ndisable-user-list=true\n",
        },
    )
    rows = dconf.collect(host, {}).rows
    text = rows["gdm /org/gnome/login-screen/banner-message-text"]
    assert (text["value"], text["profiles"]) == ("It's\nours", [])
    assert rows["gdm"]["compiled"] is False
    assert rows["gdm"]["up_to_date"] is False
    assert rows["greeter /org/gnome/login-screen/disable-user-list"]["profiles"] == ["gdm"]


def test_without_dconf_there_is_nothing(file_host):
    assert dconf.collect(file_host({"/etc/passwd": ""}), {}).rows == {}


@given(st.text(max_size=200))
def test_parsers_take_any_text(text):
    lines = text.split("\n")
    for path, _value, number in dconf.parse_keyfile(lines):
        assert path.startswith("/")
        assert number > 0
    dconf.parse_profile(lines)
    dconf.plain(text)
    allowlists.parse(lines)
    allowlists.refuses_rest(text)


# allowlists


def test_what_fapolicyd_reads_is_what_counts(file_host):
    compiled = "%languages=application/x-bytecode\nallow perm=any uid=0 : dir=/tmp\ndeny_audit perm=any all : all\n"
    rows = allowlists.collect(
        file_host(
            {"/etc/fapolicyd/compiled.rules": compiled, "/etc/fapolicyd/fapolicyd.rules": "allow perm=any all : all\n"}
        ),
        {},
    )
    row = rows["fapolicyd"]
    assert (row["rules"], row["targets"]) == (2, {"allow": 1, "deny_audit": 1})
    assert row["denies_rest"] is True


def test_a_last_rule_that_lets_something_through():
    for rule in ("allow perm=any all : all", "deny perm=execute all : all", "deny perm=any uid=0 : all", "deny", ""):
        assert allowlists.refuses_rest(rule) is False
    assert allowlists.refuses_rest("deny perm=any all : all") is True


def test_usbguard_rules(file_host):
    rules = 'allow id 1d6b:0001 serial ""\n# x\nblock\n'
    row = allowlists.collect(file_host({"/etc/usbguard/rules.conf": rules}), {})["usbguard"]
    assert (row["rules"], row["targets"], row["denies_rest"]) == (2, {"allow": 1, "block": 1}, None)

"""boot: GRUB defaults, menus and entries, EFI variables, lockdown."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import grub
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result, is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import boot
from hypothesis import given
from hypothesis import strategies as st

HASH = "grub.pbkdf2.sha512.10000.DEADBEEF00"
DEFAULTS = r"""
GRUB_DEFAULT=0
GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`
GRUB_CMDLINE_LINUX_DEFAULT="quiet"   # comment
GRUB_CMDLINE_LINUX="net.ifnames=0 \
 apparmor=1"
"""
DROP_IN = 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX audit=1 audit_backlog_limit=8192"\n'
MENU = f"""### BEGIN /etc/grub.d/00_header ###
set superusers="root admin"
export superusers
password_pbkdf2 root {HASH}
menuentry 'Debian GNU/Linux' --class debian {{
\tlinux\t/boot/vmlinuz-6.1.0-18-amd64 root=UUID=0f0e0d0c-1111-2222-3333-444455556666 ro audit=1 quiet
\tinitrd\t/boot/initrd.img-6.1.0-18-amd64
}}
menuentry 'recovery' {{
\tlinux\t/boot/vmlinuz-6.1.0-18-amd64 root=/dev/vda1 ro single luks.password=hunter2
}}
"""
DISTRIBUTION_MENU = """if [ -f ${prefix}/user.cfg ]; then
  source ${prefix}/user.cfg
  if [ -n "${GRUB2_PASSWORD}" ]; then
    set superusers="root"
    export superusers
    password_pbkdf2 root ${GRUB2_PASSWORD}
  fi
fi
"""


def row_of(result):
    return (result.rows if isinstance(result, Result) else result)["host"]


def test_defaults_and_drop_ins(file_host):
    host = file_host({"/etc/default/grub": DEFAULTS, "/etc/default/grub.d/10-audit.cfg": DROP_IN})
    row = row_of(boot.collect(host, {}))
    assert row["grub_cmdline_linux"].split() == ["net.ifnames=0", "apparmor=1", "audit=1", "audit_backlog_limit=8192"]
    assert row["grub_cmdline_linux_where"] == "/etc/default/grub.d/10-audit.cfg:1"
    assert row["grub_cmdline_linux_default"] == "quiet"
    assert row["grub_cmdline_linux_default_where"] == "/etc/default/grub:4"
    assert row["grub"] is True


def test_a_menu_with_a_password(file_host, tmp_path):
    host = file_host({"/boot/grub/grub.cfg": MENU})
    (tmp_path / "boot/grub/grub.cfg").chmod(0o600)
    row = row_of(boot.collect(host, {}))
    assert row["grub_password"] is True
    assert row["grub_superusers"] == ["root", "admin"]
    assert [line["where"] for line in row["kernel_lines"]] == ["/boot/grub/grub.cfg:6", "/boot/grub/grub.cfg:10"]
    assert "audit=1" in row["kernel_lines"][0]["arguments"].split()
    assert row["grub_files"]["/boot/grub/grub.cfg"]["mode"] == "0600"
    told = json.dumps(row)
    assert HASH not in told
    assert "hunter2" not in told
    assert "0f0e0d0c-1111-2222-3333-444455556666" in told
    assert set(row) == {column.name for column in boot.TABLE.columns}


def test_a_superuser_without_a_password_is_no_protection(file_host):
    host = file_host({"/boot/grub/grub.cfg": 'set superusers="root"\npassword_pbkdf2 other grub.pbkdf2.sha512.1\n'})
    assert row_of(boot.collect(host, {}))["grub_password"] is False


@pytest.mark.parametrize(
    ("user_cfg", "verdict"), [(f"GRUB2_PASSWORD={HASH}\n", True), ("GRUB2_PASSWORD=\n", False), (None, False)]
)
def test_a_menu_that_takes_its_password_from_user_cfg(file_host, user_cfg, verdict):
    files = {"/boot/grub2/grub.cfg": DISTRIBUTION_MENU}
    if user_cfg:
        files["/boot/grub2/user.cfg"] = user_cfg
    row = row_of(boot.collect(file_host(files), {}))
    assert row["grub_password"] is verdict
    assert HASH not in json.dumps(row)


def test_boot_loader_entries_with_kernelopts(file_host):
    host = file_host(
        {
            "/boot/loader/entries/a.conf": "title Rocky\nversion 5.14\noptions $kernelopts audit=1\nlinux /vmlinuz\n",
            "/boot/grub2/grubenv": "# GRUB Environment Block\nkernelopts=root=/dev/mapper/x ro fips=1\n#######",
        }
    )
    lines = row_of(boot.collect(host, {}))["kernel_lines"]
    assert lines == [{"where": "/boot/loader/entries/a.conf", "arguments": "root=/dev/mapper/x ro fips=1 audit=1"}]


def test_a_menu_that_cannot_be_read_is_not_one_without_password(file_host, tmp_path):
    host = file_host({"/etc/default/grub": DEFAULTS})
    (tmp_path / "boot/grub/grub.cfg").mkdir(parents=True)
    result = boot.collect(host, {})
    assert result.state == "partial"
    assert is_unreadable(result.rows["host"]["grub_password"])
    assert is_unreadable(result.rows["host"]["kernel_lines"])


def test_without_a_boot_loader_nothing_is_said(file_host):
    row = row_of(boot.collect(file_host({"/etc/x": ""}), {}))
    assert (row["grub"], row["grub_password"], row["cmdline"], row["secure_boot"]) == (False, None, None, None)


@pytest.fixture
def live(file_host):
    """A running machine made of files; ``container`` sets what it runs in."""

    def make(files, container=None):
        host = Host(file_host(files).root)
        host.live = True
        host._cache["container"] = container
        return host

    return make


EFI = "/sys/firmware/efi/efivars/"


@pytest.mark.parametrize(("value", "verdict"), [(b"\x06\0\0\0\x01", True), (b"\x06\0\0\0\0", False), (None, False)])
def test_secure_boot(live, value, verdict):
    files = {EFI + "BootOrder-" + boot.GLOBAL_VARIABLE: b"x", "/proc/cmdline": "quiet"}
    if value:
        files[EFI + "SecureBoot-" + boot.GLOBAL_VARIABLE] = value
    row = row_of(boot.collect(live(files), {}))
    assert (row["firmware"], row["secure_boot"]) == ("efi", verdict)


def test_efi_without_efivarfs_cannot_tell(live):
    assert is_unreadable(row_of(boot.collect(live({"/sys/firmware/efi/x": ""}), {}))["secure_boot"])


def test_tpm_lockdown_and_signatures(live):
    row = row_of(
        boot.collect(
            live(
                {
                    "/sys/class/tpm/tpm0/tpm_version_major": "2\n",
                    "/sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
                    "/sys/module/module/parameters/sig_enforce": "Y\n",
                    "/proc/cmdline": "BOOT_IMAGE=/vmlinuz ro audit=1\n",
                }
            ),
            {},
        )
    )
    assert (row["firmware"], row["secure_boot"], row["tpm"], row["tpm_version"]) == ("bios", False, True, "2.0")
    assert (row["lockdown"], row["module_signatures"]) == ("integrity", True)
    assert row["cmdline"] == "BOOT_IMAGE=/vmlinuz ro audit=1"


def test_a_container_does_not_speak_for_its_host(live):
    row = row_of(boot.collect(live({"/proc/cmdline": "quiet"}, "docker"), {}))
    assert row["host_global"] is True
    assert (row["firmware"], row["secure_boot"], row["tpm"]) == (None, None, None)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"a b"', "a b"),
        ("'a $X'", "a $X"),
        ('"$X c"', "known c"),
        ("a\\ b", "a b"),
        ("\"a\"'b'", "ab"),
        ("a # b", "a"),
        ('"${X}"', "known"),
        ('"$Y"', "$Y"),
        ("", ""),
    ],
)
def test_shell_values(written, value):
    assert grub.shell_value(written, {"X": "known"}) == value


@given(st.binary(max_size=300), st.text(max_size=300))
def test_files_of_any_kind(data, content):
    grub.parse_defaults(data, "/x", {})
    grub.parse_menu(content.split("\n"), "/x")
    grub.parse_entry(content.split("\n"))
    grub.parse_environment(content.split("\n"))
    grub.user_password_set(content.split("\n"))
    boot.parse_efi_bool(data)

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import sysctl_files
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result, unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import sysctl
from hypothesis import given
from hypothesis import strategies as st

SYSTEMD = {"/usr/lib/systemd/system/systemd-sysctl.service": "[Service]\n"}


def rows_of(host):
    result = sysctl.collect(host, {})
    return result.rows if isinstance(result, Result) else result


def persisted(host, key):
    row = rows_of(host)[key]
    return row["persisted"], row["persisted_where"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("net.ipv4.ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        # The two forms that sysctl.d(5) gives for an interface with a dot in its name.
        ("net.ipv4.conf.enp3s0/200.forwarding", "net.ipv4.conf.enp3s0/200.forwarding"),
        ("net/ipv4/conf/enp3s0.200/forwarding", "net.ipv4.conf.enp3s0/200.forwarding"),
        ("kernel", "kernel"),
    ],
)
def test_both_notations_name_the_same_key(written, name):
    assert sysctl_files.canonical(written) == name


def test_path_of_an_interface_with_a_dot():
    assert sysctl_files.path_of("net.ipv4.conf.eth0/100.rp_filter") == "net/ipv4/conf/eth0.100/rp_filter"


def test_later_file_by_name_wins_whatever_its_directory(file_host):
    host = file_host(
        {
            **SYSTEMD,
            "/usr/lib/sysctl.d/90-vendor.conf": "kernel.kptr_restrict = 2\n",
            "/etc/sysctl.d/10-ours.conf": "kernel.kptr_restrict = 0\n",
        }
    )
    assert persisted(host, "kernel.kptr_restrict") == ("2", "/usr/lib/sysctl.d/90-vendor.conf:1")
    listed = rows_of(host)["kernel.kptr_restrict"]["settings"]
    assert [(item["value"], item["in_force"]) for item in listed] == [("0", False), ("2", True)]


def test_same_base_name_in_etc_hides_the_vendors_file(file_host):
    host = file_host(
        {
            **SYSTEMD,
            "/usr/lib/sysctl.d/50-x.conf": "kernel.sysrq = 1\n",
            "/run/sysctl.d/50-x.conf": "kernel.sysrq = 2\n",
            "/etc/sysctl.d/50-x.conf": "# nothing\n",
        }
    )
    row = rows_of(host)["kernel.sysrq"]
    assert row["persisted"] is None
    assert [item["note"] for item in row["settings"]] == ["hidden by /etc/sysctl.d/50-x.conf"] * 2


def test_what_lies_in_run_is_gone_before_the_next_boot(file_host):
    host = file_host(
        {
            **SYSTEMD,
            "/usr/lib/sysctl.d/50-x.conf": "kernel.sysrq = 1\n",
            "/run/sysctl.d/50-x.conf": "kernel.sysrq = 2\n",
            "/run/sysctl.d/90-y.conf": "kernel.kptr_restrict = 2\n",
        }
    )
    assert persisted(host, "kernel.sysrq") == ("1", "/usr/lib/sysctl.d/50-x.conf:1")
    row = rows_of(host)["kernel.kptr_restrict"]
    assert row["persisted"] is None
    assert [item["note"] for item in row["settings"]] == ["gone before the next boot"]


def test_link_to_dev_null_masks(file_host):
    host = file_host(
        {
            **SYSTEMD,
            "/usr/lib/sysctl.d/50-x.conf": "kernel.sysrq = 1\n",
            "/etc/sysctl.d/50-x.conf": ("link", "/dev/null"),
            "/dev/null": "kernel.sysrq = 7\n",  # never read
        }
    )
    assert "kernel.sysrq" not in rows_of(host)


def test_only_conf_files_count(file_host):
    host = file_host(
        {**SYSTEMD, "/etc/sysctl.d/README.sysctl": "kernel.sysrq = 1\n", "/etc/sysctl.d/a.conf~": "vm.x=1\n"}
    )
    assert rows_of(host) == {}


def test_debian12_reads_sysctl_conf_through_its_link_debian13_does_not(file_host):
    linked = file_host(
        {
            **SYSTEMD,
            "/etc/sysctl.conf": "net.ipv4.tcp_syncookies=1\n",
            "/etc/sysctl.d/99-sysctl.conf": ("link", "../sysctl.conf"),
        }
    )
    assert persisted(linked, "net.ipv4.tcp_syncookies") == ("1", "/etc/sysctl.d/99-sysctl.conf:1")
    os.unlink(linked.root + "/etc/sysctl.d/99-sysctl.conf")
    row = rows_of(Host(linked.root))["net.ipv4.tcp_syncookies"]
    assert row["persisted"] is None
    assert row["settings"][0]["where"] == "/etc/sysctl.conf:1"
    assert "not at boot" in row["settings"][0]["note"]


def test_other_inits_read_sysctl_conf_last(file_host):
    host = file_host({"/etc/sysctl.conf": "vm.swappiness=1\n", "/etc/sysctl.d/99-z.conf": "vm.swappiness=2\n"})
    assert persisted(host, "vm.swappiness") == ("1", "/etc/sysctl.conf:1")


def test_masked_boot_service_applies_nothing(file_host):
    host = file_host(
        {
            "/etc/systemd/system/systemd-sysctl.service": ("link", "/dev/null"),
            "/etc/sysctl.d/a.conf": "vm.swappiness=2\n",
        }
    )
    row = rows_of(host)["vm.swappiness"]
    assert row["persisted"] is None
    assert "masked" in row["settings"][0]["note"]


def test_comments_dash_spaces_and_empty_values():
    text = [
        "# c",
        "; c",
        "-net.ipv4.ip_forward = 0",
        " kernel.core_pattern = |/usr/lib/core %p ",
        "nonsense",
        "kernel.x=",
        "a b = c",
    ]
    found = [(item.key, item.value, item.ignore) for item in sysctl_files.parse(text, "/f")]
    assert found == [
        ("net.ipv4.ip_forward", "0", True),
        ("kernel.core_pattern", "|/usr/lib/core %p", False),
        ("kernel.x", "", False),
    ]


def _rows(text, runtime):
    settings = sysctl_files.Settings()
    settings.add(sysctl_files.parse(text.splitlines(), "/etc/sysctl.d/a.conf"))
    return sysctl.rows_of(runtime, settings)


EXAMPLE = """\
net.ipv4.conf.eth0.rp_filter = 2
net.ipv4.conf.*.rp_filter = 1
-net.ipv4.conf.all.rp_filter
"""
RUNNING = {f"net.ipv4.conf.{name}.rp_filter": "0" for name in ("all", "default", "eth0", "eth1", "eth0/100")}


def test_the_manuals_example_of_globs_and_exclusion():
    # sysctl.d(5), example 3: explicit settings and exclusions win over the glob, wherever they stand.
    rows = _rows(EXAMPLE, RUNNING)
    values = {name.split(".")[3]: rows[name]["persisted"] for name in RUNNING}
    assert values == {"all": None, "default": "1", "eth0": "2", "eth1": "1", "eth0/100": "1"}
    assert rows["net.ipv4.conf.*.rp_filter"]["glob"] is True
    assert rows["net.ipv4.conf.*.rp_filter"]["persisted"] is None
    assert rows["net.ipv4.conf.eth1.rp_filter"]["settings"][0]["from"] == "glob"


def test_glob_after_explicit_does_not_win_and_glob_stays_in_its_component():
    rows = _rows(
        "net.ipv4.conf.*.rp_filter=1\nnet.ipv4.*=9\nnet.ipv4.conf.all.rp_filter=0\nnet.ipv4.conf.*.rp_filter=2", RUNNING
    )
    assert rows["net.ipv4.conf.all.rp_filter"]["persisted"] == "0"
    assert rows["net.ipv4.conf.eth1.rp_filter"]["persisted"] == "2"


def test_exclusion_after_a_setting_takes_it_back_and_before_it_does_not():
    assert _rows("vm.a=1\n-vm.a", {"vm.a": "0"})["vm.a"]["persisted"] is None
    assert _rows("-vm.a\nvm.a=1", {"vm.a": "0"})["vm.a"]["persisted"] == "1"


def test_key_that_the_kernel_has_not(file_host):
    rows = _rows("net.ipv6.conf.all.accept_ra=0", {})
    assert rows["net.ipv6.conf.all.accept_ra"]["runtime"] is None
    assert rows["net.ipv6.conf.all.accept_ra"]["persisted"] == "0"


def test_ufw_overrides_all_when_enabled(file_host, table_fixture):
    files = {
        **SYSTEMD,
        "/etc/sysctl.d/99-z.conf": "net.ipv4.conf.all.log_martians=1\n",
        "/etc/ufw/sysctl.conf": table_fixture("sysctl/ufw_sysctl.conf"),
        "/etc/default/ufw": "IPV6=yes\nIPT_SYSCTL=/etc/ufw/sysctl.conf\n",
        "/etc/ufw/ufw.conf": "# c\nENABLED=yes\nLOGLEVEL=low\n",
    }
    host = file_host(files)
    assert persisted(host, "net.ipv4.conf.all.log_martians") == ("0", "/etc/ufw/sysctl.conf:29")
    file_host({"/etc/ufw/ufw.conf": "ENABLED=no\n"})
    assert persisted(Host(host.root), "net.ipv4.conf.all.log_martians") == ("1", "/etc/sysctl.d/99-z.conf:1")


def test_ufw_may_name_another_file(file_host):
    host = file_host(
        {
            **SYSTEMD,
            "/etc/sysctl.conf": "vm.swappiness=7\n",
            "/etc/default/ufw": 'IPT_SYSCTL="/etc/sysctl.conf"\n',
            "/etc/ufw/ufw.conf": "ENABLED=yes\n",
        }
    )
    assert persisted(host, "vm.swappiness") == ("7", "/etc/sysctl.conf:1")


def test_container_marks_keys_of_its_hosts_kernel():
    rows = sysctl.rows_of(
        {"kernel.sysrq": "1", "net.ipv4.ip_forward": "0", "fs.suid_dumpable": "0"}, sysctl_files.Settings(), True
    )
    assert {name: row["host_global"] for name, row in rows.items()} == {
        "kernel.sysrq": True,
        "net.ipv4.ip_forward": False,
        "fs.suid_dumpable": True,
    }


def test_unreadable_file_leaves_no_persisted_value_and_no_absence(file_host):
    host = file_host({**SYSTEMD, "/etc/sysctl.d/a.conf": "vm.a=1\n"})
    os.mkdir(host.root + "/etc/sysctl.d/zz.conf")  # not a regular file
    result = sysctl.collect(host, {})
    assert result.state == "partial"
    assert result.rows["vm.a"]["persisted"]["!"] == "partial"


def test_root_that_does_not_run_has_no_runtime(file_host):
    host = file_host({**SYSTEMD, "/etc/sysctl.d/a.conf": "vm.a=1\n"})
    assert rows_of(host)["vm.a"]["runtime"] == unreadable(
        "partial", "the kernel of a root that is not running cannot be asked"
    )


def test_secret_in_a_value_is_redacted():
    rows = _rows("kernel.core_pattern=|/bin/up --token=abcdefgh12345 %p", {})
    assert "abcdefgh12345" not in str(rows)


def test_this_machine_says_what_sysctl_says():
    program = shutil.which("sysctl", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        pytest.skip("procps is not installed")
    rows = rows_of(Host("/"))
    keys = [
        "kernel.randomize_va_space",
        "net.ipv4.ip_forward",
        "net.ipv4.conf.all.rp_filter",
        "vm.swappiness",
        "fs.suid_dumpable",
    ]
    told = subprocess.run([program, *keys], capture_output=True, text=True, check=True).stdout
    assert {line.split(" = ")[0]: line.split(" = ")[1] for line in told.splitlines()} == {
        key: rows[key]["runtime"] for key in keys
    }
    assert not any("stable_secret" in key or "fastopen_key" in key or ".random." in key for key in rows)


def test_many_interfaces_are_read_for_what_matters(monkeypatch):
    monkeypatch.setattr(sysctl, "MAX_WHOLE", 0)
    leaves = {key.split(".")[4] for key in rows_of(Host("/")) if key.startswith("net.ipv4.conf.lo.")}
    assert leaves
    assert leaves <= sysctl.ESSENTIAL
    assert "net.ipv4.conf.all.arp_ignore" in rows_of(Host("/"))


component = st.text(st.characters(codec="ascii", min_codepoint=33, exclude_characters="./=*?["), min_size=1, max_size=8)


@given(st.lists(component, min_size=2, max_size=5))
def test_both_notations_always_meet(parts):
    assert sysctl_files.canonical(".".join(parts)) == sysctl_files.canonical("/".join(parts)) == ".".join(parts)


@given(st.text(max_size=300))
def test_parser_takes_any_text(text):
    for item in sysctl_files.parse(text.split("\n"), "/f"):
        assert item.key
        sysctl_files.matches(item.key, item.key)

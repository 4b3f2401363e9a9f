from __future__ import annotations

import os

from ansible_collections.ringwall.servers.plugins.module_utils import ntp_config
from ansible_collections.ringwall.servers.plugins.module_utils.host import Completed, Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Absent, Result
from ansible_collections.ringwall.servers.plugins.module_utils.tables import time
from hypothesis import given
from hypothesis import strategies as st


def rows_of(host):
    result = time.collect(host, {})
    return result.rows if isinstance(result, Result) else result


def test_debians_chrony_with_sources_beside_it(file_host, table_fixture):
    host = file_host(
        {
            "/usr/sbin/chronyd": "",
            "/etc/chrony/chrony.conf": table_fixture("time/chrony.conf"),
            "/etc/chrony/conf.d/user.conf": "user _chrony\nserver ntp.example iburst nts # ours\n"
            "! old comment\n% c\n; c\n",
            "/etc/chrony/sources.d/local.sources": "server 10.0.0.1 key 5\nuser root\n",
            "/etc/chrony/sources.d/ignored.conf": "server bad\n",
            "/etc/systemd/system/multi-user.target.wants/chrony.service": (
                "link",
                "/lib/systemd/system/chrony.service",
            ),
        }
    )
    rows = rows_of(host)
    pool = rows["chrony:pool 2.debian.pool.ntp.org"]
    assert (pool["kind"], pool["options"], pool["in_force"]) == ("pool", ["iburst"], True)
    assert rows["chrony:server ntp.example"]["options"] == ["iburst", "nts"]
    assert rows["chrony:server 10.0.0.1"]["where"] == "/etc/chrony/sources.d/local.sources:1"
    assert rows["chrony:user"]["value"] == "_chrony"
    assert "chrony:user#2" not in rows  # a sources file may name sources only
    assert rows["chrony:makestep"]["options"] == ["3"]
    assert "chrony:keyfile" not in rows
    assert not any("bad" in key for key in rows)
    daemon = rows["chrony:daemon"]
    assert (daemon["installed"], daemon["running"], daemon["enabled"], daemon["masked"]) == (True, None, True, False)
    columns = {column.name for column in time.TABLE.columns}
    assert all(set(row) == columns for row in rows.values())


def test_red_hats_place(file_host):
    rows = rows_of(file_host({"/etc/chrony.conf": "pool 2.rhel.pool.ntp.org iburst\nuser root\nuser chrony\n"}))
    assert rows["chrony:user"]["in_force"] is False
    assert rows["chrony:user#2"]["in_force"] is True
    assert rows["chrony:daemon"]["installed"] is False


def test_first_directory_of_a_line_has_the_name(file_host):
    rows = rows_of(
        file_host(
            {
                "/etc/chrony/chrony.conf": "confdir /etc/a /etc/b\n",
                "/etc/a/1.conf": "server one\n",
                "/etc/b/1.conf": "server two\n",
                "/etc/b/2.conf": "server three\n",
            }
        )
    )
    assert {row["value"] for row in rows.values() if row["kind"] == "server"} == {"one", "three"}


def test_timesyncd_lists_and_fallback(file_host):
    host = file_host(
        {
            "/usr/lib/systemd/systemd-timesyncd": "",
            "/etc/systemd/timesyncd.conf": "[Time]\nNTP=a.example\nFallbackNTP=f1 f2\nRootDistanceMaxSec=5\n",
            "/etc/systemd/timesyncd.conf.d/10.conf": "[Time]\nNTP=b.example c.example\n",
            "/etc/systemd/timesyncd.conf.d/20.conf": "[Time]\nFallbackNTP=\nFallbackNTP=f3\n",
            "/etc/systemd/system/systemd-timesyncd.service": ("link", "/dev/null"),
            "/etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service": ("link", "/x"),
        }
    )
    rows = rows_of(host)
    servers = [row["value"] for row in rows.values() if row["kind"] == "server"]
    assert servers == ["a.example", "b.example", "c.example"]
    assert [(row["value"], row["in_force"]) for row in rows.values() if row["kind"] == "fallback"] == [("f3", False)]
    assert rows["timesyncd:server b.example"]["where"] == "/etc/systemd/timesyncd.conf.d/10.conf:2"
    assert rows["timesyncd:RootDistanceMaxSec"]["value"] == "5"
    assert (rows["timesyncd:daemon"]["masked"], rows["timesyncd:daemon"]["enabled"]) == (True, False)


def test_fallback_is_in_force_when_alone(file_host):
    rows = rows_of(file_host({"/etc/systemd/timesyncd.conf": "[Time]\nFallbackNTP=f\n"}))
    assert rows["timesyncd:fallback f"]["in_force"] is True


def test_ntpsec(file_host):
    rows = rows_of(
        file_host(
            {
                "/usr/sbin/ntpd": "",
                "/etc/ntpsec/ntp.conf": "pool 0.debian.pool.ntp.org iburst\n"
                "restrict default kod nomodify\nrestrict ::1\n",
                "/etc/ntpsec/ntp.d/x.conf": "server 10.0.0.1\n",
            }
        )
    )
    assert rows["ntpsec:daemon"]["installed"] is True
    assert "ntp:daemon" not in rows
    assert rows["ntpsec:restrict"]["options"] == ["kod", "nomodify"]
    assert rows["ntpsec:server 10.0.0.1"]["value"] == "10.0.0.1"


class LiveHost(Host):
    def __init__(self, files, names, tracking=b""):
        super().__init__(files.root)
        self.live = True
        self._cache["container"] = None
        self._cache["processes"] = [
            {"name": name, "uid": uid, "container": container} for name, uid, container in names
        ]
        self.tracking = tracking

    def run(self, argv, timeout=10.0, limit=0, data=b"", environment=None):
        if not self.tracking:
            raise Absent("chronyc")
        return Completed(0, self.tracking, b"")


TRACKING = (
    b"A29FC87B,162.159.200.123,4,1700000000.1,-0.000012345,0.00001,0.00002,-7.0,0.001,0.05,0.01,0.0003,64.4,Normal\n"
)


def test_running_daemon_its_user_and_the_clock(file_host):
    files = file_host(
        {
            "/etc/passwd": "root:x:0:0::/:/bin/sh\n_chrony:x:106:112::/var/lib/chrony:/bin/false\n",
            "/usr/sbin/chronyd": "",
        }
    )
    rows = rows_of(LiveHost(files, [("chronyd", 106, None), ("ntpd", 0, "0123456789ab")], TRACKING))
    assert (rows["chrony:daemon"]["running"], rows["chrony:daemon"]["user"]) == (True, "_chrony")
    assert (rows["clock"]["synchronised"], rows["clock"]["synchronised_by"], rows["clock"]["offset_s"]) == (
        True,
        "chronyc",
        1.2345e-05,
    )
    rows = rows_of(LiveHost(files, [("chronyd", 106, None)], TRACKING.replace(b"Normal", b"Not synchronised")))
    assert rows["clock"]["synchronised"] is False
    rows = rows_of(LiveHost(files, [("chronyd", 0, None)], b"506 Cannot talk to daemon\n"))
    assert rows["clock"]["synchronised"]["!"] == "partial"
    assert rows["chrony:daemon"]["user"] == "root"


def test_timesyncd_tells_by_its_file(file_host):
    files = file_host({"/usr/lib/systemd/systemd-timesyncd": ""})
    running = [("systemd-timesyn", 998, None)]
    assert rows_of(LiveHost(files, running))["clock"]["synchronised"] is False
    os.makedirs(files.root + "/run/systemd/timesync")
    open(files.root + "/run/systemd/timesync/synchronized", "w").close()
    rows = rows_of(LiveHost(files, running))
    assert rows["clock"]["synchronised"] is True
    assert rows["timesyncd:daemon"]["user"] == "998"


def test_daemon_of_a_container_is_not_ours(file_host):
    files = file_host({"/usr/sbin/ntpd": "", "/etc/ntp.conf": "server 10.0.0.1\n"})
    assert rows_of(LiveHost(files, [("ntpd", 0, "0123456789ab")]))["ntp:daemon"]["running"] is False
    assert rows_of(LiveHost(files, [("ntpd", 0, None)]))["ntp:daemon"]["running"] is True


def test_no_daemon_no_verdict_on_the_clock(file_host):
    assert rows_of(LiveHost(file_host({"/etc/passwd": ""}), []))["clock"]["synchronised"] is None


def test_unreadable_configuration_is_a_gap(file_host):
    result = time.collect(file_host({"/etc/chrony/chrony.conf/x": ""}), {})
    assert result.state == "partial"


def test_kernel_answers():
    assert time._kernel_synchronised() in (True, False, None)


@given(st.text(max_size=300))
def test_parsers_take_any_text(text):
    time.entry_rows("x", ntp_config.parse(text.split("\n"), "/f", ntp_config.CHRONY_SETTINGS, ("include",)))
    time.parse_tracking(text)

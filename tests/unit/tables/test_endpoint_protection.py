"""endpoint_protection: what is installed, runs, and how old its signatures are."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils import endpoint_products
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Result, is_unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.tables import endpoint_protection
from hypothesis import given
from hypothesis import strategies as st

HEADER = b"ClamAV-VDB:07 Mar 2024 09-25 +0100:27206:2053839:90:abcdef:x:raynman:1709803534".ljust(512)
OLD = b"ClamAV-VDB:16 Sep 2021 08-32 -0400:62:6647427:90:abc:x:sigmgr:1631795562".ljust(512)
CLAMAV = {
    "/usr/sbin/clamd": "x",
    "/var/lib/clamav/daily.cld": HEADER + b"data",
    "/var/lib/clamav/main.cvd": OLD,
    "/usr/lib/systemd/system/clamav-daemon.service": "[Install]\nWantedBy=multi-user.target\n",
    "/etc/systemd/system/multi-user.target.wants/clamav-daemon.service": (
        "link",
        "/usr/lib/systemd/system/clamav-daemon.service",
    ),
}


def process(name, uid=0, container=None):
    return {"pid": 1, "name": name, "exe": "/usr/sbin/" + name, "uid": uid, "container": container}


@pytest.fixture
def live(file_host, monkeypatch):
    def make(files, processes):
        host = Host(file_host(files).root)
        host.live = True
        monkeypatch.setattr(endpoint_protection, "processes", lambda _host: processes)
        return host

    return make


def rows_of(result):
    return result.rows if isinstance(result, Result) else result


def test_clamav_on_an_image(file_host):
    row = rows_of(endpoint_protection.collect(file_host(CLAMAV), {}))["clamav"]
    assert (row["signature_time"], row["signature_version"]) == ("2024-03-07T08:25:00Z", "27206")
    assert (row["running"], row["enabled"]) == (None, True)
    assert set(row) == {column.name for column in endpoint_protection.TABLE.columns}


@pytest.mark.parametrize(
    ("processes", "running", "realtime"),
    [
        ([process("clamd", 110)], True, False),
        ([process("clamd"), process("clamonacc")], True, True),
        ([process("clamd", 1000)], False, False),  # anyone may name a program so
        ([process("clamd", 0, "0123456789ab")], False, False),
        ([process("sshd")], False, False),
    ],
)
def test_clamav_running(live, processes, running, realtime):
    row = rows_of(endpoint_protection.collect(live(CLAMAV, processes), {}))["clamav"]
    assert (row["running"], row["realtime"]) == (running, realtime)


def test_a_running_name_alone_installs_nothing(live):
    assert rows_of(endpoint_protection.collect(live({"/etc/x": ""}, [process("falcon-sensor")]), {})) == {}


def test_signatures_that_are_not_there_have_no_age(file_host):
    row = rows_of(endpoint_protection.collect(file_host({"/usr/sbin/clamd": "x"}), {}))["clamav"]
    assert is_unreadable(row["signature_time"])


@pytest.mark.parametrize(
    ("configuration", "verdict"),
    [
        ({"antivirusEngine": {"enforcementLevel": "real_time"}}, True),
        ({"antivirusEngine": {"enforcementLevel": "passive"}}, False),
        ({"antivirusEngine": {"enableRealTimeProtection": True}}, True),
        ({"cloudService": {}}, None),
        ([], None),
    ],
)
def test_real_time_protection_of_defender(file_host, configuration, verdict):
    files = {
        "/opt/microsoft/mdatp/sbin/wdavdaemon": "x",
        "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json": json.dumps(configuration),
    }
    assert rows_of(endpoint_protection.collect(file_host(files), {}))["mdatp"]["realtime"] is verdict


def test_wazuh_is_not_also_ossec(file_host):
    files = {"/var/ossec/bin/wazuh-agentd": "x", "/var/ossec/bin/ossec-control": "x"}
    files["/var/ossec/VERSION.json"] = '{"version": "4.7.2", "stage": "rc1"}'
    rows = rows_of(endpoint_protection.collect(file_host(files), {}))
    assert list(rows) == ["wazuh"]
    assert rows["wazuh"]["version"] == "4.7.2"


def test_every_product_is_found_by_each_of_its_paths(tmp_path):
    for product in endpoint_products.PRODUCTS:
        for number, path in enumerate(product.paths):
            root = tmp_path / f"{product.key}{number}"
            place = root / path.lstrip("/")
            place.parent.mkdir(parents=True)
            place.write_text("x")
            assert list(rows_of(endpoint_protection.collect(Host(str(root)), {}))) == [product.key]


def test_process_names_fit_what_the_kernel_keeps():
    keys = [product.key for product in endpoint_products.PRODUCTS]
    assert len(keys) == len(set(keys))
    assert all(product.programs for product in endpoint_products.PRODUCTS)


@given(st.binary(max_size=200))
def test_files_of_any_kind(data):
    endpoint_products.parse_clamav_header(data)
    endpoint_products.parse_clamav_header(b"ClamAV-VDB:" + data)
    endpoint_products.first_version(data)
    endpoint_products.parse_mdatp_configuration(data)

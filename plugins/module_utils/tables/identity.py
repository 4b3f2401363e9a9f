"""Which machine this is: evidence for "the same host as last time", never a key."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import base64
import hashlib
import time

from ..spec import Absent, Column, Table, Unreadable
from ..text import rfc3339

TABLE = Table(
    name="identity",
    description="What tells one machine from another: ids, host keys, boot and clock.",
    key="always `host`",
    columns=(
        Column("machine_id", "text", "systemd machine id; null when unset or empty"),
        Column("dmi_uuid", "text", "UUID of the firmware tables, lower case; root only"),
        Column("cloud_instance", "text", "instance id that cloud-init recorded; null without cloud-init"),
        Column("hostname", "text", "kernel host name; under a root that is not live, /etc/hostname"),
        Column("ssh_host_keys", "map", "SSH host public keys: type -> SHA256 fingerprint as ssh-keygen prints it"),
        Column("boot_id", "text", "random id of this boot", volatile=True),
        Column("booted", "time", "when this boot began", volatile=True),
        Column("clock", "time", "the host's own clock when the table was read", volatile=True),
    ),
    max_rows=1,
)


def _first_line(host, path):
    try:
        return host.read_text(path, 4096).strip() or None
    except Absent:
        return None
    except Unreadable as error:
        return error.cell()


def fingerprint(line):
    """Return (type, fingerprint) of one OpenSSH public key line, or None if it is none."""
    parts = line.split()
    if len(parts) < 2:
        return None
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except ValueError:
        return None
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")
    return parts[0], "SHA256:" + digest


def _host_keys(host):
    keys = {}
    try:
        for path in host.glob("/etc/ssh/ssh_host_*_key.pub"):
            pair = fingerprint(host.read_text(path, 65536))
            if pair:
                keys[pair[0]] = pair[1]
    except Unreadable as error:
        return error.cell()
    return keys


def _boot_time(host):
    for line in host.lines("/proc/stat", 1 << 22):
        if line.startswith("btime "):
            return rfc3339(int(line.split()[1]))
    return None


def collect(host, options):
    """Return the one row."""
    uuid = _first_line(host, "/sys/class/dmi/id/product_uuid") if host.live else None
    row = {
        "machine_id": _first_line(host, "/etc/machine-id"),
        "dmi_uuid": uuid.lower() if isinstance(uuid, str) else uuid,
        "cloud_instance": _first_line(host, "/var/lib/cloud/data/instance-id"),
        "hostname": _first_line(host, "/proc/sys/kernel/hostname" if host.live else "/etc/hostname"),
        "ssh_host_keys": _host_keys(host),
        "boot_id": _first_line(host, "/proc/sys/kernel/random/boot_id") if host.live else None,
        "booted": _boot_time(host) if host.live else None,
        "clock": rfc3339(time.time()) if host.live else None,
    }
    return {"host": row}

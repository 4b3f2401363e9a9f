"""What a host is: operating system, kernel, machine or container, cloud."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import importlib.util
import json
import os
import re
import sys

from ..reading import first_line, optional, there
from ..spec import Absent, Column, Table, Unreadable, is_unreadable, unreadable
from ..text import text

TABLE = Table(
    name="platform",
    description="Operating system release, kernel, architecture, virtualisation, container and cloud.",
    key="always `host`",
    columns=(
        Column("id", "text", "ID of os-release in lower case (debian, ubuntu, rhel, alpine, ...); linux when unset"),
        Column("id_like", "list", "ID_LIKE of os-release: the releases this one derives from"),
        Column("family", "text", "debian, rhel, suse, alpine, arch, or the id itself"),
        Column("version_id", "text", "VERSION_ID of os-release; null for rolling releases"),
        Column("version", "text", "VERSION of os-release"),
        Column("codename", "text", "VERSION_CODENAME of os-release"),
        Column("pretty_name", "text", "PRETTY_NAME of os-release"),
        Column("minor_version", "text", "/etc/debian_version or the last number of /etc/redhat-release: point release"),
        Column("kernel", "text", "release of the running kernel (uname -r); null under a root that is not live"),
        Column("kernel_version", "text", "build of the running kernel (uname -v)"),
        Column("architecture", "text", "machine of the running kernel (uname -m), of /bin/sh under another root"),
        Column("userland", "text", "architecture that /bin/sh is built for, named as uname names it"),
        Column("init", "text", "what runs as process 1: systemd, or its command name"),
        Column(
            "virtualization",
            "text",
            "hypervisor as systemd-detect-virt --vm names it; none on bare metal; null if untold",
        ),
        Column("container", "text", "container engine this system runs in (docker, podman, lxc, ...); null outside"),
        Column("own_kernel", "bool", "true when the kernel is this host's own: not in a container, not a mounted root"),
        Column("host_global", "text", "in a container: which facts belong to the container's host; null elsewhere"),
        Column("vendor", "text", "system vendor of the firmware (DMI); null without DMI or in a container"),
        Column("product", "text", "product name of the firmware (DMI)"),
        Column("cloud", "text", "aws, azure, gcp, oracle, openstack, ... ; null when there is no sign of one"),
        Column("cloud_evidence", "text", "what told the cloud"),
        Column("cloud_region", "text", "region that cloud-init recorded"),
        Column(
            "no_execute",
            "bool",
            "the processor can keep data from being executed (flag nx of x86); null for other architectures",
        ),
        Column("python", "text", "version of the Python that read the tables; null unless the running system is read"),
        Column("python_magic", "text", "magic number of that Python's bytecode, hexadecimal"),
    ),
    max_rows=1,
)

HOST_GLOBAL = (
    "in a container: kernel, modules, boot parameters, mandatory access control, kernel audit and the sysctls that have"
    " no namespace are those of the container's host"
)

FAMILIES = (
    ("debian", {"debian", "ubuntu", "raspbian", "linuxmint", "kali"}),
    ("rhel", {"rhel", "centos", "fedora", "almalinux", "rocky", "ol", "amzn", "azurelinux", "mariner", "cloudlinux"}),
    ("suse", {"suse", "sles", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sled", "sle_hpc"}),
    ("alpine", {"alpine", "wolfi", "chainguard"}),
    ("arch", {"arch", "archlinux", "manjaro"}),
)

# systemd src/basic/virt.c: detect_vm_dmi (a prefix of vendor, product or BIOS vendor -> name).
DMI_HYPERVISORS = (
    ("KVM", "kvm"),
    ("OpenStack", "kvm"),
    ("KubeVirt", "kvm"),
    ("Amazon EC2", "amazon"),
    ("QEMU", "qemu"),
    ("VMware", "vmware"),
    ("VMW", "vmware"),
    ("innotek GmbH", "oracle"),
    ("VirtualBox", "oracle"),
    ("Oracle Corporation", "oracle"),
    ("Xen", "xen"),
    ("Bochs", "bochs"),
    ("Parallels", "parallels"),
    ("BHYVE", "bhyve"),
    ("Hyper-V", "microsoft"),
    ("Google Compute Engine", "google"),
    ("Apple Virtualization", "apple"),
)
CLOCK_HYPERVISORS = (("kvm-clock", "kvm"), ("hyperv_clocksource", "microsoft"), ("xen", "xen"))

# DMI fields in which clouds name themselves (cloud-init's ds-identify documents the same markers).
DMI_CLOUDS = (
    ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", "azure"),
    ("chassis_asset_tag", "OracleCloud.com", "oracle"),
    ("chassis_asset_tag", "OpenTelekomCloud", "openstack"),
    ("chassis_asset_tag", "SAP CCloud VM", "openstack"),
    ("sys_vendor", "Amazon EC2", "aws"),
    ("bios_version", "amazon", "aws"),
    ("product_name", "Google Compute Engine", "gcp"),
    ("sys_vendor", "Alibaba Cloud", "alibaba"),
    ("sys_vendor", "DigitalOcean", "digitalocean"),
    ("sys_vendor", "Hetzner", "hetzner"),
    ("sys_vendor", "Scaleway", "scaleway"),
    ("sys_vendor", "Vultr", "vultr"),
    ("sys_vendor", "Akamai", "linode"),
    ("sys_vendor", "Linode", "linode"),
    ("sys_vendor", "UpCloud", "upcloud"),
    ("sys_vendor", "Tencent Cloud", "tencent"),
    ("sys_vendor", "Huawei Cloud", "huawei"),
    ("product_name", "Exoscale", "exoscale"),
    ("sys_vendor", "OpenStack", "openstack"),
    ("product_name", "OpenStack", "openstack"),
)
CLOUD_INIT_NAMES = {"gce": "gcp", "ec2": "aws", "none": None, "nocloud": None, "configdrive": None, "fallback": None}

MACHINES = {
    3: "i686",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "armv7l",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
    258: "loongarch64",
}
_ASSIGNMENT = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def parse_os_release(data):
    """Return the assignments of os-release(5) (bytes) as {name: text}; shell quotes and escapes are undone."""
    values = {}
    for line in data.split(b"\n"):
        match = _ASSIGNMENT.match(line.strip())
        if not match:
            continue
        value = match.group(2).strip()
        if len(value) >= 2 and value[:1] == b'"' and value[-1:] == b'"':
            value = re.sub(rb"\\([\"$`\\])", rb"\1", value[1:-1])
        elif len(value) >= 2 and value[:1] == b"'" and value[-1:] == b"'":
            value = value[1:-1]
        values[match.group(1).decode("ascii")] = text(value[:1024])
    return values


def family(identity, like):
    """Name the family of a release id and its ID_LIKE list."""
    for name in [identity] + like:
        for title, members in FAMILIES:
            if name in members:
                return title
    return identity


def elf_machine(head):
    """Name the machine of an ELF header (first 20 bytes or more) as uname -m does, or None."""
    if head[:4] != b"\x7fELF" or len(head) < 20:
        return None
    machine = int.from_bytes(head[18:20], "big" if head[5] == 2 else "little")
    name = MACHINES.get(machine)
    return "ppc64le" if name == "ppc64" and head[5] == 1 else name


def hypervisor(dmi, cpuinfo, clocks, extra=None):
    """Name the hypervisor from DMI fields, the text of /proc/cpuinfo and the names of clock sources.

    ``extra`` is what another sign (Xen's /sys/hypervisor, WSL) told already. None means it cannot be told.
    """
    if extra:
        return extra
    for field in ("product_name", "sys_vendor", "board_vendor", "bios_vendor"):
        value = dmi.get(field) or ""
        for prefix, name in DMI_HYPERVISORS:
            if value.startswith(prefix):
                return name
    if (dmi.get("sys_vendor") or "").startswith("Microsoft") and dmi.get("product_name") == "Virtual Machine":
        return "microsoft"
    for prefix, name in CLOCK_HYPERVISORS:
        if any(clock.startswith(prefix) for clock in clocks):
            return name
    flags = next((line.split() for line in cpuinfo.split("\n") if line.startswith("flags")), None)
    if flags is None:
        return None
    return "vm-other" if "hypervisor" in flags else "none"


def cloud_of(dmi, cloud_id):
    """Return (cloud, evidence) from DMI fields and cloud-init's cloud-id, (None, None) without a sign."""
    for field, marker, name in DMI_CLOUDS:
        value = dmi.get(field) or ""
        if value.startswith(marker) or (field == "bios_version" and value.endswith(marker)):
            return name, "DMI %s" % field
    if cloud_id:
        name = CLOUD_INIT_NAMES.get(cloud_id, cloud_id)
        if name:
            return name, "/run/cloud-init/cloud-id"
    return None, None


def _dmi(host):
    if not host.live or host.container():
        return {}
    fields = {}
    for name in ("sys_vendor", "product_name", "board_vendor", "bios_vendor", "bios_version", "chassis_asset_tag"):
        value = first_line(host, "/sys/class/dmi/id/" + name)
        fields[name] = None if is_unreadable(value) else value
    return fields


def _virtualization(host, dmi):
    kind = first_line(host, "/sys/hypervisor/type")
    extra = kind if isinstance(kind, str) else None
    if re.search(r"(?i)microsoft|wsl", os.uname().release):
        extra = "wsl"
    clocks = first_line(host, "/sys/devices/system/clocksource/clocksource0/available_clocksource")
    try:
        # The first processor tells: the file of a large machine has megabytes.
        descriptor = host.tree.open("/proc/cpuinfo")
        try:
            cpuinfo = text(os.read(descriptor, 16384))
        finally:
            os.close(descriptor)
    except (Absent, Unreadable):
        cpuinfo = ""
    return hypervisor(dmi, cpuinfo, clocks.split() if isinstance(clocks, str) else [], extra)


def _userland(host):
    try:
        descriptor = host.tree.open("/bin/sh")
    except (Absent, Unreadable):
        return None
    try:
        return elf_machine(os.read(descriptor, 64))
    finally:
        os.close(descriptor)


def _minor(host):
    line = first_line(host, "/etc/debian_version")
    if line is None:
        line = first_line(host, "/etc/redhat-release")
        if isinstance(line, str):
            found = re.findall(r"\d+(?:\.\d+)*", line)
            line = found[-1] if found else None
    return line


def _region(host):
    try:
        facts = json.loads(host.read("/run/cloud-init/instance-data.json", 1 << 20).decode("utf-8", "replace"))
        region = facts["v1"]["region"]
    except (Absent, Unreadable, ValueError, KeyError, TypeError, RecursionError):
        return None
    return text(region.encode("utf-8", "replace"))[:128] if isinstance(region, str) else None


def _init(host):
    if host.systemd():
        return "systemd"
    if not host.live:
        return None
    return first_line(host, "/proc/1/comm")


def no_execute(cpuinfo):
    r"""True if the first processor of /proc/cpuinfo has the flag nx, None where it lists none as x86 does.

    >>> no_execute("processor\t: 0\nflags\t\t: fpu nx lm\n")
    True
    """
    for line in cpuinfo.split("\n"):
        name, _colon, value = line.partition(":")
        if name.strip() == "flags":
            return "nx" in value.split()
    return None


def _no_execute(host):
    if not host.live:
        return unreadable("partial", "the processor of a root that is not running is not known")
    try:
        handle = os.open("/proc/cpuinfo", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        return unreadable("denied", "/proc/cpuinfo: %s" % error.strerror)
    try:
        return no_execute(os.read(handle, 8192).decode("ascii", "replace"))  # the first processor: hundreds may follow
    except OSError as error:
        return unreadable("denied", "/proc/cpuinfo: %s" % error.strerror)
    finally:
        os.close(handle)


def collect(host, options):
    """Return the one row. Raise Unreadable when os-release is there and cannot be read."""
    data = optional(host.read, "/etc/os-release", 65536)
    if data is None:
        data = optional(host.read, "/usr/lib/os-release", 65536) or b""
    release = parse_os_release(data)
    identity = release.get("ID", "").lower() or "linux"
    like = release.get("ID_LIKE", "").lower().split()[:16]
    container = host.container()
    dmi = _dmi(host)
    uname = os.uname() if host.live else None
    userland = _userland(host)
    cloud_id = first_line(host, "/run/cloud-init/cloud-id") if host.live else None
    cloud, evidence = cloud_of(dmi, cloud_id if isinstance(cloud_id, str) else None)
    if cloud is None and host.live and there(host, "/var/lib/waagent"):
        cloud, evidence = "azure", "/var/lib/waagent"
    return {
        "host": {
            "id": identity,
            "id_like": like,
            "family": family(identity, like),
            "version_id": release.get("VERSION_ID") or None,
            "version": release.get("VERSION") or None,
            "codename": release.get("VERSION_CODENAME") or None,
            "pretty_name": release.get("PRETTY_NAME") or None,
            "minor_version": _minor(host),
            "kernel": text(os.fsencode(uname.release)) if uname else None,
            "kernel_version": text(os.fsencode(uname.version)) if uname else None,
            "architecture": uname.machine if uname else userland,
            "userland": userland,
            "init": _init(host),
            "virtualization": _virtualization(host, dmi) if host.live else None,
            "container": container,
            "own_kernel": host.live and container is None,
            "host_global": HOST_GLOBAL if container else None,
            "vendor": dmi.get("sys_vendor"),
            "product": dmi.get("product_name"),
            "cloud": cloud,
            "cloud_evidence": evidence,
            "cloud_region": _region(host) if host.live else None,
            "no_execute": _no_execute(host),
            "python": "%d.%d.%d" % sys.version_info[:3] if host.live else None,
            "python_magic": importlib.util.MAGIC_NUMBER.hex() if host.live else None,
        }
    }

"""Holds that keep the host's own work alive: containers, routing, guests, its logs, its next boot."""

from __future__ import annotations

import re

CONTAINER_UNITS = ("docker.service", "docker.socket", "containerd.service", "podman.socket", "crio.service")
MONITORS = ("conmon", "containerd-shim")
"""Processes that stay beside each container; a name holds 15 bytes."""
KUBERNETES_UNITS = ("kubelet.service", "k3s.service", "k3s-agent.service", "rke2-server.service", "rke2-agent.service",
                    "microk8s.service", "snap.microk8s.daemon-kubelite.service")  # fmt: skip
HYPERVISOR_UNITS = ("libvirtd.service", "virtqemud.service", "pvedaemon.service", "pve-cluster.service",
                    "xenstored.service", "vboxdrv.service", "incus.service", "lxd.service",
                    "snap.lxd.daemon.service")  # fmt: skip
ROUTING_UNITS = ("frr.service", "bird.service", "quagga.service", "keepalived.service", "strongswan.service",
                 "openvpn.service", "haproxy.service")  # fmt: skip
TUNNELS = re.compile(
    r"(wg-quick@|openvpn(-client|-server)?@|strongswan|ipsec|libreswan|xl2tpd|pppd?@|vrrpd|ucarp)[^/]*\.service"
)
"""Units of tunnels, whose packets are of protocols that rules about ports do not name."""
PHYSICAL = re.compile(r"(eth|en|wl|ww|bond|team|ib)[A-Za-z0-9]*")
FORWARDING = re.compile(r"net\.ipv[46]\.(ip_forward|conf\.[A-Za-z0-9_/-]+\.(mc_)?forwarding)")
BRIDGED = re.compile(r"net\.bridge\..*")
REVERSE_PATH = re.compile(r"net\.ipv4\.conf\.[A-Za-z0-9_/-]+\.rp_filter")
ADVERTISED = re.compile(r"net\.ipv6\.conf\.[A-Za-z0-9_/-]+\.(accept_ra|disable_ipv6)")
NAMESPACES = ("user.max_user_namespaces", "kernel.unprivileged_userns_clone")
CONTAINER_MODULES = ("overlay", "br_netfilter", "veth", "bridge", "vxlan", "ip_vs", "nf_conntrack", "tun")
GUEST_MODULES = ("kvm", "kvm_intel", "kvm_amd", "vhost_net", "bridge", "tun", "nfs")
FIREWALLS = ("nftables.service", "ufw.service", "firewalld.service", "iptables.service", "netfilter-persistent.service")
STOPS = ("halt", "single", "suspend")
SHARES = {
    "autofs": ("autofs",),
    "rpcbind": ("nfs",),
    "nfs-utils": ("nfs", "nfs4"),
    "nfs-common": ("nfs", "nfs4"),
    "gssproxy": ("nfs", "nfs4"),
}
"""Package or unit -> types of mounts that need it; NFS 4 needs no port mapper."""


def _on(facts, units):
    for name in units:
        if facts.active(name) or facts.value("units", name, "enabled") in ("enabled", "enabled-runtime", "alias"):
            return name
    return None


def docker(entry, facts):
    """Forwarding, bridges, overlay and packet filters: containers live by them. Podman's have no unit of an engine."""
    names = (str(row.get("name")) for row in facts.rows("processes").values())
    sign = _on(facts, CONTAINER_UNITS) or next((name for name in sorted(names) if name.startswith(MONITORS)), None)
    return f"containers run here ({sign}) and need it" if sign else None


def kubernetes(entry, facts):
    """The same for pods, which need forwarding between nodes as well."""
    unit = _on(facts, KUBERNETES_UNITS)
    return f"this is a node of Kubernetes ({unit}), whose pods need it" if unit else None


def hypervisor(entry, facts):
    """Guests need bridges, forwarding, their own kernel modules."""
    unit = _on(facts, HYPERVISOR_UNITS)
    return f"guests run here ({unit}) and need it" if unit else None


def router(entry, facts):
    """Forwarding: kept where a role says router, a file sets it, or packets have two ways out."""
    if "router" in facts.roles:
        return "this host is a router (ringwall_roles)"
    unit = _on(facts, ROUTING_UNITS) or _on(facts, sorted(filter(TUNNELS.fullmatch, facts.rows("units"))))
    if unit:
        return f"this host passes packets on ({unit})"
    for key in ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "net.ipv6.conf.all.forwarding"):
        if facts.value("sysctl", key, "persisted") == "1":
            return f"{facts.value('sysctl', key, 'persisted_where', 'a file')} makes this host pass packets on ({key})"
    forwards = facts.value("sysctl", "net.ipv4.ip_forward", "runtime") == "1"
    links = _links(facts)
    if forwards and len(links) > 1:
        return f"this host passes packets on between {', '.join(links[:4])}"
    if not facts.known("sysctl"):
        return "whether this host passes packets on is not known"
    return None


def ipv6_route(entry, facts):
    """Advertisements of routers: without them a route ends when its time is up, long after the change was confirmed."""
    for address in facts.connection.controllers:
        if ":" in address and address != "::1" and not address.lower().startswith("fe80"):
            return f"{address} connects over IPv6, whose route this host may have from its router's advertisements"
    if not facts.connection.local and not facts.connection.controllers:
        return "from which address this host is reached is not known"
    return None


def selinux_enforcing(entry, facts):
    """SELinux that only watches now and would refuse from the next boot on: a port of SSH without a label, say."""
    mode = facts.value("mac", "selinux", "mode")
    if mode in ("enforcing", "disabled"):  # where it is off it starts permissive: see kinds/mac.py
        return None
    if mode == "permissive":
        return (
            "it only watches now; what it would refuse after the next boot (ausearch -m avc) is for a person to judge"
        )
    return "whether SELinux enforces now is not known"


def _links(facts):
    prefix, leaf = "net.ipv4.conf.", ".forwarding"
    names = [
        key[len(prefix) : -len(leaf)] for key in facts.rows("sysctl") if key.startswith(prefix) and key.endswith(leaf)
    ]
    return sorted(name for name in names if PHYSICAL.fullmatch(name))


def network_mounts(entry, facts):
    """What mounts shares of other hosts stays while there are some: homes and data go away with it."""
    names = [_share(setting) for setting in entry["settings"]]
    wanted = {kind for name in names if name for kind in SHARES[name]}
    for path, row in sorted(facts.rows("mounts").items()):
        kinds = {row.get("type") or row.get("persisted_type")} if row.get("live") else {row.get("persisted_type")}
        if row.get("source") != "systemd-1" and kinds & wanted:  # mount points of systemd itself are no automounter's
            return f"{path} is mounted by it"
    return None if facts.known("mounts") else "whether shares of other hosts are mounted is not known"


def service_in_use(entry, facts):
    """A service that answers others now is somebody's work until a role or a person says otherwise."""
    for setting in entry["settings"]:
        if not _ends(setting):
            continue
        for row in facts.rows("listeners").values():
            whose = row.get("package") if setting["kind"] == "package" else row.get("unit")
            if whose == setting["name"] and row.get("scope") != "loopback":
                where = f"{row.get('proto')} port {row.get('port')}"
                return f"{setting['name']} answers on {where}; ringwall_roles says what a host is for"
    return None if facts.known("listeners") else "whether somebody uses it is not known"


def _ends(setting):
    """True for what stops a unit or removes a package."""
    if setting.get("kind") == "service":
        return bool({"masked", "inactive", "off"} & set(setting["states"]))
    return setting.get("kind") == "package" and setting.get("state") == "absent"


def _share(setting):
    """Name in SHARES that a setting would stop or remove, or None."""
    stops = setting.get("kind") == "service" and {"masked", "inactive", "off", "disabled"} & set(setting["states"])
    removes = setting.get("kind") == "package" and setting.get("state") == "absent"
    name = str(setting.get("name")).rsplit(".", 1)[0] if stops else str(setting.get("name"))
    return name if (stops or removes) and name in SHARES else None


def immutable_audit(entry, facts):
    """Rules that only a reboot can change: never unless asked."""
    return "audit rules could be changed by a reboot alone from then on, by hardening as well"


def disk_full_action(entry, facts):
    """What auditd does when it cannot write: held where it would stop the machine."""
    if not entry["settings"]:
        return "what it sets is not known, and it may stop the machine when a disk is full"
    for setting in entry["settings"]:
        if str(setting.get("value", "")).lower() in STOPS:
            return f"{setting.get('name')} = {setting.get('value')} stops the machine when a disk is full"
    return None


def grub_password(entry, facts):
    """A password for the boot menu: who boots the machine without a keyboard must be able to."""
    return "the machine may wait for a password at its next boot, and somebody has to choose it"


def partition(entry, facts):
    """A file system of its own cannot be made under a running system's feet."""
    return "it needs a file system of its own, which is made when the machine is installed"


def _sysctl(pattern):
    return lambda setting, facts: setting.get("kind") == "sysctl" and bool(pattern.fullmatch(str(setting.get("key"))))


def _closes_forwarding(setting, facts):
    return _sysctl(FORWARDING)(setting, facts) and str(setting.get("value")) in ("0", "False")


def _filters(setting, facts):
    if setting.get("kind") == "firewall":
        return True
    changes = setting.get("kind") == "service" and str(setting.get("name")) in FIREWALLS
    return changes or (setting.get("kind") == "package" and setting.get("name") in ("nftables", "ufw", "firewalld"))


def _containers(setting, facts):
    if setting.get("kind") == "kernel_module":
        return str(setting.get("name")).replace("-", "_") in CONTAINER_MODULES
    if setting.get("kind") == "sysctl" and setting.get("key") in NAMESPACES:
        return True
    return _closes_forwarding(setting, facts) or _sysctl(BRIDGED)(setting, facts) or _filters(setting, facts)


def _pods(setting, facts):
    return _containers(setting, facts) or _sysctl(REVERSE_PATH)(setting, facts)


def _guests(setting, facts):
    module = setting.get("kind") == "kernel_module" and str(setting.get("name")).replace("-", "_") in GUEST_MODULES
    return module or _closes_forwarding(setting, facts) or _filters(setting, facts)


def _immutable(setting, facts):
    return setting.get("kind") == "audit_rule" and str(setting.get("line", "")).split() == ["-e", "2"]


def _stops_machine(setting, facts):
    return setting.get("kind") == "auditd" and str(setting.get("value", "")).lower() in STOPS


def allowlist(entry, facts):
    """Lists of what may run or be plugged in: safe once somebody wrote the list, which no machine can."""
    row = facts.row("allowlists", "usbguard" if "usbguard" in entry["control"] else "fapolicyd") or {}
    if "usbguard" in entry["control"]:
        return None if row.get("rules") else "it has no rules: keyboards and all else that is plugged in would go off"
    if facts.active("fapolicyd.service") and row.get("denies_rest") is True:
        return None
    return "programs that nobody listed would no longer run, the modules that we send among them"


RULES = {
    "docker": docker,
    "kubernetes": kubernetes,
    "hypervisor": hypervisor,
    "router": router,
    "ipv6_route": ipv6_route,
    "selinux_enforcing": selinux_enforcing,
    "network_mounts": network_mounts,
    "service_in_use": service_in_use,
    "immutable_audit": immutable_audit,
    "disk_full_action": disk_full_action,
    "grub_password": grub_password,
    "partition": partition,
    "allowlist": allowlist,
}

ALWAYS = (
    ("docker", _containers),
    ("kubernetes", _pods),
    ("hypervisor", _guests),
    ("router", _closes_forwarding),
    ("ipv6_route", _sysctl(ADVERTISED)),
    (
        "selinux_enforcing",
        lambda setting, facts: setting.get("kind") == "mac" and setting.get("selinux") == "enforcing",
    ),
    ("network_mounts", lambda setting, facts: _share(setting) is not None),
    ("service_in_use", lambda setting, facts: _ends(setting)),
    ("immutable_audit", _immutable),
    ("disk_full_action", _stops_machine),
    ("grub_password", lambda setting, facts: setting.get("kind") == "boot" and "password" in setting),
)

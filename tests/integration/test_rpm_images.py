"""RPM distributions: images with a real rpm database, judged by the benchmarks of their release.

What an image cannot tell (what runs, what the kernel does) is never a failure and never a pass.
"""

from __future__ import annotations

import pytest

from lab import plays, rpm_images

UNIT = "[Unit]\nDescription=test\n[Service]\nExecStart=/usr/bin/true\n[Install]\nWantedBy=multi-user.target\n"
LINK = "->/usr/lib/systemd/system/"
WANTS = "/etc/systemd/system/multi-user.target.wants/"
MASK = "->/dev/null"

GOOD = {
    "audit": ("3.1.5", "1.el9"), "audit-libs": ("3.1.5", "1.el9"), "firewalld": ("1.3.4", "1.el9"), "chrony": ("4.5", "1.el9"),
    "systemd": ("252", "46.el9"), "sudo": ("1.9.5p2", "10.el9"), "openssh-server": ("8.7p1", "43.el9"), "aide": ("0.16", "100.el9"), "cronie": ("1.5.7", "11.el9"),
    "libselinux": ("3.6", "1.el9"), "rsyslog": ("8.2310.0", "4.el9"), "nftables": ("1.0.9", "1.el9"), "pam": ("1.5.1", "19.el9"),
    "authselect": ("1.2.6", "2.el9"), "crypto-policies": ("20240202", "1.el9"), "rpcbind": ("1.2.6", "7.el9"), "postfix": ("3.5.25", "1.el9"),
    "s-nail": ("14.9.22", "6.el9"), "gnutls-utils": ("3.8.3", "4.el9"), "nss-tools": ("3.101.0", "7.el9"),
}  # fmt: skip
BAD = {
    "telnet-server": ("0.17", "85.el9"), "vsftpd": ("3.0.5", "6.el9"), "nfs-utils": ("2.5.4", "27.el9"), "telnet": ("0.17", "85.el9"),
    "setroubleshoot": ("3.3.32", "1.el9"), "tuned": ("2.22.1", "1.el9"), "gssproxy": ("0.8.4", "6.el9"), "ypserv": ("4.2", "1.el9"),
    "bind9.18": ("9.18.29", "1.el9"), "rsync": ("3.2.3", "20.el9"),
}  # fmt: skip
FILES = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nvsftpd:x:14:50::/:/sbin/nologin\n",
    "/etc/group": "root:x:0:\n",
    "/etc/shadow": ("root:!:19000::::::\n", 0o000),
    "/etc/gshadow": ("root:::\n", 0o640),
    "/etc/shells": "/bin/bash\n",
    "/etc/crontab": ("SHELL=/bin/bash\n", 0o600),
    "/etc/cron.d/0hourly": "01 * * * * root run-parts /etc/cron.hourly\n",
    "/etc/fstab": "/dev/sda1 / xfs defaults 0 0\n/dev/sda2 /home xfs defaults,nodev 0 0\n/dev/sr0 /media/cdrom iso9660 ro,noauto 0 0\n",
    "/etc/sysctl.d/60-site.conf": "net.ipv4.tcp_syncookies = 1\nkernel.randomize_va_space = 0\nfs.protected_symlinks = 1\n",
    "/etc/modprobe.d/site.conf": "install cramfs /bin/false\nblacklist cramfs\n",
    "/etc/systemd/coredump.conf": "[Coredump]\nStorage=external\n",
    "/etc/systemd/coredump.conf.d/60-site.conf": "[Coredump]\nStorage=none\n",
    "/usr/lib/systemd/system/vsftpd.service": UNIT,
    WANTS + "vsftpd.service": LINK + "vsftpd.service",
    "/usr/lib/systemd/system/rpcbind.service": UNIT,
    "/usr/lib/systemd/system/rpcbind.socket": "[Socket]\nListenStream=/run/rpcbind.sock\n[Install]\nWantedBy=sockets.target\n",
    "/etc/systemd/system/rpcbind.service": MASK,
    "/etc/systemd/system/rpcbind.socket": MASK,
    "/usr/lib/systemd/system/nfs-server.service": UNIT,
    "/usr/lib/systemd/system/crond.service": UNIT,
    WANTS + "crond.service": LINK + "crond.service",
    "/usr/lib/systemd/system/rsyncd.service": UNIT,
    "/usr/lib/systemd/system/rsyslog.service": UNIT,
    WANTS + "rsyslog.service": LINK + "rsyslog.service",
    "/lib": "->usr/lib",
    "/etc/systemd/system/rsyncd.service": MASK,
    "/usr/lib/modules/5.14.0-503.el9.x86_64/modules.dep": "kernel/fs/cramfs/cramfs.ko.xz:\nkernel/fs/hfs/hfs.ko.xz:\n",
    "/usr/lib/modules/5.14.0-503.el9.x86_64/modules.builtin": "",
}

CIS = {
    # packages: the database is enough
    "1.3.1.1": "pass", "1.3.1.8": "fail", "2.2.1": "pass", "2.2.2": "pass", "2.2.3": "pass", "2.2.4": "fail", "2.2.5": "pass",
    "4.1.1": "pass", "5.2.1": "pass", "6.2.3.1": "pass", "2.3.1": "pass",
    # a service: not installed passes, one that starts at boot fails, a masked one may still run
    "2.1.1": "pass", "2.1.4": "pass", "2.1.7": "fail", "2.1.9": "fail", "2.1.10": "pass", "2.1.12": "unreadable", "2.1.13": "unreadable",
    "2.1.15": "pass", "2.1.19": "pass", "2.4.1.1": "unreadable",
    # the kernel: what the files say wrong is certain, what they say right may not be so now
    "1.5.1": "fail", "3.3.10": "unreadable", "1.5.4": "pass", "1.5.3": "fail", "1.1.1.1": "unreadable", "1.1.1.3": "fail", "1.1.1.4": "pass",
    # file systems and files
    "1.1.2.1.1": "fail", "1.1.2.3.1": "unreadable", "1.1.2.3.2": "unreadable", "1.1.2.3.3": "fail", "1.1.2.1.2": "not_applicable",
    "7.1.1": "pass", "7.1.5": "pass", "7.1.7": "fail", "7.1.2": "not_applicable", "2.4.1.2": "pass", "2.4.1.7": "fail",
}  # fmt: skip
"""Sections of CIS RHEL 9 -> the verdict by hand."""

STIG = {
    "RHEL-09-215040": "fail", "RHEL-09-215015": "fail", "RHEL-09-215060": "pass", "RHEL-09-215025": "fail", "RHEL-09-215045": "fail",
    "RHEL-09-215055": "fail", "RHEL-09-215050": "pass", "RHEL-09-215030": "fail", "RHEL-09-215065": "pass", "RHEL-09-215101": "pass",
    "RHEL-09-215080": "pass", "RHEL-09-215085": "pass", "RHEL-09-215095": "pass", "RHEL-09-215090": "fail", "RHEL-09-215010": "fail",
    "RHEL-09-231080": "fail", "RHEL-09-231055": "fail", "RHEL-09-232230": "pass", "RHEL-09-232040": "pass", "RHEL-09-213035": "unreadable",
    "RHEL-09-232155": "pass", "RHEL-09-232270": "pass", "RHEL-09-232065": "fail", "RHEL-09-232115": "pass", "RHEL-09-251040": "unreadable",
}  # fmt: skip
"""Sections of the STIG for RHEL 9 -> the verdict by hand."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return rpm_images.built(tmp_path_factory.mktemp("rpm"), {**GOOD, **BAD})


@pytest.fixture
def image(tmp_path, packages):
    """``image("rhel9")`` -> the root of an image of that release with all packages and FILES."""

    def make(release, names=None, files=FILES):
        root = tmp_path / release
        version = rpm_images.RELEASES[release][2].split(".")[0]
        rpm_images.write(root, {**rpm_images.release_files(release), **files})
        chosen = packages.values() if names is None else [packages[name] for name in names]
        rpm_images.install(root, rpm_images.DIRECTORY[version], chosen)
        return root

    return make


def worst(findings):
    order = ("fail", "error", "unreadable", "manual", "pass", "not_applicable")
    return min((finding["status"] for finding in findings), key=order.index)


def wrong(found, expected):
    """Sections that are judged otherwise, with what was said of them."""
    return {
        section: (
            worst(found[section]),
            [(one["control"], one["status"], one["reason"], one["actual"]) for one in found[section]],
        )
        for section, status in expected.items()
        if worst(found[section]) != status
    }


def test_an_image_of_rhel_9(image):
    found, judged = rpm_images.verdicts(image("rhel9"), ["cis_rhel9", "stig_rhel9"])
    assert wrong(found["cis_rhel9"], CIS) == {}
    assert wrong(found["stig_rhel9"], STIG) == {}
    assert [finding for finding in judged["findings"] if finding["status"] == "error"] == []


def test_what_an_image_cannot_tell_says_so(image):
    found, _judged = rpm_images.verdicts(image("rhel9"), ["cis_rhel9"])
    for section in ("2.1.12", "3.3.10", "1.1.1.1", "1.1.2.3.1"):
        assert (
            "running" in found["cis_rhel9"][section][0]["reason"] or "runs" in found["cis_rhel9"][section][0]["reason"]
        )


@pytest.mark.parametrize("release", sorted(rpm_images.RELEASES))
def test_each_release_has_its_benchmarks(image, release):
    major = rpm_images.RELEASES[release][2].split(".")[0]
    name = f"cis_rhel{major}"
    root = image(release, names=["audit", "sudo", "telnet"])
    found, judged = rpm_images.verdicts(root, None)
    assert name in [one["id"] for one in judged["benchmarks"]]
    telnet = {"8": "2.2.4", "9": "2.2.4", "10": "2.2.3"}[major]
    ftp = {"8": "2.2.1", "9": "2.2.1", "10": "2.2.1"}[major]
    assert (worst(found[name][telnet]), worst(found[name][ftp])) == ("fail", "pass")


def test_a_host_without_a_database_is_not_one_without_packages(tmp_path):
    root = tmp_path / "root"
    rpm_images.write(root, {**rpm_images.release_files("rhel9"), **FILES})
    found, _judged = rpm_images.verdicts(root, ["cis_rhel9"])
    assert worst(found["cis_rhel9"]["2.2.1"]) == "unreadable"


def test_a_damaged_database_passes_nothing(image):
    root = image("rhel9")
    place = root / "var/lib/rpm/rpmdb.sqlite"
    place.write_bytes(place.read_bytes()[:4096])
    found, _judged = rpm_images.verdicts(root, ["cis_rhel9"])
    assert worst(found["cis_rhel9"]["2.2.1"]) == "unreadable"


def test_an_image_by_the_playbook(image, tmp_path):
    inventory = plays.write_inventory(tmp_path, {"image": dict(plays.HERE, ringwall_root=str(image("almalinux9")))})
    run = plays.play(tmp_path / "run", inventory, ringwall_cadence="fast")
    host = run.hosts()["image"]
    assert host["state"] == "assessed", host["reason"]
    found = {}
    for finding in host["findings"]:
        found.setdefault(finding["benchmark"], {}).setdefault(finding["section"], []).append(finding)
    assert wrong(found["cis_rhel9"], CIS) == {}

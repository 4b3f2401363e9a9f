"""Mutations of hosts: what one changes on a host, and which sections of CIS Debian 12 must change their verdict by it.

Each is one trap of real systems: what holds now and not after the next boot, what one file says and another undoes, what
only looks like a mistake. A mutation without ``flips`` is such a look-alike: nothing may change.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SERVER, MACHINE = "server", "machine"
"""A container with systemd, and one in the namespaces of its host's first process: it counts as a machine."""


@dataclass(frozen=True)
class Mutation:
    """``script`` runs as root in ``host``; ``flips`` maps each section that changes from pass to its new status."""

    name: str
    host: str
    script: str
    flips: dict = field(default_factory=dict)


def fail(*sections):
    """``flips`` of sections that fail."""
    return dict.fromkeys(sections, "fail")


PACKAGE = "printf 'Package: %s\\nStatus: %s\\nVersion: 1.0-1\\nArchitecture: amd64\\nMaintainer: nobody\\nDescription: test\\n\\n' '{}' '{}' >>/var/lib/dpkg/status\n"
UNIT = "printf '[Unit]\\nDescription=test\\n[Service]\\nExecStart=/bin/sleep 1000\\n[Install]\\nWantedBy=multi-user.target\\n' >/lib/systemd/system/{}\n"
INSTALLED = "install ok installed"


def package(name, status=INSTALLED):
    """Script: dpkg knows this package in that state."""
    return PACKAGE.format(name, status)


def unit(name):
    """Script: a service unit of the distribution."""
    return UNIT.format(name)


SERVER_BASE = r"""
printf 'MaxAuthTries 4\nLoginGraceTime 60\nPermitRootLogin no\nLogLevel VERBOSE\nMaxSessions 10\nBanner /etc/issue.net\nGSSAPIAuthentication no\nDisableForwarding yes\nAllowUsers deploy\nClientAliveInterval 15\nClientAliveCountMax 3\n' >/etc/ssh/sshd_config.d/40-base.conf
chmod 600 /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf
systemctl restart ssh
chmod 600 /etc/crontab; chmod 700 /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly /etc/cron.d
: >/etc/cron.allow; chmod 640 /etc/cron.allow
for file in passwd group shadow gshadow; do cp -p /etc/$file /etc/$file-; done
: >/etc/security/opasswd; chmod 600 /etc/security/opasswd
echo '* hard core 0' >/etc/security/limits.d/10-base.conf
"""
"""What the server's base adds to Debian's own settings, so that each section that a mutation flips passes before."""

SYSCTL_BASE = {
    "net.ipv4.ip_forward": 0, "net.ipv6.conf.all.forwarding": 0,  # first: switching them changes what others are
    "net.ipv4.conf.{all,default}.accept_redirects": 0, "net.ipv6.conf.{all,default}.accept_redirects": 0,
    "net.ipv4.conf.{all,default}.secure_redirects": 0, "net.ipv4.conf.{all,default}.send_redirects": 0,
    "net.ipv4.conf.{all,default}.log_martians": 1, "net.ipv4.conf.{all,default}.rp_filter": 1,
    "net.ipv4.conf.{all,default}.accept_source_route": 0, "net.ipv6.conf.{all,default}.accept_source_route": 0,
    "net.ipv6.conf.{all,default}.accept_ra": 0, "net.ipv4.tcp_syncookies": 1, "net.ipv4.icmp_echo_ignore_broadcasts": 1,
    "net.ipv4.icmp_ignore_bogus_error_responses": 1, "net.ipv6.conf.all.disable_ipv6": 0,
}  # fmt: skip
"""Network parameters of the machine's base, in force and on disk."""


def sysctl_base():
    """Script: set SYSCTL_BASE, also on the interface."""
    keys = {}
    for pattern, value in SYSCTL_BASE.items():
        for name in ("all", "default") if "{" in pattern else ("",):
            keys[pattern.replace("{all,default}", name)] = value
    lines = "".join(f"{key} = {value}\\n" for key, value in keys.items())
    words = " ".join(f"{key}={value}" for key, value in keys.items())
    own = " ".join(f"{key.replace('.all.', '.eth0.')}={value}" for key, value in keys.items() if ".all." in key)
    return f"printf '{lines}' >/etc/sysctl.d/60-base.conf\nsysctl -qw {words}\nsysctl -qw {own}\n"


MODULES = ("cramfs", "freevxfs", "hfs", "hfsplus", "jffs2", "udf", "usb-storage", "dccp", "tipc", "sctp")
POINTS = {
    "/tmp": "nodev,nosuid,noexec", "/var/tmp": "nodev,nosuid,noexec", "/home": "nodev,nosuid", "/var/log": "nodev,nosuid,noexec",
    "/var/log/audit": "nodev,nosuid,noexec", "/dev/shm": "nodev,nosuid,noexec",
}  # fmt: skip
MACHINE_BASE = (
    "mount -o remount,bind,rw /proc/sys\n"
    "mkdir -p /lib/modules/$(uname -r) /var/log/audit\n"
    + "".join(f"echo kernel/drivers/{name}.ko: >>/lib/modules/$(uname -r)/modules.dep\n" for name in MODULES)
    + ": >/lib/modules/$(uname -r)/modules.builtin\n"
    + "".join(f"printf 'install {name} /bin/true\\nblacklist {name}\\n' >/etc/modprobe.d/50-{name}.conf\n" for name in MODULES)
    + ": >/etc/fstab\n"
    # Home directories hold the keys that the test logs in with: they are bound, not hidden.
    + "mount --bind /home /home; mount -o remount,bind,nodev,nosuid /home; echo '/srv /home none bind,nodev,nosuid 0 0' >>/etc/fstab\n"
    + "".join(
        f"mount -t tmpfs -o {options} tmpfs {path}; echo 'tmpfs {path} tmpfs {options} 0 0' >>/etc/fstab; mkdir -p /var/log/audit\n"
        for path, options in POINTS.items() if path != "/home")
    + "chmod 750 /var/log/audit\n"
    + "printf 'kernel.randomize_va_space = 2\\n' >/etc/sysctl.d/60-kernel.conf\n"
    + sysctl_base()
)  # fmt: skip
BASES = {SERVER: SERVER_BASE, MACHINE: MACHINE_BASE}

SSH = (
    Mutation("the first of several values counts, in the order of the drop-ins", SERVER,
             "printf 'MaxAuthTries 9\\n' >/etc/ssh/sshd_config.d/00-first.conf; chmod 600 /etc/ssh/sshd_config.d/00-first.conf", fail("5.1.16")),
    Mutation("a later value of the same keyword is dead", SERVER,
             "printf 'LogLevel QUIET\\nGSSAPIAuthentication yes\\n' >/etc/ssh/sshd_config.d/99-late.conf; chmod 600 /etc/ssh/sshd_config.d/99-late.conf"),
    Mutation("a Match block loosens what is right outside of it", SERVER,
             "printf 'Match User deploy\\n  PermitEmptyPasswords yes\\n' >>/etc/ssh/sshd_config", fail("5.1.19")),
    Mutation("a second server has a configuration and a command line of its own", SERVER,
             "printf 'Port 2222\\nPidFile /run/second.pid\\nMaxSessions 50\\nInclude /etc/ssh/sshd_config\\n' >/etc/ssh/second_config\n"
             "printf '[Service]\\nExecStart=/usr/sbin/sshd -D -f /etc/ssh/second_config -o LoginGraceTime=0\\n' >/etc/systemd/system/second.service\n"
             "systemctl start second", fail("5.1.17", "5.1.13")),
    Mutation("a drop-in that others can read", SERVER,
             "printf '# nothing\\n' >/etc/ssh/sshd_config.d/70-open.conf; chmod 644 /etc/ssh/sshd_config.d/70-open.conf", fail("5.1.1")),
    Mutation("a file beside the drop-ins is none", SERVER,
             "printf 'PermitRootLogin yes\\n' >/etc/ssh/sshd_config.d/00-old.conf.bak; chmod 644 /etc/ssh/sshd_config.d/00-old.conf.bak"),
    Mutation("a private key that a group can read", SERVER, "chmod 640 /etc/ssh/ssh_host_rsa_key", fail("5.1.2")),
)  # fmt: skip

UNITS = (
    Mutation("installed, but masked and not running", SERVER, package("autofs") + unit("autofs.service") + "ln -s /dev/null /etc/systemd/system/autofs.service"),
    Mutation("the service is masked, its socket is not", SERVER,
             package("avahi-daemon") + unit("avahi-daemon.service") + "ln -s /dev/null /etc/systemd/system/avahi-daemon.service\n"
             "printf '[Socket]\\nListenStream=/run/avahi\\n[Install]\\nWantedBy=sockets.target\\n' >/lib/systemd/system/avahi-daemon.socket", fail("2.1.2")),
    Mutation("masked until the next boot only", SERVER,
             package("rsync") + unit("rsync.service") + "mkdir -p /run/systemd/system; ln -s /dev/null /run/systemd/system/rsync.service", fail("2.1.13")),
    Mutation("a mask of the alias leaves the service itself", SERVER,
             package("nfs-kernel-server") + unit("nfs-server.service") + "ln -s /dev/null /etc/systemd/system/nfs-kernel-server.service", fail("2.1.9")),
    Mutation("disabled is not masked", SERVER, package("rpcbind") + unit("rpcbind.service"), fail("2.1.12")),
    Mutation("a server without a unit of its own, started by another", SERVER, package("inetutils-ftpd"), fail("2.1.6")),
    Mutation("enabled until the next boot only", SERVER, "systemctl -q disable cron; systemctl -q enable --runtime cron", fail("2.4.1.1")),
)  # fmt: skip

PACKAGES = (
    Mutation("removed, its configuration left", SERVER, package("snmpd", "deinstall ok config-files")),
    Mutation("held packages are installed", SERVER, package("telnet", "hold ok installed"), fail("2.2.4")),
    Mutation("half-configured programs are there", SERVER, package("talk", "install ok half-configured"), fail("2.2.3")),
    Mutation("known by name only", SERVER, package("ftp", "unknown ok not-installed")),
)  # fmt: skip

FILES = (
    Mutation("others may enter a directory of root's jobs", SERVER, "chmod 701 /etc/cron.d", fail("2.4.1.7")),
    Mutation("the table of jobs belongs to a user", SERVER, "chown deploy /etc/crontab", fail("2.4.1.2")),
    Mutation("no list of those who may have jobs", SERVER, "rm /etc/cron.allow", fail("2.4.1.8")),
    Mutation("fewer rights than asked for are fine", SERVER, "chmod 0 /etc/shadow; chmod 400 /etc/gshadow"),
    Mutation("password hashes of a group that need not see them", SERVER, "chgrp mail /etc/shadow-; chmod 640 /etc/shadow-", fail("7.1.6")),
    Mutation("a copy of the accounts that everybody can change", SERVER, "chmod 646 /etc/passwd-", fail("7.1.2")),
    Mutation("the older file of old passwords is open", SERVER, ": >/etc/security/opasswd.old; chmod 644 /etc/security/opasswd.old", fail("7.1.10")),
    Mutation("core dumps for one user", SERVER, "echo 'deploy hard core unlimited' >/etc/security/limits.d/90-deploy.conf", fail("1.5.3")),
    Mutation("mail is taken from everywhere", SERVER,
             "systemd-run -q python3 -c 'import socket,time; s=socket.create_server((\"0.0.0.0\", 25)); time.sleep(1000)'", fail("2.1.21")),
)  # fmt: skip

SYSCTLS = (
    Mutation("one interface accepts what all others refuse", MACHINE, "sysctl -qw net.ipv4.conf.eth0.accept_redirects=1", fail("3.3.5")),
    Mutation("a looser filter of one interface wins over a strict one of all", MACHINE, "sysctl -qw net.ipv4.conf.eth0.rp_filter=2", fail("3.3.7")),
    Mutation("an interface's own zero does not undo a one of all", MACHINE, "sysctl -qw net.ipv4.conf.eth0.log_martians=0"),
    Mutation("only new interfaces send redirects", MACHINE, "sysctl -qw net.ipv4.conf.default.send_redirects=1", fail("3.3.2")),
    Mutation("right now, wrong after the next boot", MACHINE, "echo 'net/ipv4/conf/all/secure_redirects = 1' >/etc/sysctl.d/zz-late.conf", fail("3.3.6")),
    Mutation("the old file is read as the last drop-in but one", MACHINE,
             "echo 'net.ipv4.tcp_syncookies = 0' >>/etc/sysctl.conf; ln -sf ../sysctl.conf /etc/sysctl.d/99-sysctl.conf", fail("3.3.10")),
    Mutation("set in a directory that does not survive the boot", MACHINE,
             "sed -i /bogus/d /etc/sysctl.d/60-base.conf; mkdir -p /run/sysctl.d; echo 'net.ipv4.icmp_ignore_bogus_error_responses=1' >/run/sysctl.d/60-run.conf",
             fail("3.3.3")),
    Mutation("a wildcard does not override a key by name", MACHINE, "echo 'net.ipv4.conf.*.accept_source_route = 1' >/etc/sysctl.d/zz-glob.conf"),
    Mutation("without IPv6, now and at boot, its parameters say nothing", MACHINE,
             "sysctl -qw net.ipv6.conf.all.accept_ra=1 net.ipv6.conf.all.disable_ipv6=1; echo net.ipv6.conf.all.disable_ipv6=1 >/etc/sysctl.d/70-no-ipv6.conf",
             {"3.3.11": "not_applicable"}),
    Mutation("a key of the kernel set back on disk", MACHINE, "echo kernel.randomize_va_space=1 >/etc/sysctl.d/zz-kernel.conf", fail("1.5.1")),
)  # fmt: skip

KERNEL_MODULES = (
    Mutation("true and false block alike", MACHINE, "sed -i s,/bin/true,/bin/false, /etc/modprobe.d/50-hfs.conf"),
    Mutation("an install rule that loads it after all", MACHINE,
             "sed -i 's,/bin/true,/sbin/modprobe --ignore-install cramfs,' /etc/modprobe.d/50-cramfs.conf", fail("1.1.1.1")),
    Mutation("blacklisted alone", MACHINE, "sed -i /install/d /etc/modprobe.d/50-hfsplus.conf", fail("1.1.1.4")),
    Mutation("not blacklisted", MACHINE, "sed -i /blacklist/d /etc/modprobe.d/50-udf.conf", fail("1.1.1.8")),
    Mutation("the first install rule counts", MACHINE, "echo 'install jffs2 /sbin/insmod jffs2.ko' >/etc/modprobe.d/00-jffs2.conf", fail("1.1.1.5")),
    Mutation("a link to nothing hides the packaged file", MACHINE,
             "mv /etc/modprobe.d/50-freevxfs.conf /lib/modprobe.d/; ln -s /dev/null /etc/modprobe.d/50-freevxfs.conf", fail("1.1.1.2")),
    Mutation("- and _ are one", MACHINE, "sed -i s/usb-storage/usb_storage/ /etc/modprobe.d/50-usb-storage.conf"),
    Mutation("switched off until the next boot only", MACHINE, "mkdir -p /run/modprobe.d; mv /etc/modprobe.d/50-dccp.conf /run/modprobe.d/", fail("3.2.1")),
    Mutation("a module that no kernel has needs no rule", MACHINE,
             "rm /etc/modprobe.d/50-tipc.conf; sed -i /tipc/d /lib/modules/$(uname -r)/modules.dep"),
)  # fmt: skip

MOUNTS = (
    Mutation("looser now than at boot", MACHINE, "mount -o remount,exec /tmp", fail("1.1.2.1.4")),
    Mutation("looser at boot than now", MACHINE, "sed -i '/ .home /s/nodev,//' /etc/fstab", fail("1.1.2.3.2")),
    Mutation("not mounted at boot", MACHINE, "sed -i '/ .var.tmp /s/nodev/noauto,nodev/' /etc/fstab", fail("1.1.2.5.1")),
    Mutation("not mounted now", MACHINE, "umount /var/log/audit; umount -l /var/log", fail("1.1.2.6.1", "1.1.2.7.1", "6.1.4.1")),
    Mutation("the mount on top counts", MACHINE, "mount -t tmpfs -o nosuid,nodev tmpfs /dev/shm", fail("1.1.2.2.4")),
)  # fmt: skip

LINE = "echo '{}' >>{}"


def account(line, shadow=None):
    """Script: one more line of /etc/passwd, and its line of /etc/shadow."""
    script = LINE.format(line, "/etc/passwd")
    return script + "\n" + LINE.format(shadow, "/etc/shadow") if shadow else script


LOCKED = "{}:!:19000:0:99999:7:::"
ACCOUNTS = (
    Mutation("two accounts share a number", SERVER, account("twin:x:34:34::/:/usr/sbin/nologin", LOCKED.format("twin")), fail("7.2.5")),
    Mutation("two groups share a number", SERVER, LINE.format("twins:x:34:", "/etc/group"), fail("7.2.6")),
    Mutation("a name of an account twice", SERVER, account("games:x:4243:60::/:/usr/sbin/nologin"), fail("7.2.7")),
    Mutation("a name of a group twice", SERVER, LINE.format("games:x:4242:", "/etc/group"), fail("7.2.8")),
    Mutation("an account whose group is not there", SERVER, account("lost:x:4244:4299::/:/usr/sbin/nologin", LOCKED.format("lost")), fail("7.2.3")),
    Mutation("no password at all", SERVER, account("open:x:4245:100::/:/usr/sbin/nologin", "open::19000:0:99999:7:::"), fail("7.2.2", "5.4.2.8")),
    Mutation("a hash where everybody reads it", SERVER, account("old:$6$salt$hash:4246:100::/:/usr/sbin/nologin"), fail("7.2.1")),
    Mutation("a user may read password hashes", SERVER, "usermod -aG shadow deploy", fail("7.2.4")),
    Mutation("root's group is that of another account", SERVER, account("ops:x:4247:0::/:/usr/sbin/nologin", LOCKED.format("ops")), fail("5.4.2.2")),
    Mutation("no log-in is a log-in", SERVER, LINE.format("/usr/sbin/nologin", "/etc/shells"), fail("5.4.3.1")),
    Mutation("a password of tomorrow", SERVER, "chage -d 2099-01-01 backup", fail("5.4.1.6")),
    Mutation("everybody writes where root looks for programs", SERVER, "chmod 777 /usr/local/sbin", fail("5.4.2.5")),
    Mutation("root's files begin open", SERVER, LINE.format("umask 0022", "/root/.bashrc"), fail("5.4.2.6")),
    Mutation("users are warned late", SERVER, "sed -i 's/^PASS_WARN_AGE.*/PASS_WARN_AGE 3/' /etc/login.defs", fail("5.4.1.3")),
)  # fmt: skip

RIGHTS = (
    Mutation("a group writes the accounts", SERVER, "chmod 664 /etc/passwd", fail("7.1.1")),
    Mutation("everybody writes the groups", SERVER, "chmod 646 /etc/group", fail("7.1.3")),
    Mutation("a user owns the copy of the groups", SERVER, "chown deploy /etc/group-", fail("7.1.4")),
    Mutation("everybody reads the copy of group passwords", SERVER, "chmod 644 /etc/gshadow-", fail("7.1.8")),
    Mutation("everybody writes the list of shells", SERVER, "chmod 666 /etc/shells", fail("7.1.9")),
    Mutation("a group owns hourly jobs", SERVER, "chgrp mail /etc/cron.hourly", fail("2.4.1.3")),
    Mutation("daily jobs as the distribution installs them", SERVER, "chmod 755 /etc/cron.daily", fail("2.4.1.4")),
    Mutation("a user owns weekly jobs", SERVER, "chown deploy /etc/cron.weekly", fail("2.4.1.5")),
    Mutation("a group may enter monthly jobs", SERVER, "chmod 710 /etc/cron.monthly", fail("2.4.1.6")),
    Mutation("everybody writes the message of the day", SERVER, ": >>/etc/motd; chmod 666 /etc/motd", fail("1.6.4")),
    Mutation("a user writes the local banner", SERVER, "chown deploy /etc/issue", fail("1.6.5")),
    Mutation("a group writes the remote banner", SERVER, "chmod 664 /etc/issue.net", fail("1.6.6")),
)  # fmt: skip

SUDO = "umask 277; echo '{}' >/etc/sudoers.d/{}"
PROGRAMS = (
    Mutation("a later file lets sudo go without a terminal of its own", SERVER, SUDO.format("Defaults !use_pty", "zz-pty"), fail("5.2.2")),
    Mutation("one account is never asked for a password", SERVER, SUDO.format("Defaults:backup !authenticate", "zz-backup"), fail("5.2.5")),
    Mutation("a password is asked once and never again", SERVER, SUDO.format("Defaults timestamp_timeout=-1", "zz-timeout"), fail("5.2.6")),
    Mutation("a drop-in undoes what the log should do", SERVER,
             "mkdir -p /etc/systemd/journald.conf.d; printf '[Journal]\\nCompress=no\\n' >/etc/systemd/journald.conf.d/zz-last.conf", fail("6.1.2.3")),
    Mutation("old ciphers beside the new ones", SERVER,
             "printf 'Ciphers +aes128-cbc\\n' >/etc/ssh/sshd_config.d/01-ciphers.conf; chmod 600 /etc/ssh/sshd_config.d/01-ciphers.conf", fail("5.1.6")),
    Mutation("old key exchanges beside the new ones", SERVER,
             "printf 'KexAlgorithms +diffie-hellman-group14-sha1\\n' >/etc/ssh/sshd_config.d/01-kex.conf; chmod 600 /etc/ssh/sshd_config.d/01-kex.conf",
             fail("5.1.12")),
    Mutation("installed and enabled", SERVER,
             package("dnsmasq") + unit("dnsmasq.service") + "ln -s /lib/systemd/system/dnsmasq.service /etc/systemd/system/multi-user.target.wants/",
             fail("2.1.5")),
    Mutation("the same program by another package", SERVER, package("squid-openssl") + unit("squid.service"), fail("2.1.17")),
    Mutation("a successor by another name", SERVER, package("kea-dhcp4-server") + unit("kea-dhcp4-server.service"), fail("2.1.3")),
    Mutation("unpacked, never configured", SERVER, package("ldap-utils", "install ok unpacked"), fail("2.2.5")),
    Mutation("a rewrite of the old client", SERVER, package("rsh-redone-client"), fail("2.2.2")),
    Mutation("half-installed programs are there", SERVER, package("xserver-common", "install reinstreq half-installed"), fail("2.1.20")),
)  # fmt: skip

KERNEL = (
    Mutation("rules that are comments", MACHINE, "sed -i 's/^/# /' /etc/modprobe.d/50-sctp.conf", fail("3.2.4")),
    Mutation("an earlier file says so, a later one otherwise", MACHINE,
             "echo net.ipv4.icmp_echo_ignore_broadcasts=0 >/etc/sysctl.d/61-later.conf", fail("3.3.4")),
    Mutation("one option less at the next boot", MACHINE, "sed -i '/ .tmp tmpfs /s/nosuid,//' /etc/fstab", fail("1.1.2.1.3")),
    Mutation("a wildcard loosens a key that no file names", MACHINE,
             "sed -i /log_martians/d /etc/sysctl.d/60-base.conf; echo 'net.ipv4.conf.*.log_martians = 0' >/etc/sysctl.d/zz-martians.conf", fail("3.3.9")),
)  # fmt: skip

MUTATIONS = (
    *SSH,
    *UNITS,
    *PACKAGES,
    *ACCOUNTS,
    *FILES,
    *RIGHTS,
    *PROGRAMS,
    *SYSCTLS,
    *KERNEL_MODULES,
    *MOUNTS,
    *KERNEL,
)
"""In this order: usermod and chage of ACCOUNTS write the copies of the files anew, which FILES and RIGHTS then change."""

"""Root file systems of test hosts: built once by mmdebstrap, cached by the digest of their recipe."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("RINGWALL_TEST_CACHE", ROOT / ".cache" / "hosts"))
PACKAGES = (
    "systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,python3,sudo,procps,iproute2,nftables,auditd,"
    "ca-certificates,cron,kmod"
)
MASKED = (
    "systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket getty.target console-getty.service "
    "systemd-logind.service systemd-timesyncd.service auditd.service apt-daily.timer apt-daily-upgrade.timer "
    "dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount e2scrub_all.timer fstrim.timer "
    "dpkg-db-backup.timer systemd-networkd.service systemd-resolved.service"
)
ACCOUNTS = r"""chroot "$1" useradd -m -s /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >"$1/etc/sudoers.d/deploy"; chmod 440 "$1/etc/sudoers.d/deploy"
chroot "$1" useradd -m -s /bin/bash plain
for home in /root /home/deploy /home/plain; do mkdir -p "$1$home/.ssh"; cp "$KEY" "$1$home/.ssh/authorized_keys"; chmod 700 "$1$home/.ssh"; done
chroot "$1" chown -R deploy: /home/deploy; chroot "$1" chown -R plain: /home/plain
chmod 600 "$1/root/.ssh/authorized_keys"
printf 'UseDNS no\n' >"$1/etc/ssh/sshd_config.d/50-lab.conf"
: >"$1/etc/machine-id"
rm -f "$1"/etc/ssh/ssh_host_*; chroot "$1" ssh-keygen -q -A
"""
CUSTOMISE = f"""set -eu
for unit in {MASKED}; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done
{ACCOUNTS}"""
"""What is done to the tree before it is packed: log-ins for the lab, and no services that a container cannot run."""


class NotHere(Exception):
    """This machine cannot have such hosts; the text says why."""


def mirror():
    """The Debian archive that this machine's own apt uses."""
    for path in [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]:
        if path.is_file():
            found = re.search(
                r"^(?:URIs:|deb\s+(?:\[[^]]*\]\s+)?)\s*(\S+/debian)/?(?:\s|$)", path.read_text(), re.MULTILINE
            )
            if found:
                return found.group(1)
    raise NotHere("apt names no Debian archive")


def key():
    """Path of the lab's private SSH key; made once."""
    path = CACHE / "id_ed25519"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True, mode=0o700)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", path], check=True)
    return path


def rootfs(suite="bookworm", packages=PACKAGES, customise=CUSTOMISE):
    """Return the path of a tar of that suite's root file system, built if the cache has none."""
    for program in ("mmdebstrap", "ssh-keygen"):
        if shutil.which(program) is None:
            raise NotHere(f"{program} is not installed")
    if os.geteuid() != 0:
        raise NotHere("test hosts need root")
    public = pathlib.Path(f"{key()}.pub")
    recipe = hashlib.sha256("\0".join((suite, packages, customise, public.read_text())).encode()).hexdigest()[:16]
    path = CACHE / f"{suite}-{recipe}.tar"
    with open(CACHE / f".{suite}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _build(suite, packages, customise, public, path)
    return path


def _build(suite, packages, customise, public, path):
    temporary = path.with_suffix(".part.tar")
    hooks = "/usr/share/mmdebstrap/hooks/eatmydata"
    command = [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={packages}",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f"--customize-hook={customise}",
    ]
    if os.path.isdir(hooks):
        command.append(f"--hook-directory={hooks}")
    result = subprocess.run(
        [*command, suite, temporary, mirror()],
        capture_output=True,
        text=True,
        env=dict(os.environ, KEY=str(public), DEBIAN_FRONTEND="noninteractive"),
    )
    if result.returncode:
        temporary.unlink(missing_ok=True)
        raise NotHere(f"mmdebstrap {suite} failed: {result.stderr[-800:]}")
    temporary.rename(path)

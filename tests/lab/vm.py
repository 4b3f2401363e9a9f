"""Virtual machines as test hosts: where the kernel, the boot loader and the clock have to be the host's own.

Emulated (TCG), so that they run wherever qemu does. The disk is built once: a tree by mmdebstrap, an ext4 partition made
from it without mounting, GRUB installed by the machine itself at its first boot. Each machine writes to an overlay.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .hosts import wait
from .image import ACCOUNTS, CACHE, NotHere, key, rootfs

PACKAGES = (
    "systemd,systemd-sysv,udev,dbus,libpam-systemd,openssh-server,python3,sudo,procps,iproute2,kmod,nftables,cron,"
    "apparmor,ifupdown,isc-dhcp-client,linux-image-cloud-amd64,initramfs-tools,grub-pc,ca-certificates,e2fsprogs,"
    "logrotate,login,passwd,less,systemd-timesyncd"
)
"""About what Debian's own installer leaves on a server without a desktop."""
CUSTOMISE = rf"""set -eu
{ACCOUNTS}printf 'auto lo\niface lo inet loopback\nallow-hotplug ens3\niface ens3 inet dhcp\n' >"$1/etc/network/interfaces"
printf 'LABEL=root / ext4 errors=remount-ro 0 1\n' >"$1/etc/fstab"
printf '127.0.0.1 localhost\n127.0.1.1 vm\n' >"$1/etc/hosts"
printf 'vm\n' >"$1/etc/hostname"
printf 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\nGRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT=""\nGRUB_CMDLINE_LINUX="console=ttyS0"\nGRUB_TERMINAL=console\n' >"$1/etc/default/grub"
chroot "$1" systemctl disable apt-daily.timer apt-daily-upgrade.timer >/dev/null 2>&1 || :
"""
SIZE = "4G"
START = 1 << 20
"""Where the partition begins, in bytes: GRUB's core image lies before it."""
MEMORY = os.environ.get("RINGWALL_TEST_VM_MEMORY", "1024")
BOOT_SECONDS = 420
ACCELERATOR = "tcg,tb-size=512"


def disk(suite="bookworm"):
    """Return the path of a bootable disk of that suite, built if the cache has none."""
    for program in ("qemu-system-x86_64", "qemu-img", "mke2fs", "sfdisk"):
        if shutil.which(program) is None:
            raise NotHere(f"{program} is not installed")
    tar = rootfs(suite, PACKAGES, CUSTOMISE)
    path = CACHE / f"{tar.stem}.qcow2"
    with open(CACHE / f".{suite}-disk.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _build(tar, path)
    return path


def _run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if result.returncode:
        raise NotHere(f"{command[0]} failed: {result.stderr[-600:]}")
    return result.stdout


def _build(tar, path):
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        tree, raw = pathlib.Path(folder, "tree"), pathlib.Path(folder, "disk.raw")
        tree.mkdir()
        _run("tar", "-xf", tar, "-C", tree, "--numeric-owner")
        kernel, initrd = (next(tree.glob(f"boot/{name}-*")) for name in ("vmlinuz", "initrd.img"))
        for source in (kernel, initrd):
            shutil.copy(source, folder)
        _run("truncate", "-s", SIZE, raw)
        _run("sfdisk", "-q", raw, input="label: dos\nstart=2048, type=83, bootable\n")
        _run(
            "mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", tree, "-E", f"offset={START}", raw,
            str((raw.stat().st_size - START) // 1024),
        )  # fmt: skip
        shutil.rmtree(tree)
        part = pathlib.Path(folder, "disk.qcow2")
        _run("qemu-img", "convert", "-O", "qcow2", raw, part)
        raw.unlink()
        first = ("-kernel", f"{folder}/{kernel.name}", "-initrd", f"{folder}/{initrd.name}")
        machine = Machine(pathlib.Path(folder, "first"), disk=part, overlay=False)
        with machine.running(*first, "-append", "root=LABEL=root rw console=ttyS0"):
            machine.ssh("grub-install --target=i386-pc /dev/vda && update-grub && sync")
            machine.off()
        part.rename(path)


class Machine:
    """One virtual machine. ``start`` and ``off`` may be called again and again: its disk stays."""

    def __init__(self, folder, suite="bookworm", disk=None, overlay=True):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.disk = pathlib.Path(disk or globals()["disk"](suite))
        if overlay:
            base, self.disk = self.disk, self.folder / "disk.qcow2"
            if not self.disk.exists():
                _run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, self.disk)
        self.address, self.port, self.process = "127.0.0.1", 0, None

    def start(self, *more, clock=None, network=True, wait_for_ssh=True):
        """Boot it and wait until its SSH server answers.

        ``clock``: an RFC 3339 time (UTC, without zone) that its hardware clock shows. ``network=False``: nothing
        but log-ins from here reaches it, and it reaches nothing.
        """
        with socket.socket() as free:
            free.bind((self.address, 0))
            self.port = free.getsockname()[1]
        restrict = "" if network else ",restrict=on"
        command = [
            "qemu-system-x86_64", "-accel", ACCELERATOR, "-cpu", "max", "-m", MEMORY, "-nographic", "-no-user-config",
            "-drive", f"file={self.disk},if=virtio,format=qcow2,cache=unsafe,discard=unmap",
            "-netdev", f"user,id=n0,hostfwd=tcp:{self.address}:{self.port}-:22{restrict}",
            "-device", "virtio-net-pci,netdev=n0,addr=3", "-device", "virtio-rng-pci",
            "-serial", f"file:{self.folder}/console", "-monitor", "none",
            "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
            "-rtc", f"base={clock or 'utc'}", *more,
        ]  # fmt: skip
        with open(self.folder / "qemu.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait_for_ssh:
            self.wait()

    def wait(self, seconds=BOOT_SECONDS):
        """Return when its SSH server lets us in; raise TimeoutError with the end of its console."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise NotHere(f"qemu ended: {(self.folder / 'qemu.log').read_text()[-600:]}")
            with contextlib.suppress(TimeoutError):
                wait(self.address, self.port, 5)
                if self.ssh("true", check=False).returncode == 0:
                    return
        raise TimeoutError(f"no log-in after {seconds} s: {(self.folder / 'console').read_text()[-800:]}")

    def ssh(self, script, check=True, user="deploy", seconds=600):
        """Run a shell script on it as root, logged in as ``user`` who may use sudo; return the CompletedProcess.

        Not as root: a hardened machine does not let root in.
        """
        command = [
            "ssh", "-i", str(key()), "-p", str(self.port), "-o", "StrictHostKeyChecking=no", "-o", "ControlPath=none",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=30",
            "-o", "BatchMode=yes", f"{user}@{self.address}", f"sudo -n sh -c {shlex.quote(script)}",
        ]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        if check and result.returncode:
            raise RuntimeError(f"{script[:200]}: {result.returncode}: {result.stdout[-800:]}{result.stderr[-800:]}")
        return result

    def qmp(self, command, **arguments):
        """Send one command to qemu."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(10)
            link.connect(f"{self.folder}/qmp")
            stream = link.makefile("rw")
            stream.readline()
            for name, given in (("qmp_capabilities", {}), (command, arguments)):
                stream.write(json.dumps({"execute": name, "arguments": given}) + "\n")
                stream.flush()
                stream.readline()

    def reboot(self):
        """Restart its system as an operator would; return when it lets us in again."""
        before = self.ssh("cat /proc/sys/kernel/random/boot_id").stdout
        self.ssh("systemctl reboot", check=False)
        end = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end:
            self.wait()
            if self.ssh("cat /proc/sys/kernel/random/boot_id", check=False).stdout not in ("", before):
                return
            time.sleep(1)
        raise TimeoutError("it did not restart")

    def off(self):
        """Shut it down in order, by force after two minutes."""
        if self.process is None:
            return
        self.ssh("systemctl poweroff", check=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(120)
        self.kill()

    def kill(self):
        """Cut its power."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    @contextlib.contextmanager
    def running(self, *more, **options):
        """Started within the block, its power cut behind it."""
        try:
            self.start(*more, **options)
            yield self
        finally:
            self.kill()

    def variables(self):
        """Inventory variables by which Ansible logs in as the lab's sudoer."""
        return {"ansible_host": self.address, "ansible_port": self.port}

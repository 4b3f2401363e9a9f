"""Many real SSH hosts for little: an sshd each, in namespaces and a chroot of its own over one shared file system.

No systemd runs in them. Ideal for load; what a service manager decides is for containers and machines.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile
import uuid

import yaml

from .image import CACHE, NotHere, key, rootfs

START = r"""set -eu
mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$PLACE/upper,workdir=$PLACE/work" "$PLACE/root"
cd "$PLACE/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755,size=4m tmpfs dev
mkdir -p dev/shm run/sshd
for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/${node%:*}" c 1 "${node#*:}"; done
mknod -m 666 dev/tty c 5 0
hostname "$NAME"
exec chroot . /usr/sbin/sshd -D -e -o "ListenAddress=$ADDRESS" -o UseDNS=no -o MaxStartups=500 2>"$PLACE/log"
"""


def base(suite="bookworm"):
    """Return the directory of that suite's root file system, unpacked once beside its tar."""
    tar = rootfs(suite)
    tree = CACHE / f"{tar.stem}-tree"
    with open(CACHE / f".{suite}-tree.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.is_dir():
            part = tree.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            subprocess.run(["tar", "-xf", tar, "-C", part, "--numeric-owner"], check=True)
            part.rename(tree)
    return tree


class Chroots:
    """Running hosts: ``names`` name -> address. Use as a context manager; it ends every process and mount.

    ``network`` is a lab Network, in which each listens on port 22. ``joined`` is called in each new process before it
    starts (to join a control group). ``prepare(name, upper)`` may change a host's files: ``upper`` is a directory
    whose files hide those of the shared file system.
    """

    def __init__(self, addresses, network, joined=None, prepare=None):
        self.names = dict(addresses)
        self.network = network
        self._joined, self._prepare = joined, prepare
        self._stack = contextlib.ExitStack()
        self._processes = {}

    def __enter__(self):
        if os.geteuid() != 0:
            raise NotHere("hosts in a chroot need root")
        try:
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringwall-chroots-"))
            self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            tree = base()
            self._public = (tree / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2]
            for name, address in self.names.items():
                self._start(name, address, tree)
            for name, address in self.names.items():
                self._wait(name, address)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_error):
        self._stack.close()

    def _start(self, name, address, tree):
        place = self.folder / name
        for part in ("upper/etc", "work", "root"):
            (place / part).mkdir(parents=True)
        (place / "upper/etc/machine-id").write_text(uuid.uuid5(uuid.NAMESPACE_DNS, name).hex + "\n")
        (place / "upper/etc/hostname").write_text(name + "\n")
        if self._prepare:
            self._prepare(name, place / "upper")
        process = subprocess.Popen(
            [
                *self.network.enter(),
                "unshare",
                "--mount",
                "--uts",
                "--ipc",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-c",
                START,
            ],
            env={"PATH": os.environ["PATH"], "BASE": str(tree), "PLACE": str(place), "NAME": name, "ADDRESS": address},
            preexec_fn=self._joined,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        self._processes[name] = process
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)  # the first process of the namespace goes with it, and so all others

    def _wait(self, name, address):
        script = ("import socket,sys,time\nend=time.monotonic()+30\nwhile True:\n try:\n  "
                  "s=socket.create_connection((sys.argv[1],22),1); s.settimeout(5)\n  if s.recv(4)==b'SSH-': break\n except OSError:\n  "
                  "if time.monotonic()>end: sys.exit(1)\n  time.sleep(.05)\n")  # fmt: skip
        try:
            self.network.run("python3", "-c", script, address)
        except subprocess.CalledProcessError:
            log = self.folder / name / "log"
            raise NotHere(f"{name} does not answer: {log.read_text()[-300:] if log.exists() else 'no log'}") from None

    def first_process(self, name=None):
        """The sshd of a host (default: the first) as this machine numbers it; its namespaces are the host's."""
        parent = self._processes[name or next(iter(self._processes))].pid
        return int(pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])

    def inventory(self, folder, names=None, extra=None, **variables):
        """Write an inventory of ``names`` (default all) and ``extra`` (name -> address) with known host keys; return its path."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        chosen = {name: self.names[name] for name in (names or self.names)} | (extra or {})
        known = folder / "known_hosts"
        known.write_text("".join(f"{address} {' '.join(self._public)}\n" for address in chosen.values()))
        shared = {
            "ansible_user": "root", "ansible_ssh_private_key_file": str(key()), "ringwall_become": False,
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=5",
        }  # fmt: skip
        path = folder / "hosts.yml"
        hosts = {name: {"ansible_host": address} for name, address in chosen.items()}
        path.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": shared | variables}}))
        return path

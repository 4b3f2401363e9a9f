"""A Docker Engine of the lab's own: own data, own socket, own bridge. Never the developer's."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from .image import CACHE, NotHere, rootfs

BRIDGE = "rwlab0"
NETWORK = "172.31.213"
RUN = pathlib.Path("/run/ringwall-lab")
INOTIFY = pathlib.Path("/proc/sys/fs/inotify/max_user_instances")
SYSTEMD_FLAGS = (
    "--cap-add",
    "SYS_ADMIN",
    "--cap-add",
    "NET_ADMIN",
    "--cgroupns=private",
    "--tmpfs",
    "/run",
    "--tmpfs",
    "/run/lock",
    "--stop-signal",
    "SIGRTMIN+3",
)


class Engine:
    """A running dockerd. Use as a context manager: it ends the engine and removes the bridge."""

    def __init__(self):
        self.socket = RUN / "docker.sock"
        self._process = None
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        if os.geteuid() != 0:
            raise NotHere("a Docker Engine needs root")
        for program in ("dockerd", "docker", "ip"):
            if shutil.which(program) is None:
                raise NotHere(f"{program} is not installed")
        RUN.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = self._stack.enter_context(open(RUN / "lock", "w"))
        fcntl.flock(lock, fcntl.LOCK_EX)  # one lab at a time
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _start(self):
        self._sweep()
        self._inotify = INOTIFY.read_text()
        if int(self._inotify) < 8192:
            INOTIFY.write_text("8192")
        self._stack.callback(INOTIFY.write_text, self._inotify)
        subprocess.run(["ip", "link", "add", BRIDGE, "type", "bridge"], check=True, capture_output=True)
        self._stack.callback(subprocess.run, ["ip", "link", "delete", BRIDGE], capture_output=True)
        subprocess.run(["ip", "address", "add", f"{NETWORK}.1/24", "dev", BRIDGE], check=True)
        subprocess.run(["ip", "link", "set", BRIDGE, "up"], check=True)
        data = CACHE / "docker"
        data.mkdir(parents=True, exist_ok=True)
        log = self._stack.enter_context(open(RUN / "dockerd.log", "w"))
        self._process = subprocess.Popen(
            [
                "dockerd",
                "--host",
                f"unix://{self.socket}",
                "--data-root",
                data,
                "--exec-root",
                RUN / "exec",
                "--pidfile",
                RUN / "docker.pid",
                "--bridge",
                BRIDGE,
                "--fixed-cidr",
                f"{NETWORK}.0/24",
            ],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        for _attempt in range(300):
            if self._process.poll() is not None:
                raise NotHere("dockerd ended: " + (RUN / "dockerd.log").read_text()[-600:])
            if self.socket.exists() and subprocess.run([*self._docker(), "info"], capture_output=True).returncode == 0:
                self.remove_all()
                return
            time.sleep(0.1)
        raise NotHere("dockerd did not answer in 30 s")

    @staticmethod
    def _sweep():
        """End what an earlier lab left when it was killed."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((RUN / "docker.pid").read_text())
            if "dockerd" in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGTERM)
                for _attempt in range(100):
                    if not pathlib.Path(f"/proc/{pid}").exists():
                        break
                    time.sleep(0.1)
        (RUN / "docker.pid").unlink(missing_ok=True)
        subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True)

    def __exit__(self, *_error):
        if self._process and self._process.poll() is None:
            with contextlib.suppress(Exception):
                self.remove_all()
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._stack.close()

    def _docker(self):
        return ["docker", "-H", f"unix://{self.socket}"]

    def docker(self, *arguments, **options):
        """Run the docker client against this engine; return its standard output (text). Raise on failure."""
        result = subprocess.run([*self._docker(), *map(str, arguments)], capture_output=True, text=True, **options)
        if result.returncode:
            raise RuntimeError(f"docker {' '.join(map(str, arguments))[:200]}: {result.stderr[-500:]}")
        return result.stdout

    def remove_all(self):
        """Remove every container of this engine."""
        running = self.docker("ps", "-aq").split()
        if running:
            self.docker("rm", "-f", "-v", *running)

    def image(self, suite="bookworm"):
        """Return the name of the image of that suite, imported if it is not there."""
        tar = rootfs(suite)
        name = f"ringwall-lab:{tar.stem}"
        if not self.docker("images", "-q", name).strip():
            self.docker("import", "-c", 'CMD ["/sbin/init"]', "-c", "ENV container=docker", tar, name)
        return name

    def start(self, name, suite="bookworm", flags=SYSTEMD_FLAGS, command=()):
        """Start a host; return its IPv4 address. It answers ssh after ``wait``."""
        self.docker("run", "-d", "--name", name, "--hostname", name, *flags, self.image(suite), *command)
        return json.loads(self.docker("inspect", name))[0]["NetworkSettings"]["IPAddress"]

    def shell(self, name, script):
        """Run a shell script in a host as root; return its output."""
        return self.docker("exec", name, "sh", "-ec", script)

    def feed(self, name, command, data):
        """Run a command (list) in a host as root with ``data`` (bytes) on its standard input. Raise on failure."""
        result = subprocess.run([*self._docker(), "exec", "-i", name, *command], input=data, capture_output=True)
        if result.returncode:
            raise RuntimeError(f"{command[0]} in {name}: {result.stderr.decode(errors='replace')[-500:]}")
        return result.stdout

"""Network namespaces of the lab's own: its addresses and delays disturb nobody else on the machine."""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import subprocess
import sys

from .image import NotHere

LINK = pathlib.Path(__file__).with_name("slow_link.py")


class Network:
    """A network namespace with its loopback up, held by one sleeping process. Use as a context manager."""

    def __init__(self):
        self._holder = None

    def __enter__(self):
        if os.geteuid() != 0:
            raise NotHere("network namespaces need root")
        read, write = os.pipe()
        self._holder = subprocess.Popen(
            [
                "unshare",
                "--net",
                "--kill-child",
                "sh",
                "-c",
                f"ip link set lo up && echo up >&{write} && exec sleep 86400",
            ],
            pass_fds=(write,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            up = bool(select.select([pipe], [], [], 10)[0]) and pipe.readline() == b"up\n"
        if not up:
            self.__exit__(None, None, None)
            raise NotHere("no network namespace could be made")
        return self

    def __exit__(self, *_error):
        self._holder.kill()
        self._holder.wait()

    @property
    def pid(self):
        """The process whose network namespace this is."""
        return self._holder.pid

    def enter(self):
        """The command that runs what follows it inside."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", "--"]

    def run(self, *command):
        """Run a command inside; raise CalledProcessError with its standard error when it fails."""
        return subprocess.run([*self.enter(), *command], check=True, capture_output=True, text=True).stdout


@contextlib.contextmanager
def linked(here, there, subnet, delay):
    """Join two networks by a link on which each packet takes ``delay`` seconds; half of a round trip.

    ``here`` is ``<subnet>.1``, everything else of ``<subnet>.0/24`` lies ``there``.
    """
    process = subprocess.Popen(
        [sys.executable, str(LINK), str(here.pid), str(there.pid), subnet, str(delay)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout.readline() != "up\n":
            process.wait(5)
            raise NotHere(f"no slow link: {process.stderr.read()[-300:]}")
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()

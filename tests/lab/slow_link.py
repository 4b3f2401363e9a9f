"""A link between two network namespaces that holds every packet back: what netem does, for kernels without it.

Started as ``slow_link.py <pid> <pid> <subnet> <seconds>``; prints ``up`` when packets flow, ends when it is killed.
"""

from __future__ import annotations

import collections
import ctypes
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x0001 | 0x1000
CLONE_NEWNET = 0x40000000
MTU = 1500


def enter(pid):
    """Move this process into the network namespace of ``pid``."""
    with open(f"/proc/{pid}/ns/net", "rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def tunnel(pid, *addresses):
    """Make the interface ``slow0`` in that namespace; return its descriptor."""
    enter(pid)
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", b"slow0", IFF_TUN_NO_PI))
    for address in addresses:
        subprocess.run(["ip", "address", "add", address, "dev", "slow0"], check=True)
    subprocess.run(["ip", "link", "set", "slow0", "mtu", str(MTU), "txqueuelen", "5000", "up"], check=True)
    return descriptor


def forward(here, there, delay):
    """Pass packets both ways, each ``delay`` seconds late. Never returns."""
    other = {here: there, there: here}
    waiting = collections.deque()  # the delay is the same for all: first in, first out
    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for source in select.select([here, there], [], [], pause)[0]:
            try:
                while True:
                    waiting.append((time.monotonic() + delay, other[source], os.read(source, MTU)))
            except BlockingIOError:
                pass
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _due, sink, packet = waiting.popleft()
            try:
                os.write(sink, packet)
            except (BlockingIOError, OSError):
                pass  # a full queue loses packets, as any link does


def main():
    """Make both ends and forward."""
    first, second, subnet, delay = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
    here = tunnel(first, f"{subnet}.1/24")
    there = tunnel(second, f"{subnet}.2/24", *(f"{subnet}.{number}/32" for number in range(101, 151)))
    print("up", flush=True)
    forward(here, there, delay)


if __name__ == "__main__":
    main()

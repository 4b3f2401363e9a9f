"""What commands cost: CPU of whole process trees by control group, peak memory of the main process, wall time."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import time
from dataclasses import dataclass

from lab.image import NotHere

V1 = pathlib.Path("/sys/fs/cgroup/cpuacct")
V2 = pathlib.Path("/sys/fs/cgroup")
GRACE = 900  # seconds after which a measured command is ended


class Group:
    """A control group whose CPU is counted, also of processes that ended. Use as a context manager."""

    def __init__(self, name):
        root = V1 if (V1 / "cpuacct.usage").exists() else V2
        if not os.access(root / "cgroup.procs", os.W_OK):
            raise NotHere("no control groups can be made: CPU of process trees cannot be told")
        self._path = root / f"ringwall-bench-{os.getpid()}-{name}"
        self._v1 = root is V1
        self._home = root / "cgroup.procs"

    def __enter__(self):
        self._path.mkdir()
        return self

    def __exit__(self, *_error):
        for _attempt in range(50):
            with contextlib.suppress(OSError):
                for pid in (self._path / "cgroup.procs").read_text().split():
                    with contextlib.suppress(OSError):
                        self._home.write_text(pid)
                self._path.rmdir()
                return
            time.sleep(0.1)

    @property
    def file(self):
        """The file whose first number is the CPU used so far: nanoseconds (v1) or, as usage_usec, microseconds (v2)."""
        return self._path / ("cpuacct.usage" if self._v1 else "cpu.stat")

    def join(self):
        """Move the calling process into the group."""
        (self._path / "cgroup.procs").write_text(str(os.getpid()))

    def used(self):
        """CPU seconds used so far by all that was ever in it."""
        return cpu_seconds(self.file)


def cpu_seconds(path):
    """CPU seconds that a control group's file tells."""
    text = pathlib.Path(path).read_text()
    return int(text.split()[1]) / 1e6 if text.startswith("usage_usec") else int(text) / 1e9


@dataclass
class Cost:
    """What a command cost: seconds and MiB; ``code`` is its exit code, ``output`` what it said."""

    wall: float
    cpu: float
    targets: float
    peak: float
    code: int
    output: str


def measure(command, group, targets=None, environment=None, folder=None):
    """Run a command inside ``group`` and return its Cost. ``peak`` is the main process's own, without its children."""
    before, beyond = group.used(), targets.used() if targets else 0.0
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, cwd=folder, preexec_fn=group.join, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    lines, peak = [], 0.0
    os.set_blocking(process.stdout.fileno(), False)
    while process.poll() is None:
        peak = max(peak, high_water(process.pid))
        lines.append(_read(process.stdout))
        if time.perf_counter() - start > GRACE:
            process.kill()
        time.sleep(0.02)
    wall = time.perf_counter() - start
    lines.append(_read(process.stdout))
    process.stdout.close()
    return Cost(
        wall,
        group.used() - before,
        (targets.used() if targets else 0.0) - beyond,
        peak,
        process.returncode,
        "".join(lines),
    )


def _read(stream):
    try:
        return stream.read() or ""
    except (BlockingIOError, TypeError):
        return ""


def high_water(pid):
    """Peak resident memory of a process in MiB, 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def machine():
    """What figures depend on: cores, processor, kernel, Python, load when it was asked."""
    import platform

    model = ""
    with contextlib.suppress(OSError, IndexError):
        text = pathlib.Path("/proc/cpuinfo").read_text()
        model = text.split("model name", 1)[1].split("\n", 1)[0].strip(" \t:")
    return {"cores": os.cpu_count(), "processor": model, "kernel": platform.release(), "python": platform.python_version(),
            "load": [round(value, 2) for value in os.getloadavg()]}  # fmt: skip

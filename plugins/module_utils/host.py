"""The one way in which a collector looks at a target: files below a root, commands, /proc.

Nothing here judges, changes or follows what a user of the target controls (see files.py).
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import fnmatch
import os
import selectors
import shutil
import signal
import stat
import subprocess
import time

from .files import DEFAULT_LIMIT, Tree
from .spec import Absent, Unreadable, Unsupported
from .text import raw, text

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": SEARCH_PATH, "LC_ALL": "C", "LANG": "C", "HOME": "/", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}
OUTPUT_LIMIT = 16 * 1024 * 1024


class Completed:
    """A finished command: ``code`` (int), ``out`` and ``err`` (bytes)."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    def lines(self):
        """Standard output as a list of text lines."""
        lines = text(self.out).split("\n")  # splitlines() would let a name with U+2028 pass for two lines
        if lines[-1] == "":
            lines.pop()
        return lines


class Host:
    """A target as a collector sees it. ``root`` other than ``/`` is a mounted image or unpacked tree."""

    def __init__(self, root="/"):
        self.tree = Tree(root)
        self.root = self.tree.root
        self.live = self.root == "/"
        self.euid = os.geteuid()
        self._cache = {}

    text = staticmethod(text)
    raw = staticmethod(raw)

    # Files -------------------------------------------------------------------------------------------

    def read(self, path, limit=DEFAULT_LIMIT):
        """Bytes of a regular file of at most ``limit`` bytes; raise Absent or Unreadable."""
        return self.tree.read(path, limit)

    def read_text(self, path, limit=DEFAULT_LIMIT):
        """The file as valid Unicode (see ``text``)."""
        return text(self.tree.read(path, limit))

    def lines(self, path, limit=DEFAULT_LIMIT):
        r"""The file's lines without line ends; only \\n ends a line."""
        content = self.read_text(path, limit)
        lines = content.split("\n")
        if lines and lines[-1] == "":
            lines.pop()
        return lines

    def stat(self, path):
        """os.stat_result, links followed safely; raise Absent or Unreadable."""
        return self.tree.stat(path)

    def lstat(self, path):
        """os.stat_result of the path itself; raise Absent or Unreadable."""
        return self.tree.stat(path, follow=False)

    def readlink(self, path):
        """Target of a link as text, None when it is not a link; raise Absent or Unreadable."""
        target = self.tree.readlink(path)
        return None if target is None else text(os.fsencode(target))

    def listdir(self, path):
        """Sorted names (as the OS gives them, surrogateescape) in a directory; raise Absent or Unreadable."""
        return self.tree.listdir(path)

    def exists(self, path):
        """True or False; raise Unreadable when it cannot be told."""
        try:
            self.tree.stat(path)
        except Absent:
            return False
        return True

    def is_dir(self, path):
        """True if the path is a directory; raise Unreadable when it cannot be told."""
        try:
            return stat.S_ISDIR(self.tree.stat(path).st_mode)
        except Absent:
            return False

    def glob(self, pattern):
        """Sorted paths that match; wildcards do not cross ``/``. Raise Unreadable for a directory that is denied."""
        found = [""]
        for part in [p for p in pattern.split("/") if p]:
            following = []
            for base in found:
                if not any(c in part for c in "*?["):
                    following.append(base + "/" + part)
                    continue
                try:
                    names = self.tree.listdir(base or "/")
                except Absent:
                    continue
                hidden = part.startswith(".")
                following.extend(
                    base + "/" + name
                    for name in names
                    if fnmatch.fnmatchcase(name, part) and (hidden or not name.startswith("."))
                )
            found = following
        return sorted(path for path in found if self._there(path))

    def _there(self, path):
        try:
            self.tree.stat(path, follow=False)
        except Absent:
            return False
        return True

    # Commands ----------------------------------------------------------------------------------------

    def which(self, name):
        """Absolute path of a program in SEARCH_PATH, or None."""
        key = ("which", name)
        if key not in self._cache:
            self._cache[key] = shutil.which(name, path=SEARCH_PATH)
        return self._cache[key]

    def run(self, argv, timeout=10.0, limit=OUTPUT_LIMIT, data=b"", environment=None):
        """Run a program of the live system in a cleared environment and its own process group.

        ``timeout`` in seconds, ``limit`` in bytes of output. Raise Unsupported under a root that is not
        live, Absent when the program is not there, Unreadable for time-out, too much output, no permission.
        """
        if not self.live:
            raise Unsupported("commands cannot be run in a root that is not running")
        program = argv[0] if argv[0].startswith("/") else self.which(argv[0])
        if program is None:
            raise Absent(argv[0])
        try:
            process = subprocess.Popen(
                [program] + list(argv[1:]),
                stdin=subprocess.PIPE if data else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env=dict(ENVIRONMENT, **(environment or {})),
                start_new_session=True,
            )
        except FileNotFoundError:
            raise Absent(program) from None
        except PermissionError:
            raise Unreadable("denied", "%s: permission denied" % program) from None
        except OSError as error:
            raise Unreadable("invalid", "%s: %s" % (program, error.strerror)) from None
        try:
            return self._drain(process, argv[0], timeout, limit, data)
        finally:
            self._end(process)

    @staticmethod
    def _drain(process, name, timeout, limit, data):
        deadline = time.monotonic() + timeout
        chunks = {process.stdout: [], process.stderr: []}
        total = 0
        if data:
            # The collectors send a few hundred bytes at the most: less than a pipe holds.
            try:
                process.stdin.write(data)
                process.stdin.close()
            except OSError:
                pass
        with selectors.DefaultSelector() as selector:
            for stream in chunks:
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                left = deadline - time.monotonic()
                ready = selector.select(left) if left > 0 else []
                if left <= 0:
                    raise Unreadable("timeout", "%s: no end after %g s" % (name, timeout))
                for key, _events in ready:
                    chunk = os.read(key.fileobj.fileno(), 1 << 16)
                    if not chunk:
                        selector.unregister(key.fileobj)
                        continue
                    chunks[key.fileobj].append(chunk)
                    total += len(chunk)
                    if total > limit:
                        raise Unreadable("partial", "%s: more than %d bytes of output" % (name, limit))
        try:
            code = process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Unreadable("timeout", "%s: no end after %g s" % (name, timeout)) from None
        return Completed(code, b"".join(chunks[process.stdout]), b"".join(chunks[process.stderr]))

    @staticmethod
    def _end(process):
        if process.returncode is None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except OSError:
                pass
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                pass  # stuck in the kernel: the watchdog of collect.py ends us all
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                try:
                    stream.close()
                except OSError:
                    pass

    # The running system ------------------------------------------------------------------------------

    def need_live(self):
        """Raise Unsupported when the root is not the running system."""
        if not self.live:
            raise Unsupported("only a running system can tell")

    def pids(self):
        """Sorted process ids (int) in /proc; raise Unsupported under another root."""
        self.need_live()
        return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())

    def container(self):
        """Name of the container engine that this system runs in (docker, podman, lxc, ...), or None.

        Sources: systemd's /run/systemd/container, the engines' marker files, the environment of PID 1.
        """
        if "container" not in self._cache:
            self._cache["container"] = self._container()
        return self._cache["container"]

    def _container(self):
        if not self.live:
            return None
        inside = self._namespaced()
        markers = [("/run/systemd/container", None)]
        if inside is not False:
            # An image unpacked as the disk of a machine keeps its engine's marker: such a marker proves nothing there.
            markers += [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")]
        for path, name in markers:
            try:
                content = self.read_text(path, 4096).strip()
            except (Absent, Unreadable):
                continue
            return name or content or "unknown"
        try:
            for item in self.read("/proc/1/environ", 1 << 20).split(b"\0"):
                if item.startswith(b"container="):
                    return text(item[10:]) or "unknown"
        except (Absent, Unreadable):
            pass
        return "unknown" if inside == "pid" else None

    @staticmethod
    def _namespaced():
        """False in the kernel's first namespaces, ``pid`` in another pid namespace, True in others, None if unknown.

        The inode numbers of the first namespaces are constants of the kernel (include/linux/proc_ns.h).
        """
        found = False
        try:
            for name, first in (("pid", 0xEFFFFFFC), ("uts", 0xEFFFFFFE), ("ipc", 0xEFFFFFFF)):
                if os.readlink("/proc/self/ns/" + name) != "%s:[%d]" % (name, first):
                    if name == "pid":
                        return "pid"
                    found = True
        except OSError:
            return None
        return found

    def systemd(self):
        """True if systemd is the running init (sd_booted(3))."""
        return self.live and os.path.isdir("/run/systemd/system")

    def cached(self, key, make):
        """What ``make()`` returned the first time for this key: for facts that several tables need."""
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

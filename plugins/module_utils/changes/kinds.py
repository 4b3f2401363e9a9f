"""Resources beside files: fields of account files, kernel parameters, modules, mounts, running units.

Each kind reads a state and puts one. See target.py for what resources and states are.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import errno
import fcntl
import os
import time

from ..spec import Absent, Unreadable
from . import durable
from .target import Problem, sha256

PASSWORD_LOCK = "/etc/.pwd.lock"
"""lckpwdf(3): who holds a lock on it may write passwd, shadow, group and gshadow."""

FLAGS = {"ro": "rw", "nosuid": "suid", "nodev": "dev", "noexec": "exec", "noatime": None, "nodiratime": None,
         "relatime": None, "nosymfollow": "symfollow"}  # fmt: skip
"""Options of one mount point, with the word that takes them away again."""


class Fields:
    """Resource ``field``: key ``<file>:<name>:<number>``; state ``{value}``, ``{locked}`` for a password, or absent."""

    def __init__(self, target):
        self.target = target

    @staticmethod
    def _key(key):
        path, name, number = key.rsplit(":", 2)
        return path, name, int(number)

    def _lines(self, path):
        try:
            return self.target.tree.read(path, 64 << 20).decode("utf-8", "surrogateescape").split("\n")
        except Absent:
            return []
        except Unreadable as error:
            raise Problem(error.why) from None

    def read(self, key):
        """State of the field; a password's is only whether it is locked."""
        path, name, number = self._key(key)
        for line in self._lines(path):
            words = line.split(":")
            if words[0] == name and len(words) > number:
                value = words[number]
                return {"locked": value.startswith("!")} if self._secret(path, number) else {"value": value}
        return {"absent": True}

    @staticmethod
    def _secret(path, number):
        return number == 1 and path in ("/etc/shadow", "/etc/passwd", "/etc/gshadow")

    def put(self, key, state):
        """Write the field; the rest of the file stays byte for byte. The last change sets the file's time, too."""
        path, name, number = self._key(key)
        with _PasswordLock(self.target):
            lines = self._lines(path)
            for index, line in enumerate(lines):
                words = line.split(":")
                if words[0] != name or len(words) <= number:
                    continue
                if self._secret(path, number):
                    bare = words[number][1:] if words[number].startswith("!") else words[number]
                    words[number] = "!" + bare if state["locked"] else bare
                else:
                    words[number] = state["value"]
                lines[index] = ":".join(words)
                break
            else:
                raise Problem("%s has no line of %s" % (path, name))
            data = "\n".join(lines).encode("utf-8", "surrogateescape")
            self.target.put_content(path, {"type": "file"}, lambda: data)


class Entries:
    """Resource ``entry``: key ``<file>:<name>``, a line of an account file; state ``{line}`` or absent.

    Of gshadow's password the state tells only whether it is locked.
    """

    def __init__(self, target):
        self.target = target
        self.fields = Fields(target)

    def read(self, key):
        """The line, a password in it as ``!`` or ``x``."""
        path, name = key.rsplit(":", 1)
        for line in self.fields._lines(path):
            words = line.split(":")
            if words[0] == name:
                if len(words) > 1:
                    words[1] = "!" if words[1][:1] in ("!", "*") else "x"
                return {"line": ":".join(words)}
        return {"absent": True}

    def put(self, key, state):
        """Append the line, or take it away; other lines stay byte for byte."""
        path, name = key.rsplit(":", 1)
        with _PasswordLock(self.target):
            lines = [line for line in self.fields._lines(path) if line.split(":")[0] != name]
            end = len(lines) - (1 if lines and not lines[-1] else 0)
            if "line" in state:
                lines[end:] = [state["line"], ""]
            data = "\n".join(lines).encode("utf-8", "surrogateescape")
            self.target.put_content(path, {"type": "file"}, lambda: data)


def account_file(kind, key):
    """The account file that a resource of such a file lies in, else None."""
    if kind == "field":
        return key.rsplit(":", 2)[0]
    return key.rsplit(":", 1)[0] if kind == "entry" else None


class _PasswordLock:
    """Nobody else changes accounts meanwhile. The file, if we had to make it, goes again."""

    def __init__(self, target):
        self.target, self.descriptor, self.made = target, None, False

    def __enter__(self):
        directory = self.target.tree.directory(os.path.dirname(PASSWORD_LOCK))
        name = os.path.basename(PASSWORD_LOCK)
        try:
            try:
                self.descriptor = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            except FileNotFoundError:
                self.made = True
                self.descriptor = os.open(
                    name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=directory
                )
        finally:
            os.close(directory)
        for _attempt in range(150):
            try:
                fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return self
            except OSError:
                time.sleep(0.1)
        os.close(self.descriptor)
        raise Problem("somebody holds %s for 15 s: accounts are being changed" % PASSWORD_LOCK)

    def __exit__(self, *_error):
        if self.made:
            directory = self.target.tree.directory(os.path.dirname(PASSWORD_LOCK))
            try:
                os.unlink(os.path.basename(PASSWORD_LOCK), dir_fd=directory)
            except OSError:
                pass
            os.close(directory)
        os.close(self.descriptor)


def sysctl_path(key):
    """Path below /proc/sys; in a key that is separated by dots a slash stands for a dot of a name (sysctl(8))."""
    first = next((char for char in key if char in "./"), ".")
    if first == ".":
        key = key.translate({ord("."): "/", ord("/"): "."})
    return "/proc/sys/" + key


class Sysctl:
    """Resource ``sysctl``: state ``{value}`` (white space as one blank) or absent."""

    def __init__(self, target):
        self.target = target

    def read(self, key):
        """What the kernel goes by now."""
        try:
            return {"value": " ".join(self.target.host.read_text(sysctl_path(key), 1 << 16).split())}
        except Absent:
            return {"absent": True}
        except Unreadable as error:
            raise Problem(error.why) from None

    def put(self, key, state):
        """Write it. Some never go back (kernel.modules_disabled): the kernel says so."""
        durable.step("before sysctl")
        try:
            with open(os.path.join(self.target.tree.root, sysctl_path(key)[1:]), "wb", buffering=0) as file:
                file.write(state["value"].encode("utf-8") + b"\n")
        except OSError as error:
            raise Problem("%s cannot be set to %s: %s" % (key, state["value"], error.strerror)) from None
        durable.step("after sysctl")


class Module:
    """Resource ``module``: state ``{loaded}``."""

    def __init__(self, target):
        self.target = target

    def read(self, key):
        """Whether it is in the kernel."""
        try:
            names = [line.split(" ", 1)[0] for line in self.target.host.lines("/proc/modules", 4 << 20)]
        except (Absent, Unreadable):
            names = []
        return {"loaded": key.replace("-", "_") in names}

    def put(self, key, state):
        """Load or unload it."""
        self.target.run(["modprobe", key] if state["loaded"] else ["modprobe", "-r", key])


class Mount:
    """Resource ``mount``: state ``{flags}`` of the mount on top at that path, or absent."""

    def __init__(self, target):
        self.target = target

    def read(self, key):
        """Sorted flags, of those in FLAGS, that it has."""
        found = None
        for line in self.target.host.lines("/proc/self/mountinfo", 8 << 20):
            words = line.split(" ")
            if _octal(words[4]) == key:
                found = words[5].split(",")
        if found is None:
            return {"absent": True}
        return {"flags": sorted(flag for flag in found if flag in FLAGS)}

    def put(self, key, state):
        """Give the mount point these flags; the file system below stays as it is (MS_REMOUNT with MS_BIND)."""
        words = [flag if flag in state["flags"] else FLAGS[flag] for flag in sorted(FLAGS)]
        self.target.run(["mount", "-o", ",".join(["remount", "bind"] + [word for word in words if word]), key])


def _octal(word):
    for code in ("040", "011", "012", "134"):
        word = word.replace("\\x5c" + code, chr(int(code, 8)))
    return word


class Active:
    """Resource ``active``: state ``{active}`` of a unit. ``wait``: not while the system starts, for it waits for us."""

    def __init__(self, target):
        self.target = target
        self.wait = True

    def read(self, key):
        """Whether it runs (or is just starting)."""
        try:
            done = self.target.host.run(["systemctl", "is-active", key], timeout=30)
        except Exception as error:
            raise Problem(str(error)) from None
        return {"active": done.out.strip() in (b"active", b"activating", b"reloading")}

    def put(self, key, state):
        """Start or stop it."""
        verb = "start" if state["active"] else "stop"
        self.target.run(["systemctl", verb] + ([] if self.wait else ["--no-block"]) + [key], timeout=120)


class Made:
    """Resource ``made``: what comes into being by a file of ours later: ``{later}``, there (``{type}``) or absent."""

    def __init__(self, target):
        self.target = target

    def read(self, key):
        """Whether it is there."""
        kind = self.target.type_of(key)
        return {"absent": True} if kind == "absent" else {"type": kind}

    def put(self, key, state):
        """Take it away, a directory only when it is empty; what comes later needs nothing now."""
        if not state.get("absent"):
            return
        try:
            self.target.unlink(key)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise


KINDS = {
    "field": Fields,
    "entry": Entries,
    "sysctl": Sysctl,
    "module": Module,
    "mount": Mount,
    "active": Active,
    "made": Made,
}


class Resources:
    """All resources of a target: ``read`` and ``put`` by kind and key."""

    def __init__(self, target):
        self.target = target
        self.kinds = {name: kind(target) for name, kind in KINDS.items()}

    def read(self, kind, key):
        """The state that is there; raise Problem."""
        if kind == "content":
            return self.target.content(key)
        if kind == "attributes":
            return self.target.attributes(key)
        return self.kinds[kind].read(key)

    def put(self, kind, key, state, blob=None):
        """Make it ``state``; ``blob(digest)`` gives the content of a file. Raise Problem or OSError."""
        if kind == "content":
            digest = state.get("digest")
            self.target.put_content(key, state, lambda: _checked(digest, blob(digest)))
        elif kind == "attributes":
            self.target.put_attributes(key, state)
        else:
            self.kinds[kind].put(key, state)


def _checked(digest, data):
    if sha256(data) != digest:
        raise Problem("the saved content is not what was saved: its digest differs")
    return data


_IDENTITY = {"content": ("type", "digest", "target"), "attributes": ("type", "mode", "uid", "gid")}


def identity(kind, state):
    """What of a state must be equal for it to be the same: times and, for contents, owners are left out."""
    if kind in _IDENTITY:
        return {name: state[name] for name in _IDENTITY[kind] if name in state}
    return state


def same(kind, one, other):
    """True if two states are the same."""
    return identity(kind, one) == identity(kind, other)

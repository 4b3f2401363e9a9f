"""The host as the change engine sees it: what is there (states), and how it becomes something else.

A *resource* is ``(kind, key)``; its *state* is a small JSON object. Files have two resources: ``content`` (absent, a
file by its digest, a link, a directory) and ``attributes`` (mode, owner), so that whoever changes one of them stands in
nobody's way who changes the other.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import errno
import fcntl
import hashlib
import os
import stat
import struct

from ..host import Host
from ..spec import Absent, Unreadable
from . import durable

LIMIT = 8 << 20
"""Bytes of a file that may be changed."""

_GETFLAGS = 0x80086601 if struct.calcsize("P") == 8 else 0x80046601  # FS_IOC_GETFLAGS of linux/fs.h
_IMMUTABLE, _APPEND = 0x10, 0x20


class Problem(Exception):
    """An operation cannot be carried out here; the message says why. Nothing was changed by it."""


class Conflict(Exception):
    """What is there is not what it was when it was looked at."""


def sha256(data):
    """Digest (hexadecimal) of a content."""
    return hashlib.sha256(data).hexdigest()


class Target:
    """A live system, or the tree below ``root`` (tests, images): there commands are not run."""

    def __init__(self, root="/"):
        self.host = Host(root)
        self.tree = self.host.tree
        self.live = self.host.live
        self.blobs = {}  # digest -> content that was read or is to be written

    # Reading -----------------------------------------------------------------------------------------

    def lstat(self, path):
        """os.stat_result of the path itself, or None when it is not there."""
        try:
            return self.tree.stat(path, follow=False)
        except Absent:
            return None
        except Unreadable as error:
            raise Problem(error.why) from None

    def resolve(self, path):
        """The path behind links that root made; the path itself when nothing is there."""
        try:
            return self.tree.resolve(path)
        except Absent:
            if self.lstat(path) is not None:
                raise Problem("%s is a link that leads nowhere" % path) from None
            return path
        except Unreadable as error:
            raise Problem(error.why) from None

    def content(self, path):
        """State ``{type: absent|file|link|dir|other, ...}`` of what lies there; a file's bytes go to ``blobs``."""
        info = self.lstat(path)
        if info is None:
            return {"type": "absent"}
        owner = {"mode": stat.S_IMODE(info.st_mode), "uid": info.st_uid, "gid": info.st_gid}
        if stat.S_ISLNK(info.st_mode):
            link = {"type": "link", "target": self.tree.readlink(path), "mtime": info.st_mtime_ns}
            return dict(link, uid=info.st_uid, gid=info.st_gid)
        if stat.S_ISDIR(info.st_mode):
            return dict(owner, type="dir", mtime=info.st_mtime_ns)
        if not stat.S_ISREG(info.st_mode):
            return {"type": "other"}
        try:
            data = self.tree.read(path, LIMIT)
        except (Absent, Unreadable) as error:
            raise Problem(str(error)) from None
        digest = sha256(data)
        self.blobs[digest] = data
        state = dict(owner, type="file", digest=digest, mtime=info.st_mtime_ns)
        with self._opened(path) as descriptor:
            state["xattrs"] = durable.xattrs(descriptor)
        return state

    def type_of(self, path):
        """absent, file, link, dir or other."""
        info = self.lstat(path)
        if info is None:
            return "absent"
        return {0o120000: "link", 0o100000: "file", 0o040000: "dir"}.get(info.st_mode & 0o170000, "other")

    def attributes(self, path):
        """State ``{type, mode, uid, gid}``, or ``{type: absent}``."""
        info = self.lstat(path)
        if info is None:
            return {"type": "absent"}
        kind = "dir" if stat.S_ISDIR(info.st_mode) else "file" if stat.S_ISREG(info.st_mode) else "other"
        return {"type": kind, "mode": stat.S_IMODE(info.st_mode), "uid": info.st_uid, "gid": info.st_gid}

    def obstacle(self, path, content=True):
        """Why the file must not be changed, or None: hard links, flags, a directory of somebody else."""
        info = self.lstat(path)
        if info is None:
            return None
        foreign = self._foreign(path)
        if stat.S_ISREG(info.st_mode) and info.st_nlink > 1 and (content or foreign):
            return "%s has %d hard links: changing one name would part it from the others" % (path, info.st_nlink)
        if stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode):
            with self._opened(path) as descriptor:
                flags = _flags(descriptor)
            if flags & (_IMMUTABLE | _APPEND):
                word = "immutable (chattr +i)" if flags & _IMMUTABLE else "append-only (chattr +a)"
                return "%s is %s" % (path, word)
        return None

    def _foreign(self, path):
        folder = self.lstat(os.path.dirname(path))
        return folder is not None and folder.st_uid not in (0, os.geteuid())

    def _opened(self, path):
        return _Opened(self, path)

    # Changing ----------------------------------------------------------------------------------------

    def put_content(self, path, state, blob=None):
        """Make what lies at the path the state. Attributes of a file that stays a file are those that it has now."""
        folder, name = os.path.split(path)
        now = self.content(path)
        with _Folder(self, folder) as directory:
            durable.sweep(directory, [name])
            if state["type"] == "absent":
                if now["type"] != "absent":
                    durable.remove(directory, name, folder=now["type"] == "dir")
            elif state["type"] == "link":
                durable.replace_link(directory, name, state["target"], state.get("mtime"))
            elif state["type"] == "dir":
                if now["type"] != "dir":
                    durable.make_directory(directory, name, state["mode"], state["uid"], state["gid"])
                self._mtime(path, state)
            elif state["type"] == "file":
                owner = now if now["type"] == "file" else state
                durable.replace_file(
                    directory, name, blob(), owner["mode"], owner["uid"], owner["gid"], owner.get("xattrs"),
                    state.get("mtime"),
                )  # fmt: skip
            else:
                raise Problem("%s is neither a file nor a link nor a directory" % path)

    def unlink(self, path):
        """Take a file or an empty directory away, however large it is; raise OSError."""
        folder, name = os.path.split(path)
        kind = self.type_of(path)
        if kind in ("file", "dir"):
            with _Folder(self, folder) as directory:
                durable.remove(directory, name, folder=kind == "dir")

    def _mtime(self, path, state):
        if state.get("mtime") is not None:
            with _Folder(self, path) as directory:
                os.utime(directory, ns=(state["mtime"], state["mtime"]))

    def put_attributes(self, path, state):
        """Set mode and owner by descriptor."""
        if state["type"] not in ("file", "dir"):
            raise Problem("%s is neither a file nor a directory" % path)
        with self._opened(path) as descriptor:
            info = os.fstat(descriptor)
            if stat.S_ISREG(info.st_mode) and info.st_nlink > 1 and self._foreign(path):
                raise Problem("%s has %d hard links in a directory of somebody else" % (path, info.st_nlink))
            durable.set_attributes(descriptor, state["mode"], state["uid"], state["gid"])
            os.fsync(descriptor)
        durable.step("after chmod and chown")

    def folder_time(self, path):
        """When names in a directory changed last (ns), or None."""
        info = self.lstat(path)
        return None if info is None else info.st_mtime_ns

    def set_folder_time(self, path, mtime):
        """Set it back."""
        try:
            self._mtime(path, {"mtime": mtime})
        except (Absent, Unreadable, OSError):
            pass

    # Commands ----------------------------------------------------------------------------------------

    def run(self, argv, timeout=90.0, data=b""):
        """Run a program; raise Problem when it is not there, does not end or fails; return its output (bytes)."""
        durable.step("before " + argv[0])
        try:
            done = self.host.run(argv, timeout=timeout, data=data)
        except Absent as error:
            raise Problem("%s is not there" % error) from None
        except Exception as error:
            raise Problem(str(error)) from None
        if done.code != 0:
            said = b" ".join((done.err or done.out).split()).decode("utf-8", "replace")
            raise Problem("%s ended with %d: %s" % (" ".join(argv)[:200], done.code, said[-400:]))
        durable.step("after " + argv[0])
        return done.out


def _flags(descriptor):
    try:
        return struct.unpack("i", fcntl.ioctl(descriptor, _GETFLAGS, b"\0\0\0\0\0\0\0\0")[:4])[0]
    except OSError:
        return 0


class _Folder:
    """A directory's descriptor for a block."""

    def __init__(self, target, path):
        self.target, self.path, self.descriptor = target, path or "/", None

    def __enter__(self):
        try:
            self.descriptor = self.target.tree.directory(self.path)
        except (Absent, Unreadable) as error:
            raise Problem(str(error) if isinstance(error, Unreadable) else "%s is not there" % error) from None
        return self.descriptor

    def __exit__(self, *_error):
        os.close(self.descriptor)


class _Opened:
    """A file's or directory's descriptor for a block; the last component is never a link."""

    def __init__(self, target, path):
        self.target, self.path, self.descriptor = target, path, None

    def __enter__(self):
        folder, name = os.path.split(self.path)
        with _Folder(self.target, folder) as directory:
            try:
                self.descriptor = durable.open_plain(directory, name or ".")
            except OSError as error:
                link = error.errno == errno.ELOOP
                raise Problem("%s: %s" % (self.path, "a link" if link else error.strerror)) from None
        return self.descriptor

    def __exit__(self, *_error):
        os.close(self.descriptor)

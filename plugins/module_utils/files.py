"""Reading files of a target that may be hostile.

A path is walked from a directory descriptor, component by component. A link is followed only when it and
its directory belong to root (or to the user that reads); absolute links and ``..`` stay inside the root.
Only regular files are opened, never blocking, and reading is capped. Virtual files of /proc and /sys take
the same way.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import errno
import os
import stat

from .spec import Absent, Unreadable

MAX_LINKS = 40
"""The kernel's own limit on links in one path (path_resolution(7))."""

DEFAULT_LIMIT = 4 * 1024 * 1024
"""Bytes read of one file unless the caller names another cap."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_OPATH = getattr(os, "O_PATH", 0)
_ENTER = _OPATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC if _OPATH else _DIRECTORY
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def _parts(path):
    return [part for part in path.split("/") if part not in ("", ".")]


def failure(error, path):
    """Turn an OSError about ``path`` into Absent or Unreadable (returned, for the caller to raise)."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Absent(path)
    if error.errno in (errno.EACCES, errno.EPERM):
        return Unreadable("denied", "%s: permission denied" % path)
    if error.errno in (errno.ELOOP, errno.ENXIO):
        return Unreadable("invalid", "%s: changed while it was opened" % path)
    return Unreadable("invalid", "%s: %s" % (path, os.strerror(error.errno or 0)))


class Tree:
    """Files below one root directory (``/`` for the live system)."""

    def __init__(self, root="/"):
        self.root = os.path.abspath(root)
        self._root_fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._trusted = {0, os.geteuid()}
        if self.root != "/":
            # An unpacked root file system usually belongs to whoever unpacked it.
            self._trusted.add(os.fstat(self._root_fd).st_uid)

    def __del__(self):
        try:
            os.close(self._root_fd)
        except Exception:
            pass  # never opened, or the interpreter ends

    def _walk(self, path, follow_last):
        """Return (descriptor of the directory, last component, its lstat); the caller closes the descriptor."""
        todo = _parts(path)[::-1]
        stack = [os.dup(self._root_fd)]
        links = 0
        info = os.fstat(stack[-1])
        last = "."
        try:
            while todo:
                part = todo.pop()
                if part == "..":
                    if len(stack) > 1:
                        os.close(stack.pop())
                    info = os.fstat(stack[-1])
                    last = "."
                    continue
                info = os.stat(part, dir_fd=stack[-1], follow_symlinks=False)
                last = part
                if stat.S_ISLNK(info.st_mode) and (todo or follow_last):
                    links += 1
                    if links > MAX_LINKS:
                        raise Unreadable("invalid", "%s: more than %d links" % (path, MAX_LINKS))
                    owner = os.fstat(stack[-1]).st_uid
                    if info.st_uid not in self._trusted or owner not in self._trusted:
                        raise Unreadable(
                            "invalid",
                            "%s: a link that uid %d controls is not followed"
                            % (path, info.st_uid if info.st_uid not in self._trusted else owner),
                        )
                    target = os.readlink(part, dir_fd=stack[-1])
                    if target.startswith("/"):
                        while len(stack) > 1:
                            os.close(stack.pop())
                    todo.extend(_parts(target)[::-1])
                    info = os.fstat(stack[-1])
                    last = "."
                    continue
                if todo:
                    if not stat.S_ISDIR(info.st_mode):
                        raise Absent(path)
                    stack.append(self._enter(part, stack[-1], path))
            return stack.pop(), last, info
        except OSError as error:
            raise failure(error, path) from None
        except ValueError:  # a NUL or a lone surrogate: no file bears such a name
            raise Unreadable("invalid", "not a path") from None
        finally:
            for descriptor in stack:
                os.close(descriptor)

    @staticmethod
    def _enter(part, parent, path):
        """Open a component that lstat called a directory. One that is none any more is no absence: it was swapped."""
        try:
            return os.open(part, _ENTER, dir_fd=parent)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                raise Unreadable("invalid", "%s: changed while it was opened" % path) from None
            raise

    def stat(self, path, follow=True):
        """Return os.stat_result of ``path``; raise Absent or Unreadable."""
        directory, _last, info = self._walk(path, follow)
        os.close(directory)
        return info

    def readlink(self, path):
        """Return the target text (bytes decoded with surrogateescape) of a link, or None if it is no link."""
        directory, last, info = self._walk(path, False)
        try:
            return os.readlink(last, dir_fd=directory) if stat.S_ISLNK(info.st_mode) else None
        except OSError as error:
            raise failure(error, path) from None
        finally:
            os.close(directory)

    def open(self, path, limit=DEFAULT_LIMIT):
        """Return a read-only descriptor of a regular file; raise Absent or Unreadable."""
        directory, last, info = self._walk(path, True)
        try:
            if not stat.S_ISREG(info.st_mode):
                raise Unreadable("invalid", "%s: not a regular file" % path)
            descriptor = os.open(last, _FILE, dir_fd=directory)
        except OSError as error:
            raise failure(error, path) from None
        finally:
            os.close(directory)
        now = os.fstat(descriptor)
        if not stat.S_ISREG(now.st_mode) or (now.st_dev, now.st_ino) != (info.st_dev, info.st_ino):
            os.close(descriptor)
            raise Unreadable("invalid", "%s: changed while it was opened" % path)
        return descriptor

    def read(self, path, limit=DEFAULT_LIMIT):
        """Return the bytes of a regular file; raise Absent, or Unreadable when it is larger than ``limit``."""
        descriptor = self.open(path)
        chunks = []
        size = 0
        try:
            while True:
                chunk = os.read(descriptor, min(1 << 20, limit + 1 - size))
                if not chunk:
                    return b"".join(chunks)
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise Unreadable("partial", "%s: larger than %d bytes" % (path, limit))
        except OSError as error:
            raise failure(error, path) from None
        finally:
            os.close(descriptor)

    def directory(self, path):
        """Return a descriptor of a directory; raise Absent or Unreadable."""
        directory, last, info = self._walk(path, True)
        try:
            if not stat.S_ISDIR(info.st_mode):
                raise Absent(path)
            return os.open(last, _DIRECTORY, dir_fd=directory)
        except OSError as error:
            raise failure(error, path) from None
        finally:
            os.close(directory)

    def resolve(self, path):
        """Return the path (below the root) that ``path`` leads to once all links are followed; raise like ``stat``."""
        directory, last, _info = self._walk(path, True)
        try:
            found = os.path.normpath(os.path.join(os.readlink("/proc/self/fd/%d" % directory), last))
        finally:
            os.close(directory)
        if self.root == "/":
            return found
        return "/" + os.path.relpath(found, os.path.realpath(self.root)) if found != self.root else "/"

    def listdir(self, path):
        """Return the sorted names (str, surrogateescape) in a directory; raise Absent or Unreadable."""
        descriptor = self.directory(path)
        try:
            return sorted(os.listdir(descriptor))
        except OSError as error:
            raise failure(error, path) from None
        finally:
            os.close(descriptor)

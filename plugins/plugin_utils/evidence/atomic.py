"""Files that are there whole or not at all, also after a kill or a loss of power."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets

from .canonical import canonical

FEW = 16
"""Fewer files are synced one by one: a sync of everything waits for other programs' data, too."""


def fsync_directory(path):
    """Make the names in a directory durable. File systems that cannot do it (EINVAL) are left to their own ways."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def make_directory(path):
    """Make a directory (and its parents) with mode 0700 if it is not there; the new name is durable on return."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent and not os.path.isdir(parent):
        make_directory(parent)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
    fsync_directory(parent or ".")


def write_temporary(path, data, mode=0o600, sync=True):
    """Write ``data`` beside ``path``, synced; return the temporary name. The caller renames or removes it."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        if sync:
            os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    return temporary


def write(path, data, mode=0o600):
    """Put ``data`` (bytes) at ``path``: a reader sees the old content or the new one, durable on return."""
    temporary = write_temporary(path, data, mode)
    try:
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    fsync_directory(os.path.dirname(path))


def write_many(files):
    """Put ``{path: bytes}`` where nothing was, in that order, with one sync for all; directories are made."""
    if len(files) < FEW:
        for path, data in files.items():
            make_directory(os.path.dirname(path))
            write(path, data)
        return
    temporary = {}
    try:
        for path, data in files.items():
            make_directory(os.path.dirname(path))
            temporary[path] = write_temporary(path, data, sync=False)
        os.sync()
        for path in files:
            os.replace(temporary[path], path)
            del temporary[path]
    finally:
        for left in temporary.values():
            with contextlib.suppress(OSError):
                os.unlink(left)
    for folder in {os.path.dirname(path) for path in files}:
        fsync_directory(folder)


def write_json(path, value):
    """Put a JSON value at ``path`` as ``write`` does."""
    write(path, canonical(value).encode("ascii"))


def sweep(folder, older_than):
    """Remove temporary files in ``folder`` that a killed writer left before ``older_than`` (Unix seconds)."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name.endswith(".tmp"):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < older_than:
                        os.unlink(entry.path)


@contextlib.contextmanager
def locked(path):
    """Hold an exclusive lock on the file at ``path`` (made if missing) against all other processes."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)

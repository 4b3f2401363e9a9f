"""Changes of a file system that are there whole or not at all, also after a kill or a loss of power.

All work goes by descriptors of directories; no name is followed through a link. ``step`` marks each moment at which a
kill leaves another state behind: tests end the process at every one of them.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import errno
import os
import stat

HOOK = []
"""Functions called at every step with its name; empty outside tests."""

TEMPORARY = ".ringwall-"
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_LEFT = ("security.ima", "security.evm")  # of the content: the kernel makes them anew


def step(name):
    """A moment at which this process may be killed."""
    for hook in HOOK:
        hook(name)


def sync_directory(descriptor):
    """Make the names in a directory durable; file systems that cannot do so are left to their own ways."""
    step("before fsync of a directory")
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def xattrs(descriptor):
    """Return {name: hexadecimal value} of the extended attributes, access control lists and labels among them."""
    try:
        names = os.listxattr(descriptor)
    except OSError:
        return {}
    found = {}
    for name in names:
        if name in _LEFT:
            continue
        try:
            found[name] = os.getxattr(descriptor, name).hex()
        except OSError:
            pass
    return found


def set_xattrs(descriptor, wanted):
    """Make the extended attributes those of ``wanted``; raise OSError for one that had to be kept and could not."""
    now = xattrs(descriptor)
    for name, value in wanted.items():
        if now.get(name) != value:
            try:
                os.setxattr(descriptor, name, bytes.fromhex(value))
            except OSError as error:
                # A label that this kernel does not enforce cannot be lost by not setting it.
                if error.errno not in (errno.ENOTSUP, errno.EOPNOTSUPP):
                    raise
    for name in now:
        if name not in wanted and name != "security.selinux":
            os.removexattr(descriptor, name)


def set_attributes(descriptor, mode=None, uid=None, gid=None, attributes=None, mtime=None):
    """Set what is given by descriptor. The owner first: a change of owner takes away set-uid bits."""
    now = os.fstat(descriptor)
    uid, gid = now.st_uid if uid is None else uid, now.st_gid if gid is None else gid
    if (now.st_uid, now.st_gid) != (uid, gid):
        step("before chown")
        os.fchown(descriptor, uid, gid)
    if attributes is not None:
        set_xattrs(descriptor, attributes)
    if mode is not None and stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        step("before chmod")
        os.fchmod(descriptor, mode)
    if mtime is not None:
        os.utime(descriptor, ns=(mtime, mtime))


def _temporary(directory, name):
    for number in range(1000):
        yield "%s%s.%d.%d" % (TEMPORARY, name[:200], os.getpid(), number)


def replace_file(directory, name, data, mode, uid, gid, attributes=None, mtime=None):
    """Put a regular file with that content and those attributes at ``name``: before, or after, and nothing between."""
    for temporary in _temporary(directory, name):
        try:
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=directory
            )
            break
        except FileExistsError:
            continue
    else:
        raise OSError(errno.EEXIST, "no free temporary name")
    try:
        try:
            step("temporary file made")
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            set_attributes(descriptor, mode, uid, gid, attributes, mtime)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        step("before rename")
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except Exception:
        try:
            os.unlink(temporary, dir_fd=directory)
        except OSError:
            pass
        raise
    step("after rename")
    sync_directory(directory)


def replace_link(directory, name, target, mtime=None):
    """Put a symbolic link at ``name``."""
    for temporary in _temporary(directory, name):
        try:
            os.symlink(target, temporary, dir_fd=directory)
            break
        except FileExistsError:
            continue
    if mtime is not None:
        os.utime(temporary, ns=(mtime, mtime), dir_fd=directory, follow_symlinks=False)
    step("before rename of a link")
    os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    step("after rename of a link")
    sync_directory(directory)


def remove(directory, name, folder=False):
    """Take a name out of a directory."""
    step("before unlink")
    if folder:
        os.rmdir(name, dir_fd=directory)
    else:
        os.unlink(name, dir_fd=directory)
    step("after unlink")
    sync_directory(directory)


def make_directory(directory, name, mode, uid, gid, attributes=None):
    """Make a directory with those attributes, whole or not at all."""
    for temporary in _temporary(directory, name):
        try:
            os.mkdir(temporary, 0o700, dir_fd=directory)
            break
        except FileExistsError:
            continue
    step("temporary directory made")
    descriptor = os.open(temporary, _OPEN | os.O_DIRECTORY, dir_fd=directory)
    try:
        set_attributes(descriptor, mode, uid, gid, attributes)
    finally:
        os.close(descriptor)
    step("before rename of a directory")
    os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    step("after rename of a directory")
    sync_directory(directory)


def open_plain(directory, name, folder=False):
    """Open a regular file or directory for reading or for a change of its attributes, never through a link."""
    descriptor = os.open(name, _OPEN | (os.O_DIRECTORY if folder else 0), dir_fd=directory)
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "neither a regular file nor a directory")
    return descriptor


def sweep(directory, names):
    """Remove temporary names that a killed process left in a directory. Only ours, and only for these names."""
    for entry in os.listdir(directory):
        if entry.startswith(TEMPORARY) and entry[len(TEMPORARY) :].rsplit(".", 2)[0] in {name[:200] for name in names}:
            try:
                if stat.S_ISDIR(os.stat(entry, dir_fd=directory, follow_symlinks=False).st_mode):
                    os.rmdir(entry, dir_fd=directory)
                else:
                    os.unlink(entry, dir_fd=directory)
            except OSError:
                pass

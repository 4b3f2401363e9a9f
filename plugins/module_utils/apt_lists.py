"""apt's package lists on disk: which installed packages have a newer version in a security archive.

Nothing is fetched and apt is not run: the answer is as old as the lists. Pins and phased updates are not weighed.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os
import re
import zlib

from .deb_version import version_key
from .reading import names_in
from .spec import Absent, Unreadable
from .text import text

DIRECTORY = "/var/lib/apt/lists"
HELPER = "/usr/lib/apt/apt-helper"
LIMIT = 96 << 20
"""Bytes of uncompressed lists looked at: the main archive of a release has about 50 MB."""
CHUNK = 1 << 20

_FIELD = re.compile(rb"^(Version|Architecture|Source): *(\S+)", re.MULTILINE)
_SECURITY = re.compile(
    r"(?:^|_)(?:debian-security|security\.ubuntu\.com|.*-security)_|_dists_[^_]*-security_|_updates-security_"
)


def is_security(name):
    """True if a file of the lists directory belongs to a security archive of Debian or Ubuntu."""
    return bool(_SECURITY.search(name))


def candidates(chunks, installed):
    """Return {key: version} of the newest version of each installed package in one list.

    ``chunks``: iterable of bytes of a Packages file; ``installed``: {name (bytes): {architecture: key}}.
    """
    found = {}
    rest = b""
    for chunk in chunks:
        stanzas = (rest + chunk).split(b"\n\n")
        rest = stanzas.pop()
        _take(stanzas, installed, found)
    _take([rest], installed, found)
    return found


def _take(stanzas, installed, found):
    for stanza in stanzas:
        # The first line names the package in every list that apt makes; most stanzas end here.
        if not stanza.startswith(b"Package: "):
            stanza = stanza[stanza.find(b"\nPackage: ") + 1 :]
        known = installed.get(stanza[9 : stanza.find(b"\n")].strip())
        if known is None:
            continue
        fields = dict(_FIELD.findall(stanza))
        key = known.get(fields.get(b"Architecture", b"").decode("ascii", "replace"))
        if key is None or b"Version" not in fields:
            continue
        version = text(fields[b"Version"])
        if key not in found or version_key(version) > version_key(found[key]):
            found[key] = version


def _read_chunks(host, path):
    """Yield the bytes of one list, whatever its compression."""
    descriptor = host.tree.open(path)
    total = 0
    try:
        inflate = zlib.decompressobj(31) if path.endswith(".gz") else None
        while True:
            chunk = os.read(descriptor, CHUNK)
            if inflate is not None:
                chunk = inflate.decompress(chunk, CHUNK) if chunk else inflate.flush()
                while chunk:
                    total += len(chunk)
                    _bound(total, path)
                    yield chunk
                    chunk = inflate.decompress(inflate.unconsumed_tail, CHUNK)
                if inflate.eof:
                    return
                continue
            if not chunk:
                return
            total += len(chunk)
            _bound(total, path)
            yield chunk
    except zlib.error:
        raise Unreadable("invalid", "%s: not a gzip file" % path) from None
    finally:
        os.close(descriptor)


def _bound(total, path):
    if total > LIMIT:
        raise Unreadable("partial", "%s: larger than %d bytes" % (path, LIMIT))


def _chunks(host, path):
    if path.endswith(("_Packages", ".gz")):
        return _read_chunks(host, path)
    # lz4, xz, zstd: apt's own helper knows what this apt writes.
    try:
        done = host.run([HELPER, "cat-file", path], timeout=20.0, limit=LIMIT)
    except Absent:
        raise Unreadable("invalid", "%s: cannot be unpacked here" % path) from None
    if done.code != 0:
        raise Unreadable("invalid", "%s: apt-helper ended with code %d" % (path, done.code))
    return [done.out]


def pending(host, packages, everything=False):
    """Return {key: (installed version, candidate, security)} of packages with a newer version in the lists.

    ``packages``: rows of dpkg.read_database. Only security archives are looked at unless ``everything``. Raise
    Unreadable when there is no list to look at, or one cannot be read.
    """
    lists = [
        DIRECTORY + "/" + name
        for name in names_in(host, DIRECTORY)
        if re.search(r"_Packages(?:\.\w+)?$", name) and (everything or is_security(name))
    ]
    if not any(is_security(os.path.basename(path)) for path in lists):
        raise Unreadable("partial", "%s holds no list of a security archive" % DIRECTORY)
    installed = {}
    for key, row in packages.items():
        if row["installed"] and row["version"]:
            installed.setdefault(host.raw(row["name"]), {})[row["architecture"]] = key
    found = {}
    for path in lists:
        security = is_security(os.path.basename(path))
        try:
            newest = candidates(_chunks(host, path), installed)
        except Absent:
            continue  # apt replaced it meanwhile
        for key, version in newest.items():
            current = packages[key]["version"]
            if version_key(version) <= version_key(current):
                continue
            if key not in found or version_key(version) > version_key(found[key][1]):
                found[key] = (current, version, security or (key in found and found[key][2]))
            elif security:
                found[key] = found[key][:2] + (True,)
    return found


def lists_time(host):
    """Unix time of the newest list (seconds), None without any."""
    newest = None
    for name in names_in(host, DIRECTORY):
        if name.endswith(("Release", "Packages")) or "_Packages." in name:
            try:
                # apt keeps the server's time on the file; when it was written here is the change time.
                newest = max(newest or 0, host.stat(DIRECTORY + "/" + name).st_ctime)
            except Absent:
                continue
    return newest

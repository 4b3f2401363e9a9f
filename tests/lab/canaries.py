"""Secrets planted where real servers keep theirs, and the search for them in everything that a run leaves behind."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import pathlib
import re
import secrets
import shlex
import sqlite3
import subprocess
import urllib.parse
import zlib
from dataclasses import dataclass

_PACKED = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")
_PARTS = re.compile(r"[A-Za-z0-9]{7,}")


@dataclass(frozen=True)
class Canary:
    """One secret: its value, the place where it lies, and the words of it that occur nowhere else."""

    value: str
    place: str

    def parts(self):
        """The value, and each run of seven letters and digits in it: half a secret is a leak too."""
        return {self.value, *_PARTS.findall(self.value)}

    def forms(self):
        """Every spelling that is looked for, as bytes: plain, URL-encoded, hexadecimal, base64 at each alignment, SHA-256."""
        found = set()
        for part in self.parts():
            raw = part.encode()
            found |= {
                raw,
                urllib.parse.quote(part, safe="").encode(),
                raw.hex().encode(),
                raw.hex().upper().encode(),
                "".join(f"%{byte:02X}" for byte in raw).encode(),
                json.dumps(part)[1:-1].encode(),
            }
            for shift in range(3):
                encoded = base64.b64encode(bytes(shift) + raw)
                # What the neighbours of the secret would change is cut off at both ends.
                found.add(
                    encoded[-(-shift * 8 // 6) : len(encoded.rstrip(b"=")) - (1 if (shift + len(raw)) % 3 else 0)]
                )
        # A digest of a password alone is cracked in minutes; with the line end as in a file that holds nothing else.
        found |= {hashlib.sha256(self.value.encode() + end).hexdigest().encode() for end in (b"", b"\n")}
        return found


class Nest:
    """Makes canaries, each another: words as people choose them, words with signs, hexadecimal digits."""

    def __init__(self):
        self.canaries = []
        # Another word in each run: what an earlier one left somewhere must not be taken for a leak of this one.
        self._flower = "".join(secrets.choice("abcdefghijklmnoprstuvwz") for _letter in range(5))

    def lay(self, text, place):
        """Return ``text`` with each ``@@`` replaced by a new canary without signs that files of any kind need to quote,
        each ``@!`` by one with such signs, each ``@#`` by hexadecimal digits.
        """
        return re.sub("@([@!#])", lambda match: self._new(match.group(1), place), text)

    def _new(self, kind, place):
        number = len(self.canaries) + 10
        if kind == "#":
            value = hashlib.sha256(f"{self._flower} {number}".encode()).hexdigest()[:40]
        elif kind == "!":
            value = f"Falke{number}x!{self._flower}{number}"
        else:
            value = f"sommer{number}{self._flower}"  # no shape gives it away: only its place does
        self.canaries.append(Canary(value, place))
        return value


def plant(engine, name, files, script, folder):
    """Put ``files`` (path -> (mode, text)) on the host and run the shell ``script`` there; return the canaries.

    Files and script may hold the marks of ``Nest.lay``. A file's owner is root.
    """
    nest = Nest()
    for path, (mode, text) in files.items():
        file = pathlib.Path(folder) / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(nest.lay(text, path))
        file.chmod(mode)
    tree = subprocess.run(
        ["tar", "-C", str(folder), "--owner=0", "--group=0", "-cf", "-", "."], check=True, capture_output=True
    ).stdout
    engine.feed(name, ["tar", "-C", "/", "--no-overwrite-dir", "-xf", "-"], tree)
    lines = "\n".join(nest.lay(line, line.strip()[:70]) for line in script.splitlines())
    engine.docker("exec", name, "sh", "-euc", lines)
    return nest.canaries


def unpacked(path, into):
    """Write what is packed inside a file (gzip, SQLite cells, base64 of zlib in text) to files in ``into``."""
    data = path.read_bytes()
    into.mkdir(parents=True, exist_ok=True)
    found = [data]
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
        found.append(data)
    elif data[:15] == b"SQLite format 3":
        found += _cells(path)
    for match in _PACKED.finditer(data):
        try:
            found.append(zlib.decompress(base64.b64decode(match.group())))
        except (ValueError, zlib.error):
            continue
    stem = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    for number, content in enumerate(found):
        (into / f"{stem}.{number}.{path.name}").write_bytes(content)
    return len(found)


def _cells(path):
    """Every cell of every table of a SQLite file as bytes; packed ones unpacked."""
    # Immutable: no lock is asked for; what is still in the write-ahead log lies beside it, unpacked.
    connection = sqlite3.connect(f"file:{urllib.parse.quote(str(path))}?mode=ro&immutable=1", uri=True)
    connection.text_factory = bytes
    cells = []
    try:
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in connection.execute(f'select * from "{table.decode()}"'):
                cells.extend(_inflated(cell) for cell in row if isinstance(cell, bytes))
    finally:
        connection.close()
    return [b"\n".join(cells)]


def _inflated(cell):
    if cell[:2] == b"\x1f\x8b" or cell[:1] == b"\x78":
        try:
            return zlib.decompressobj(47).decompress(cell)
        except zlib.error:
            pass
    return cell


def leaks(canaries, places, scratch, others=()):
    """Look for every form of every canary in files; return [(place of the secret, form, file)] and the count of ``places``.

    ``places`` are ours and unpacked; ``others`` may be anybody's, still being written or gone, and are looked at as they are.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    plain = scratch / "plain"
    count = sum(1 for path in places if path.is_file() and unpacked(path, plain))
    for number, path in enumerate(others):
        with contextlib.suppress(OSError):
            (plain / f"other.{number}.{str(path).replace('/', '%')[-120:]}").write_bytes(path.read_bytes())
    owners = {form: canary for canary in canaries for form in canary.forms()}
    patterns = scratch / "patterns"
    patterns.write_bytes(b"\n".join(sorted(owners)) + b"\n")
    result = subprocess.run(["grep", "-r", "-a", "-o", "-F", "-f", str(patterns), str(plain)], capture_output=True)
    if result.returncode not in (0, 1):
        raise RuntimeError(result.stderr.decode(errors="replace")[:500])
    found = set()
    for line in result.stdout.splitlines():
        file, _colon, form = line.rpartition(b":")
        found.add((owners[form].place, form.decode(), file.decode(errors="replace").rpartition(".")[0]))
    return sorted(found), count


LISTING = r"""
import os, stat, sys
skip = {%s}
def walk(top):
    for name in sorted(os.listdir(os.fsencode(top))):
        path = os.path.join(os.fsencode(top), name)
        if os.fsdecode(path) in skip:
            continue
        info = os.lstat(path)
        # Of a directory that is skipped below, and of its parents, the times may move.
        print(ascii(os.fsdecode(path)), oct(info.st_mode), info.st_uid, info.st_gid, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        if stat.S_ISDIR(info.st_mode) and (info.st_dev == root or os.fsdecode(path) in ("/run", "/tmp")):
            walk(path)
root = os.lstat("/").st_dev
walk("/")
"""


def listing(engine, name, skip):
    """Return path -> attributes (mode, owner, size, mtime, ctime) of everything on the host's disks but ``skip``."""
    script = LISTING % ", ".join(map(repr, skip))
    lines = engine.docker("exec", name, "sh", "-c", f"python3 -I -c {shlex.quote(script)}").splitlines()
    return dict(line.split(" ", 1) if not line.startswith(("'", '"')) else _split(line) for line in lines)


def _split(line):
    end = line.rindex(line[0])
    return line[1:end], line[end + 2 :]

"""The SSH client: system-wide settings, and private keys of users that no passphrase protects."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import base64
import os
import stat

from ..reading import names_in
from ..spec import Absent, Column, Result, Table, Unreadable, Unsupported
from ..ssh_client_config import read_settings
from ..text import text

TABLE = Table(
    name="ssh_client",
    description="System-wide configuration of the OpenSSH client and the private keys in ~/.ssh of local accounts. Of a"
    " key only its head is looked at: whether it is encrypted.",
    key="`host`; `key <path>`",
    columns=(
        Column("kind", "text", "host or key"),
        Column("installed", "bool", "host: the client is there"),
        Column("settings", "map", "host: keyword in lower case -> value for a host that no Host or Match line names;"
               " algorithms as lists"),
        Column("source", "text", "host: what told: `ssh -G` or `files`"),
        Column("where", "map", "host: keyword -> file:line of what the files say"),
        Column("files", "list", "host: files read, in order"),
        Column("user", "text", "key: account whose home directory it lies in"),
        Column("encrypted", "bool", "key: a passphrase protects it"),
        Column("format", "text", "key: openssh, pem, pkcs8"),
        Column("mode", "text", "key: permissions, octal"),
    ),
    max_rows=2000,
)  # fmt: skip

HEAD = 4096
MAX_KEYS = 500
LISTS = ("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "pubkeyacceptedalgorithms", "casignaturealgorithms")
KEPT = LISTS + (
    "globalknownhostsfile", "userknownhostsfile", "stricthostkeychecking", "hashknownhosts", "protocol",
    "forwardagent", "forwardx11", "rekeylimit", "gssapiauthentication", "passwordauthentication",
)  # fmt: skip


def key_state(head):
    """Return ``(format, encrypted)`` of the first bytes of a file, None when it is no private key.

    Formats: OpenSSH's own (PROTOCOL.key: the cipher's name is the first field), PEM (Proc-Type), PKCS #8.
    """
    lines = head.lstrip().split(b"\n")
    first = lines[0].strip()
    if first == b"-----BEGIN OPENSSH PRIVATE KEY-----":
        body = b"".join(line.strip() for line in lines[1:6] if not line.startswith(b"-----"))
        try:
            raw = base64.b64decode(body[: len(body) // 4 * 4])
        except ValueError:
            return None
        if not raw.startswith(b"openssh-key-v1\0") or len(raw) < 19:
            return None
        size = int.from_bytes(raw[15:19], "big")
        return "openssh", raw[19 : 19 + size] != b"none"
    if first == b"-----BEGIN ENCRYPTED PRIVATE KEY-----":
        return "pkcs8", True
    if first == b"-----BEGIN PRIVATE KEY-----":
        return "pkcs8", False
    if first.startswith(b"-----BEGIN ") and first.endswith(b" PRIVATE KEY-----"):
        return "pem", any(line.startswith(b"Proc-Type:") and b"ENCRYPTED" in line for line in lines[1:4])
    return None


def homes(lines):
    """Return ``[(user, home)]`` of passwd(5), each home once."""
    found, seen = [], set()
    for line in lines:
        fields = line.split(":")
        if len(fields) == 7 and fields[5].startswith("/") and fields[5] not in seen and fields[5] != "/":
            seen.add(fields[5])
            found.append((fields[0], fields[5].rstrip("/")))
    return found


def _keys(host, rows, gaps):
    for user, home in homes(host.lines("/etc/passwd")):
        try:
            names = names_in(host, home + "/.ssh")
        except Unreadable as error:
            gaps.append(error.why)
            continue
        for name in names[:200]:
            path = "%s/.ssh/%s" % (home, name)
            if name.endswith(".pub") or name.startswith(("known_hosts", "authorized_keys")) or len(rows) > MAX_KEYS:
                continue
            try:
                info = host.lstat(path)
                if not stat.S_ISREG(info.st_mode) or info.st_size > 65536:
                    continue
                state = key_state(host.read(path, 65536)[:HEAD])
            except Absent:
                continue
            except Unreadable as error:
                gaps.append(error.why)
                continue
            if state:
                row = dict.fromkeys(column.name for column in TABLE.columns)
                row.update(kind="key", user=user, format=state[0], encrypted=state[1])
                row["mode"] = "%04o" % stat.S_IMODE(info.st_mode)
                rows["key " + text(os.fsencode(path))[:1000]] = row


def _ask(host):
    """Settings as ``ssh -G`` tells them for a host name of nobody; None when it cannot be asked."""
    if not host.live or host.which("ssh") is None:
        return None
    try:
        done = host.run(["ssh", "-G", "-F", "/etc/ssh/ssh_config", "ringwall.invalid"], timeout=5, limit=1 << 20)
    except (Absent, Unreadable, Unsupported):
        return None
    if done.code:
        return None
    return dict((line.split(" ", 1) + [""])[:2] for line in done.lines() if line)


def collect(host, options):
    """Return the row of the client and one for each private key."""
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(kind="host", installed=any(host.exists(path) for path in ("/usr/bin/ssh", "/bin/ssh")))
    rows, gaps = {"host": row}, []
    try:
        said, files = read_settings(host)
        told = _ask(host) if row["installed"] else None
        row["files"], row["source"] = files, "files" if told is None else "ssh -G"
        values = {key: pair[0] for key, pair in said.items()} if told is None else told
        row["settings"] = {
            key: [item for item in value.split(",") if item] if key in LISTS else value[:300]
            for key, value in values.items()
            if key in KEPT
        }
        row["where"] = {key: pair[1] for key, pair in said.items() if key in KEPT}
    except Unreadable as error:
        gaps.append(error.why)
        row["settings"] = row["where"] = error.cell()
    try:
        _keys(host, rows, gaps)
    except Absent:
        pass
    except Unreadable as error:
        gaps.append(error.why)
    return Result(rows, "partial", "; ".join(gaps[:5])) if gaps else rows

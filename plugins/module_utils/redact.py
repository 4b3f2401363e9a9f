"""Take secrets out of text before it leaves the target (columns of type ``text_sensitive``)."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

MARK = "[redacted]"

_SECRET_NAME = r"(?:[A-Za-z0-9_.-]*(?:pass(?:wd|word|phrase)?|pwd|secret|token|api[-_]?key|access[-_]?key|auth|credential|private[-_]?key|session|cookie|bearer)[A-Za-z0-9_.-]*)"
_ASSIGNED = re.compile(r"(?i)((?:^|[\s\"'&?;,{(\[/-])" + _SECRET_NAME + r"[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s\"'&;,})\]]+)")
_OPTION = re.compile(r"(?i)((?:^|\s)--?" + _SECRET_NAME + r"\s+)(\"[^\"]*\"|'[^']*'|[^\s-][^\s]*)")
_SHORT = re.compile(r"((?:^|\s|/)(?:mysql|mysqldump|mysqladmin|mariadb|sshpass|smbclient|curl|wget|ldapsearch|redis-cli)\b[^|;&\n]*?\s-(?:p|u|a|w|U))\s?(\"[^\"]*\"|'[^']*'|[^\s-][^\s]*)")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^\s/@:]*(?::[^\s/@]*)?@")
_HEADER = re.compile(r"(?i)((?:authorization|x-[a-z-]*(?:key|token))\s*:\s*(?:basic|bearer|token|digest)?\s*)([^\s\"']+)")
_SHAPES = re.compile(
    r"(?:AKIA|ASIA)[0-9A-Z]{16}"  # AWS access key id
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{16,}|AIza[0-9A-Za-z_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # JSON web token
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\$(?:1|2[abxy]?|5|6|7|y|gy)\$[^\s:\"']{8,}",  # crypt(5) hashes
    re.DOTALL,
)
_LONG = re.compile(r"(?<![A-Za-z0-9+/_.@-])(?=[A-Za-z0-9+/_-]*[0-9])(?=[A-Za-z0-9+/_-]*[A-Za-z])(?![0-9a-f-]{36}(?![0-9a-f]))[A-Za-z0-9+_-]{32,}={0,2}(?![A-Za-z0-9+/._@-])")


def redact(value):
    """Return the text with passwords, tokens and keys replaced by ``[redacted]``.

    Values after secret-sounding names, credentials in URLs, known token shapes and long random words go;
    paths, options, UUIDs and host names stay.
    """
    value = _SHAPES.sub(MARK, value)
    value = _URL.sub(r"\1" + MARK + "@", value)
    value = _HEADER.sub(r"\1" + MARK, value)
    value = _ASSIGNED.sub(r"\1" + MARK, value)
    value = _OPTION.sub(r"\1" + MARK, value)
    value = _SHORT.sub(r"\1 " + MARK, value)
    return _LONG.sub(MARK, value)

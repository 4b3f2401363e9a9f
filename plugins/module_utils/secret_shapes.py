"""What secrets look like by themselves: tokens with known prefixes, hashes, keys, and words that look random."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

_TOKENS = re.compile(
    r"\b(?:"
    r"A(?:KIA|SIA|BIA|CCA)[0-9A-Z]{16}\b"  # AWS
    r"|AGE-SECRET-KEY-1[A-Z0-9]{10,}"
    r"|AIza[0-9A-Za-z_-]{30,}|ya29\.[0-9A-Za-z_-]{10,}|GOCSPX-[0-9A-Za-z_-]{20,}"  # Google
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    r"|gl(?:pat|ptt|dt|rt|soat|cbt|imt|ft)-[A-Za-z0-9_.-]{16,}"  # GitLab
    r"|xox[abeoprs]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{10,}"  # Slack
    r"|(?:sk|rk|pk|whsec)[-_](?:live|test|proj|ant)[-_A-Za-z0-9]{12,}|sk-[A-Za-z0-9_-]{16,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|dckr_pat_[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,}"
    r"|hv[sbr]\.[A-Za-z0-9_-]{20,}|s\.[A-Za-z0-9]{24}\b"  # Vault
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|key-[0-9a-f]{32}\b|dop_v1_[a-f0-9]{40,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"  # JSON web token
    r"|[0-9]{8,10}:AA[A-Za-z0-9_-]{30,}"  # Telegram
    r")"
)
_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_HASH = re.compile(  # crypt(5) and its relatives
    r"(?<![A-Za-z0-9])\$(?:1|2[abxy]?|3|5|6|7|y|gy|sha1|argon2[a-z]*|pbkdf2[a-z0-9-]*|apr1)\$[^\s:\"']{8,}"
)
_DIRECTORY_HASH = re.compile(  # userPassword of LDAP, RFC 2307
    r"\{(?:SSHA|SHA|SMD5|MD5|CRYPT|SSHA256|SSHA512|PBKDF2[A-Z0-9-]*)\}[A-Za-z0-9+/=$.]{8,}"
)
_IN_URL = re.compile(
    r"(?<=hooks\.slack\.com/services/)\S+|(?<=/api/webhooks/)[0-9]+/[A-Za-z0-9_-]+"
    r"|(?<=api\.telegram\.org/bot)[0-9]+:[A-Za-z0-9_-]+"
    r"|(?<=office\.com/webhook)\S+|(?<=hooks\.zapier\.com/hooks)/\S+"
    r"|(?<=[?&]sig=)[^\s&\"']+|(?<=[?&]code=)[^\s&\"']{16,}|(?<=[?&]key=)[^\s&\"']{16,}"
    r"|(?<=Signature=)[^\s&\"']{8,}"
)
_SHARED_ACCESS = re.compile(r"(?<=SharedAccessSignature )\S+")
_GATED = (
    ("PRIVATE KEY", _BLOCK),
    ("$", _HASH),
    ("}", _DIRECTORY_HASH),
    ("/", _IN_URL),
    ("SharedAccess", _SHARED_ACCESS),
)
"""Patterns that are tried only where their mark stands in the text, which is seldom."""


def replace_shapes(text, mark):
    """Return the text with every known shape of a secret replaced by ``mark``."""
    for sign, pattern in _GATED:
        if sign in text and (sign != "/" or "://" in text or "?" in text):
            text = pattern.sub(mark, text)
    return _TOKENS.sub(mark, text)


LONG_WORD = re.compile(
    r"(?:(?<![A-Za-z0-9+/_.@=:-])|(?<=[=:])(?<!sha256:)(?<!sha512:))[A-Za-z0-9+/_-]{24,}={0,2}(?![A-Za-z0-9+/_.@-])"
)
"""Candidates for ``is_random``: no part of a path, a host name, an address or the digest of an image."""
_UUID = re.compile(r"(?:[a-z]+-)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_HEX = re.compile(r"[0-9a-fA-F]+\Z")
_RUN = re.compile(r"[a-z]+|[A-Z]+|[0-9]+|[^A-Za-z0-9]+")


def is_random(word):
    """True if a word of letters, digits and ``+/_-`` looks like a key: long, mixed, changing its kind again and again.

    Words of people change between kinds rarely: ``linux-image-6-cloud-amd64`` has pieces of 4 characters, a base64 key
    of less than 2.
    """
    body = word.rstrip("=")
    if len(body) < 24 or _UUID.match(body) or (body[0] == "/" and body.count("/") > 1 and len(body) < 40):
        return False
    digits = sum(character.isdigit() for character in body)
    if _HEX.match(body):
        return len(body) >= 32 and 0 < digits < len(body) and not body.isdigit()
    if not digits and word == body:
        upper = sum(character.isupper() for character in body)
        return len(body) >= 32 and 0.25 < upper / len(body) < 0.75 and _pieces(body) <= 2.2
    longest = max(len(piece) for piece in re.split(r"[-_/+]", body))
    return longest >= 12 and _pieces(body) <= 2.6


def _pieces(body):
    """Mean length of the runs of one kind (lower, upper, digit, other)."""
    return len(body) / float(len(_RUN.findall(body)))

"""Does a name (of a variable, option, key) speak of a secret?"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_ANYWHERE = (
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "passwort",
    "secret",
    "token",
    "apikey",
    "credential",
    "motdepasse",
)
"""Such a name is secret wherever the word stands in it."""

_PARTS = frozenset(
    ("pass", "pwd", "pw", "cred", "creds", "psk", "cookie", "bearer", "authorization", "otp", "totp", "sessionid",
     "pin", "passin", "passout", "authkey", "accountkey", "requirepass", "masterauth", "sas", "htpasswd", "community",
     "authtok", "privkey", "signingkey", "jwt")
)  # fmt: skip
"""Such a name is secret when the word is one of its parts."""

_BEFORE_KEY = frozenset(
    ("api", "access", "private", "privat", "auth", "secret", "account", "shared", "presharedkey", "preshared",
     "master", "signing",
     "encryption", "encrypt", "decryption", "license", "licence", "storage", "service", "session", "app", "application",
     "instrumentation", "integration", "routing", "deploy", "hmac", "aes", "rsa", "wg", "luks", "vault", "unseal",
     "consumer", "client", "subscription", "cookie", "jwt", "admin", "root")
)  # fmt: skip
"""``<word> key`` is secret; a plain ``key`` is not (audit rules, sort keys, map keys)."""

_ENDINGS = ("password", "passwd", "pass", "pwd", "pw", "passphrase")
_INNOCENT_WORDS = frozenset(
    ("bypass", "compass", "trespass", "overpass", "underpass", "encompass", "mtpass", "twopass")
)

_LAST = frozenset(
    ("file", "files", "filename", "path", "dir", "directory", "folder", "policy", "age", "length", "len", "days", "ttl",
     "timeout", "expire", "expires", "expiry", "expiration", "authentication", "quality", "algorithm", "algo", "type",
     "command", "cmd", "helper", "agent", "url", "uri", "endpoint", "count", "limit", "history", "prompt", "reset",
     "enabled", "enable", "required", "sock", "socket", "lifetime", "size", "format", "provider", "source", "manager",
     "plugin", "backend", "module", "class", "service", "stdin", "fd", "attempts", "retries", "retry", "change", "warn",
     "min", "max", "mode", "method", "mount", "issuer", "audience", "check", "strength", "remember", "rotation",
     "watch", "so", "conf", "cnf", "yml", "yaml", "json", "txt", "db", "d", "sh", "py", "socket", "target", "only",
     "wall", "console", "plymouth", "env", "encryption", "interval", "jar", "domain", "samesite")
)  # fmt: skip
"""A name that ends so tells about a secret without holding it."""

_FIRST = frozenset(
    ("no", "max", "min", "num", "without", "disable", "skip", "use", "require", "allow", "ask", "enable")
)


def is_secret_name(name):
    """True if a value under this name is likely to be a secret.

    >>> [is_secret_name(name) for name in ("DB_PASSWORD", "PasswordAuthentication", "apiKey", "password-file")]
    [True, False, True, False]
    """
    parts = [part.lower() for part in _SPLIT.findall(name)]
    words = [part for part in parts if not part.isdigit()]
    if not words:
        return False
    if len(words) > 1 and (words[-1] in _LAST or words[0] in _FIRST):
        return False
    whole = "".join(parts)
    if any(word in whole for word in _ANYWHERE):
        # tokenizer, secretary, passwordless: longer words that only begin so
        return not any(whole.startswith(start) and whole != start for start in ("tokeniz", "secretar", "passwordless"))
    for index, word in enumerate(words):
        if word in _PARTS and not (word == "pin" and len(words) > 2) and not (word == "community" and len(words) > 1):
            return True
        if word == "key" and index and words[index - 1] in _BEFORE_KEY:
            return True
        if word.endswith(_ENDINGS) and word not in _INNOCENT_WORDS and not word.endswith("bypass"):
            return True
    if words[-1] == "auth" and (
        len(words) == 1 or words[0] in ("basic", "http", "proxy", "registry", "docker", "npm", "")
    ):
        return True
    return whole.endswith(("privatekey", "accesskey", "accountkey", "secretkey", "sharedkey", "apikey", "presharedkey"))

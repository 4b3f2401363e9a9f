"""TLS settings in the configuration of nginx, Apache and HAProxy: pure parsers over a reader of files.

Each parser takes ``read(path)`` -> text lines or None, ``expand(pattern)`` -> paths, and yields Setting.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import posixpath
import re
from collections import namedtuple

Setting = namedtuple("Setting", "directive value path line context role")
"""One setting: ``role`` is setting, certificate, key, or bundle (certificate and key in one file or directory)."""

MAX_DEPTH = 8
MAX_FILES = 500

NGINX = {
    "ssl_protocols": "setting",
    "ssl_ciphers": "setting",
    "ssl_prefer_server_ciphers": "setting",
    "ssl": "setting",
    "ssl_conf_command": "setting",
    "ssl_dhparam": "setting",
    "ssl_session_tickets": "setting",
    "listen": "setting",
    "ssl_certificate": "certificate",
    "ssl_certificate_key": "key",
    "ssl_reject_handshake": "setting",
}
APACHE = {
    "sslprotocol": "setting",
    "sslciphersuite": "setting",
    "sslhonorcipherorder": "setting",
    "sslengine": "setting",
    "sslcompression": "setting",
    "sslinsecurerenegotiation": "setting",
    "sslopensslconfcmd": "setting",
    "sslcertificatefile": "certificate",
    "sslcertificatekeyfile": "key",
}
HAPROXY_GLOBAL = frozenset(
    (
        "ssl-default-bind-options",
        "ssl-default-bind-ciphers",
        "ssl-default-bind-ciphersuites",
        "ssl-default-server-options",
        "ssl-default-server-ciphers",
        "tune.ssl.default-dh-param",
    )
)
HAPROXY_SECTIONS = frozenset(
    (
        "global",
        "defaults",
        "frontend",
        "listen",
        "backend",
        "peers",
        "resolvers",
        "userlist",
        "cache",
        "program",
        "ring",
        "mailers",
        "http-errors",
        "log-forward",
        "crt-store",
    )
)

_TOKEN = re.compile(r"\s+|#[^\n]*|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[{};]|[^\s{};\"'#][^\s{};]*|.", re.DOTALL)
# host.read_text writes a backslash as \x5c.
_BACKSLASH = "\\x5c"


def nginx_statements(lines, path):
    """Return the tree of an nginx configuration: [(words, path, line, block or None)]."""
    content = "\n".join(lines)
    root = []
    stack = [root]
    words, start, line = [], 1, 1
    for token in _TOKEN.findall(content):
        if token[0] in " \t\n\r\f\v#":
            pass
        elif token == ";":
            if words:
                stack[-1].append((words, path, start, None))
            words = []
        elif token == "{":
            block = []
            stack[-1].append((words or [""], path, start, block))
            if len(stack) < 64:
                stack.append(block)
            words = []
        elif token == "}":
            if len(stack) > 1:
                stack.pop()
            words = []
        else:
            if not words:
                start = line
            if token[0] in "\"'" and len(token) > 1:
                token = token[1:-1]
                line += token.count("\n")
            words = words + [token]
            continue
        line += token.count("\n")
    return root


def parse_nginx(read, expand, path="/etc/nginx/nginx.conf"):
    """Yield the TLS settings of nginx, includes followed (relative ones from the directory of the main file)."""
    base = posixpath.dirname(path)
    seen = set()

    def load(name, depth):
        if depth > MAX_DEPTH or len(seen) > MAX_FILES or name in seen:
            return []
        seen.add(name)
        lines = read(name)
        return with_includes(nginx_statements(lines, name), depth) if lines is not None else []

    def with_includes(statements, depth):
        result = []
        for words, where, line, block in statements:
            if words[0] == "include" and len(words) == 2:
                for name in expand(posixpath.join(base, words[1])):
                    result.extend(load(name, depth + 1))
            else:
                result.append((words, where, line, None if block is None else with_includes(block, depth)))
        return result

    def settings(statements, context):
        for words, where, line, block in statements:
            if block is not None:
                inner = context
                if words[0] == "server":
                    names = [" ".join(item[0][1:4]) for item in block if item[0][0] in ("server_name", "listen")]
                    inner = ("server %s" % (names[-1] if names else "")).strip()
                yield from settings(block, inner)
                continue
            role = NGINX.get(words[0])
            if role is None or (words[0] == "listen" and not {"ssl", "quic"} & set(words[2:])):
                if words[0] != "add_header" or len(words) < 3 or words[1].lower() != "strict-transport-security":
                    continue
                role = "setting"
            yield Setting(words[0], " ".join(words[1:]), where, line, context, role)

    return settings(load(path, 0), "http")


def parse_apache(read, expand, path, root):
    """Yield the TLS settings of Apache; Include and IncludeOptional are followed from ServerRoot ``root``."""
    seen = set()

    def load(name, depth, context):
        if depth > MAX_DEPTH or len(seen) > MAX_FILES or name in seen:
            return
        seen.add(name)
        pending, start = "", 0
        hosts = [context]
        for number, line in enumerate(read(name) or (), 1):
            start = start if pending else number
            if line.rstrip().endswith(_BACKSLASH):
                pending += line.rstrip()[: -len(_BACKSLASH)] + " "
                continue
            line, pending = (pending + line).strip(), ""
            if not line or line.startswith("#"):
                continue
            words = line.split(None, 1)
            directive = words[0].lower()
            value = words[1].strip() if len(words) > 1 else ""
            if directive == "<virtualhost":
                hosts.append("vhost " + value.rstrip(">").strip())
            elif directive.startswith("</virtualhost") and len(hosts) > 1:
                hosts.pop()
            elif directive in ("include", "includeoptional"):
                for found in expand(posixpath.join(root, value.strip("\"'"))):
                    yield from load(found, depth + 1, hosts[-1])
            elif directive in APACHE:
                yield Setting(words[0], value.strip("\"'"), name, start, hosts[-1], APACHE[directive])

    return load(path, 0, "server")


def parse_haproxy(lines, path):
    """Yield the TLS settings of one HAProxy file: defaults of the global section and ``bind`` lines with ssl."""
    section = "global"
    base = ""
    for number, line in enumerate(lines, 1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if words[0] in HAPROXY_SECTIONS:
            section = " ".join(words[:2])
        elif words[0] == "crt-base" and len(words) > 1:
            base = words[1]
        elif words[0] in HAPROXY_GLOBAL:
            yield Setting(words[0], " ".join(words[1:]), path, number, section, "setting")
        elif words[0] == "bind" and "ssl" in words:
            yield Setting("bind", " ".join(words[1:]), path, number, section, "setting")
            for index, word in enumerate(words[:-1]):
                if word == "crt":
                    yield Setting("crt", posixpath.join(base, words[index + 1]), path, number, section, "bundle")

"""Take secrets out of text before it leaves the target (columns of type ``text_sensitive``).

Four looks at a line: shapes that only secrets have; values after names that speak of secrets; options of programs that
take a password as an argument; and long words that look random. Losing too much of a line is a nuisance, losing too
little is a leak: where a value's end is unclear, more goes.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import re

from .secret_names import is_secret_name
from .secret_shapes import LONG_WORD, is_random, replace_shapes

MARK = "[redacted]"
MAX_TEXT = 16384
"""Characters of one text that are looked at; what lies beyond is cut off, at a blank where there is one."""

_QUOTED = r"\"(?:\\x5c.|[^\"])*\"|'[^']*'"
_WORD = r"(?:" + _QUOTED + r"|\\x5c.|[^\s\"'`;&|])+"
_VALUE = re.compile(r"(?:" + _QUOTED + r"|\\x5c.|[^\s\"'`;&|,]|,(?![A-Za-z_-]+=|\s))+", re.DOTALL)
_NAME = re.compile(r"(?<![A-Za-z0-9_.])([A-Za-z_][A-Za-z0-9_.-]{1,80})")
_ASSIGN = re.compile(r"[\"']?[ \t]*(?:=>|:=|==|=|:(?!//))[ \t]*")
_BLANK = re.compile(r"[ \t]+(?=[^\s-])")
_BARE = frozenset(
    ("requirepass", "masterauth", "bindpw", "rootbindpw", "rootpw", "wpa-psk", "wpa-passphrase", "ldap_default_authtok")
)
"""Directives that are followed by their secret after a blank, without dashes."""

_KEPT = re.compile(
    r"(?i)(?:yes|no|true|false|on|off|none|null|nil|auto|prompt|ask|default|required?|optional|sufficient|requisite|"
    r"enabled?|disabled?|files?|always|never|md5|sha\d+|yescrypt|bcrypt|scrypt|trust|peer|ident|pam|"
    r"scram-sha-256|negotiate|pkcs11|-|\*+|x|!+|"
    r"[0-9]{1,3}[smhdw]?|\$\{?[A-Za-z_][A-Za-z0-9_]*\}?|\$\([^)]*\)|%[a-zA-Z]|\{\{[^}]*\}\}|<[a-z_ -]+>|"
    r"(?:file|path|fd|env):[A-Za-z0-9_./-]+|"
    r"@?(?:file://)?/(?:etc|run|var|root|home|usr|opt|srv|dev|tmp|proc|sys|mnt|boot|lib|bin|sbin|secrets?|vault|config|data)"
    r"(?:/[A-Za-z0-9_.,:%{}$@+-]+)*/?)\Z"
)
"""Values that are no secrets whatever their name: switches, small numbers, references, paths."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,30}://)([^\s/\"'@:?#]*)(:[^\s\"'@/]*(?:@[^\s\"'@/]*)*)?@")
_HEADER = re.compile(
    r"(?i)((?:proxy-)?authorization|(?:set-)?cookie|x-[a-z0-9-]{0,40}(?:key|token|auth|secret|signature))"
    r"([\"']?\s*:\s*)((?:basic|bearer|token|digest|negotiate|apikey)\s+)?[^\"'\n]+"
)
_SCHEME = re.compile(r"(?i)\b((?:bearer|basic)\s+)(?=[A-Za-z]*[0-9._~+/=-])[A-Za-z0-9._~+/=-]{8,}")
_SQL = re.compile(r"(?i)\b((?:identified\s+(?:with\s+\S+\s+)?(?:by|as)|password)\s+)('[^']*'|\"[^\"]*\")")
_PIPED = re.compile(
    r"\b((?:echo|printf)(?:\s+-[neE]+)?\s+)([^|;&\n]+)(\|\s*(?:\S*/)?(?:sudo\s+)?(?:\S*/)?"
    r"(?:chpasswd|passwd|sudo\s+-S|su\b|kinit|cryptsetup|gpg|openssl|htpasswd|smbpasswd|vncpasswd|pw\s|\S+.*(?:-stdin|-fd)))"
)
_ECHOED = re.compile(
    r"(?i)((?:pass|secret|token)[a-z]*[-_]?(?:command|cmd)(?:\s+|=)[\"']?(?:echo|printf)\s+)([^\"'\n]+)"
)
_ISCSI = re.compile(r"(\biscsi:)(?!//)[^\s@\"']*[^\s@:\"'](?=@)")
"""``netroot=iscsi:user:password[:user:password]@server:...`` (dracut.cmdline(7)): no URL, no name before the secret."""

_HERE = re.compile(r"(<<<\s*)(" + _WORD + ")")


def _options(programs, options, glued=True, blank=True):
    """A pattern for the value of short options of some programs, glued to the option or after a blank."""
    gap = r"(?:\s+|=)" if blank and not glued else r"(?:\s+|=)?" if blank else ""
    return re.compile(
        r"((?:^|[\s/\"'(;|&])(?:"
        + programs
        + r")(?:\.exe)?\s(?:[^|;&\n]{0,1500}?\s)?(?:"
        + options
        + r")"
        + gap
        + r")(?!-)("
        + _WORD
        + ")"
    )


_PROGRAMS = (
    # mysql takes -p glued only: the word after a lone -p is a data base.
    _options(r"(?:mysql|mariadb)[a-z_-]*|mycli|7z[ar]?|percona-\S+|xtrabackup|innobackupex", "-p", blank=False),
    _options(r"(?:un)?rar", "-h?p", blank=False),
    _options(r"slappasswd|ldappasswd", "-[sa]"),
    _options(r"kadmin(?:\.local)?", "-pw|-w", glued=False),
    _options(r"sshpass|mongo[a-z]*|cqlsh|rdesktop|docker\s+login|podman\s+login|helm\s+registry\s+login|buildah\s+login|"
             r"skopeo\s+login|oc\s+login|az\s+login|useradd|usermod|groupadd|groupmod|newusers|vncviewer|clickhouse-client",
             "-p"),
    _options(r"redis-cli|keydb-cli|valkey-cli", "-a"),
    _options(r"ldap[a-z]+", "-w"),
    _options(r"ipmitool|zip|unzip|zipcloak|mosquitto_(?:pub|sub)|sqlcmd|bcp|mailx|tsql|kafkacat|ipmipower", "-P"),
    _options(r"snmp[a-z]*|onesixtyone|net-snmp-\S+", "-[cAX]"),
    _options(r"openssl", "-(?:k|K|pass|passin|passout|passwd|password)", glued=False),
    _options(r"plink|pscp|psftp|putty", "-pw", glued=False),
    _options(r"wg\s+set|ssh-keygen", "-[NP]"),
    _options(r"xfreerdp[0-9]*|wfreerdp", "/p:", blank=False),
)  # fmt: skip
_CREDENTIALS = re.compile(
    r"((?:^|[\s/\"'(;|&])(?:curl|wget|http|https|smbclient|rpcclient|winexe|net|mount\.cifs|lftp|ncftp|rclone|svn|crackmapexec|"
    r"smbmap|wmic|kcadm\.sh)\s(?:[^|;&\n]{0,1500}?\s)?(?:-[a-zA-Z]*[uUa]|--user|--proxy-user|--auth|--username)(?:\s+|=)?)(?!-)"
    r"([\"']?[^\s\"':%,]*[:%,])(" + _WORD + r")([\"'])?"
)
_POSITIONAL = re.compile(
    r"((?:^|[\s/\"'(;|&])(?:htpasswd\s+-[a-zA-Z]*b[a-zA-Z]*\s+(?:-\S+\s+)*(?:\S+\s+)?\S+\s+"
    r"|rabbitmqctl\s+(?:add_user|change_password|authenticate_user)\s+\S+\s+|smbpasswd\s+-s\s+\S+\s+"
    r"|net\s+user\s+\S+\s+|wpa_passphrase\s+\S+\s+|vault\s+login\s+(?:-\S+\s+)*(?!\S*=)"
    r"|db2\s[^|;&\n]{0,200}?\susing\s+|login\s+\S+\s+password\s+|nmcli\s[^|;&\n]{0,500}?\spassword\s+"
    r"|ipmitool\s[^|;&\n]{0,500}?\sset\s+password\s+\S+\s+|mc\s+(?:alias\s+set|config\s+host\s+add)\s+\S+\s+\S+\s+\S+\s+"
    r"|(?:sqlplus|expdp|impdp|sqlldr|rman)\s+(?:-\S+\s+)*(?:userid=|target\s+)?[\w$#]+/(?=[^@\s])))(" + _WORD + r")"
)


_HINTS = (
    "mysql", "maria", "mycli", "7z", "percona", "xtrabackup", "innobackupex", "sshpass", "mongo", "cqlsh", "rdesktop",
    "login",
    "user", "group", "vnc", "clickhouse", "-cli", "ldap", "ipmi", "zip", "mosquitto", "sqlcmd", "bcp", "mailx", "tsql",
    "kafkacat", "snmp", "onesixtyone", "openssl", "plink", "pscp", "psftp", "putty", "wg ", "ssh-keygen", "freerdp",
    "curl", "wget", "http", "smb", "rpcclient", "winexe", "net ", "cifs", "ftp", "rclone", "svn", "crackmapexec",
    "wmic", "kcadm", "rar ", "passwd", "kadmin", "vault", "db2",
    "nmcli", "mc ", "sqlplus", "expdp", "impdp", "sqlldr", "rman", "htpasswd", "rabbitmqctl", "wpa_passphrase",
)  # fmt: skip
"""One of these is in every line that the patterns above can match: most lines are spared a dozen searches."""


def _kept(value):
    bare = value.strip("\"'")
    return not bare or _KEPT.match(bare) is not None


def _mask(value):
    """The mark in the quotes that the value had."""
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        return value[0] + MARK + value[0]
    return MARK


def _named(text):
    """Replace the values that stand after secret-sounding names: ``name=value``, ``name: value``, ``--name value``."""
    out, done = [], 0
    for match in _NAME.finditer(text):
        start = match.start()
        if start < done:
            continue
        name = match.group(1)
        if not is_secret_name(name):
            continue
        end = match.end()
        gap = _ASSIGN.match(text, end)
        if gap is None and (text[start - 1 : start] == "-" or name.lower() in _BARE):
            gap = _BLANK.match(text, end)
        if gap is None:
            continue
        begin = gap.end()
        opening = text[start - 1 : start]
        close = (
            text.find(opening, begin) if opening in ("'", '"') and opening and text[end : end + 1] != opening else -1
        )
        if close > begin and text[begin : begin + 1] not in ("'", '"'):
            value = text[begin:close]  # the quote stands before the name: NAME="..." as one quoted word
        else:
            found = _VALUE.match(text, begin)
            if found is None:
                continue
            value = found.group()
        if _kept(value):
            continue
        out.append(text[done:begin])
        out.append(_mask(value))
        done = begin + len(value)
    out.append(text[done:])
    return "".join(out)


def _url(match):
    scheme, user, password = match.groups()
    if password is not None:
        if _kept(password[1:]):
            return match.group()
        return scheme + user + ":" + MARK + "@"
    return scheme + (MARK if len(user) >= 20 or is_random(user) else user) + "@"


def _argument(match):
    return match.group() if _kept(match.group(2)) else match.group(1) + _mask(match.group(2))


def _credential(match):
    value = match.group(3)
    return match.group() if _kept(value) else match.group(1) + match.group(2) + MARK + (match.group(4) or "")


def _long(match):
    return MARK if is_random(match.group()) else match.group()


def redact(value):
    """Return the text with passwords, tokens and keys replaced by ``[redacted]``.

    Paths, switches, references to variables and files, UUIDs, digests of images and host names stay. Texts longer than
    MAX_TEXT are cut.
    """
    if len(value) > MAX_TEXT:
        value = (value[:MAX_TEXT].rsplit(None, 1) or [""])[0] + " [cut]"
    value = replace_shapes(value, MARK)
    if "://" in value:
        value = _URL.sub(_url, value)
    if ":" in value:
        value = _ISCSI.sub(r"\1" + MARK, value)
        value = _HEADER.sub(lambda match: match.group(1) + match.group(2) + (match.group(3) or "") + MARK, value)
    value = _SCHEME.sub(r"\1" + MARK, value)
    if " " in value:
        if "|" in value:
            value = _PIPED.sub(lambda match: match.group(1) + MARK + " " + match.group(3), value)
        if "<<<" in value:
            value = _HERE.sub(r"\1" + MARK, value)
        if "echo" in value or "printf" in value:
            value = _ECHOED.sub(r"\1" + MARK, value)
        value = _SQL.sub(r"\1" + MARK, value)
        if any(hint in value for hint in _HINTS):
            for pattern in _PROGRAMS:
                value = pattern.sub(_argument, value)
            value = _CREDENTIALS.sub(_credential, value)
            value = _POSITIONAL.sub(_argument, value)
    value = _named(value)
    return LONG_WORD.sub(_long, value)


def redact_named(name, value):
    """Return the value of a setting that stands apart from its name: all of it goes when the name speaks of a secret.

    >>> [redact_named("admin_password", "winter7"), redact_named("minlen", "14")]
    ['[redacted]', '14']
    """
    return MARK if is_secret_name(name) and not _kept(value) else redact(value)


def redact_words(words):
    """Return the words of one command with secrets replaced, also where option and secret are two words.

    >>> redact_words(["/usr/bin/check", "--token", "winter7"])
    ['/usr/bin/check', '--token', '[redacted]']
    """
    joined = redact(" ".join(words)).split(" ")
    found, secret = [], False
    for index, word in enumerate(words):
        shown = joined[index] if len(joined) == len(words) else redact(word)
        if secret and not word.startswith("-") and not _kept(word):
            shown = MARK
        found.append(shown)
        secret = word.startswith("-") and "=" not in word and is_secret_name(word.lstrip("-"))
    return found

"""Whether programs read what the system-wide cryptographic policy made for them (crypto-policies(7))."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .assignments import parse_assignments
from .spec import Absent, Unreadable

BACK_ENDS = "/etc/crypto-policies/back-ends"
MAX_FILES = 40


def _lines(host, path):
    return [line.split("#", 1)[0].strip() for line in host.lines(path, 1 << 20)]


def names(lines, back_end):
    """True if a line that is no comment names the back end's file."""
    wanted = "%s/%s.config" % (BACK_ENDS, back_end)
    return any(wanted in line for line in lines)


def _openssl(host):
    path = "/etc/pki/tls/openssl.cnf"
    lines = _lines(host, path)
    good = any(
        line.replace(" ", "").startswith((".include=" + BACK_ENDS, ".include" + BACK_ENDS))
        and line.rstrip().endswith(("openssl.config", "opensslcnf.config"))
        for line in lines
    )
    return good, path, "" if good else "it does not include the back end"


def _sshd(host):
    """An active CRYPTO_POLICY line of sysconfig turns the policy off for the server; no drop-in that includes the back
    end does the same on releases that use one.
    """
    path = "/etc/sysconfig/sshd"
    try:
        if "CRYPTO_POLICY" in parse_assignments(host.lines(path, 65536)):
            return False, path, "CRYPTO_POLICY is set there, which turns the policy off"
    except Absent:
        pass
    drop_in = "/etc/ssh/sshd_config.d/50-redhat.conf"
    unit = "/usr/lib/systemd/system/sshd.service"
    try:
        if any("opensshserver.config" in line for line in host.lines(unit, 65536)):
            return True, unit, ""  # releases that hand the policy over on the command line
    except Absent:
        pass
    for name in sorted(host.glob("/etc/ssh/sshd_config.d/*.conf")[:MAX_FILES]):
        if names(_lines(host, name), "opensshserver"):
            return True, name, ""
    return False, drop_in, "no drop-in of sshd includes the back end"


def _ssh(host):
    for name in sorted(host.glob("/etc/ssh/ssh_config.d/*.conf")[:MAX_FILES]):
        if names(_lines(host, name), "openssh"):
            return True, name, ""
    return False, "/etc/ssh/ssh_config.d", "no drop-in of ssh includes the back end"


def _including(path, back_end, word):
    def read(host):
        lines = _lines(host, path)
        good = any(line.startswith(word) for line in lines if names([line], back_end))
        return good, path, "" if good else "it does not include the back end"

    return read


def _krb5(host):
    path = "/etc/krb5.conf.d/crypto-policies"
    target = host.readlink(path)
    good = target == BACK_ENDS + "/krb5.config"
    return good, path, "" if good else "it is no link to the back end"


PROGRAMS = {
    "openssl": ("/etc/pki/tls/openssl.cnf", _openssl),
    "sshd": ("/etc/ssh/sshd_config", _sshd),
    "ssh": ("/etc/ssh/ssh_config", _ssh),
    "bind": ("/etc/named.conf", _including("/etc/named.conf", "bind", "include")),
    "libreswan": ("/etc/ipsec.conf", _including("/etc/ipsec.conf", "libreswan", "include")),
    "krb5": ("/etc/krb5.conf", _krb5),
}
"""Program -> (a file without which it is not there, function of the host)."""


def programs(host):
    """Yield ``(name, follows, where, why)`` of the programs that are there; ``follows`` is a cell."""
    for name, (there, read) in sorted(PROGRAMS.items()):
        try:
            if not host.exists(there):
                continue
            follows, where, why = read(host)
        except Absent as error:
            follows, where, why = False, str(error), "%s is not there" % error
        except Unreadable as error:
            follows, where, why = error.cell(), there, error.why
        yield name, follows, where, why

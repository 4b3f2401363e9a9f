"""Asking the kernel's audit subsystem over netlink (linux/audit.h, linux/netlink.h), without starting a program."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import errno
import os
import struct

from .spec import Unreadable, Unsupported

NETLINK_AUDIT = 9
AUDIT_GET = 1000
AUDIT_LIST_RULES = 1013
AUDIT_GET_FEATURE = 1019
_ERROR, _DONE = 2, 3
_REQUEST, _ACK = 1, 4
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_TASK, _NEVER = 1, 0  # AUDIT_FILTER_TASK, AUDIT_NEVER
_STATUS = (
    "mask",
    "enabled",
    "failure",
    "pid",
    "rate_limit",
    "backlog_limit",
    "lost",
    "backlog",
    "features",
    "backlog_wait_time",
)
TIMEOUT = 5.0
"""Seconds until a silent kernel counts as unreadable."""


def messages(data):
    """Yield (type, payload bytes) of the netlink messages in one datagram; a cut-off one ends it."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _flags, _sequence, _port = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            return
        yield kind, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def parse_status(payload):
    """Return struct audit_status as a map of its numbers; fields that an old kernel does not send are None."""
    status = dict.fromkeys(_STATUS)
    for index, name in enumerate(_STATUS):
        if len(payload) >= 4 * index + 4:
            status[name] = struct.unpack_from("=I", payload, 4 * index)[0]
    return status


def is_never_task(payload):
    """True if a struct audit_rule_data is ``never,task`` for every process."""
    if len(payload) < 12:
        return False
    flags, action, fields = struct.unpack_from("=III", payload)
    return flags & 0x7 == _TASK and action == _NEVER and fields == 0


def _refused(number, container):
    if number in (errno.EPERM, errno.EACCES, errno.ECONNREFUSED):
        if container:
            return Unreadable("denied", "kernel audit belongs to the host of this container (%s)" % container)
        if os.geteuid():
            return Unreadable("denied", "kernel audit answers root only")
        return Unreadable("denied", "kernel audit does not answer here: %s" % os.strerror(number))
    if number in (errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT):
        if container:
            return Unreadable("denied", "kernel audit belongs to the host of this container (%s)" % container)
        return Unsupported("this kernel has no audit subsystem")
    return Unreadable("invalid", "kernel audit: %s" % os.strerror(number))


def ask(kind, container=None):
    """Return the payloads that the kernel answers to a request without content.

    ``container`` is the engine's name when the caller runs in a container (for the reason only). Raise Unreadable
    when the kernel refuses or stays silent, Unsupported when it has no audit subsystem.
    """
    import socket  # only hosts that ask pay for the import

    answers = []
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_AUDIT) as channel:
            channel.settimeout(TIMEOUT)
            channel.sendto(_HEADER.pack(_HEADER.size, kind, _REQUEST | _ACK, 1, 0), (0, 0))
            # A list ends with DONE; a single answer is there once one came.
            while True:
                data, sender = channel.recvfrom(1 << 20)
                if sender[0] != 0:
                    continue  # only the kernel (port 0) is believed
                for found, payload in messages(data):
                    if found == _DONE:
                        return answers
                    if found == _ERROR:
                        number = -struct.unpack_from("=i", payload)[0] if len(payload) >= 4 else errno.EBADMSG
                        if number:
                            raise _refused(number, container)
                    elif found == kind:
                        answers.append(payload)
                if kind in (AUDIT_GET, AUDIT_GET_FEATURE) and answers:
                    return answers
    except OSError as error:
        if not error.errno:
            raise Unreadable("timeout", "kernel audit: no answer after %g s" % TIMEOUT) from None
        raise _refused(error.errno, container) from None


def loaded_rules(host):
    """Payloads (struct audit_rule_data) of the loaded rules, asked once for all tables."""
    host.need_live()
    return host.cached("audit.rules", lambda: ask(AUDIT_LIST_RULES, host.container()))

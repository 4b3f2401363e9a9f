"""Sockets that wait for traffic, from /proc/net, and how far an address reaches.

Source: proc_net_tcp of the kernel's documentation; address ranges: RFC 1122, 1918, 3927, 4193, 4291, 6598.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import struct
import sys

LISTEN = "0A"
"""TCP state TCP_LISTEN of include/net/tcp_states.h."""

UNCONNECTED = "07"
"""State that /proc/net/udp shows for a socket without a peer (TCP_CLOSE)."""


def decode_address(digits):
    """Return the address bytes in network order of the hexadecimal form in /proc/net: words in host order.

    ``0100007F`` is 127.0.0.1 on a little-endian machine.
    """
    if len(digits) not in (8, 32):
        raise ValueError("an address of %d digits" % len(digits))
    words = [int(digits[start : start + 8], 16) for start in range(0, len(digits), 8)]
    order = "<" if sys.byteorder == "little" else ">"
    return struct.pack("%s%dI" % (order, len(words)), *words)


def show_address(data):
    """Text of 4 or 16 address bytes; IPv6 as RFC 5952 asks, an IPv4-mapped address as ``::ffff:a.b.c.d``."""
    if len(data) == 4:
        return ".".join(str(byte) for byte in data)
    if data[:12] == b"\0" * 10 + b"\xff\xff":
        return "::ffff:" + show_address(data[12:])
    groups = ["%x" % group for group in struct.unpack("!8H", data)]
    best, length, start = 0, 1, 0
    while start < 8:
        end = start
        while end < 8 and groups[end] == "0":
            end += 1
        if end - start > length:
            best, length = start, end - start
        start = end + 1
    if length < 2:
        return ":".join(groups)
    return ":".join(groups[:best]) + "::" + ":".join(groups[best + length :])


def scope(data):
    """How far an address (bytes) reaches: any, loopback, link-local, private, multicast or public."""
    if len(data) == 16 and data[:12] == b"\0" * 10 + b"\xff\xff":
        data = data[12:]
    if not any(data):
        return "any"
    first, second = data[0], data[1]
    if len(data) == 4:
        if first == 127:
            return "loopback"
        if first == 169 and second == 254:
            return "link-local"
        if first == 10 or (first == 172 and 16 <= second < 32) or (first == 192 and second == 168):
            return "private"
        if first == 100 and 64 <= second < 128:
            return "private"
        return "multicast" if 224 <= first < 240 else "public"
    if data == b"\0" * 15 + b"\1":
        return "loopback"
    if first == 0xFE and second & 0xC0 == 0x80:
        return "link-local"
    if first & 0xFE == 0xFC:
        return "private"
    return "multicast" if first == 0xFF else "public"


def parse_sockets(lines, proto):
    """Return a list of (address bytes, port, uid, inode) of the sockets that wait, from /proc/net/``proto``.

    ``proto`` is tcp, tcp6, udp or udp6. Lines that are none are left out.
    """
    state = LISTEN if proto.startswith("tcp") else UNCONNECTED
    found = []
    for line in lines:
        fields = line.split(None, 10)
        if len(fields) < 10 or fields[3] != state:
            continue
        address, _colon, port = fields[1].partition(":")
        try:
            found.append((decode_address(address), int(port, 16), int(fields[7]), int(fields[9])))
        except (ValueError, struct.error):
            continue
    return found

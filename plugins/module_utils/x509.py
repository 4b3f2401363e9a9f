"""The few facts of an X.509 certificate that a posture check needs, without a cryptographic library (RFC 5280)."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import binascii
import calendar
import re

from .text import text

_PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(.*?)-----END", re.DOTALL)
_COMMON_NAME = b"\x55\x04\x03"  # 2.5.4.3
_ALTERNATIVE = b"\x06\x03\x55\x1d\x11"  # OBJECT IDENTIFIER 2.5.29.17
_KEYS = {
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01": "rsa",
    b"\x2a\x86\x48\xce\x3d\x02\x01": "ec",
    b"\x2b\x65\x70": "ed25519",
    b"\x2b\x65\x71": "ed448",
    b"\x2a\x86\x48\xce\x38\x04\x01": "dsa",
}
_SIGNATURES = {
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04": "md5-rsa",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05": "sha1-rsa",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a": "rsa-pss",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b": "sha256-rsa",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c": "sha384-rsa",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d": "sha512-rsa",
    b"\x2a\x86\x48\xce\x3d\x04\x01": "sha1-ecdsa",
    b"\x2a\x86\x48\xce\x3d\x04\x03\x02": "sha256-ecdsa",
    b"\x2a\x86\x48\xce\x3d\x04\x03\x03": "sha384-ecdsa",
    b"\x2a\x86\x48\xce\x3d\x04\x03\x04": "sha512-ecdsa",
    b"\x2b\x65\x70": "ed25519",
    b"\x2b\x65\x71": "ed448",
}


class Malformed(ValueError):
    """The data are no certificate."""


def element(data, offset, end):
    """Return (tag, start of content, end of content) of the DER element at ``offset``; raise Malformed."""
    if offset + 2 > end:
        raise Malformed("cut short")
    tag, length = data[offset], data[offset + 1]
    start = offset + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or start + count > end:
            raise Malformed("bad length")
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + length > end:
        raise Malformed("longer than its container")
    return tag, start, start + length


def children(data, start, end):
    """Yield the elements inside a constructed one."""
    while start < end:
        tag, begin, stop = element(data, start, end)
        yield tag, begin, stop
        start = stop


def parse_time(tag, content):
    """Unix time (seconds) of UTCTime (tag 0x17) or GeneralizedTime (0x18); raise Malformed."""
    digits = content.rstrip(b"Z")
    if tag == 0x17 and len(digits) == 12:
        digits = (b"19" if digits[:2] >= b"50" else b"20") + digits
    if tag not in (0x17, 0x18) or len(digits) != 14 or not digits.isdigit():
        raise Malformed("bad time")
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    if not (1 <= month <= 12 and 1 <= day <= 31 and year >= 1):
        raise Malformed("bad time")
    return calendar.timegm((year, month, day, int(digits[8:10]), int(digits[10:12]), int(digits[12:14])))


def common_name(data, start, end):
    """The last common name in a Name, or None."""
    found = None
    for _tag, begin, stop in children(data, start, end):
        for _tag, inner, inner_stop in children(data, begin, stop):
            parts = list(children(data, inner, inner_stop))
            if len(parts) == 2 and data[parts[0][1] : parts[0][2]] == _COMMON_NAME:
                found = text(data[parts[1][1] : parts[1][2]])[:256]
    return found


def _key(data, start, end):
    parts = list(children(data, start, end))
    if len(parts) < 2:
        raise Malformed("no public key")
    algorithm = next(children(data, parts[0][1], parts[0][2]), None)
    if algorithm is None:
        raise Malformed("no key algorithm")
    name = _KEYS.get(data[algorithm[1] : algorithm[2]], "other")
    bits = None
    if name == "rsa":
        _tag, begin, stop = element(data, parts[1][1] + 1, parts[1][2])
        modulus = next(children(data, begin, stop), None)
        if modulus is None:
            raise Malformed("no modulus")
        bits = int.from_bytes(data[modulus[1] : modulus[2]], "big").bit_length()
    elif name == "ec":
        # An uncompressed point is one byte and two coordinates.
        bits = {66: 256, 98: 384, 134: 521}.get(parts[1][2] - parts[1][1])
    return name, bits


def _names(data, start, end):
    """DNS names of the subject alternative name extension, at most 16."""
    place = data.find(_ALTERNATIVE, start, end)
    if place < 0:
        return []
    offset = place + len(_ALTERNATIVE)
    tag, begin, stop = element(data, offset, end)
    if tag == 0x01:  # the critical flag
        tag, begin, stop = element(data, stop, end)
    _tag, begin, stop = element(data, begin, stop)
    return [text(data[inner:last])[:256] for tag, inner, last in children(data, begin, stop) if tag == 0x82][:16]


def parse_certificate(data):
    """Return {not_before, not_after (Unix seconds), subject, issuer (common names), self_issued, names, key, bits,
    signature} of a DER certificate (bytes); raise Malformed.
    """
    try:
        _tag, start, end = element(data, 0, len(data))
        parts = list(children(data, start, end))
        if len(parts) < 3:
            raise Malformed("no certificate")
        _tag, start, end = parts[0]
        fields = list(children(data, start, end))
        if fields and fields[0][0] == 0xA0:  # the version
            fields.pop(0)
        if len(fields) < 6:
            raise Malformed("no certificate")
        algorithm = next(children(data, parts[1][1], parts[1][2]), None)
        _serial, _signature, issuer, validity, subject, key = fields[:6]
        times = list(children(data, validity[1], validity[2]))
        if len(times) != 2 or algorithm is None:
            raise Malformed("no validity")
        kind, bits = _key(data, key[1], key[2])
        return {
            "not_before": parse_time(times[0][0], data[times[0][1] : times[0][2]]),
            "not_after": parse_time(times[1][0], data[times[1][1] : times[1][2]]),
            "subject": common_name(data, subject[1], subject[2]),
            "issuer": common_name(data, issuer[1], issuer[2]),
            "self_issued": data[subject[1] : subject[2]] == data[issuer[1] : issuer[2]],
            "names": _names(data, key[2], end),
            "key": kind,
            "bits": bits,
            "signature": _SIGNATURES.get(data[algorithm[1] : algorithm[2]], "other"),
        }
    except (IndexError, OverflowError) as error:
        raise Malformed(str(error)) from None


def first_certificate(data):
    """Return the facts of the first certificate in a PEM or DER file (bytes); raise Malformed when there is none."""
    match = _PEM.search(data)
    if match:
        try:
            return parse_certificate(binascii.a2b_base64(match.group(1)))
        except binascii.Error as error:
            raise Malformed(str(error)) from None
    if data[:1] != b"\x30":
        raise Malformed("neither PEM nor DER")
    return parse_certificate(data)

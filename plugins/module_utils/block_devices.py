"""What lies below a block device: the stack of device mapper, RAID and loop layers in /sys, down to disks.

Sources: Documentation/ABI/stable/sysfs-block, the UUID prefixes that cryptsetup gives (``CRYPT-LUKS2-...``).
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .spec import Absent, Unreadable

MAX_LAYERS = 16
CIPHER_PREFIXES = (
    "CRYPT-LUKS", "CRYPT-PLAIN", "CRYPT-TCRYPT", "CRYPT-BITLK", "CRYPT-FVAULT2", "CRYPT-LOOPAES", "CRYPT-TEMP",
)  # fmt: skip
"""Kinds of dm-crypt. CRYPT-VERITY and CRYPT-INTEGRITY protect against change, not against reading."""


def method_of(uuid):
    """Return ``luks2``, ``luks1``, ``plain``, ... for the dm/uuid of an encrypting layer, else None.

    >>> method_of("CRYPT-LUKS2-0d5a-luks")
    'luks2'
    """
    if uuid.startswith(CIPHER_PREFIXES):
        return uuid.split("-")[1].lower()
    return None


class Devices:
    """Block devices as /sys shows them. Names are kernel names (``dm-0``, ``sda1``)."""

    def __init__(self, host, backing=None):
        self.host = host
        self._backing = backing or (lambda path: None)  # path of a loop file -> name of the device it lies on

    def _text(self, path):
        try:
            return self.host.read_text(path, 4096).strip()
        except Absent:
            return ""

    def name_of(self, number):
        """Return the kernel name of ``major:minor``, or None when /sys knows no such block device."""
        try:
            target = self.host.readlink("/sys/dev/block/" + number)
        except Absent:
            return None
        return target.rsplit("/", 1)[-1] if target else None

    def label(self, name):
        """Return the name people know: the device mapper name, or the kernel name."""
        return self._text("/sys/class/block/%s/dm/name" % name) or name

    def layer(self, name):
        """Return ``(method, below)``: encryption of this layer (or None) and the names of the layers below."""
        base = "/sys/class/block/" + name
        method = method_of(self._text(base + "/dm/uuid"))
        if method:
            return method, []
        try:
            below = self.host.listdir(base + "/slaves")
        except Absent:
            below = []
        if not below and self.host.exists(base + "/partition"):
            target = self.host.readlink(base) or ""
            parts = target.split("/")
            below = parts[-2:-1]
        if not below:
            backing = self._text(base + "/loop/backing_file")
            under = self._backing(backing) if backing else None
            below = [under] if under else []
        return None, below

    def verdict(self, name):
        """Return ``(encrypted, methods, layers, why)`` of what is written to a device.

        ``encrypted`` is yes when every path to the disks meets an encrypting layer, no when none or only
        some do, unknown when the stack cannot be read. ``layers`` names them from the top, at most 16.
        """
        open_ends, methods, layers = [], [], []
        todo, seen = [name], set()
        try:
            while todo:
                current = todo.pop(0)
                if current in seen or len(seen) >= 4 * MAX_LAYERS:
                    continue
                seen.add(current)
                method, below = self.layer(current)
                layers.append(self.label(current) + (" (%s)" % method if method else ""))
                if method:
                    methods.append(method)
                elif below:
                    todo.extend(below)
                else:
                    open_ends.append(current)
        except Unreadable as error:
            return "unknown", methods, layers[:MAX_LAYERS], error.why
        if not open_ends and methods:
            return "yes", sorted(set(methods)), layers[:MAX_LAYERS], ""
        why = "%s is not encrypted" % ", ".join(open_ends[:4])
        if methods:
            why += " beside others that are"
        return "no", sorted(set(methods)), layers[:MAX_LAYERS], why

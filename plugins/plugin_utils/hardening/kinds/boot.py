"""The boot menu: ``{kind: boot, password: true}``. Arguments of the kernel are the kind ``kernel_argument``.

A password is never made up here: a person has to know it.
"""

from __future__ import annotations

from ..operations import controls_of, left

KIND = "boot"


def operations(settings, facts):
    """Return what a person has to do."""
    if not settings:
        return []
    how = "grub2-setpassword" if facts.family == "rhel" else "grub-mkpasswd-pbkdf2 and a file in /etc/grub.d"
    reason = f"somebody has to choose the password of the boot menu and keep it: set it with {how}"
    return [left(controls_of(settings), reason)]

"""The kinds of settings. A kind is one file here with

``KIND = "<name>"`` and ``operations(settings, facts) -> list``: pure, the same for the same input.

``settings`` are all settings of that kind chosen for one host: ``[{"setting": {"kind", ...}, "controls": [ids]}]``,
equal ones merged. ``facts`` is ``hardening.facts.Facts``. Operations come from ``hardening.operations``; what cannot be
set on this host is ``left(controls, reason)``, what waits for the next boot also ``reboot(controls, reason)``. A kind
plans what is asked, whether or not it is so already: the engine on the host drops what changes nothing. It edits or
adds, so that what an earlier run set stays set.

KINDS holds them in the order in which a plan carries them out.
"""

from __future__ import annotations

from . import (
    account,
    config,
    content,
    dconf,
    file,
    file_walk,
    kernel_module,
    limit,
    line,
    login_defs,
    mount,
    package,
    pam,
    password_age,
    service,
    shell_profile,
    sudo,
    sysctl,
)

MODULES = (
    package,
    content,
    config,
    login_defs,
    limit,
    shell_profile,
    dconf,
    line,
    kernel_module,
    sysctl,
    mount,
    service,
    file,
    file_walk,
    account,
    password_age,
    sudo,
    pam,
)
"""Every kind, in the order of a plan: a literal list. Add yours where its operations belong."""

KINDS = {module.KIND: module for module in MODULES}

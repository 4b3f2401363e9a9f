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
    aide,
    audit_rule,
    auditd,
    boot,
    config,
    content,
    crypto_policy,
    dconf,
    file,
    file_walk,
    firewall,
    kernel_argument,
    kernel_module,
    limit,
    line,
    log_files,
    login_defs,
    mac,
    mount,
    package,
    pam,
    password_age,
    repository,
    service,
    shell_profile,
    sshd,
    sudo,
    sysctl,
    time,
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
    repository,
    time,
    kernel_module,
    kernel_argument,
    boot,
    mac,
    crypto_policy,
    sysctl,
    mount,
    service,
    file,
    file_walk,
    log_files,
    aide,
    auditd,
    audit_rule,
    account,
    password_age,
    sudo,
    pam,
    sshd,
    firewall,
)
"""Every kind, in the order of a plan: a literal list. Add yours where its operations belong."""

KINDS = {module.KIND: module for module in MODULES}

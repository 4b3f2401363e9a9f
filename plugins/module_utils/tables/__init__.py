"""All tables, by a literal list: AnsiballZ ships only what static imports reach."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from . import (
    audit_config,
    audit_rules,
    audit_rules_loaded,
    audit_status,
    boot,
    cron,
    encryption,
    file_attributes,
    file_walk,
    firewall,
    firewall_rules,
    groups,
    identity,
    kernel_modules,
    listeners,
    logging,
    login_defs,
    mac,
    mounts,
    name_services,
    packages,
    pam,
    pam_settings,
    password_ages,
    platform,
    processes,
    sshd,
    sudoers,
    sysctl,
    time,
    units,
    users,
)

TABLES = {
    module.TABLE.name: module
    for module in (
        audit_config,
        audit_rules,
        audit_rules_loaded,
        audit_status,
        boot,
        cron,
        encryption,
        file_attributes,
        file_walk,
        firewall,
        firewall_rules,
        groups,
        identity,
        kernel_modules,
        listeners,
        logging,
        login_defs,
        mac,
        mounts,
        name_services,
        packages,
        pam,
        pam_settings,
        password_ages,
        platform,
        processes,
        sshd,
        sudoers,
        sysctl,
        time,
        units,
        users,
    )
}
"""Table name -> module with ``TABLE`` (its spec) and ``collect(host, options)``, in the order of reading."""

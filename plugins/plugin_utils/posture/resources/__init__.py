"""The resource types of ``require``, by a literal list."""

from __future__ import annotations

from . import (
    audit_rule,
    auditd,
    boot,
    config,
    encryption,
    end_of_support,
    exposure,
    file,
    file_walk,
    kernel_module,
    login_defs,
    mount,
    package,
    query,
    service,
    sshd,
    sysctl,
    tls,
)

RESOURCES = {
    resource.name: resource
    for resource in (
        audit_rule.AuditRule(),
        auditd.Auditd(),
        boot.Boot(),
        config.Config(),
        encryption.Encryption(),
        end_of_support.EndOfSupport(),
        exposure.Exposure(),
        file.File(),
        file_walk.FileWalk(),
        kernel_module.KernelModule(),
        login_defs.LoginDefs(),
        mount.Mount(),
        package.Package(),
        query.Query(),
        service.Service(),
        sshd.Sshd(),
        sysctl.Sysctl(),
        tls.Tls(),
    )
}
"""Name in ``require`` -> the one object that checks and judges such statements."""

"""The resource types of ``require``, by a literal list."""

from __future__ import annotations

from . import audit_rule, auditd, boot, file, file_walk, kernel_module, mount, package, query, service, sshd, sysctl

RESOURCES = {
    resource.name: resource
    for resource in (
        audit_rule.AuditRule(),
        auditd.Auditd(),
        boot.Boot(),
        file.File(),
        file_walk.FileWalk(),
        kernel_module.KernelModule(),
        mount.Mount(),
        package.Package(),
        query.Query(),
        service.Service(),
        sshd.Sshd(),
        sysctl.Sysctl(),
    )
}
"""Name in ``require`` -> the one object that checks and judges such statements."""

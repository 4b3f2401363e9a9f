"""The resource types of ``require``, by a literal list."""

from __future__ import annotations

from . import (
    audit_rule,
    auditd,
    banner,
    boot,
    config,
    dconf,
    encryption,
    end_of_support,
    exposure,
    file,
    file_walk,
    firewall,
    home,
    kernel_module,
    login_defs,
    mount,
    package,
    pam,
    password_age,
    query,
    service,
    shell_profile,
    sshd,
    sudo,
    sysctl,
    tls,
)

RESOURCES = {
    resource.name: resource
    for resource in (
        audit_rule.AuditRule(),
        auditd.Auditd(),
        banner.Banner(),
        boot.Boot(),
        config.Config(),
        dconf.Dconf(),
        encryption.Encryption(),
        end_of_support.EndOfSupport(),
        exposure.Exposure(),
        file.File(),
        file_walk.FileWalk(),
        firewall.Firewall(),
        home.Home(),
        kernel_module.KernelModule(),
        login_defs.LoginDefs(),
        mount.Mount(),
        package.Package(),
        pam.Pam(),
        password_age.PasswordAge(),
        query.Query(),
        service.Service(),
        shell_profile.ShellProfile(),
        sshd.Sshd(),
        sudo.Sudo(),
        sysctl.Sysctl(),
        tls.Tls(),
    )
}
"""Name in ``require`` -> the one object that checks and judges such statements."""

"""The resource types of ``require``, by a literal list."""

from __future__ import annotations

from . import kernel_module, mount, package, query, service, sysctl

RESOURCES = {
    resource.name: resource
    for resource in (
        kernel_module.KernelModule(),
        mount.Mount(),
        package.Package(),
        query.Query(),
        service.Service(),
        sysctl.Sysctl(),
    )
}
"""Name in ``require`` -> the one object that checks and judges such statements."""

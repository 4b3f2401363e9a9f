"""What content may say: the resource types and conditions that the engine knows, handed in from above."""

from __future__ import annotations

from dataclasses import dataclass, field

SEVERITIES = ("critical", "high", "medium", "low")
"""Severities of a control, worst first."""

STRICTER = ("lower", "higher", "subset", "superset", "equal")
"""In which direction a tailored parameter value is at least as strict as the benchmark's. ``equal``: every
other value counts as weaker."""

DEFAULT_SCORE = "remediate_security_configurations"
"""Secure-score control that a control belongs to unless it names another."""

SCORES = (
    "enable_mfa",
    "secure_management_ports",
    "apply_system_updates",
    "remediate_vulnerabilities",
    "remediate_security_configurations",
    "manage_access_and_permissions",
    "enable_encryption_at_rest",
    "encrypt_data_in_transit",
    "restrict_unauthorized_network_access",
    "apply_adaptive_application_control",
    "protect_applications_against_ddos_attacks",
    "enable_endpoint_protection",
    "enable_auditing_and_logging",
    "enable_enhanced_security_features",
    "implement_security_best_practices",
)
"""Keys of the secure-score controls that content may name."""

HOLDS = (
    "docker",
    "kubernetes",
    "router",
    "hypervisor",
    "sftp",
    "password_only",
    "immutable_audit",
    "sudo_authentication",
    "sudo_requiretty",
    "password_age",
    "inactivity",
    "faillock",
    "pam_wheel",
    "sshd_access",
    "sshd_sessions",
    "noexec_remote_tmp",
    "tmout",
    "disk_full_action",
    "grub_password",
    "partition",
    "allowlist",
)
"""What a control may say of itself in ``hold``: setting it may cut somebody off where facts of the host say so."""


@dataclass(frozen=True)
class Vocabulary:
    """The words of ``require`` and ``when``.

    ``resources`` maps a type's name to an object with ``check(statement, where)``, ``tables(statement)``,
    ``paths(statement)`` (posture.resources.base.Resource). ``conditions`` maps a ``when`` key to an object with
    ``check(value, where)`` and ``tables(value)``. ``sources`` are the files whose change makes compiled content old.
    """

    resources: dict
    conditions: dict
    sources: tuple = field(default_factory=tuple)

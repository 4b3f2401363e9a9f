"""Alerts under the 25 field names of Microsoft Defender's export schema, for whoever already reads those."""

from __future__ import annotations

FIELDS = (
    "VendorName", "AlertType", "StartTimeUtc", "EndTimeUtc", "ProcessingEndTime", "TimeGenerated", "IsIncident",
    "Severity", "Status", "ProductName", "SystemAlertId", "AzureResourceId", "AzureResourceSubscriptionId",
    "WorkspaceId", "WorkspaceSubscriptionId", "WorkspaceResourceGroup", "AgentId", "CompromisedEntity", "Intent",
    "AlertDisplayName", "Description", "RemediationSteps", "ExtendedProperties", "Entities", "ResourceIdentifiers",
)  # fmt: skip

_SEVERITY = {
    "critical": "High",
    "high": "High",
    "medium": "Medium",
    "low": "Low",
    "informational": "Informational",
}
_STATUS = {
    "new": "New",
    "active": "InProgress",
    "resolved": "Resolved",
    "dismissed": "Dismissed",
}


def export_fields(alert, processed, resource_id="", subscription_id=""):
    """Return the alert as a dict with exactly FIELDS.

    ``processed``: RFC 3339 UTC, when it was exported. ``resource_id``, ``subscription_id``: of the host's cloud
    resource where there is one. There is no workspace and no agent: those fields are empty. A critical alert is
    High, the highest value there; ``ExtendedProperties`` keeps what has no field of its own.
    """
    identifiers = [{"Type": "Host", "Scope": alert["scope"], "Name": alert["host"]}]
    if resource_id:
        identifiers.append({"Type": "AzureResource", "AzureResourceId": resource_id})
    return {
        "VendorName": "Ringwall",
        "AlertType": alert["rule"],
        "StartTimeUtc": alert["first_seen"],
        "EndTimeUtc": alert["last_seen"],
        "ProcessingEndTime": processed,
        "TimeGenerated": processed,
        "IsIncident": False,
        "Severity": _SEVERITY[alert["severity"]],
        "Status": _STATUS[alert["status"]],
        "ProductName": "Ringwall",
        "SystemAlertId": alert["fingerprint"],
        "AzureResourceId": resource_id,
        "AzureResourceSubscriptionId": subscription_id,
        "WorkspaceId": "",
        "WorkspaceSubscriptionId": "",
        "WorkspaceResourceGroup": "",
        "AgentId": "",
        "CompromisedEntity": alert["host"],
        "Intent": ", ".join(name.replace(" ", "") for name in alert["tactics"]) or "Unknown",
        "AlertDisplayName": alert["title"],
        "Description": alert["description"],
        "RemediationSteps": list(alert["steps"]),
        "ExtendedProperties": {
            "severity": alert["severity"],
            "count": alert["count"],
            "reopened": alert["reopened"],
            "techniques": list(alert["techniques"]),
            "disposition": alert["disposition"],
            "evidence": list(alert["evidence"]),
        },
        "Entities": [dict(item, Type=item.get("type", "")) for item in alert["entities"]],
        "ResourceIdentifiers": identifiers,
    }

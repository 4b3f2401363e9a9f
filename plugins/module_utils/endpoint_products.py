"""Endpoint protection products for Linux: where they lie, what runs of them, where their signatures are."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import calendar
import json
import re
from collections import namedtuple

Product = namedtuple("Product", "key title kind paths programs units signatures version realtime")
"""A product.

``kind``: antivirus, edr or hids. ``paths``: any of them proves that it is installed. ``programs``: process names (at
most 15 bytes, as the kernel keeps them) of the part that protects; any of them running means that it runs. ``units``:
its services. ``signatures``: globs of signature files; the newest tells their age. ``version``: files whose first
version number is the product's. ``realtime``: process names whose running means that files are scanned on access.
"""

PRODUCTS = (
    Product(
        "clamav",
        "ClamAV",
        "antivirus",
        ("/usr/sbin/clamd", "/usr/bin/clamscan", "/usr/bin/clamdscan"),
        ("clamd",),
        ("clamav-daemon.service", "clamd@scan.service", "clamd.service"),
        ("/var/lib/clamav/daily.c?d", "/var/lib/clamav/main.c?d"),
        (),
        ("clamonacc",),
    ),
    Product(
        "mdatp",
        "Microsoft Defender for Endpoint",
        "edr",
        ("/opt/microsoft/mdatp/sbin/wdavdaemon",),
        ("wdavdaemon", "mdatp"),
        ("mdatp.service",),
        ("/var/opt/microsoft/mdatp/definitions.noindex/*/*", "/opt/microsoft/mdatp/definitions.noindex/*/*"),
        (),
        (),
    ),
    Product(
        "falcon",
        "CrowdStrike Falcon Sensor",
        "edr",
        ("/opt/CrowdStrike/falcond", "/opt/CrowdStrike/falconctl"),
        ("falcon-sensor", "falcond", "falcon-sensor-b"),
        ("falcon-sensor.service",),
        (),
        (),
        (),
    ),
    Product(
        "sentinelone",
        "SentinelOne",
        "edr",
        ("/opt/sentinelone/bin/sentinelctl", "/opt/sentinelone/bin/sentineld"),
        ("sentineld", "s1-agent", "s1-scanner"),
        ("sentinelone.service", "sentineld.service"),
        (),
        ("/opt/sentinelone/configuration/agent_version",),
        (),
    ),
    Product(
        "carbon_black",
        "VMware Carbon Black",
        "edr",
        ("/opt/carbonblack/psc/bin/cbagentd", "/usr/sbin/cbdaemon", "/opt/cbsensor/cbdaemon"),
        ("cbagentd", "cbdaemon", "event_collector"),
        ("cbagentd.service", "cbdaemon.service"),
        (),
        (),
        (),
    ),
    Product(
        "sophos",
        "Sophos Protection for Linux",
        "edr",
        ("/opt/sophos-spl/bin", "/opt/sophos-av/bin/savdstatus"),
        ("sophos_threat_d", "soapd", "savd", "sophos_managemen"),
        ("sophos-spl.service", "sav-protect.service"),
        ("/opt/sophos-spl/plugins/av/chroot/susi/update_source/vdl/*", "/opt/sophos-av/lib/sav/*.vdb"),
        ("/opt/sophos-spl/base/VERSION.ini",),
        ("soapd",),
    ),
    Product(
        "trend_ds",
        "Trend Micro Deep Security or Vision One",
        "edr",
        ("/opt/ds_agent/ds_agent", "/opt/TrendMicro/EndpointBasecamp"),
        ("ds_agent", "ds_am", "tmxbc", "EndpointBasecam"),
        ("ds_agent.service", "tmxbc.service"),
        ("/var/opt/ds_agent/am/*/*ptn*", "/var/opt/ds_agent/am/*.ptn"),
        (),
        ("ds_am",),
    ),
    Product(
        "trend_serverprotect",
        "Trend Micro ServerProtect",
        "antivirus",
        ("/opt/TrendMicro/SProtectLinux",),
        ("vsapiapp", "splx"),
        ("splx.service",),
        ("/opt/TrendMicro/SProtectLinux/lpt$vpn.*",),
        (),
        (),
    ),
    Product(
        "trellix",
        "Trellix (McAfee) Endpoint Security",
        "antivirus",
        ("/opt/McAfee/ens", "/opt/isec/ens"),
        ("mfetpd", "isectpd", "mfeespd"),
        ("mfetpd.service", "mfeespd.service"),
        ("/opt/McAfee/ens/tp/var/engine/dat/*/*", "/opt/McAfee/ens/tp/var/engine/dat/*"),
        (),
        ("mfetpd",),
    ),
    Product(
        "trellix_hx",
        "Trellix (FireEye) HX",
        "edr",
        ("/opt/fireeye/bin/xagt",),
        ("xagt",),
        ("xagt.service",),
        (),
        (),
        (),
    ),
    Product(
        "symantec",
        "Symantec Endpoint Protection",
        "antivirus",
        ("/opt/Symantec/symantec_antivirus", "/usr/lib/symantec/sdcss", "/opt/Symantec/sdcssagent"),
        ("rtvscand", "symcfgd", "sisamdagent", "cafservicemain"),
        ("rtvscand.service", "sisamdagent.service"),
        ("/opt/Symantec/virusdefs/definfo.dat", "/opt/Symantec/sdcssagent/AMD/sef/definitions/*"),
        (),
        ("rtvscand",),
    ),
    Product(
        "eset",
        "ESET Server Security or Endpoint",
        "antivirus",
        ("/opt/eset/efs", "/opt/eset/eea", "/opt/eset/esets"),
        ("startd", "scand", "oaeventd", "esets_daemon"),
        ("efs.service", "eea.service", "esets.service"),
        ("/var/opt/eset/efs/lib/em*.dat", "/var/opt/eset/eea/lib/em*.dat", "/var/opt/eset/esets/lib/em*.dat"),
        (),
        ("oaeventd",),
    ),
    Product(
        "kaspersky",
        "Kaspersky Endpoint Security",
        "antivirus",
        ("/opt/kaspersky/kesl",),
        ("kesl", "kess"),
        ("kesl.service", "kesl-supervisor.service"),
        ("/var/opt/kaspersky/kesl/common/updates/*",),
        (),
        (),
    ),
    Product(
        "bitdefender",
        "Bitdefender GravityZone",
        "edr",
        ("/opt/bitdefender-security-tools", "/opt/BitDefender"),
        ("bdsecd", "bdepsecd", "epagd"),
        ("bdsec.service", "bdepsecd.service"),
        ("/opt/bitdefender-security-tools/var/antimalware/Plugins/update.txt",),
        (),
        (),
    ),
    Product(
        "cylance",
        "BlackBerry Cylance",
        "edr",
        ("/opt/cylance/desktop/cylancesvc",),
        ("cylancesvc",),
        ("cylancesvc.service",),
        (),
        (),
        ("cylancesvc",),
    ),
    Product(
        "cortex_xdr",
        "Palo Alto Cortex XDR",
        "edr",
        ("/opt/traps/bin/cytool", "/opt/traps/bin/pmd"),
        ("pmd", "traps_pmd"),
        ("traps_pmd.service",),
        ("/opt/traps/download/content/*",),
        (),
        (),
    ),
    Product(
        "cybereason",
        "Cybereason",
        "edr",
        ("/opt/cybereason/sensor/bin/cybereason-sensor",),
        ("cybereason-sens", "cbram"),
        ("cybereason-sensor.service",),
        (),
        (),
        (),
    ),
    Product(
        "fsecure",
        "WithSecure Linux Security",
        "antivirus",
        ("/opt/f-secure/linuxsecurity", "/opt/f-secure/fsav"),
        ("fsaccd", "fsavd", "lspmd"),
        ("f-secure-linuxsecurity-fsaccd.service",),
        ("/var/opt/f-secure/linuxsecurity/update/*",),
        (),
        ("fsaccd",),
    ),
    Product(
        "elastic_defend",
        "Elastic Defend",
        "edr",
        ("/opt/Elastic/Endpoint/elastic-endpoint",),
        ("elastic-endpoint", "elastic-endpoin"),
        ("ElasticEndpoint.service",),
        (),
        (),
        (),
    ),
    Product(
        "wazuh",
        "Wazuh agent",
        "hids",
        ("/var/ossec/bin/wazuh-agentd", "/var/ossec/bin/wazuh-control"),
        ("wazuh-agentd", "wazuh-analysisd"),
        ("wazuh-agent.service", "wazuh-manager.service"),
        (),
        ("/var/ossec/VERSION.json",),
        ("wazuh-syscheckd", "wazuh-syscheck"),
    ),
    Product(
        "ossec",
        "OSSEC",
        "hids",
        ("/var/ossec/bin/ossec-agentd", "/var/ossec/bin/ossec-control"),
        ("ossec-agentd", "ossec-analysisd"),
        ("ossec.service", "ossec-hids.service"),
        (),
        (),
        ("ossec-syscheckd",),
    ),
    Product(
        "samhain",
        "Samhain",
        "hids",
        ("/usr/sbin/samhain", "/usr/local/sbin/samhain"),
        ("samhain",),
        ("samhain.service",),
        (),
        (),
        (),
    ),
    Product(
        "osquery",
        "osquery",
        "hids",
        ("/opt/osquery/bin/osqueryd", "/usr/bin/osqueryd"),
        ("osqueryd",),
        ("osqueryd.service",),
        (),
        (),
        (),
    ),
    Product(
        "falco",
        "Falco",
        "edr",
        ("/usr/bin/falco",),
        ("falco",),
        ("falco.service", "falco-modern-bpf.service"),
        ("/etc/falco/falco_rules.yaml",),
        (),
        (),
    ),
)

MONTHS = {
    name: number
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}
_CVD = re.compile(rb"ClamAV-VDB:(\d{1,2}) (\w{3}) (\d{4}) (\d{2})-(\d{2}) ([+-])(\d{2})(\d{2}):(\d+):")
_VERSION = re.compile(rb"(\d+(?:\.\d+){1,4})")


def parse_clamav_header(head):
    """Return (Unix time it was built, database version) of the head of a .cvd or .cld file (bytes), or None.

    The header is ``ClamAV-VDB:07 Mar 2024 09-25 +0000:27206:...`` in 512 bytes (libclamav's cvd.c).
    """
    match = _CVD.match(head)
    if not match or match.group(2) not in MONTHS:
        return None
    day, month, year, hour, minute, sign, hours, minutes, version = match.groups()
    try:
        moment = calendar.timegm((int(year), MONTHS[month], int(day), int(hour), int(minute), 0))
    except (ValueError, OverflowError):
        return None
    shift = (int(hours) * 60 + int(minutes)) * 60
    return moment - shift if sign == b"+" else moment + shift, text_of(version)


def text_of(digits):
    """ASCII digits as text."""
    return digits.decode("ascii", "replace")


def first_version(data):
    """The first dotted version number in a small file (bytes), or None."""
    match = _VERSION.search(data)
    return text_of(match.group(1)) if match else None


def parse_mdatp_configuration(data):
    """Real-time protection of Defender for Endpoint in its JSON configuration (bytes): True, False, None when not said.

    ``antivirusEngine.enforcementLevel`` (real_time, on_demand, passive) or ``enableRealTimeProtection``.
    """
    try:
        engine = json.loads(data.decode("utf-8", "replace")).get("antivirusEngine", {})
        if "enforcementLevel" in engine:
            return engine["enforcementLevel"] == "real_time"
        if isinstance(engine.get("enableRealTimeProtection"), bool):
            return engine["enableRealTimeProtection"]
    except (ValueError, AttributeError, TypeError, RecursionError):
        pass
    return None

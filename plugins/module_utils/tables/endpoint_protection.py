"""Antivirus, EDR and intrusion detection products: present, running, how old their signatures are."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from ..endpoint_products import PRODUCTS, first_version, parse_clamav_header, parse_mdatp_configuration
from ..procfs import processes
from ..spec import Absent, Column, Result, Table, Unreadable, Unsupported, unreadable
from ..systemd_units import unit_files
from ..text import rfc3339

TABLE = Table(
    name="endpoint_protection",
    description=(
        "Known endpoint protection products that are installed: "
        + ", ".join(product.title for product in PRODUCTS)
        + ". A product without a row is not installed in its usual place."
    ),
    key="short name of the product (clamav, mdatp, falcon, ...)",
    columns=(
        Column("title", "text", "name of the product"),
        Column("kind", "text", "antivirus, edr or hids (intrusion detection on the host)"),
        Column("running", "bool", "a process of its protecting part runs; null when not live"),
        Column("enabled", "bool", "one of its units starts at boot; null when it has no unit file here"),
        Column(
            "realtime",
            "bool",
            "files are scanned on access: by its configuration (Defender) or a running process that does nothing else;"
            " null when it cannot be told",
        ),
        Column("version", "text", "version of the product where a file tells it cheaply; null otherwise"),
        Column(
            "signature_time",
            "time",
            "when the newest signatures were built (ClamAV) or written here; null when the product keeps none on disk",
        ),
        Column("signature_version", "text", "version of the signatures (ClamAV)"),
        Column("evidence", "list", "paths and processes that tell; at most 8"),
    ),
    max_rows=100,
)

MDATP_CONFIGURATIONS = ("/etc/opt/microsoft/mdatp/managed/mdatp_managed.json", "/etc/opt/microsoft/mdatp/wdavcfg")
SIGNATURE_FILES = 200
FIRST_USER = 1000
"""First uid of people on Linux (login.defs UID_MIN); products run as root or as a system user."""


def _running_names(host):
    """Names of running processes, None when not live."""
    if not host.live:
        return None
    names = set()
    for process in processes(host):
        if process["container"] or process["uid"] is None or process["uid"] >= FIRST_USER:
            continue  # it guards that container, or anyone may have given it the name
        names.add(process["name"])
        if isinstance(process["exe"], str):
            names.add(os.path.basename(process["exe"])[:15])
    return names


def _signatures(host, product, row):
    newest, version = None, None
    try:
        for pattern in product.signatures:
            for path in host.glob(pattern)[:SIGNATURE_FILES]:
                moment = host.stat(path).st_mtime
                if product.key == "clamav":
                    head = _head(host, path)
                    header = parse_clamav_header(head)
                    if header is None:
                        continue
                    moment, number = header
                    version = number if newest is None or moment > newest else version
                newest = moment if newest is None else max(newest, moment)
    except Unreadable as error:
        row["signature_time"] = error.cell()
        return
    except Absent:
        pass  # replaced while it was looked at: the rest tells
    row["signature_time"], row["signature_version"] = rfc3339(newest), version
    if product.signatures and newest is None:
        row["signature_time"] = unreadable("partial", "no signatures where %s keeps them" % product.title)


def _head(host, path):
    descriptor = host.tree.open(path)
    try:
        return os.read(descriptor, 512)
    finally:
        os.close(descriptor)


def _realtime(host, product, running):
    if product.key == "mdatp":
        for path in MDATP_CONFIGURATIONS:
            try:
                found = parse_mdatp_configuration(host.read(path, 1 << 20))
            except Absent:
                continue
            except Unreadable as error:
                return error.cell()
            if found is not None:
                return found
        return None
    if not product.realtime or running is None:
        return None
    return any(name[:15] in running for name in product.realtime)


def _version(host, product):
    for path in product.version:
        try:
            return first_version(host.read(path, 65536))
        except (Absent, Unreadable):
            continue
    return None


def _enabled(host, product):
    files = unit_files(host)
    states = [files.state(name) for name in product.units]
    known = [state for state in states if state is not None]
    return any(state.startswith(("enabled", "linked", "generated")) for state in known) if known else None


def collect(host, options):
    """Return one row a product that is installed; partial when a place could not be looked at."""
    rows = {}
    gaps = []
    try:
        running, hidden = _running_names(host), None
    except (Unreadable, Unsupported) as error:
        running, hidden = None, unreadable("denied", str(error))
    for product in PRODUCTS:
        evidence = []
        for path in product.paths:
            try:
                if host.exists(path):
                    evidence.append(path)
            except Unreadable as error:
                gaps.append(error.why)
        alive = sorted(name for name in product.programs if running and name[:15] in running)
        if not evidence:
            continue  # a process name alone proves nothing
        if product.key == "ossec" and "wazuh" in rows:
            continue  # Wazuh keeps the paths of the OSSEC it grew from
        row = dict.fromkeys(column.name for column in TABLE.columns)
        row.update(
            title=product.title,
            kind=product.kind,
            running=hidden if running is None else bool(alive),
            enabled=_enabled(host, product),
            realtime=_realtime(host, product, running),
            version=_version(host, product),
            evidence=(evidence + ["process " + name for name in alive])[:8],
        )
        _signatures(host, product, row)
        rows[product.key] = row
    return Result(rows, "partial", "; ".join(dict.fromkeys(gaps))[:500]) if gaps else Result(rows)

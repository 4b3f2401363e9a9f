"""Repositories that packages come from, and whether what comes is checked."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import os

from ..package_sources import parse_apt, parse_deb822, parse_ini, parse_list, truth
from ..reading import names_in
from ..redact import redact
from ..spec import Absent, Column, Result, Table, Unreadable
from ..text import text

TABLE = Table(
    name="package_sources",
    description="Repositories of apt, dnf and yum, and the settings of these programs, from their files.",
    key="`apt <file:line>` (`#2` for further addresses of a stanza), `dnf <repository>`, `setting apt <name>`,"
    " `setting dnf <name>`",
    columns=(
        Column("manager", "text", "apt or dnf"),
        Column("kind", "text", "repository or setting"),
        Column("name", "text", "repository: id (dnf) or suites (apt); setting: its name as written"),
        Column("enabled", "bool", "repository: in use"),
        Column("types", "list", "apt: deb, deb-src"),
        Column("address", "text_sensitive", "repository: where it lies, without credentials"),
        Column("components", "list", "apt: components"),
        Column("checked", "bool", "repository: packages are refused that no trusted key vouches for"),
        Column("metadata_checked", "bool", "dnf: signatures of the lists are checked too (repo_gpgcheck)"),
        Column("trusted", "bool", "apt: trusted=yes takes everything unchecked; null when not said"),
        Column("allow_insecure", "bool", "apt: lists without a signature are taken; null when not said"),
        Column("allow_weak", "bool", "apt: lists with weak digests are taken; null when not said"),
        Column("allow_downgrade", "bool", "apt: a source that was signed may become unsigned; null when not said"),
        Column("check_valid_until", "bool", "apt: the date up to which lists are good counts; null when not said"),
        Column("signed_by", "text", "apt: keys that may sign this source; null when any trusted key may"),
        Column("key", "text", "dnf: where its keys are (gpgkey)"),
        Column("value", "text_sensitive", "setting: value"),
        Column("where", "text", "file:line"),
    ),
    max_rows=2000,
)  # fmt: skip

APT = "/etc/apt"
DNF_MAIN = ("/etc/dnf/dnf.conf", "/etc/yum.conf")
DNF_REPOSITORIES = ("/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d")
KEPT = (
    "apt::install-recommends", "apt::install-suggests", "apt::get::allowunauthenticated",
    "acquire::allowinsecurerepositories", "acquire::allowweakrepositories",
    "acquire::allowdowngradetoinsecurerepositories", "acquire::check-valid-until", "apt::sandbox::seccomp",
    "unattended-upgrade::remove-unused-dependencies", "unattended-upgrade::remove-unused-kernel-packages",
    "unattended-upgrade::automatic-reboot", "apt::periodic::enable", "apt::periodic::update-package-lists",
    "apt::periodic::unattended-upgrade",
)  # fmt: skip
"""Settings of apt that are kept, in small letters."""

KEPT_DNF = (
    "gpgcheck", "localpkg_gpgcheck", "repo_gpgcheck", "clean_requirements_on_remove", "install_weak_deps", "best",
    "skip_if_unavailable", "sslverify",
)  # fmt: skip
DNF_DEFAULTS = {"gpgcheck": False, "repo_gpgcheck": False}
"""What dnf does where neither the main file nor the repository says otherwise (dnf.conf(5))."""


def _row(**cells):
    row = dict.fromkeys(column.name for column in TABLE.columns)
    row.update(cells)
    return row


def _readable(host, paths, gaps, read):
    for path in paths:
        try:
            read(text(os.fsencode(path)), host.lines(path, 1 << 20))
        except Absent:
            continue
        except Unreadable as error:
            gaps.append(error.why)


def apt_settings(host, gaps):
    """Return {name in small letters: (name, value, where)}; order of apt.conf(5): the directory, then the file."""
    settings = {}
    names = [n for n in names_in(host, APT + "/apt.conf.d") if "." not in n.lstrip(".") or n.endswith(".conf")]
    paths = ["%s/apt.conf.d/%s" % (APT, name) for name in names if not name.startswith(".")] + [APT + "/apt.conf"]
    _readable(host, paths, gaps, lambda path, lines: parse_apt("\n".join(lines), path, settings))
    return settings


def apt_rows(host, gaps):
    """Rows of apt: sources, then settings."""
    found = []
    names = names_in(host, APT + "/sources.list.d")
    lists = [APT + "/sources.list"] + ["%s/sources.list.d/%s" % (APT, n) for n in names if n.endswith(".list")]
    stanzas = ["%s/sources.list.d/%s" % (APT, n) for n in names if n.endswith(".sources")]
    _readable(host, lists, gaps, lambda path, lines: found.extend(parse_list(lines, path)))
    _readable(host, stanzas, gaps, lambda path, lines: found.extend(parse_deb822(lines, path)))
    settings = apt_settings(host, gaps)

    def on(name):
        return name in settings and truth(settings[name][1], False)

    loose = on("acquire::allowinsecurerepositories") or on("apt::get::allowunauthenticated")
    rows = {}
    for item in found:
        key, number = "apt " + item["where"], 1
        while key in rows:
            number += 1
            key = "apt %s#%d" % (item["where"], number)
        insecure = item["allow_insecure"] if item["allow_insecure"] is not None else bool(loose)
        rows[key[:1024]] = _row(
            manager="apt",
            kind="repository",
            name=" ".join(item["suites"])[:200],
            checked=not item["trusted"] and not insecure,
            **dict(
                {name: item[name] for name in ("enabled", "types", "components", "trusted", "allow_insecure",
                                               "allow_weak", "allow_downgrade", "check_valid_until", "signed_by",
                                               "where")},
                address=redact(item["address"])[:500],
            ),
        )  # fmt: skip
    for low, (name, value, where) in settings.items():
        if low in KEPT:
            rows["setting apt " + low] = _row(
                manager="apt", kind="setting", name=name, value=redact(value), where=where
            )
    return rows


def dnf_rows(host, gaps):
    """Rows of dnf or yum: repositories, then settings of the main file."""
    main, rows = [], {}
    for path in DNF_MAIN:
        _readable(host, [path], gaps, lambda path, lines: main.extend(parse_ini(lines, path)))
        if main:
            break
    settings = {}
    for section, pairs, where in main:
        if section == "main":
            settings.update({name: (value, where) for name, value in pairs.items()})
    for name in KEPT_DNF:
        if name in settings:
            value, where = settings[name]
            rows["setting dnf " + name] = _row(manager="dnf", kind="setting", name=name, value=value[:300], where=where)
    found = []
    for directory in DNF_REPOSITORIES:
        paths = ["%s/%s" % (directory, name) for name in names_in(host, directory) if name.endswith(".repo")]
        _readable(host, paths, gaps, lambda path, lines: found.extend(parse_ini(lines, path)))
    for section, pairs, where in [item for item in main if item[0] != "main"] + found:
        checks = {
            name: truth(pairs.get(name, settings.get(name, ("",))[0]), otherwise)
            for name, otherwise in DNF_DEFAULTS.items()
        }
        address = pairs.get("baseurl") or pairs.get("mirrorlist") or pairs.get("metalink") or ""
        rows["dnf " + text(section.encode("utf-8", "replace"))[:200]] = _row(
            manager="dnf",
            kind="repository",
            name=section[:200],
            enabled=truth(pairs.get("enabled", "1"), True),
            address=redact(address)[:500],
            checked=checks["gpgcheck"],
            metadata_checked=checks["repo_gpgcheck"],
            key=redact(pairs.get("gpgkey", ""))[:300] or None,
            where=where,
        )
    return rows


def collect(host, options):
    """Return the rows of the managers that are there; none where there is neither."""
    gaps, rows = [], {}
    for directory, read in ((APT, apt_rows), ("/etc/yum.repos.d", dnf_rows), ("/etc/dnf", dnf_rows)):
        try:
            if host.is_dir(directory) and not (read is dnf_rows and any(key.startswith("dnf ") for key in rows)):
                rows.update(read(host, gaps))
        except Unreadable as error:
            gaps.append(error.why)
    return Result(rows, "partial", "; ".join(gaps[:5])) if gaps else rows

"""The dead-man switch: a process of the host's own that undoes a run unless it is confirmed in time.

It runs a copy of this code (``engine.pyz``) kept with the run: as a transient unit of systemd, restarted if it is
killed, elsewhere as a detached process. For a restart of the host in between, a unit file that runs before anything
that lets people in undoes what was not confirmed: at boot there is nobody left who could. It comes before the services
that read at boot what was changed (packet filters above all), for they are not started again.
"""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

import io
import os
import signal
import sys
import time
import zipfile

from ..spec import Absent, Unreadable
from ..text import rfc3339
from . import journal as journals
from .hostlock import boot_id, process_start
from .target import Problem
from .units import SYSTEM

UNIT = "ringwall-rollback.service"
APPLY_SECONDS = 1800
"""How long applying may take before the switch ends it: most of it is initramfs and GRUB on slow machines."""

BOOT_UNIT = """[Unit]
Description=Undo a change of this host that nobody confirmed (Ringwall)
DefaultDependencies=no
RequiresMountsFor=/var/lib/ringwall /etc /usr
After=local-fs.target systemd-remount-fs.service
Before=sysinit.target systemd-sysctl.service network-pre.target shutdown.target
Before=nftables.service ufw.service firewalld.service iptables.service ip6tables.service netfilter-persistent.service
Before=apparmor.service auditd.service
Before=ssh.service ssh.socket sshd.service sshd.socket
Conflicts=shutdown.target
ConditionPathExists=/var/lib/ringwall/{run}/engine.pyz

[Service]
Type=oneshot
Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin
ExecStart={python} -I -S /var/lib/ringwall/{run}/engine.pyz boot {run}
TimeoutStartSec=1800

[Install]
WantedBy=sysinit.target
"""
WANTS = "sysinit.target.wants"

MAIN = """import sys
from {package}.changes.deadman import main
sys.exit(main(sys.argv[1:]))
"""


def now():
    """Seconds since boot, sleep included: no clock that somebody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _package():
    return __name__.rsplit(".", 2)[0]


def sources():
    """Return {module name: (is package, source)} of everything that this engine needs."""
    package = _package()
    loader = getattr(sys.modules[package].__spec__, "loader", None)
    known = getattr(loader, "modules", None)
    if known is None:
        found = {}
        for folder in sys.modules[package].__path__:
            for path, _folders, files in os.walk(folder):
                for name in files:
                    if name.endswith(".py"):
                        parts = os.path.relpath(os.path.join(path, name), folder)[:-3].split(os.sep)
                        plain = ".".join([package] + (parts[:-1] if parts[-1] == "__init__" else parts))
                        with open(os.path.join(path, name), encoding="utf-8") as file:
                            found[plain] = (parts[-1] == "__init__", file.read())
        return package, found
    if any(not isinstance(source, str) for _is_package, source in known.values()):
        raise Problem("the engine came as bytecode: it cannot be kept on the host")
    return package, known


def archive():
    """Return this engine as an executable zip file (bytes)."""
    package, modules = sources()
    short = package.rsplit(".", 1)[-1]
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as file:
        file.writestr("__main__.py", MAIN.format(package=short))
        names = dict(modules)
        names.setdefault(package, (True, ""))
        for name, (is_package, source) in sorted(names.items()):
            parts = [short] + name[len(package) :].strip(".").split(".") if name != package else [short]
            file.writestr("/".join(parts) + ("/__init__.py" if is_package else ".py"), source)
    return data.getvalue()


# Arming and disarming -------------------------------------------------------------------------------------


def arm(target, journal, after):
    """Start the switch for the run; on return it watches and would survive a restart. Raise Problem."""
    if target.live:
        journal.write("engine.pyz", archive())
    journal.set_state(
        phase="applying", boot_id=boot_id(), deadline=now() + APPLY_SECONDS, after=after, pid=os.getpid(),
        started=process_start(os.getpid()), python=sys.executable or "/usr/bin/python3",
        times={path: target.folder_time(path) for path in (SYSTEM, SYSTEM + "/" + WANTS)},
    )  # fmt: skip
    if not target.live:
        return
    try:
        if os.path.isdir(SYSTEM):
            _write_boot_unit(target, journal)
        _start(target, journal)
        for _attempt in range(200):
            if watched(journal):
                return
            time.sleep(0.05)
        raise Problem("the rollback could not be armed: its process did not start within 10 s")
    except BaseException as error:
        disarm(target, journal)
        journal.set_state(phase="rolled_back", why="it could not be armed: %s" % error, ended=rfc3339(time.time()))
        raise


def _write_boot_unit(target, journal):
    text = BOOT_UNIT.format(run=journal.run, python=sys.executable or "/usr/bin/python3").encode("ascii")
    owner = {"mode": 0o644, "uid": 0, "gid": 0}
    path = SYSTEM + "/" + UNIT
    if target.type_of(SYSTEM + "/" + WANTS) == "absent":
        target.put_content(SYSTEM + "/" + WANTS, {"type": "dir", "mode": 0o755, "uid": 0, "gid": 0})
    target.put_content(path, dict(owner, type="file"), lambda: text)
    target.put_content(SYSTEM + "/" + WANTS + "/" + UNIT, {"type": "link", "target": path})


def _start(target, journal):
    python = sys.executable or "/usr/bin/python3"
    command = [python, "-I", "-S", os.path.join(journal.path, "engine.pyz"), "watch", journal.run]
    if target.host.systemd() and target.host.which("systemd-run"):
        try:
            target.run(
                ["systemd-run", "--quiet", "--collect", "--unit=ringwall-watch-" + journal.run.replace("_", "-"),
                 "--property=Restart=on-failure", "--property=KillMode=process"] + command, timeout=30,
            )  # fmt: skip
            return
        except Problem:
            pass  # systemd is there and does not answer: better our own process than none
    detach(command)


def detach(command):
    """Start a program that outlives us, in a session of its own, without our descriptors."""
    if os.fork() == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                null = os.open(os.devnull, os.O_RDWR)
                for number in (0, 1, 2):
                    os.dup2(null, number)
                os.closerange(3, 4096)
                os.chdir("/")
                os.execve(command[0], command, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"})
        finally:
            os._exit(0)
    os.wait()


def watched(journal):
    """True if the run's watcher lives."""
    found = journal.read("watch.json", {}) or {}
    return bool(found.get("started")) and process_start(found.get("pid", 0)) == found["started"]


def disarm(target, journal):
    """Take the switch away, and every trace of it outside the run's directory; nothing that is another run's."""
    found = journal.read("watch.json", {}) or {}
    if watched(journal) and found["pid"] != os.getpid():
        try:
            os.kill(found["pid"], signal.SIGTERM)
        except OSError:
            pass
    if not target.live or _boot_unit(target, journal) is False:
        return
    for path in (SYSTEM + "/" + WANTS + "/" + UNIT, SYSTEM + "/" + UNIT):
        if target.type_of(path) != "absent":
            target.put_content(path, {"type": "absent"})
    times = journal.state().get("times") or {}
    wants = SYSTEM + "/" + WANTS
    if wants in times and times[wants] is None and target.type_of(wants) == "dir":
        try:
            target.put_content(wants, {"type": "absent"})
        except OSError:
            pass  # somebody else uses it by now
    for path in (wants, SYSTEM):
        if times.get(path) is not None:
            target.set_folder_time(path, times[path])


def left_over(target, journal):
    """True if the unit of the boot still stands there for this run."""
    return target.live and _boot_unit(target, journal) is True


def _boot_unit(target, journal):
    """True if the unit of the boot is this run's, False if it is another one's, None if there is none."""
    try:
        text = target.tree.read(SYSTEM + "/" + UNIT, 1 << 16)
    except (Absent, Unreadable):
        return True if target.type_of(SYSTEM + "/" + WANTS + "/" + UNIT) != "absent" else None
    return ("engine.pyz boot %s\n" % journal.run).encode("ascii") in text


# Firing -------------------------------------------------------------------------------------------------------


def main(arguments):
    """``watch <run>``, ``boot <run>``: what the copy on the host is started for. ``root`` is for tests."""
    verb, run = arguments[:2]
    root = arguments[2] if len(arguments) > 2 else "/"
    os.umask(0o077)
    from . import engine  # everything is loaded now: later the host may be in any condition
    from .target import Target

    journal = journals.Journal(root, run)
    if verb == "boot":
        why = "the host was restarted before the change was confirmed"
        target = Target(root)
        return insist(lambda: fire(engine, target, journal, why, True), tries=3)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    watch = {"pid": os.getpid(), "started": process_start(os.getpid())}
    from .spec import canonical

    journal.write("watch.json", canonical(watch))
    while True:
        state = journal.state()
        if state.get("phase") not in journals.OPEN_PHASES:
            return 0
        left = state["deadline"] - now()
        alive = process_start(state.get("pid", 0)) == state.get("started")
        if state["phase"] != "switched" and not alive:
            why = "the process that made the change ended half-way"
            break
        if left <= 0:
            why = "nobody confirmed the change within %g s" % state["after"]
            if state["phase"] != "switched":
                why = "making the change took more than %d s" % APPLY_SECONDS
                try:
                    os.kill(state["pid"], signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it ended just now
            break
        time.sleep(min(left, 0.5))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    target = Target(root)
    return insist(lambda: fire(engine, target, journal, why, False))


def insist(work, tries=None, sleep=time.sleep):
    """Call ``work`` until it succeeds and return what it returns; a full disk or a busy host is no reason to give up.

    ``tries``: how often; the last failure is raised then. None: for ever, at last once a minute.
    """
    pause, tried = 1, 0
    while True:
        tried += 1
        try:
            return work()
        except Exception:
            if tried == tries:
                raise
        sleep(pause)
        pause = min(pause * 2, 60)


def _leave(_number, _frame):
    os._exit(0)


def fire(engine, target, journal, why, boot):
    """Undo the run unless somebody was quicker; leave a record of it. Return an exit code."""
    if not journal.exists():
        return 0
    descriptor = journal.lock()
    try:
        if journal.state().get("phase") not in journals.OPEN_PHASES:
            return 0
        engine.roll_back(target, journal, why, fired=True, boot=boot)
        return 0
    finally:
        os.close(descriptor)

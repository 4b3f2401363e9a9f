"""Reading files where somebody else plants what is read: never another's content, never a hang."""

from __future__ import annotations

import multiprocessing
import os
import resource
import socket
import stat
import time

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.files import Tree
from ansible_collections.ringwall.servers.plugins.module_utils.host import Host
from ansible_collections.ringwall.servers.plugins.module_utils.spec import Absent, Unreadable
from ansible_collections.ringwall.servers.plugins.module_utils.text import raw, text
from ansible_collections.ringwall.servers.plugins.module_utils.walk import Walk, path_tree
from hypothesis import given
from hypothesis import strategies as st

SECRET = b"root:$6$the-hash-of-the-controller\n"
EVE = 1000
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs files of two users")


@pytest.fixture
def root(tmp_path):
    """A host's root; beside it lies what must never be read."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/shadow").write_bytes(SECRET)
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "home/eve/.ssh").mkdir(parents=True)
    for path in (root / "home/eve", root / "home/eve/.ssh"):
        if os.geteuid() == 0:
            os.chown(path, EVE, EVE)
    return root


def link(path, target, uid=0):
    os.symlink(target, path)
    if os.geteuid() == 0:
        os.lchown(path, uid, uid)


def outcome(host, path):
    """Content, or the name of what was raised."""
    try:
        return host.read(path)
    except (Absent, Unreadable) as error:
        return type(error).__name__


# Links ---------------------------------------------------------------------------------------------------


def test_links_never_lead_out_of_the_root(root):
    host = Host(str(root))
    outside = str(root.parent / "outside/shadow")
    link(root / "etc/absolute", outside)
    link(root / "etc/shadow", "/etc/shadow-of-nobody")
    link(root / "etc/dots", "../" * 30 + outside.lstrip("/"))
    link(root / "etc/tree", str(root.parent / "outside"))
    link(root / "etc/one", "two")
    link(root / "etc/two", "../etc/absolute")
    for path in ("/etc/absolute", "/etc/shadow", "/etc/dots", "/etc/tree/shadow", "/etc/one"):
        assert outcome(host, path) == "Absent", path
    for path in ("/../outside/shadow", "/etc/../../outside/shadow", "/etc/../../../../.." + outside):
        assert outcome(host, path) == "Absent", path


def test_the_controllers_own_shadow_is_not_that_of_the_image(root):
    (root / "etc/shadow").write_bytes(b"root:*:19000::::::\n")
    link(root / "etc/s1", "/etc/shadow")
    link(root / "etc/s2", "../../../../../../../../etc/shadow")
    host = Host(str(root))
    assert {host.read(path) for path in ("/etc/shadow", "/etc/s1", "/etc/s2")} == {b"root:*:19000::::::\n"}


def test_magic_links_of_proc_do_not_help(root):
    (root / "proc").mkdir()
    link(root / "etc/escape", "/proc/self/root/etc/passwd")
    assert outcome(Host(str(root)), "/etc/escape") == "Absent"
    live = Host()
    assert outcome(live, "/proc/self/root" + str(root.parent / "outside/nothing")) == "Absent"


def test_links_in_a_circle_and_long_chains_end(root):
    host = Host(str(root))
    link(root / "etc/a", "b")
    link(root / "etc/b", "a")
    link(root / "etc/self", "self/self/self")
    (root / "etc/end").write_bytes(b"x")
    link(root / "etc/c0", "end")
    for number in range(1, 60):
        link(root / f"etc/c{number}", f"c{number - 1}")
    assert outcome(host, "/etc/a") == "Unreadable"
    assert outcome(host, "/etc/self") == "Unreadable"
    assert outcome(host, "/etc/c30") == b"x"
    assert outcome(host, "/etc/c59") == "Unreadable"


@needs_root
def test_links_that_a_user_controls_are_not_followed(root):
    (root / "etc/real").write_bytes(b"public")
    link(root / "home/eve/.ssh/own", "/etc/real", EVE)
    link(root / "home/eve/.ssh/roots", "/etc/real", 0)  # eve may have moved it here
    link(root / "etc/eves", "/etc/real", EVE)
    link(root / "home/eve/.ssh/dir", "/etc", EVE)
    host = Host(str(root))
    for path in ("/home/eve/.ssh/own", "/home/eve/.ssh/roots", "/etc/eves", "/home/eve/.ssh/dir/real"):
        with pytest.raises(Unreadable, match="is not followed"):
            host.read(path)


# Races ---------------------------------------------------------------------------------------------------


def _swap_for_ever(directory, name, stop):
    """Let ``name`` be in turn what it was and a link of eve to what lies outside, by rename: it is never missing."""
    os.setresgid(EVE, EVE, EVE) if os.geteuid() == 0 else None
    os.setresuid(EVE, EVE, EVE) if os.geteuid() == 0 else None
    os.chdir(directory)
    turn = 0
    while not stop.is_set():
        turn += 1
        try:
            os.symlink("../" * 40 + _swap_for_ever.target, f"link{turn % 7}")
            os.rename(name, "kept") if turn % 2 else None
            os.rename(f"link{turn % 7}", name)
            os.unlink(name)
            os.rename("kept", name)
        except OSError:
            for leftover in (f"link{turn % 7}",):
                try:
                    os.unlink(leftover)
                except OSError:
                    pass
            try:
                if not os.path.lexists(name):
                    os.rename("kept", name)
            except OSError:
                pass


@pytest.fixture
def racer(root):
    """Start a process that swaps; ended by the fixture."""
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    started = []

    def start(directory, name, target):
        os.chmod(root.parent, 0o755)
        for parent in root.parent.parents:
            if parent.stat().st_uid == os.geteuid() and "pytest" in str(parent):
                os.chmod(parent, 0o711)  # the swapping user must get there
        _swap_for_ever.target = str(target).lstrip("/")
        process = context.Process(target=_swap_for_ever, args=(str(directory), name, stop), daemon=True)
        process.start()
        started.append(process)

    yield start
    stop.set()
    for process in started:
        process.join(5)
        if process.is_alive():
            process.kill()


@needs_root
def test_a_file_swapped_for_a_link_while_it_is_read(root, racer):
    keys = root / "home/eve/.ssh/authorized_keys"
    keys.write_bytes(b"ssh-ed25519 AAAA eve\n")
    os.chown(keys, EVE, EVE)
    racer(root / "home/eve/.ssh", "authorized_keys", root.parent / "outside/shadow")
    live = Tree("/")  # the worst case: the live root, where the link would lead somewhere
    seen = set()
    all_of_it = {b"ssh-ed25519 AAAA eve\n", "Unreadable", "Absent"}
    end = time.monotonic() + 3
    while time.monotonic() < end:
        try:
            seen.add(live.read(str(keys)))
        except (Absent, Unreadable) as error:
            seen.add(type(error).__name__)
    assert SECRET not in seen
    assert "Unreadable" in seen, "the race took place"
    assert seen <= all_of_it


@needs_root
def test_a_directory_swapped_for_a_link_while_it_is_walked(root, racer):
    victim = root / "home/eve/conf"
    victim.mkdir()
    (victim / "shadow").write_bytes(b"mine")
    os.chown(victim, EVE, EVE)
    racer(root / "home/eve", "conf", root.parent / "outside")
    live = Tree("/")
    seen = set()
    all_of_it = {b"mine", ("shadow",), "Unreadable", "Absent"}
    end = time.monotonic() + 3
    while time.monotonic() < end:
        for read in (lambda: live.read(str(victim / "shadow")), lambda: tuple(live.listdir(str(victim)))):
            try:
                seen.add(read())
            except (Absent, Unreadable) as error:
                seen.add(type(error).__name__)
    assert "Unreadable" in seen, "the race took place"
    assert seen <= all_of_it


@needs_root
def test_a_component_swapped_between_look_and_entry_is_unreadable_not_absent(root, monkeypatch):
    victim = root / "home/eve/conf"
    victim.mkdir()
    (victim / "file").write_bytes(b"mine")
    tree = Tree(str(root))
    real = os.open

    def swap(path, flags, *arguments, **named):
        if path == "conf" and not victim.is_symlink():
            victim.rename(root / "home/eve/moved")
            link(victim, "/etc", EVE)
        return real(path, flags, *arguments, **named)

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(Unreadable, match="changed while it was opened"):
        tree.read("/home/eve/conf/file")


# What is no file -----------------------------------------------------------------------------------------


def test_a_fifo_as_authorized_keys_does_not_block(root):
    os.mkfifo(root / "home/eve/.ssh/authorized_keys")
    begin = time.monotonic()
    with pytest.raises(Unreadable, match="not a regular file"):
        Host(str(root)).read("/home/eve/.ssh/authorized_keys")
    assert time.monotonic() - begin < 1


def test_a_fifo_that_takes_the_place_of_a_file_does_not_block(root, monkeypatch):
    path = root / "home/eve/.ssh/authorized_keys"
    path.write_bytes(b"x")
    tree = Tree(str(root))
    real = os.open

    def swap(name, flags, *arguments, **named):
        if name == "authorized_keys":
            path.unlink()
            os.mkfifo(path)
        return real(name, flags, *arguments, **named)

    monkeypatch.setattr(os, "open", swap)
    begin = time.monotonic()
    with pytest.raises(Unreadable, match="changed while it was opened"):
        tree.read("/home/eve/.ssh/authorized_keys")
    assert time.monotonic() - begin < 1


def test_sockets_and_directories_are_no_files(root):
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(root / "etc", os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{here}/sock")
        os.close(here)
        for path in ("/etc/sock", "/etc"):
            with pytest.raises(Unreadable, match="not a regular file"):
                Host(str(root)).read(path)


@needs_root
def test_device_nodes_are_not_opened(root):
    os.mknod(root / "etc/zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    os.mknod(root / "etc/disk", 0o660 | stat.S_IFBLK, os.makedev(7, 0))
    for path in ("/etc/zero", "/etc/disk"):
        with pytest.raises(Unreadable, match="not a regular file"):
            Host(str(root)).read(path)


# Size ----------------------------------------------------------------------------------------------------


def test_a_huge_file_is_unreadable_and_costs_little(root):
    with open(root / "etc/huge", "wb") as file:
        file.truncate(1 << 40)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Unreadable, match="larger than 4194304 bytes") as caught:
        Host(str(root)).read("/etc/huge")
    assert caught.value.kind == "partial"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_the_limit_is_exact(root):
    (root / "etc/file").write_bytes(b"x" * 100)
    host = Host(str(root))
    assert host.read("/etc/file", 100) == b"x" * 100
    with pytest.raises(Unreadable):
        host.read("/etc/file", 99)


# Names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/etc/a\0b", "/etc/\ud800", "\0", "/etc/" + "n" * 300, "/" + "d/" * 5000 + "x"])
def test_paths_that_no_file_can_have(root, path):
    assert outcome(Host(str(root)), path) in ("Unreadable", "Absent")


def test_names_that_are_not_utf8_are_listed_read_and_reversible(root):
    names = [b"\xff\xfe", b"caf\xe9", "naïve".encode(), b"line\nbreak", b"back\\x41slash", b"\x1b[31mred"]
    for name in names:
        with open(os.fsencode(root) + b"/etc/" + name, "wb") as file:
            file.write(name)
    host = Host(str(root))
    listed = host.listdir("/etc")
    assert {host.read("/etc/" + name) for name in listed} == set(names)
    assert {raw(text(os.fsencode(name))) for name in listed} == set(names)


@given(st.binary(max_size=200))
def test_text_is_valid_unicode_and_reversible(data):
    value = text(data)
    value.encode("utf-8")
    assert "\0" not in value
    assert raw(value) == data


@given(st.lists(st.sampled_from([b"\\", b"x", b"5", b"c", b"\xff", b"\0", b"\\x5c", "ü".encode(), b"\xed\xa0\x80"])))
def test_escapes_in_the_data_stay_reversible(parts):
    data = b"".join(parts)
    assert raw(text(data)) == data


@given(st.text(alphabet="abc./*[]?-\\", max_size=20))
def test_any_pattern_globs_inside_the_root(tmp_path_factory, pattern):
    root = tmp_path_factory.getbasetemp() / "glob"
    (root / "a/b").mkdir(parents=True, exist_ok=True)
    try:
        found = Host(str(root)).glob(pattern)
    except Unreadable:
        return
    assert all(".." in pattern or (root / path.lstrip("/")).exists() for path in found)


# File systems that hang ----------------------------------------------------------------------------------


@needs_root
def test_the_walk_does_not_touch_a_mount_that_hangs(hung, tmp_path):
    (tmp_path / "open").write_text("x")
    (tmp_path / "open").chmod(0o666)
    found = []
    walk = Walk(lambda names, name, info, place: found.append(name), range(100000), range(100000), time.monotonic() + 5)
    top = os.open(tmp_path, os.O_RDONLY)
    begin = time.monotonic()
    try:
        assert walk.run(top, path_tree(["/" + hung.name]))
    finally:
        os.close(top)
    assert found == ["open"]
    assert time.monotonic() - begin < 2

from __future__ import annotations

from ansible_collections.ringwall.servers.plugins.plugin_utils.hardening.kinds import file_walk, mount


def found(path, mode, kind="file"):
    writable = bool(mode & 2) and (kind == "file" or not mode & 0o1000)
    return {path: {"kind": "found", "type": kind, "mode": mode, "world_writable": writable}}


def walk(*rows):
    return {"file_walk": {path: row for one in rows for path, row in one.items()}}


BOTH = {"kind": "file_walk", "none": ["world_writable"], "except": ["/srv/drop/*"]}


def test_files_lose_a_bit_and_directories_gain_one(facts, chosen):
    host = facts(
        walk(
            found("/srv/a", 0o666),
            found("/srv/d", 0o2777, "directory"),
            found("/srv/drop/x", 0o666),
            found("/tmp", 0o1777, "directory"),
        )
    )
    operations = file_walk.operations(chosen(BOTH), host)
    assert [(one["op"], one["path"], one.get("mode"), one.get("clear_mode")) for one in operations] == [
        ("attributes", "/srv/a", None, "0002"),
        ("attributes", "/srv/d", "3777", None),
    ]
    assert operations[0]["controls"] == ["linux.test.0"]


def test_a_path_that_a_host_made_up_does_not_get_into_a_plan(facts, chosen):
    rows = [found(path, 0o666) for path in ("/srv/a*", "/srv/../etc/shadow", "/srv/a b", "/srv/.hidden", "/srv/\\x0a")]
    operations = file_walk.operations(chosen(BOTH), facts(walk(*rows)))
    assert [one["op"] for one in operations] == ["left"]
    assert "5 paths" in operations[0]["reason"]


def test_very_many_are_left_to_people(facts, chosen):
    operations = file_walk.operations(chosen(BOTH), facts(walk(*(found(f"/srv/{n}", 0o666) for n in range(201)))))
    assert [one["op"] for one in operations] == ["left"]


def test_only_what_is_asked_for(facts, chosen):
    host = facts(walk(found("/srv/a", 0o666), found("/srv/d", 0o777, "directory")))
    for mark, path in (("open_file", "/srv/a"), ("open_directory", "/srv/d")):
        operations = file_walk.operations(chosen({"kind": "file_walk", "none": [mark], "except": []}), host)
        assert [one["path"] for one in operations] == [path]
    assert file_walk.operations(chosen({"kind": "file_walk", "none": ["unowned"], "except": []}), host) == []


def test_a_word_for_mount_points_stands_for_those_of_the_host(facts, chosen):
    def row(kind, source, removable=False):
        return {
            "live": True, "type": kind, "source": source, "removable": removable, "options": ["rw"],
            "persisted": True, "persisted_by": "fstab", "persisted_type": kind, "persisted_options": ["defaults"],
        }  # fmt: skip

    host = facts(
        {
            "mounts": {
                "/": row("ext4", "/dev/sda1"),
                "/data": row("nfs4", "files:/x"),
                "/srv": row("xfs", "/dev/sda3"),
                "/media/x": row("vfat", "/dev/sdb1", True),
            }
        }
    )
    for word, path in (("nfs", "/data"), ("local", "/srv"), ("removable", "/media/x")):
        operations = mount.operations(chosen({"kind": "mount", "path": word, "options": ["nodev"]}), host)
        assert [one["op"] for one in operations] == ["edit", "remount"]
        assert operations[1]["path"] == path
    assert mount.operations(chosen({"kind": "mount", "path": "nfs", "options": ["nodev"]}), facts({"mounts": {}})) == []

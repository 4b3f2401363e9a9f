"""A tree that nobody holds any more holds no descriptor."""

from __future__ import annotations

import os

from ansible_collections.ringwall.servers.plugins.module_utils.files import Tree


def test_trees_that_are_gone_leave_no_descriptor_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for _number in range(50):
        Tree(str(tmp_path)).listdir("/")
    assert len(os.listdir("/proc/self/fd")) <= before + 2

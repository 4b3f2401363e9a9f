"""A file system that never answers."""

from __future__ import annotations

import ctypes
import os

import pytest

MNT_FORCE, MNT_DETACH = 1, 2


@pytest.fixture
def hung(tmp_path):
    """A directory on a FUSE file system whose server reads no request: whoever touches it waits for ever."""
    point = tmp_path / "hung"
    point.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        pytest.skip(f"no FUSE here: {error}")
    data = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"hung", bytes(point), b"fuse", 0, data):
        os.close(device)
        pytest.skip(f"FUSE cannot be mounted here: {os.strerror(ctypes.get_errno())}")
    yield point
    libc.umount2(bytes(point), MNT_FORCE | MNT_DETACH)
    os.close(device)  # ends the connection: whoever still waits gets an error

"""Inventories of lab hosts, and waiting until they answer."""

from __future__ import annotations

import pathlib
import socket
import subprocess
import time

import yaml

from .image import key


def wait(address, port=22, seconds=30):
    """Return when an SSH server greets at that address; raise TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection((address, port), 1) as connection:
                connection.settimeout(2)
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"no SSH server at {address}:{port} after {seconds} s")


def known_hosts(path, places):
    """Write a known_hosts file with the keys that the SSH servers at these (address, port) show now."""
    ports = {}
    for address, port in places:
        ports.setdefault(port, []).append(address)
    keys = [
        subprocess.run(["ssh-keyscan", "-p", str(port), "-t", "ed25519", *found], capture_output=True, text=True).stdout
        for port, found in sorted(ports.items())
    ]
    pathlib.Path(path).write_text("".join(keys))
    return path


def inventory(folder, hosts, groups=None, **variables):
    """Write ``hosts.yml`` and known_hosts into ``folder``; return the inventory's path.

    ``hosts``: name -> variables (``ansible_host`` at least); ``groups``: name -> host names.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    known = known_hosts(
        folder / "known_hosts",
        sorted({(h["ansible_host"], h.get("ansible_port", 22)) for h in hosts.values() if "ansible_host" in h}),
    )
    shared = {
        "ansible_user": "deploy",
        "ansible_ssh_private_key_file": str(key()),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=5",
        **variables,
    }
    tree = {
        "all": {
            "hosts": hosts,
            "vars": shared,
            "children": {name: {"hosts": dict.fromkeys(names)} for name, names in (groups or {}).items()},
        }
    }
    path = folder / "hosts.yml"
    path.write_text(yaml.safe_dump(tree))
    return path

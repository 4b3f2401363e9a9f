"""A host that always answers with one reading, whatever it is asked: a machine does not stand still, a recording does."""

from __future__ import annotations

import pathlib

from ansible_collections.ringwall.servers.plugins.filter.needs import needs
from ansible_collections.ringwall.servers.plugins.module_utils import frame
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect

from .plays import BIN

INTERPRETER = r"""#!{python}
import hashlib, json, sys
asked = sys.stdin.buffer.read()
if asked[:1].isdigit():  # the piped collector: its lengths come first
    packed = open({folder!r} + "/packed", "rb").read()
    sys.stdout.write("\nRINGWALL-SNAPSHOT/1 %d %s\n%s\n" % (len(packed), hashlib.sha256(packed).hexdigest(), packed.decode()))
else:  # Ansible's module machinery
    sys.stdout.write(json.dumps({{"changed": False, "snapshot": json.load(open({folder!r} + "/plain"))}}))
"""


def reading():
    """All fast tables of this machine: the collector's answer as bytes of JSON."""
    return collect(needs([], cadence="fast"))


def host(folder, data):
    """Variables of a host that answers with ``data`` (of ``reading``); call again to change what it answers."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plain").write_bytes(data)
    (folder / "packed").write_bytes(frame.pack(data))
    interpreter = folder / "python"
    interpreter.write_text(INTERPRETER.format(python=BIN / "python", folder=str(folder)))
    interpreter.chmod(0o755)
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": str(interpreter),
        "ansible_pipelining": True,
        "ringwall_become": False,
    }

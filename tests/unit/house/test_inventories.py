"""The inventories that are shipped: names that their plugins accept, nothing read by default but this machine."""

from __future__ import annotations

import configparser
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(sys.executable).parent
CLOUDS = {
    "aws": ("aws_ec2.yml", "amazon.aws.aws_ec2", "compose"),
    "azure": ("azure_rm.yml", "azure.azcollection.azure_rm", "hostvar_expressions"),
    "gcp": ("gcp.yml", "google.cloud.gcp_compute", "compose"),
}
"""Folder -> the end of the file's name that the plugin wants, the plugin, and its option for variables."""
KEPT = {"ringwall_owner", "ringwall_environment", "ringwall_criticality", "ringwall_tags"}


def variables_of_roles():
    spec = yaml.safe_load((ROOT / "roles" / "assessment" / "meta" / "argument_specs.yml").read_text())
    return set(spec["argument_specs"]["main"]["options"])


def test_this_machine_is_the_default():
    config = configparser.ConfigParser()
    config.read(ROOT / "ansible.cfg")
    assert config["defaults"]["inventory"] == "inventories/local"
    assert {path.name for path in (ROOT / "inventories").iterdir()} == {"local", "lab", *CLOUDS}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_clouds_are_found_by_their_plugins_and_say_what_to_install(cloud):
    name, plugin, option = CLOUDS[cloud]
    (path,) = (ROOT / "inventories" / cloud).iterdir()
    assert path.name == name
    text = path.read_text()
    source = yaml.safe_load(text)
    assert source["plugin"] == plugin
    collection = plugin.rpartition(".")[0]
    assert f"ansible-galaxy collection install -p collections {collection}\n" in text
    assert collection in (ROOT / "collections" / "requirements.yml").read_text()
    assert set(source[option]) >= KEPT
    assert {name for name in source[option] if name.startswith("ringwall_")} <= variables_of_roles()
    assert all({"key", "prefix"} <= set(group) for group in source["keyed_groups"])


def test_without_its_collection_a_cloud_is_refused_not_empty():
    result = subprocess.run(
        [BIN / "ansible-inventory", "-i", "inventories/aws", "--list"], cwd=ROOT, capture_output=True, text=True,
        env=dict(os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"), ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="False"),
    )  # fmt: skip
    assert result.returncode != 0
    assert "amazon.aws.aws_ec2" in result.stderr


def test_the_example_parses_and_reaches_nobody():
    result = subprocess.run(
        [BIN / "ansible-inventory", "-i", "inventories/lab", "--list"], cwd=ROOT, capture_output=True, text=True,
        env=dict(os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg")), check=True,
    )  # fmt: skip
    hosts = json.loads(result.stdout)["_meta"]["hostvars"]
    assert len(hosts) == 4
    for name, variables in hosts.items():
        assert name.endswith(".example.org")
        assert re.match(r"192\.0\.2\.|2001:db8::", variables["ansible_host"])
        assert {key for key in variables if key.startswith("ringwall_")} <= variables_of_roles()

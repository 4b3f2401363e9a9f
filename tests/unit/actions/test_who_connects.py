"""Who logs in, from where, and a host that does not answer when it is asked whether it is well."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.ringwall.servers.plugins.plugin_utils import hardening_actions
from ansible_collections.ringwall.servers.plugins.plugin_utils.snapshots.limits import HostFailure


class Plugin:
    def __init__(self, **options):
        self.options, self.become, self._shell = options, None, self
        self.transport = options.pop("transport", "ssh")

    def get_option(self, name):
        return self.options[name]


class Action:
    """An action plugin whose host says ``said``."""

    def __init__(self, said="", **options):
        self.said, self.asked = said, []
        self._connection = Plugin(**options)
        self._play_context = types.SimpleNamespace(remote_user=None, become=False, become_method=None)

    def _low_level_execute_command(self, command, sudoable=True):
        self.asked.append((command, sudoable))
        return {"stdout": self.said}


SAID = "from 2001:db8::5 50000 2001:db8::1 22\nas deploy\n"


def connection(action):
    return hardening_actions.connection_of(action, [])


def test_who_is_named_nowhere_is_asked_of_the_host_and_never_guessed():
    action = Action(SAID)
    found = connection(action)
    assert found["user"] == "deploy"
    assert found["controllers"] == ["2001:db8::5"]
    assert action.asked[0][1] is False
    for said in ("", "from\nas \n", "from\nas two words\n", "from\nas ../../x\n"):
        with pytest.raises(HostFailure, match="who logs in there is not known"):
            connection(Action(said))


def test_the_inventory_s_word_counts_where_it_names_somebody():
    assert connection(Action(SAID, remote_user="ops"))["user"] == "ops"


def test_a_local_connection_has_no_controller_elsewhere():
    found = connection(Action("from 192.0.2.9 1 192.0.2.1 22\nas root\n", transport="community.docker.docker"))
    assert (found["user"], found["controllers"], found["local"]) == ("root", [], True)


def test_what_is_no_address_is_not_pinned():
    assert connection(Action("from ;reboot 1 2 3\nas ops\n"))["controllers"] == []


@pytest.mark.parametrize("how", ["raises", "unreachable"])
def test_a_host_that_cannot_be_reached_is_not_well(how):
    class Gone:
        def _execute_module(self, **_more):
            if how == "raises":
                raise AnsibleConnectionFailure("no route to host")
            return {"unreachable": True, "msg": "no route to host"}

    problems = hardening_actions.user_checks(Gone(), {}, [{"tcp": 443}])
    assert len(problems) == 1
    assert "no route to host" in problems[0]

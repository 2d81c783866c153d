"""Privileges of containers, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Inconclusive, Manual
from auditor.facts.processes import Process, Processes
from auditor.facts.surroundings import Surroundings
from auditor.policy import Policy
from checks.runtime.privileges import (
    added_capability,
    net_raw_capability,
    new_privileges_allowed,
    privileged_container,
)
from tests.checks.runtime.judging import WEB, answer, containers, observed

SILENT = replace(WEB, security_opt=("apparmor=mine",))
UNKNOWN_DEFAULT = Surroundings(no_new_privileges=None)


def test_a_privileged_container_is_found_with_the_field_that_says_so() -> None:
    (finding,) = privileged_container(containers(replace(WEB, privileged=True), WEB))
    assert finding.subject == "web"
    assert finding.observed == "HostConfig.Privileged = true"
    assert finding.source == f"container {WEB.id[:12]}:/HostConfig/Privileged"


@pytest.mark.parametrize(
    ("add", "drop", "beyond"),
    [
        (("CAP_SYS_ADMIN",), ("ALL",), "SYS_ADMIN"),
        (("sys_admin", "chown"), (), "SYS_ADMIN"),
        (("ALL",), ("CAP_SYS_ADMIN",), "AUDIT_CONTROL"),
        (("NET_ADMIN",), ("NET_ADMIN",), "NET_ADMIN"),  # dockerd lets what is added win
    ],
)
def test_capabilities_beyond_the_default_are_found_however_they_are_written(
    add: tuple[str, ...], drop: tuple[str, ...], beyond: str
) -> None:
    (found,) = observed(added_capability(containers(replace(WEB, cap_add=add, cap_drop=drop)), Policy()))
    assert f"beyond the default are {beyond}" in found


def test_a_default_capability_that_is_added_back_is_none_beyond_it() -> None:
    back = replace(WEB, cap_add=("CAP_NET_BIND_SERVICE",), cap_drop=("all",))
    assert not observed(added_capability(containers(back, replace(WEB, cap_drop=())), Policy()))


def test_adding_all_and_dropping_one_leaves_that_one_out() -> None:
    (found,) = observed(
        added_capability(containers(replace(WEB, cap_add=("ALL",), cap_drop=("SYS_ADMIN",))), Policy())
    )
    assert "SYS_ADMIN" not in found
    assert "SYS_MODULE" in found


def test_a_privileged_container_has_every_capability() -> None:
    assert observed(added_capability(containers(replace(WEB, privileged=True)), Policy())) == [
        "web: HostConfig.Privileged = true: every capability"
    ]


def test_the_policy_allows_capabilities_by_either_spelling() -> None:
    policy = Policy(allowed_capabilities=("CAP_NET_RAW", "sys_ptrace"))
    asks = replace(WEB, cap_add=("SYS_PTRACE",), cap_drop=())
    assert not observed(added_capability(containers(asks), policy))
    assert not observed(net_raw_capability(containers(asks), policy))


@pytest.mark.parametrize("drop", [("NET_RAW",), ("CAP_NET_RAW",), ("ALL",), ("all",)])
def test_net_raw_is_gone_when_it_or_all_is_dropped(drop: tuple[str, ...]) -> None:
    assert not observed(net_raw_capability(containers(replace(WEB, cap_drop=drop)), Policy()))


@pytest.mark.parametrize(("add", "drop"), [((), ()), ((), ("CHOWN",)), (("NET_RAW",), ("ALL",))])
def test_net_raw_stays_otherwise(add: tuple[str, ...], drop: tuple[str, ...]) -> None:
    assert observed(net_raw_capability(containers(replace(WEB, cap_add=add, cap_drop=drop)), Policy()))


@pytest.mark.parametrize(
    "option", ["no-new-privileges", "no-new-privileges=true", "no-new-privileges:true", "no-new-privileges:1"]
)
def test_every_spelling_of_no_new_privileges_counts(option: str) -> None:
    web = replace(WEB, security_opt=(option,))
    assert answer(new_privileges_allowed(containers(web), UNKNOWN_DEFAULT, Processes())) == ([], None)


@pytest.mark.parametrize("option", ["no-new-privileges:false", "no-new-privileges=0"])
def test_an_option_that_says_false_is_false_whatever_the_daemon_says(option: str) -> None:
    web = replace(WEB, security_opt=("no-new-privileges", option))
    assert observed(new_privileges_allowed(containers(web), Surroundings(), Processes()))


def test_the_process_tells_what_holds_in_a_running_container() -> None:
    def processes(*, holds: bool | None) -> Processes:
        return Processes({WEB.id: (Process(pid=WEB.pid, no_new_privileges=holds),)})

    for surroundings in (Surroundings(), UNKNOWN_DEFAULT, Surroundings(no_new_privileges=False)):
        asked = (containers(SILENT), surroundings)
        assert answer(new_privileges_allowed(*asked, processes(holds=True))) == ([], None)
        assert "NoNewPrivs 0" in observed(new_privileges_allowed(*asked, processes(holds=False)))[0]


def test_without_a_word_and_without_the_daemons_default_it_is_a_finding() -> None:
    off = Surroundings(no_new_privileges=False)
    assert observed(new_privileges_allowed(containers(SILENT), off, Processes())) == [
        "web: HostConfig.SecurityOpt = nothing of no-new-privileges, nor has the daemon"
    ]


def test_the_daemons_default_does_not_prove_it_of_an_older_container() -> None:
    stopped = replace(SILENT, status="exited")
    _, gap = answer(new_privileges_allowed(containers(stopped), Surroundings(), Processes()))
    assert isinstance(gap, Manual)
    assert "web (exited)" in str(gap)


def test_an_unknown_default_is_no_pass() -> None:
    _, gap = answer(new_privileges_allowed(containers(SILENT), UNKNOWN_DEFAULT, Processes()))
    assert isinstance(gap, Inconclusive)

"""Namespaces that containers share, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Check, Inconclusive, NotApplicable
from auditor.facts.engine import Engine
from checks.runtime.namespaces import (
    host_cgroup_namespace,
    host_ipc_namespace,
    host_network,
    host_pid_namespace,
    host_uts_namespace,
    user_namespace_opt_out,
)
from tests.checks.runtime.judging import WEB, answer, containers, observed

SHARED = [
    (host_network, "network_mode", "HostConfig.NetworkMode"),
    (host_pid_namespace, "pid_mode", "HostConfig.PidMode"),
    (host_ipc_namespace, "ipc_mode", "HostConfig.IpcMode"),
    (host_uts_namespace, "uts_mode", "HostConfig.UTSMode"),
]
UNMAPPED = Engine(security_options={"seccomp": "builtin"})
OTHER = replace(WEB, name="db", id="db" * 32)


@pytest.mark.parametrize(("check", "mode", "field"), SHARED)
def test_sharing_the_hosts_is_found(check: Check[...], mode: str, field: str) -> None:
    assert observed(check(containers(replace(WEB, **{mode: "host"})))) == [f"web: {field} = host"]  # by name


@pytest.mark.parametrize("mode", ["", "private", "shareable", "none", "default", "bridge", "app"])
def test_anything_else_is_its_own(mode: str) -> None:
    web = replace(WEB, network_mode=mode, ipc_mode=mode)
    for check in (host_network, host_ipc_namespace):
        assert answer(check(containers(web))) == ([], None)


@pytest.mark.parametrize(("check", "mode", "field"), SHARED[:3])
@pytest.mark.parametrize("reference", [OTHER.id, OTHER.id[:12], OTHER.name])
def test_one_that_joins_another_is_judged_by_it(
    check: Check[...], mode: str, field: str, reference: str
) -> None:
    joining = replace(WEB, **{mode: f"container:{reference}"})  # by name
    assert answer(check(containers(joining, OTHER))) == ([], None)
    shared = replace(OTHER, **{mode: "host"})  # by name
    assert f"web: {field} = container:{reference}, which is db's: host" in observed(
        check(containers(joining, shared))
    )


def test_joining_one_that_is_not_there_is_not_known() -> None:
    gone = replace(WEB, network_mode="container:" + "e" * 64)
    for lost in (gone, replace(gone, network_mode=f"container:{WEB.id}")):
        found, gap = answer(host_network(containers(lost, replace(OTHER, network_mode="host"))))
        assert [finding.subject for finding in found] == ["db"]
        assert isinstance(gap, Inconclusive)
        assert "web: container:" in str(gap)


def test_opting_out_of_the_users_mapping_is_found() -> None:
    web = containers(replace(WEB, userns_mode="host"))
    assert observed(user_namespace_opt_out(web, Engine())) == ["web: HostConfig.UsernsMode = host"]
    assert observed(user_namespace_opt_out(web, UNMAPPED))


def test_without_a_mapping_there_is_nothing_to_opt_out_of() -> None:
    _, gap = answer(user_namespace_opt_out(containers(WEB), UNMAPPED))
    assert isinstance(gap, NotApplicable)


@pytest.mark.parametrize("option", ["userns", "rootless"])
def test_a_mapped_or_rootless_daemons_container_passes(option: str) -> None:
    assert answer(user_namespace_opt_out(containers(WEB), Engine(security_options={option: ""}))) == (
        [],
        None,
    )


def test_the_hosts_control_groups_are_told_apart_only_in_version_2() -> None:
    web = containers(replace(WEB, cgroupns_mode="host"))
    assert observed(host_cgroup_namespace(web, Engine())) == ["web: HostConfig.CgroupnsMode = host"]
    found, gap = answer(host_cgroup_namespace(web, Engine(cgroup_version="1")))
    assert not found
    assert isinstance(gap, NotApplicable)

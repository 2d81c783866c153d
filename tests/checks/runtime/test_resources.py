"""Limits of containers, judged."""

from typing import Any

import pytest
from msgspec.structs import replace

from auditor.check import Manual
from auditor.facts.containers import Ulimit
from auditor.facts.surroundings import Surroundings
from auditor.policy import Policy
from checks.runtime.resources import (
    cpu_unlimited,
    memory_unlimited,
    own_cgroup_parent,
    pids_unlimited,
    ulimit_overridden,
)
from tests.checks.runtime.judging import WEB, answer, containers, observed


def test_no_memory_limit_is_found() -> None:
    assert observed(memory_unlimited(containers(replace(WEB, memory=0), WEB))) == [
        "web: HostConfig.Memory = 0"
    ]


@pytest.mark.parametrize("shares", [0, 1024])
def test_the_default_cpu_weight_alone_is_found(shares: int) -> None:
    web = replace(WEB, nano_cpus=0, cpu_shares=shares)
    assert observed(cpu_unlimited(containers(web)))


@pytest.mark.parametrize(
    "limit", [{"nano_cpus": 1}, {"cpu_quota": 50000}, {"cpuset_cpus": "0-1"}, {"cpu_shares": 512}]
)
def test_any_limit_or_weight_of_the_cpu_counts(limit: dict[str, Any]) -> None:
    assert not observed(cpu_unlimited(containers(replace(WEB, **{"nano_cpus": 0, **limit}))))


@pytest.mark.parametrize(("limit", "seen"), [(None, "null"), (0, "0"), (-1, "-1")])
def test_every_way_to_say_no_limit_of_processes_is_found(limit: int | None, seen: str) -> None:
    assert observed(pids_unlimited(containers(replace(WEB, pids_limit=limit)))) == [
        f"web: HostConfig.PidsLimit = {seen}"
    ]


@pytest.mark.parametrize(
    ("hard", "defaults", "asked"),
    [
        (1000, {"nofile": 2000}, ""),
        (2000, {"nofile": 2000}, ""),
        (-1, {"nofile": -1}, ""),
        (9, {"nofile": -1}, ""),
        (3000, {"nofile": 2000}, "the daemon's is 2000"),
        (-1, {"nofile": 2000}, "the daemon's is 2000"),
        (1000, {}, "the daemon's is not set"),
        (1000, None, "the daemon's is not known"),
    ],
)
def test_a_limit_above_the_daemons_is_left_to_a_person(
    hard: int, defaults: dict[str, int] | None, asked: str
) -> None:
    web = containers(replace(WEB, ulimits=(Ulimit("nofile", 1000, hard),)))
    found, gap = answer(ulimit_overridden(web, Surroundings(ulimits=defaults)))
    assert not found
    assert isinstance(gap, Manual) == bool(asked)
    assert asked in str(gap)


@pytest.mark.parametrize("parent", ["", "/docker", "docker/", "system.slice", "/mine"])
def test_the_daemons_control_group_is_where_containers_belong(parent: str) -> None:
    web = containers(replace(WEB, cgroup_parent=parent))
    assert not observed(own_cgroup_parent(web, Surroundings(cgroup_parent="mine"), Policy()))


def test_another_control_group_is_found_unless_allowed() -> None:
    web = containers(replace(WEB, cgroup_parent="/kubepods/burstable/pod1"))
    for known in ("", None):
        assert observed(own_cgroup_parent(web, Surroundings(cgroup_parent=known), Policy())) == [
            "web: HostConfig.CgroupParent = /kubepods/burstable/pod1"
        ]
    assert not observed(
        own_cgroup_parent(web, Surroundings(), Policy(allowed_cgroup_parents=("/kubepods/*",)))
    )


def test_windows_has_limits_of_cpus_of_its_own() -> None:
    bare = replace(WEB, platform="windows", nano_cpus=0, cpu_quota=5, cpuset_cpus="0")
    assert observed(cpu_unlimited(containers(bare))) == [
        "web: HostConfig.CpuShares = 0, and no NanoCpus, CpuCount or CpuPercent"
    ]
    for limited in (replace(bare, cpu_count=1), replace(bare, cpu_percent=50), replace(bare, nano_cpus=1)):
        assert not observed(cpu_unlimited(containers(limited)))
    assert observed(cpu_unlimited(containers(replace(bare, cpu_percent=100))))

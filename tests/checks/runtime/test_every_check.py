"""What holds for every check of containers: none at all, one unread, a hardened one, and findings that come first."""

from typing import Any

import pytest
from msgspec.structs import replace

import checks.runtime
from auditor.check import Check, Inconclusive, Manual, NotApplicable
from auditor.facts.containers import Containers, Mount, Port, Ulimit
from auditor.facts.engine import Engine
from auditor.facts.images import Image, Images
from auditor.facts.networks import Networks
from auditor.facts.processes import Process, Processes
from auditor.facts.surroundings import Surroundings
from auditor.facts.volumes import Volumes
from auditor.policy import Policy
from auditor.registry import discover
from tests.checks.runtime.judging import NONE, UNSEEN, WEB, answer, containers

CHECKS = [check for check in discover(checks.runtime).values() if Containers in check.facts.values()]
SELINUX = Engine(security_options={**Engine().security_options, "selinux": ""})
PRIVILEGED_EXEC = Process(pid=9, parent=1, name="sshd", uid=0, capabilities=frozenset({"SYS_ADMIN"}))

# Wrong in every way that a check looks at.
SLOPPY = replace(
    WEB,
    apparmor_profile="unconfined",
    process_label="",
    privileged=True,
    security_opt=("no-new-privileges:false",),
    cap_drop=(),
    mounts=(Mount("/", rw=True, propagation="shared"),),
    network_mode="host",
    networks=("bridge",),
    pid_mode="host",
    ipc_mode="host",
    uts_mode="host",
    userns_mode="host",
    cgroupns_mode="host",
    cgroup_parent="/mine",
    ports=(Port(22, 22, ""),),
    publish_all_ports=True,
    readonly_rootfs=False,
    system_paths_masked=False,
    memory=0,
    nano_cpus=0,
    pids_limit=None,
    ulimits=(Ulimit("nofile", 1, 9),),
    restart_policy="always",
    healthcheck=(),
    image_id="sha256:old",
    path="/usr/sbin/sshd",
)
EXEC = replace(WEB, id="e" * 64)


def facts(seen: Containers) -> dict[Any, Any]:
    processes = Processes(
        {WEB.id: (Process(pid=WEB.pid),), EXEC.id: (Process(pid=EXEC.pid), PRIVILEGED_EXEC)}
    )
    return {
        Containers: seen,
        Volumes: Volumes(),
        Engine: SELINUX,
        Processes: processes,
        Images: Images((Image(),)),
        Networks: Networks(),
        Surroundings: Surroundings(ulimits={}),
        Policy: Policy(allowed_ports=()),
    }


def ask(check: Check[...], seen: Containers) -> Any:
    known = facts(seen)
    return check(**{name: known[fact] for name, fact in check.facts.items()})


def ids(check: Check[...]) -> str:
    return check.id


@pytest.mark.parametrize("check", CHECKS, ids=ids)
def test_a_host_without_containers_is_no_silent_pass(check: Check[...]) -> None:
    found, gap = answer(ask(check, NONE))
    assert not found
    assert isinstance(gap, NotApplicable)
    assert str(gap) == "no containers on this host"


@pytest.mark.parametrize("check", CHECKS, ids=ids)
def test_a_container_that_could_not_be_read_leaves_the_answer_open(check: Check[...]) -> None:
    found, gap = answer(ask(check, UNSEEN))
    assert not found
    assert isinstance(gap, Inconclusive)
    assert "0123456789ab" in str(gap)


@pytest.mark.parametrize("check", CHECKS, ids=ids)
def test_a_hardened_container_passes_or_is_left_to_a_person(check: Check[...]) -> None:
    found, gap = answer(ask(check, containers(WEB)))
    assert not found
    assert gap is None or isinstance(gap, Manual)


@pytest.mark.parametrize("check", [check for check in CHECKS if check.id != "ulimit-overridden"], ids=ids)
def test_a_finding_is_told_though_another_container_could_not_be_read(check: Check[...]) -> None:
    sloppy = EXEC if check.id in ("privileged-exec", "root-exec") else SLOPPY
    found, gap = answer(ask(check, Containers((sloppy,), UNSEEN.unseen)))
    assert {finding.subject for finding in found} == {"web"}
    assert all(finding.observed and finding.expected and finding.source for finding in found)
    assert isinstance(gap, Inconclusive)


@pytest.mark.parametrize("check", [check for check in CHECKS if "exec" not in check.id], ids=ids)
def test_a_container_that_does_not_run_is_judged_and_its_state_shown(check: Check[...]) -> None:
    for state in ("created", "exited"):
        found, gap = answer(ask(check, containers(replace(SLOPPY, status=state, network_mode="bridge"))))
        found = found or answer(ask(check, containers(replace(SLOPPY, status=state))))[0]
        assert {finding.subject for finding in found} == {"web"} or f"web ({state})" in str(gap)
        assert all(f"({state})" in finding.source for finding in found)

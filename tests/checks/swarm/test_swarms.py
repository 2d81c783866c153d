"""Checks of swarm mode: off, manager, worker, locked and broken are five situations."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

import checks.swarm
from auditor.check import Check, Inconclusive, Manual, NotApplicable
from auditor.facts.certificate import Certificate
from auditor.facts.engine import Engine
from auditor.facts.listeners import Endpoint
from auditor.facts.networks import Network, Networks
from auditor.facts.swarm import Addresses, Cluster, Service, Swarm
from auditor.policy import Policy
from auditor.registry import discover
from checks.swarm.cluster import (
    needless_swarm_managers,
    node_certificates_too_long,
    swarm_authority_not_rotated,
    swarm_managers_not_locked,
    unlock_key_not_rotated,
)
from checks.swarm.secrets import secret_in_swarm_service
from checks.swarm.traffic import (
    overlay_network_unencrypted,
    swarm_port_on_every_address,
    swarm_traffic_not_separated,
)
from tests.checks.runtime.judging import answer, observed

CHECKS = list(discover(checks.swarm).values())
AUTHORITY = Certificate(
    "CN=swarm-ca", not_before=datetime(2025, 1, 31, tzinfo=UTC), not_after=datetime(2045, 1, 26, tzinfo=UTC)
)
MANAGER = Swarm(known=Cluster(authorities=(AUTHORITY,)))
ENCRYPTED = Network("app", "overlay", "swarm", options={"encrypted": ""})
BLIND = replace(MANAGER, known=None, addresses=None, services=None, gap="permission denied")


def manager(**cluster: Any) -> Swarm:
    return replace(MANAGER, known=replace(MANAGER.cluster(), **cluster))


def ask(check: Check[...], swarm: Swarm) -> Any:
    known: dict[Any, Any] = {
        Swarm: swarm,
        Engine: Engine(),
        Policy: Policy(),
        Networks: Networks((Network("bridge"), ENCRYPTED)),
    }
    return answer(check(**{name: known[fact] for name, fact in check.facts.items()}))


def ids(check: Check[...]) -> str:
    return check.id


@pytest.mark.parametrize("check", CHECKS, ids=ids)
def test_a_host_in_no_swarm_is_not_applicable(check: Check[...]) -> None:
    found, gap = ask(check, Swarm(state="inactive", manager=False, known=None, addresses=None, services=None))
    assert not found
    assert isinstance(gap, NotApplicable)


@pytest.mark.parametrize("check", CHECKS, ids=ids)
@pytest.mark.parametrize("state", ["locked", "pending", "error", ""])
def test_a_swarm_that_is_not_settled_is_not_assessed(check: Check[...], state: str) -> None:
    found, gap = ask(check, replace(MANAGER, state=state, error="why"))
    assert not found
    assert isinstance(gap, Inconclusive)
    assert "why" in str(gap)


@pytest.mark.parametrize(
    "check", [each for each in CHECKS if each.id != "swarm-traffic-not-separated"], ids=ids
)
def test_a_worker_does_not_know_and_says_who_does(check: Check[...]) -> None:
    found, gap = ask(check, replace(BLIND, manager=False))
    assert not found
    assert isinstance(gap, NotApplicable)
    assert "manager" in str(gap)


@pytest.mark.parametrize("check", CHECKS, ids=ids)
def test_what_a_manager_does_not_tell_leaves_the_answer_open(check: Check[...]) -> None:
    found, gap = ask(check, BLIND)
    assert not found
    assert isinstance(gap, Inconclusive)


@pytest.mark.parametrize("check", CHECKS, ids=ids)
def test_a_hardened_swarm_passes_or_is_left_to_a_person(check: Check[...]) -> None:
    found, gap = ask(check, MANAGER)
    assert not found
    assert gap is None or isinstance(gap, Manual)


@pytest.mark.parametrize(
    ("managers", "nodes", "good"), [(1, 1, True), (3, 3, True), (7, 9, True), (2, 5, False), (9, 9, False)]
)
def test_managers_are_odd_in_number_and_seven_at_most(managers: int, nodes: int, good: bool) -> None:
    found, gap = answer(needless_swarm_managers(manager(managers=managers, nodes=nodes)))
    assert (bool(found), gap) == (not good, None)


def test_one_manager_of_many_nodes_is_for_a_person() -> None:
    found, gap = answer(needless_swarm_managers(manager(managers=1, nodes=4)))
    assert not found
    assert isinstance(gap, Manual)


def test_without_auto_lock_there_is_no_key_to_rotate() -> None:
    assert observed(swarm_managers_not_locked(manager(auto_lock=False))) == [
        "swarm: AutoLockManagers = false"
    ]
    assert isinstance(answer(unlock_key_not_rotated(manager(auto_lock=False)))[1], NotApplicable)
    assert isinstance(answer(unlock_key_not_rotated(MANAGER))[1], Manual)


@pytest.mark.parametrize(
    ("days", "seen"), [(90, []), (0.05, []), (90.5, ["swarm: NodeCertExpiry = 90.5 days"])]
)
def test_certificates_of_nodes_hold_90_days(days: float, seen: list[str]) -> None:
    assert observed(node_certificates_too_long(manager(node_certificate_days=days))) == seen


def test_a_validity_of_nothing_makes_no_sense() -> None:
    assert isinstance(answer(node_certificates_too_long(manager(node_certificate_days=0)))[1], Inconclusive)


def authority(swarm: Swarm, now: str = "2026-01-31T12:00:00Z") -> Any:
    return answer(swarm_authority_not_rotated(swarm, Engine(system_time=now), Policy()))


def test_the_age_of_the_authority_is_shown() -> None:
    found, gap = authority(MANAGER)
    assert not found
    assert isinstance(gap, Manual)
    assert str(gap).endswith("CN=swarm-ca is 365 days old and holds until 2045-01-26")
    assert "a rotation is under way" in str(authority(manager(root_rotation=True))[1])


def test_an_authority_that_ends_soon_is_found() -> None:
    found, _ = authority(MANAGER, "2045-01-01T00:00:00Z")
    assert [finding.observed for finding in found] == ["the authority CN=swarm-ca ends on 2045-01-26"]


@pytest.mark.parametrize("now", ["", "2026-01-31T12:00:00"])
def test_without_the_time_an_authority_cannot_be_judged(now: str) -> None:
    assert isinstance(authority(MANAGER, now)[1], Inconclusive)


def test_an_authority_that_is_not_shown_leaves_the_answer_open() -> None:
    assert isinstance(authority(manager(authorities=()))[1], Inconclusive)


def listening(*addresses: str) -> Swarm:
    return replace(MANAGER, addresses=Addresses(tuple(Endpoint(address, 2377) for address in addresses)))


def test_a_swarm_that_listens_everywhere_is_found() -> None:
    assert observed(swarm_port_on_every_address(listening("0.0.0.0"))) == ["swarm: listens on 0.0.0.0:2377"]  # noqa: S104  read, not bound
    assert observed(swarm_port_on_every_address(listening("10.0.0.5", "::"))) == [
        "swarm: listens on [::]:2377"
    ]
    assert observed(swarm_port_on_every_address(listening("10.0.0.5"))) == []
    assert isinstance(answer(swarm_port_on_every_address(listening()))[1], Inconclusive)


def test_overlay_networks_are_judged_and_others_not() -> None:
    plain = (
        replace(ENCRYPTED, name="ingress", options={}),
        replace(ENCRYPTED, name="off", options={"encrypted": "false"}),
    )
    networks = Networks((Network("bridge"), ENCRYPTED, *plain))
    seen = ["ingress: encrypted = unset", "off: encrypted = false"]
    assert observed(overlay_network_unencrypted(MANAGER, networks)) == seen
    found, gap = answer(overlay_network_unencrypted(replace(MANAGER, manager=False), networks))
    assert len(found) == 2
    assert isinstance(gap, NotApplicable)


@pytest.mark.parametrize(
    ("data_path", "seen"),
    [
        ("10.1.0.5", []),
        ("", ["swarm: no address for data of its own"]),
        ("10.0.0.5", ["swarm: data and management share 10.0.0.5"]),
    ],
)
def test_data_takes_another_way_than_management(data_path: str, seen: list[str]) -> None:
    for role in (True, False):
        swarm = replace(MANAGER, manager=role, addresses=Addresses(data_path=data_path))
        assert observed(swarm_traffic_not_separated(swarm)) == seen


def test_a_worker_knows_its_own_addresses_or_not() -> None:
    assert isinstance(answer(swarm_traffic_not_separated(replace(BLIND, manager=False)))[1], Inconclusive)


def services(*every: Service) -> Any:
    return answer(secret_in_swarm_service(replace(MANAGER, services=every)))


def test_a_secret_in_a_services_environment_is_found_by_name() -> None:
    found, gap = services(Service(variables=("DB_PASSWORD",)))
    assert [(finding.subject, finding.observed) for finding in found] == [
        ("web", "DB_PASSWORD in its environment has a value")
    ]
    assert gap is None


def test_services_without_secrets_are_for_a_person() -> None:
    found, gap = services(Service(), Service("cron", (), ()))
    assert not found
    assert isinstance(gap, Manual)
    assert "cron. The swarm holds 1 secret(s)" in str(gap)


def test_a_swarm_without_services_has_none_to_judge() -> None:
    assert isinstance(services()[1], NotApplicable)

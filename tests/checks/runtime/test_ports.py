"""Published ports and networks, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Manual
from auditor.facts.containers import Containers, Port
from auditor.facts.networks import Network, Networks
from auditor.facts.swarm import Service, Swarm
from auditor.policy import Policy
from auditor.testing import Outcome, judge
from checks.runtime.ports import (
    default_bridge,
    port_not_needed,
    port_on_every_address,
    privileged_port,
    service_on_privileged_port,
)
from tests.checks.runtime.judging import WEB, answer, containers, observed


def publishing(*ports: Port) -> Containers:
    return containers(replace(WEB, ports=ports))


@pytest.mark.parametrize(
    ("port", "found"),
    [
        (Port(80, 80), 1),
        (Port(1023, 1023), 1),
        (Port(1000, 2000), 1),
        (Port(1024, 1024), 0),
        (Port(0, 0), 0),
        (Port(8080, 8090), 0),
    ],
)
def test_host_ports_below_1024_are_found_in_ranges_too(port: Port, found: int) -> None:
    assert len(observed(privileged_port(publishing(port), Policy()))) == found


def test_a_privileged_port_that_is_allowed_is_none() -> None:
    assert not observed(privileged_port(publishing(Port(443, 443)), Policy(allowed_ports=(443,))))
    assert observed(privileged_port(publishing(Port(443, 444)), Policy(allowed_ports=(443,))))


@pytest.mark.parametrize(
    ("ports", "outcome"),
    [
        ((), Outcome.PASS),
        ((1024, 443, 0), Outcome.PASS),
        ((80,), Outcome.FAIL),
        (None, Outcome.ERROR),
    ],
)
def test_a_privileged_port_of_the_routing_mesh_is_told_by_its_service(
    ports: tuple[int, ...] | None, outcome: Outcome
) -> None:
    swarm, policy = Swarm(services=(Service(ports=ports),)), Policy(allowed_ports=(443,))
    assert judge(service_on_privileged_port, swarm, policy).outcome is outcome
    assert judge(service_on_privileged_port, Swarm(services=(Service(ports=(443,)),))).outcome is Outcome.FAIL


def test_only_a_manager_knows_the_ports_of_services() -> None:
    worker = Swarm(manager=False, services=None)
    assert judge(service_on_privileged_port, worker).outcome is Outcome.NOT_APPLICABLE


def test_without_a_policy_a_person_decides_which_ports_are_needed() -> None:
    found, gap = answer(port_not_needed(publishing(Port(8080, 8081, "::", "80/tcp")), Policy()))
    assert not found
    assert isinstance(gap, Manual)
    assert "web [::]:8080-8081->80/tcp" in str(gap)


def test_nothing_published_needs_nobody() -> None:
    assert answer(port_not_needed(containers(WEB), Policy())) == ([], None)


@pytest.mark.parametrize("port", [Port(8081, 8081), Port(8080, 8081), Port(0, 0)])
def test_a_port_that_the_policy_does_not_name_is_found(port: Port) -> None:
    (finding,) = port_not_needed(publishing(port, Port(8080, 8080)), Policy(allowed_ports=(8080,)))
    assert finding.expected == "host ports allowed: 8080"
    (finding,) = port_not_needed(publishing(port), Policy(allowed_ports=()))
    assert finding.expected == "host ports allowed: none"


def test_publishing_all_ports_is_found_and_the_hosts_network_asked_about() -> None:
    web = replace(WEB, publish_all_ports=True, network_mode="host")
    found, gap = answer(port_not_needed(containers(web), Policy(allowed_ports=())))
    assert [finding.observed for finding in found] == ["HostConfig.PublishAllPorts = true"]
    assert "on the host's network" in str(gap)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("", 1),
        ("0.0.0.0", 1),  # noqa: S104  the wildcard itself
        ("::", 1),
        ("[::]", 1),
        ("::ffff:0.0.0.0", 1),
        ("127.0.0.1", 0),
        ("::1", 0),
        ("::ffff:127.0.0.1", 0),
        ("10.1.2.3", 0),
    ],
)
def test_a_wildcard_address_is_found_however_it_is_written(address: str, found: int) -> None:
    assert len(observed(port_on_every_address(publishing(Port(8080, 8080, address)), NETWORKS))) == found


BINDING = "com.docker.network.bridge.host_binding_ipv4"
NETWORKS = Networks(
    (
        Network("bridge", options={BINDING: "127.0.0.1"}),
        Network("narrow", options={BINDING: "10.0.0.5"}),
        Network("wide", options={BINDING: "0.0.0.0"}),  # noqa: S104  the wildcard itself
        Network("app"),
    )
)


@pytest.mark.parametrize(
    ("mode", "joined", "found"),
    [
        ("default", (), 0),
        ("default", ("bridge",), 0),
        ("narrow", ("narrow",), 0),
        ("app", ("app",), 1),
        ("wide", ("wide",), 1),
        ("gone", (), 1),
        ("narrow", ("app", "narrow"), 1),
    ],
)
def test_a_stopped_container_gets_its_networks_address_for_ports_that_name_none(
    mode: str, joined: tuple[str, ...], found: int
) -> None:
    stopped = replace(WEB, status="exited", network_mode=mode, networks=joined, ports=(Port(8080, 8080, ""),))
    said = observed(port_on_every_address(containers(stopped), NETWORKS))
    assert said == ["web: HostConfig.PortBindings = :8080->80/tcp"][:found]


def test_what_a_running_container_is_told_to_have_counts_whatever_its_network_says() -> None:
    live = replace(WEB, networks=("narrow",), ports=(Port(8080, 8080, ""),))
    assert observed(port_on_every_address(containers(live), NETWORKS))


def test_the_routing_mesh_listens_everywhere_and_a_person_says_whether_it_must() -> None:
    task = containers(replace(WEB, networks=("ingress", "app")))
    (finding,) = port_on_every_address(task, NETWORKS)
    assert finding.observed == "NetworkSettings.Networks = ingress, which listens on every address"
    found, gap = answer(port_not_needed(task, Policy(allowed_ports=())))
    assert not found
    assert "web has ports that the swarm's routing mesh publishes" in str(gap)


def test_privileged_ports_of_a_container_that_does_not_run_are_told_where_they_were_read() -> None:
    stopped = containers(replace(WEB, status="exited", ports=(Port(80, 80),)))
    (finding,) = privileged_port(stopped, Policy())
    assert finding.observed == "HostConfig.PortBindings = 127.0.0.1:80->80/tcp"


@pytest.mark.parametrize(
    ("mode", "networks", "found"),
    [
        ("default", ("bridge",), 1),
        ("bridge", (), 1),
        ("app", ("app", "bridge"), 1),
        ("default", (), 1),
        ("default", ("none",), 0),
        ("host", ("host",), 0),
        ("container:x", (), 0),
        ("app", ("app",), 0),
    ],
)
def test_being_on_the_default_bridge_is_found(mode: str, networks: tuple[str, ...], found: int) -> None:
    assert (
        len(observed(default_bridge(containers(replace(WEB, network_mode=mode, networks=networks))))) == found
    )

"""The daemon's part in the network, judged."""

import pytest

from auditor.check import NotApplicable
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine
from auditor.facts.networks import Network, Networks
from checks.daemon.network import (
    containers_talk_on_default_bridge,
    insecure_registry,
    iptables_not_managed,
    userland_proxy_in_use,
)

ICC = "com.docker.network.bridge.enable_icc"


def bridge(icc: str) -> Networks:
    return Networks((Network("none", "null"), Network("bridge", options={ICC: icc})))


def test_a_bridge_that_keeps_containers_apart_passes() -> None:
    assert list(containers_talk_on_default_bridge(DaemonConfig.of(icc=False), bridge("false"))) == []


def test_the_default_lets_containers_talk() -> None:
    (finding,) = containers_talk_on_default_bridge(DaemonConfig(), bridge("true"))
    assert (finding.observed, finding.source) == ("icc = true", "dockerd's default")


def test_a_bridge_made_before_it_was_configured_still_lets_containers_talk() -> None:
    (finding,) = containers_talk_on_default_bridge(DaemonConfig.of(icc=False), bridge("true"))
    assert finding.subject == "network bridge"
    (finding,) = containers_talk_on_default_bridge(DaemonConfig.of(icc=False), Networks((Network("bridge"),)))
    assert "unset" in finding.observed


def test_without_a_default_bridge_the_question_does_not_arise() -> None:
    with pytest.raises(NotApplicable, match="without a default bridge"):
        list(containers_talk_on_default_bridge(DaemonConfig.of(bridge="none"), Networks()))


def test_a_bridge_of_ones_own_is_judged_by_its_configuration() -> None:
    assert list(containers_talk_on_default_bridge(DaemonConfig.of(bridge="br0", icc=False), Networks())) == []


def test_firewall_rules_left_to_nobody_are_a_finding() -> None:
    (finding,) = iptables_not_managed(DaemonConfig.of(iptables=False))
    assert finding.source == "/etc/docker/daemon.json:/iptables"
    assert list(iptables_not_managed(DaemonConfig())) == []


def test_the_proxy_is_on_by_default() -> None:
    assert len(list(userland_proxy_in_use(DaemonConfig()))) == 1
    assert list(userland_proxy_in_use(DaemonConfig.of(userland_proxy=False))) == []


def test_insecure_registries_are_found_where_configured_and_where_in_force() -> None:
    config = DaemonConfig.of(insecure_registries=("a:5000",))
    findings = list(insecure_registry(Engine(insecure_registries=("a:5000", "10.0.0.0/8")), config))
    assert [finding.subject for finding in findings] == ["a:5000", "10.0.0.0/8"]
    assert findings[1].source == "docker info:/RegistryConfig"
    assert list(insecure_registry(Engine(), DaemonConfig())) == []


def test_a_mirror_without_tls_is_an_insecure_registry() -> None:
    mirrors = (
        "http://mirror.example:5000",
        "HTTP://10.0.0.9",
        "https://good.example",
        "http://127.0.0.1:5000",
        "http://localhost:5000",
        "http://",
    )
    findings = list(insecure_registry(Engine(), DaemonConfig.of(registry_mirrors=mirrors)))
    assert [(finding.subject, finding.source) for finding in findings] == [
        (mirror, "/etc/docker/daemon.json:/registry-mirrors") for mirror in (*mirrors[:2], mirrors[-1])
    ]

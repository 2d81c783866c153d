"""TLS on the engine's TCP ports, by configuration and by what they answer."""

import pytest
from msgspec.structs import replace

from auditor.check import Check, Inconclusive, NotApplicable
from auditor.facts.certificates import Certificates, Role, Seen
from auditor.facts.listeners import Endpoint, Listeners
from auditor.facts.live import LivePorts, Port, Verdict
from auditor.facts.tls import DaemonTls, Idle
from auditor.policy import Policy
from checks.daemon.tls import (
    client_ca_bundle_too_wide,
    client_ca_is_system_store,
    engine_on_every_address,
    tcp_without_tls,
    tls_settings_without_effect,
    tls_without_client_authentication,
    tlsverify_not_explicit,
    unexpected_engine_port,
)
from checks.daemon.tls_live import (
    old_tls_version_offered,
    plaintext_api_answers,
    ports_differ_from_configuration,
    untrusted_client_answered,
    wide_client_ca_announced,
)

OPEN = Listeners((Endpoint("192.0.2.1"),))
CLOSED = Listeners()
TLS = DaemonTls()
OFF = DaemonTls(enabled=False, verifies_clients=False, explicit=False)
FINE = Port(
    2376,
    Verdict.MUTUAL_TLS,
    client_cas=("CN=clients",),
    versions={"TLS 1.0": "refused", "TLS 1.1": "refused"},
)


def live(*ports: Port, unknown: str = "") -> LivePorts:
    return LivePorts("192.0.2.1", ports, unknown)


def test_tcp_without_tls_is_found_on_loopback_too() -> None:
    assert not list(tcp_without_tls(OPEN, TLS))
    [found] = tcp_without_tls(Listeners((Endpoint("127.0.0.1", 2375, "flag -H"),)), OFF)
    assert (found.subject, found.source) == ("127.0.0.1:2375", "flag -H")


def test_an_engine_without_tcp_has_no_tls_to_judge() -> None:
    for rule in (tcp_without_tls, tls_without_client_authentication, tlsverify_not_explicit):
        with pytest.raises(NotApplicable, match="no TCP port"):
            list(rule(CLOSED, TLS))
    with pytest.raises(NotApplicable, match="no TCP port"):
        list(engine_on_every_address(CLOSED))


def test_tls_that_lets_everybody_in_is_found() -> None:
    assert not list(tls_without_client_authentication(OPEN, TLS))
    assert list(tls_without_client_authentication(OPEN, replace(TLS, verifies_clients=False)))
    with pytest.raises(NotApplicable, match="TLS is off"):
        list(tls_without_client_authentication(OPEN, OFF))
    with pytest.raises(Inconclusive, match="version"):
        list(tls_without_client_authentication(OPEN, replace(TLS, verifies_clients=None)))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/ssl/cert.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/var/lib/ca-certificates/ca-bundle.pem",
    ],
)
def test_clients_signed_by_any_ca_of_the_system_are_found(path: str) -> None:
    assert list(client_ca_is_system_store(OPEN, replace(TLS, ca=path)))


def test_a_ca_of_ones_own_may_lie_below_the_systems_folders() -> None:
    assert not list(client_ca_is_system_store(OPEN, TLS))
    for path in ("/etc/pki/docker/ca.pem", "/etc/ssl/example/ca.pem", "/etc/pki/example/ca.pem"):
        assert not list(client_ca_is_system_store(OPEN, replace(TLS, ca=path)))
    with pytest.raises(NotApplicable, match="not verified"):
        list(client_ca_is_system_store(OPEN, replace(TLS, verifies_clients=False)))


def test_a_bundle_of_many_client_cas_is_found() -> None:
    ca = Seen(role=Role.CLIENT_CA, where=TLS.ca)
    assert not list(client_ca_bundle_too_wide(Certificates((ca,)), TLS))
    [found] = client_ca_bundle_too_wide(Certificates((ca,) * 140), TLS)
    assert found.observed == "140 CAs"
    with pytest.raises(Inconclusive, match="denied"):
        list(client_ca_bundle_too_wide(Certificates((), unread=("/x: permission denied",)), TLS))
    with pytest.raises(NotApplicable):
        list(client_ca_bundle_too_wide(Certificates(), OFF))


def test_settings_that_do_nothing_are_found() -> None:
    assert not list(tls_settings_without_effect(TLS))
    idle = Idle("DOCKER_TLS_VERIFY", "1", "environment of the daemon", "dockerd does not read it")
    with pytest.raises(NotApplicable):
        list(tls_settings_without_effect(OFF))
    [found] = tls_settings_without_effect(replace(OFF, idle=(idle,)))
    assert (found.subject, found.source) == ("DOCKER_TLS_VERIFY", "environment of the daemon")


def test_tls_without_tlsverify_is_found() -> None:
    assert not list(tlsverify_not_explicit(OPEN, TLS))
    assert list(tlsverify_not_explicit(OPEN, replace(TLS, explicit=False)))


def test_another_port_than_the_agreed_one_is_found() -> None:
    assert not list(unexpected_engine_port(OPEN, Policy(engine_port=2376)))
    assert list(unexpected_engine_port(OPEN, Policy(engine_port=3000)))
    with pytest.raises(NotApplicable, match="policy"):
        list(unexpected_engine_port(OPEN, Policy()))


def test_a_wildcard_address_is_found() -> None:
    assert not list(engine_on_every_address(OPEN))
    assert list(engine_on_every_address(Listeners((Endpoint("::"),))))


LIVE = (plaintext_api_answers, untrusted_client_answered, wide_client_ca_announced, old_tls_version_offered)


@pytest.mark.parametrize("rule", LIVE, ids=lambda rule: rule.id)
def test_a_port_that_demands_a_known_client_passes(rule: Check[...]) -> None:
    assert not list(rule(live(FINE)))


@pytest.mark.parametrize("rule", LIVE, ids=lambda rule: rule.id)
def test_ports_that_do_not_answer_are_told_and_no_error(rule: Check[...]) -> None:
    with pytest.raises(NotApplicable, match=r"not reachable.*port 2376 timed-out"):
        list(rule(live(Port(2376, Verdict.TIMED_OUT))))
    with pytest.raises(NotApplicable, match="no TCP port"):
        list(rule(live()))
    with pytest.raises(Inconclusive, match="who knows"):
        list(rule(live(unknown="who knows")))


@pytest.mark.parametrize("configured", [True, False])
def test_an_answer_without_tls_is_found_on_any_port(configured: bool) -> None:
    assert list(plaintext_api_answers(live(FINE, Port(9999, Verdict.PLAINTEXT, configured=configured))))


@pytest.mark.parametrize("verdict", [Verdict.NO_CLIENT_AUTH, Verdict.ANY_CERTIFICATE])
def test_an_answer_to_a_stranger_is_found(verdict: Verdict) -> None:
    assert list(untrusted_client_answered(live(Port(2376, verdict))))
    assert not list(plaintext_api_answers(live(Port(2376, verdict))))


@pytest.mark.parametrize("verdict", [Verdict.TLS_UNCLEAR, Verdict.OTHER_HTTP, Verdict.NOT_TLS])
def test_an_answer_that_makes_no_sense_is_no_pass(verdict: Verdict) -> None:
    with pytest.raises(Inconclusive, match=verdict.value):
        list(untrusted_client_answered(live(Port(2376, verdict, "odd"))))
    assert not list(untrusted_client_answered(live(FINE, Port(7946, verdict, "odd", configured=False))))


def test_a_pass_is_not_given_while_other_ports_are_not_known() -> None:
    with pytest.raises(Inconclusive, match="others"):
        list(plaintext_api_answers(live(FINE, unknown="the others are not known")))


@pytest.mark.parametrize("names", [(), tuple(f"CN=CA {number}" for number in range(145))])
def test_too_many_client_cas_on_the_wire_are_found(names: tuple[str, ...]) -> None:
    assert list(wide_client_ca_announced(live(replace_port(FINE, client_cas=names))))


def test_a_port_that_asks_for_no_certificate_names_no_ca() -> None:
    with pytest.raises(NotApplicable):
        list(wide_client_ca_announced(live(replace_port(FINE, client_cas=None))))


def replace_port(port: Port, **changes: object) -> Port:
    fields = {name: getattr(port, name) for name in port.__struct_fields__}
    return Port(**{**fields, **changes})


def test_old_versions_are_found_and_untried_ones_are_no_pass() -> None:
    assert list(
        old_tls_version_offered(
            live(replace_port(FINE, versions={"TLS 1.0": "offered", "TLS 1.1": "refused"}))
        )
    )
    with pytest.raises(Inconclusive, match="time ran out"):
        list(old_tls_version_offered(live(replace_port(FINE, versions={"TLS 1.0": "not known"}))))
    with pytest.raises(NotApplicable, match="speaks TLS"):
        list(old_tls_version_offered(live(Port(2375, Verdict.PLAINTEXT))))


AGREEING = {
    "mutual TLS": (TLS, FINE),
    "no TLS": (OFF, Port(2375, Verdict.PLAINTEXT)),
    "no client authentication": (replace(TLS, verifies_clients=False), Port(2376, Verdict.NO_CLIENT_AUTH)),
    "either, when the version is not known": (
        replace(TLS, verifies_clients=None),
        Port(2376, Verdict.NO_CLIENT_AUTH),
    ),
    "the system's CAs": (replace(TLS, ca=""), replace_port(FINE, client_cas=())),
    "unclear": (TLS, Port(2376, Verdict.TLS_UNCLEAR)),
}
DIFFERING = {
    "no TLS after all": (TLS, Port(2376, Verdict.PLAINTEXT, "answered")),
    "TLS after all": (OFF, FINE),
    "a stranger let in": (TLS, Port(2376, Verdict.ANY_CERTIFICATE)),
    "no handshake at all": (TLS, Port(2376, Verdict.TLS_BROKEN)),
    "the system's CAs": (TLS, replace_port(FINE, client_cas=())),
    "CAs where none is configured": (replace(TLS, ca=""), FINE),
}


@pytest.mark.parametrize("case", AGREEING)
def test_a_port_that_does_what_the_configuration_says_passes(case: str) -> None:
    tls, port = AGREEING[case]
    assert not list(ports_differ_from_configuration(live(port), tls))


@pytest.mark.parametrize("case", DIFFERING)
def test_a_port_that_does_something_else_is_found(case: str) -> None:
    tls, port = DIFFERING[case]
    assert len(list(ports_differ_from_configuration(live(port), tls))) == 1


def test_only_configured_ports_are_compared() -> None:
    with pytest.raises(NotApplicable):
        list(ports_differ_from_configuration(live(Port(2377, Verdict.MUTUAL_TLS, configured=False)), TLS))

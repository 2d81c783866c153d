"""The daemon's certificates and the keys that lie about."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from auditor.check import Check, Finding, Inconclusive, Manual, NotApplicable
from auditor.facts.certificate import Certificate
from auditor.facts.certificates import Certificates, Damaged, Role, Seen, ServerKeys
from auditor.facts.fleet import Fleet
from auditor.facts.keys import Key, Keys
from auditor.facts.live import LivePorts, Port, Verdict
from auditor.facts.origin import Origin
from auditor.facts.tls import DaemonTls
from auditor.policy import Policy
from checks.certificates import chain, keys, names, strength, usage, validity

ORIGIN, POLICY, TLS = Origin(address="web1.example"), Policy(), DaemonTls()
NOW = ORIGIN.collected
CA = Certificate(
    subject="CN=clients", issuer="CN=clients", is_ca=True, self_signed=True, fingerprint="ca", public_key="ca"
)
CLIENT_CA = Seen(CA, Role.CLIENT_CA, "/etc/docker/tls/ca.pem")


def server(certificate: Certificate | None = None, **changes: Any) -> Seen:
    return Seen(replace(certificate or Certificate(), **changes))


def seen(*each: Seen, unread: tuple[str, ...] = ()) -> Certificates:
    return Certificates(each, unread=unread)


# Each rule on the server's certificate alone, with whatever else it asks for.
Rule = Callable[[Certificates], Iterable[Finding]]
RULES: dict[str, tuple[Rule, dict[str, Any]]] = {
    "expired": (
        lambda given: validity.certificate_expired(given, ORIGIN),
        {"not_after": NOW - timedelta(seconds=1)},
    ),
    "not yet valid": (
        lambda given: validity.certificate_not_yet_valid(given, ORIGIN),
        {"not_before": NOW + timedelta(seconds=1)},
    ),
    "urgent": (
        lambda given: validity.certificate_expires_in_days(given, ORIGIN, POLICY),
        {"not_after": NOW + timedelta(days=7)},
    ),
    "soon": (
        lambda given: validity.certificate_expires_soon(given, ORIGIN, POLICY),
        {"not_after": NOW + timedelta(days=30)},
    ),
    "too long": (validity.certificate_validity_too_long, {"not_after": NOW + timedelta(days=900)}),
    "weak key": (strength.certificate_key_weak, {"weak_key": "RSA 1024 bits"}),
    "weak signature": (strength.certificate_signature_weak, {"weak_signature": "SHA1"}),
    "no names": (names.certificate_without_names, {"names": ()}),
    "other address": (
        lambda given: names.certificate_for_other_address(given, ORIGIN),
        {"names": ("db1.example",)},
    ),
    "not for servers": (usage.server_certificate_not_for_servers, {"usages": frozenset({"clientAuth"})}),
    "is a CA": (usage.server_certificate_is_ca, {"is_ca": True}),
    "self-signed": (usage.server_certificate_self_signed, {"self_signed": True}),
    "strict": (chain.certificate_refused_by_strict_verifiers, {"strict": ("no key usage",)}),
}


@pytest.mark.parametrize("name", RULES)
def test_a_good_certificate_passes_and_a_bad_one_is_found(name: str) -> None:
    rule, bad = RULES[name]
    assert not list(rule(seen(server())))
    [found] = rule(seen(server(**bad)))
    assert found.subject == "/etc/docker/tls/server-cert.pem: CN=web1"


@pytest.mark.parametrize("name", RULES)
def test_no_certificate_is_not_applicable_and_one_not_read_is_no_pass(name: str) -> None:
    rule, bad = RULES[name]
    with pytest.raises(NotApplicable):
        list(rule(seen()))
    with pytest.raises(Inconclusive, match="denied"):
        list(rule(seen(server(), unread=("/x: permission denied",))))
    found = iter(rule(seen(server(**bad), unread=("/x: permission denied",))))
    assert next(found).observed


def test_the_warning_and_the_urgent_check_never_speak_of_the_same_certificate() -> None:
    for days in range(-2, 40):
        given = seen(server(not_after=NOW + timedelta(days=days, hours=1)))
        told = [
            *validity.certificate_expired(given, ORIGIN),
            *validity.certificate_expires_in_days(given, ORIGIN, POLICY),
            *validity.certificate_expires_soon(given, ORIGIN, POLICY),
        ]
        assert len(told) == (days < 30)


def test_a_certificate_seen_on_disk_and_on_the_wire_is_told_once() -> None:
    both = seen(
        server(not_after=NOW - timedelta(1)), replace(server(not_after=NOW - timedelta(1)), where="port 2376")
    )
    assert len(list(validity.certificate_expired(both, ORIGIN))) == 1


def test_a_certificate_that_outlives_its_ca_is_found() -> None:
    below = Certificate(issuer="CN=clients")
    given = seen(Seen(replace(CA, not_after=NOW), Role.CLIENT_CA), Seen(below, issuer="seen"))
    assert len(list(validity.certificate_outlives_its_ca(given))) == 1
    assert not list(validity.certificate_outlives_its_ca(seen(CLIENT_CA, Seen(below, issuer="seen"))))


def test_a_roots_own_signature_is_not_judged() -> None:
    assert not list(
        strength.certificate_signature_weak(seen(server(weak_signature="SHA1", self_signed=True)))
    )


@pytest.mark.parametrize(
    ("held", "address"),
    [
        (("*.example",), "web1.example"),
        (("*.corp.example",), "a.web1.corp.example"),
        (("*.corp.example",), "corp.example"),
        (("192.0.2.1",), "192.0.2.1"),
        (("web1",), "web1.example"),
    ],
)
def test_a_name_that_clients_would_not_take_is_found(held: tuple[str, ...], address: str) -> None:
    rule = names.certificate_for_other_address
    assert list(rule(seen(server(names=held)), Origin(address=address)))


@pytest.mark.parametrize(
    ("held", "addresses", "address"),
    [
        (("*.corp.example",), (), "web1.corp.example"),
        (("WEB1.example",), (), "web1.EXAMPLE."),
        (("xn--bcher-kva.example",), (), "bücher.example"),
        ((), ("2001:db8::1",), "2001:DB8:0::1"),
        ((), ("192.0.2.1",), "192.0.2.1"),
    ],
)
def test_a_name_that_clients_take_passes(
    held: tuple[str, ...], addresses: tuple[str, ...], address: str
) -> None:
    given = seen(server(names=held, addresses=addresses))
    assert not list(names.certificate_for_other_address(given, Origin(address=address)))


@pytest.mark.parametrize("address", ["", "localhost", "127.0.0.9", "::1"])
def test_without_an_address_that_clients_use_there_is_nothing_to_compare(address: str) -> None:
    with pytest.raises(NotApplicable):
        list(names.certificate_for_other_address(seen(server()), Origin(address=address)))


def test_a_name_that_no_rule_of_names_covers_is_compared_as_it_is() -> None:
    assert list(names.certificate_for_other_address(seen(server()), Origin(address="a..b")))


def test_a_server_certificate_that_opens_other_engines_is_found() -> None:
    rule = usage.server_certificate_is_client_certificate
    both = frozenset({"serverAuth", "clientAuth"})
    assert list(rule(seen(Seen(Certificate(usages=None), trusted_as_client=True))))
    assert list(rule(seen(Seen(Certificate(usages=both), trusted_as_client=True))))
    assert not list(rule(seen(Seen(Certificate(usages=None)))))
    assert not list(rule(seen(Seen(trusted_as_client=True))))
    [found] = usage.server_certificate_not_for_servers(seen(server(usages=frozenset())))
    assert "empty" in found.observed


def test_a_file_that_is_no_certificate_is_found() -> None:
    assert not list(chain.certificate_unreadable(seen(server())))
    damaged = (Damaged("/a.pem", "not a certificate"), Damaged("/b.pem", "not one either", Role.OTHER))
    assert len(list(chain.certificate_unreadable(Certificates((), damaged)))) == 1


def test_a_chain_that_does_not_hold_is_found() -> None:
    between = Certificate(subject="CN=between", issuer="CN=root", fingerprint="b")
    leaf = Certificate(issuer="CN=between")
    good = seen(Seen(leaf, issuer="seen"), Seen(between, Role.CHAIN))
    assert not list(chain.certificate_chain_broken(good))
    assert len(list(chain.certificate_chain_broken(seen(Seen(leaf, issuer="mismatch"))))) == 1
    other = replace(between, subject="CN=other")
    assert len(list(chain.certificate_chain_broken(seen(Seen(leaf), Seen(other, Role.CHAIN))))) == 1


SERVED = replace(server(fingerprint="new"), where="port 2376")


def live(*client_cas: str, verdict: Verdict = Verdict.MUTUAL_TLS) -> LivePorts:
    return LivePorts("web1.example", (Port(2376, verdict, client_cas=client_cas or None),))


def test_what_is_served_is_compared_with_the_disk() -> None:
    rule = chain.served_certificate_differs
    same = replace(server(), where="port 2376")
    assert not list(rule(seen(CLIENT_CA, server(), same), TLS, live("CN=clients")))
    assert len(list(rule(seen(server(), SERVED), TLS, live()))) == 1
    many = [f"CN={number}" for number in range(5)]
    [found] = rule(seen(CLIENT_CA, server(), same), TLS, live(*many))
    assert found.observed.endswith("and 2 more")


def test_without_both_sides_nothing_is_compared() -> None:
    rule = chain.served_certificate_differs
    with pytest.raises(NotApplicable):
        list(rule(seen(server()), TLS, live(verdict=Verdict.PLAINTEXT)))
    with pytest.raises(Inconclusive, match="denied"):
        list(rule(seen(SERVED, unread=("/x: permission denied",)), TLS, live()))
    with pytest.raises(Inconclusive, match="no readable"):
        list(rule(seen(SERVED), TLS, live()))


def key(**changes: Any) -> Keys:
    return Keys((replace(Key(TLS.key, public=Certificate().public_key), **changes),))


def test_the_key_must_be_that_of_the_certificate() -> None:
    rule = chain.key_does_not_match_certificate
    assert not list(rule(seen(server()), key(), TLS))
    assert list(rule(seen(server()), key(public="other"), TLS))
    assert list(rule(seen(server()), key(state="encrypted", public=""), TLS))
    for state, why in (("unknown", "no openssl"), ("unreadable", "not a key"), ("denied", "denied")):
        with pytest.raises(Inconclusive, match=why):
            list(rule(seen(server()), key(state=state, public=""), TLS))
    with pytest.raises(Inconclusive, match="no key was seen"):
        list(rule(seen(server()), Keys(), TLS))
    for given in (seen(), seen(SERVED)):
        with pytest.raises(NotApplicable):
            list(rule(given, key(), TLS))


STRAY = Seen(CA, Role.OTHER, "/root/.docker/ca.pem")
CLIENT = Seen(
    Certificate(subject="CN=anna", usages=frozenset({"clientAuth"}), fingerprint="anna", public_key="anna"),
    Role.OTHER,
    "/root/.docker/cert.pem",
    trusted_as_client=True,
)


def lying_about(public: str = "", **changes: Any) -> Keys:
    return Keys((*key().keys, replace(Key("/x.key", public=public), **changes)))


def test_the_key_of_a_ca_is_found_by_its_public_half() -> None:
    rule = keys.ca_key_on_host
    for authority in (CLIENT_CA, STRAY):
        [found] = rule(seen(server(), authority), lying_about("ca"), TLS)
        assert found.subject == "/x.key"
    assert not list(rule(seen(server(), CLIENT), lying_about("anna"), TLS))
    assert not list(rule(seen(server(is_ca=True)), key(), TLS))


def test_the_key_of_a_client_is_found_by_its_public_half() -> None:
    rule = keys.client_key_on_host
    assert list(rule(seen(server(), CLIENT), lying_about("anna")))
    assert not list(rule(seen(server(), replace(CLIENT, trusted_as_client=False)), lying_about("anna")))
    assert not list(rule(seen(server(), CLIENT), key()))


@pytest.mark.parametrize("rule", [keys.ca_key_on_host, keys.client_key_on_host], ids=lambda rule: rule.id)
def test_keys_that_could_not_be_read_are_no_pass(rule: Check[...]) -> None:
    more = (TLS,) if "tls" in rule.facts else ()
    with pytest.raises(Inconclusive, match="permission denied"):
        list(rule(seen(server()), lying_about(state="denied"), *more))


@pytest.mark.parametrize("rule", [keys.ca_key_on_host, keys.client_key_on_host], ids=lambda rule: rule.id)
def test_keys_beside_certificates_that_could_not_be_read_are_no_pass(rule: Check[...]) -> None:
    more = (TLS,) if "tls" in rule.facts else ()
    unseen = seen(server(), unread=("certificates: timed out",))
    with pytest.raises(Inconclusive, match="timed out"):
        list(rule(unseen, key(), *more))
    assert not list(rule(unseen, Keys(), *more))


def test_keys_that_nobody_can_place_are_for_a_person() -> None:
    for state in ("encrypted", "readable"):
        with pytest.raises(Manual, match=r"/x\.key"):
            list(keys.ca_key_on_host(seen(server()), lying_about("?", state=state), TLS))
    assert not list(keys.ca_key_on_host(seen(server()), lying_about(state="unreadable"), TLS))


def test_one_key_on_two_hosts_is_found_but_not_on_one_host_listed_twice() -> None:
    facts = {name: ServerKeys(name, frozenset({"same"})) for name in ("web1", "web2")}
    [found] = keys.server_key_shared(Fleet("web1", facts))
    assert "web2" in found.observed
    own = {**facts, "web2": ServerKeys("web2", frozenset({"own"}))}
    assert not list(keys.server_key_shared(Fleet("web1", own)))
    twice = {**facts, "web2": ServerKeys("web1", frozenset({"same"}))}
    assert not list(keys.server_key_shared(Fleet("web1", twice)))
    with pytest.raises(NotApplicable):
        list(keys.server_key_shared(Fleet("web1", {"web1": facts["web1"]})))


def test_dates_are_judged_as_of_the_collection() -> None:
    later = Origin(collected=datetime(2027, 1, 1, tzinfo=UTC))
    assert list(validity.certificate_expired(seen(server()), later))

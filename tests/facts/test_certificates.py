"""Certificates, keys and where a bundle comes from, read from what hosts answer."""

import json
import ssl
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.certificates import Certificates, Role, Seen, ServerKeys
from auditor.facts.fleet import Fleet
from auditor.facts.keys import Key, Keys
from auditor.facts.live import LivePorts, Port, Probe, Verdict
from auditor.facts.origin import Origin
from auditor.facts.x509 import describe, read_pem
from auditor.gaps import Inconclusive, NotApplicable
from tests.lab.certificates import CLIENT, Authority, Pair

CLIENTS, SERVERS = Authority("clients"), Authority("servers")
SETTINGS = {
    "tlsverify": True,
    "tlscacert": "/tls/ca.pem",
    "tlscert": "/tls/cert.pem",
    "tlskey": "/tls/key.pem",
}
DAEMON = "socket /run/docker.sock\npid 1 socket\nuid 0\ncwd /\nargument dockerd\nenvironment readable\n"


def bundle(files: dict[str, bytes] | str, *ports: Port, config: object = SETTINGS) -> Bundle:
    text = (
        files
        if isinstance(files, str)
        else "".join(f"file {path}\n{pem.decode()}" for path, pem in files.items())
    )
    probe = msgspec.json.encode(Probe(1, "192.0.2.1", ports))
    return Bundle(
        {
            "daemon": Section(DAEMON.encode()),
            "daemon-config": Section(f"/etc/docker/daemon.json\n{json.dumps(config)}".encode()),
            "certificates": Section(text.encode()),
            "tls-probe": Section(probe),
        }
    )


def serving(*pairs: Pair, names: tuple[str, ...] | None = ("CN=clients",)) -> Port:
    chain = tuple(pair.certificate.public_bytes(Encoding.PEM).decode() for pair in pairs)
    return Port(2376, Verdict.MUTUAL_TLS, chain=chain, client_cas=names)


def test_certificates_get_the_roles_that_the_configuration_gives_their_files() -> None:
    below = Authority("below", parent=SERVERS)
    pair = below.issue("web1", names=["web1"])
    anna = CLIENTS.issue("anna", usages=[CLIENT])
    files = {"/tls/ca.pem": CLIENTS.pem, "/tls/cert.pem": pair.pem, "/root/.docker/cert.pem": anna.pem}
    found = Certificates.parse(bundle(files, serving(pair)))
    assert [(seen.role, seen.where, seen.issuer) for seen in found.seen] == [
        (Role.CLIENT_CA, "/tls/ca.pem", "not seen"),
        (Role.SERVER, "/tls/cert.pem", "seen"),
        (Role.CHAIN, "/tls/cert.pem", "not seen"),
        (Role.OTHER, "/root/.docker/cert.pem", "seen"),
        (Role.SERVER, "port 2376", "seen"),
    ]
    assert [seen.trusted_as_client for seen in found.seen] == [True, False, False, True, False]
    assert found.unread == ()
    assert [seen.where for seen in found.own] == ["/tls/ca.pem", "/tls/cert.pem", "/tls/cert.pem"]


def test_one_file_may_be_certificate_and_client_ca() -> None:
    files = {"/tls/ca.pem": CLIENTS.pem}
    found = Certificates.parse(bundle(files, config={**SETTINGS, "tlscert": "/tls/ca.pem"}))
    assert {seen.role for seen in found.seen} == {Role.SERVER, Role.CLIENT_CA}


def test_an_authority_of_the_same_name_and_another_key_is_a_mismatch() -> None:
    twin = Authority("clients").issue("web1", names=["web1"])
    found = Certificates.parse(bundle({"/tls/ca.pem": CLIENTS.pem, "/tls/cert.pem": twin.pem}))
    [server] = found.of(Role.SERVER)
    assert (server.issuer, server.trusted_as_client) == ("mismatch", False)


def test_a_client_ca_named_on_the_wire_counts_when_its_file_was_not_seen() -> None:
    pair = CLIENTS.issue("web1", names=["web1"], usages=[])
    found = Certificates.parse(Bundle({"tls-probe": bundle("", serving(pair)).sections["tls-probe"]}))
    assert [(seen.where, seen.trusted_as_client) for seen in found.own] == [("port 2376", True)]
    with pytest.raises(Inconclusive, match="daemon"):
        found.settle()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("denied /tls/ca.pem\n", "permission denied"),
        ("absent /tls/ca.pem\n", "no longer there"),
        ("", "was not collected"),
    ],
)
def test_a_file_of_the_daemon_that_was_not_read_is_told(text: str, why: str) -> None:
    pair = SERVERS.issue("web1", names=["web1"])
    found = Certificates.parse(bundle(f"{text}file /tls/cert.pem\n{pair.pem.decode()}"))
    assert len(found.own) == 1
    with pytest.raises(Inconclusive, match=f"/tls/ca.pem: {why}"):
        found.settle()


def test_without_tls_there_is_nothing_of_the_daemons_own() -> None:
    found = Certificates.parse(bundle({"/tls/ca.pem": CLIENTS.pem}, config={}))
    assert [seen.role for seen in found.seen] == [Role.OTHER]
    with pytest.raises(NotApplicable):
        found.settle()


def test_garbage_is_told_with_its_place() -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    found = Certificates.parse(bundle({"/tls/ca.pem": broken, "/tls/cert.pem": b"\n"}))
    assert [(damaged.where, damaged.role) for damaged in found.damaged] == [
        ("/tls/ca.pem", Role.CLIENT_CA),
        ("/tls/cert.pem", Role.SERVER),
    ]
    found.settle()


@pytest.mark.parametrize(
    ("sense", "nonsense"),
    [
        pytest.param("a003020102", "a003020105", id="a version that there is not"),
        pytest.param("0603551d13", "0603551d11", id="an extension twice"),
        pytest.param("820477656231", "a30477656231", id="a kind of name that nobody uses"),
    ],
)
def test_a_certificate_with_a_part_that_makes_no_sense_is_damaged_and_costs_no_other(
    sense: str, nonsense: str
) -> None:
    good = SERVERS.issue("web1", names=["web1"])
    der = good.certificate.public_bytes(Encoding.DER)
    odd = der.replace(bytes.fromhex(sense), bytes.fromhex(nonsense))
    assert odd != der
    files = {"/tls/cert.pem": ssl.DER_cert_to_PEM_cert(odd).encode(), "/tls/ca.pem": CLIENTS.pem}
    found = Certificates.parse(bundle(files))
    assert [damaged.where for damaged in found.damaged] == ["/tls/cert.pem"]
    assert [seen.where for seen in found.seen] == ["/tls/ca.pem"]


@given(st.text())
def test_no_text_makes_the_reader_of_certificates_crash(text: str) -> None:
    assert all(isinstance(each, str) for each in read_pem(f"-----BEGIN CERTIFICATE-----{text}"))


def test_a_certificate_is_described_in_full() -> None:
    pair = SERVERS.issue("web1", names=["web1.example", "192.0.2.1", "2001:db8::1"])
    told = describe(pair.certificate)
    assert (told.names, told.addresses) == (("web1.example",), ("192.0.2.1", "2001:db8::1"))
    assert (told.key, told.weak_key, told.weak_signature, told.is_ca, told.self_signed) == (
        "EC P-256",
        "",
        "",
        False,
        False,
    )
    assert (told.usages, told.strict) == (frozenset({"serverAuth"}), ())
    assert not told.serves_clients


def test_weak_keys_are_told() -> None:
    small = SERVERS.issue("a", key=rsa.generate_private_key(65537, 1024))  # noqa: S505  the fault it is made for
    assert describe(small.certificate).weak_key == "RSA 1024 bits"
    odd = SERVERS.issue("a", key=ec.generate_private_key(ec.SECP224R1()))
    assert "secp224r1" in describe(odd.certificate).weak_key


def test_what_strict_verifiers_refuse_is_told() -> None:
    assert describe(Authority("plain", plain=True).pair.certificate).strict == ("no key usage",)
    old = describe(Authority.version_1("old").pair.certificate)
    assert (old.strict, old.is_ca) == (("X.509 version 1",), True)


def test_every_certificate_is_in_the_timeline_soonest_end_first() -> None:
    pair = SERVERS.issue("web1", names=["web1"])
    summaries = Certificates.parse(
        bundle({"/tls/ca.pem": CLIENTS.pem, "/tls/cert.pem": pair.pem})
    ).summaries()
    assert [(each.subject, each.role) for each in summaries] == [
        ("CN=web1", "server certificate"),
        ("CN=clients", "client CA"),
    ]


def test_the_server_keys_of_a_host_are_known_by_their_digests() -> None:
    pair = SERVERS.issue("web1", names=["web1"])
    about = {
        "auditor": Section(b'{"name": "w", "address": "192.0.2.1", "collected": "2026-01-01T00:00:00+00:00"}')
    }
    keys = ServerKeys.parse(bundle({"/tls/ca.pem": CLIENTS.pem, "/tls/cert.pem": pair.pem}).adding(about))
    assert (keys.machine, len(keys.public)) == ("192.0.2.1", 1)
    with pytest.raises(NotApplicable):
        ServerKeys.parse(bundle("", config={}).adding(about))


def test_keys_are_read_with_their_states() -> None:
    digest = "ab" * 32
    lines = f"denied /root/.docker/\npublic {digest} /tls/./my key.pem\nencrypted /a\nunknown /b\nunreadable /c\nabsent /d\n"
    keys = Keys.parse(Bundle({"keys": Section(lines.encode())}))
    assert keys.at("/tls/my key.pem") == Key("/tls/my key.pem", "readable", digest)
    assert [key.state for key in keys.keys] == ["denied", "readable", "encrypted", "unknown", "unreadable"]
    assert keys.unread == (
        "/root/.docker/: permission denied",
        "/b: there is no openssl on the host to read it with",
    )


def test_a_bundle_made_by_hand_is_as_old_as_the_hosts_clock_says() -> None:
    origin = Origin.parse(Bundle({"host": Section(b"uid=0\nhostname=web1\ndate=2026-03-01T10:00:00Z\n")}))
    assert origin == Origin("web1", "", "bundle", datetime(2026, 3, 1, 10, tzinfo=UTC))
    with pytest.raises(Inconclusive, match="when it was collected"):
        Origin.parse(Bundle({"host": Section(b"uid=0\n")}))
    with pytest.raises(Inconclusive, match="where it comes from"):
        Origin.parse(Bundle({"auditor": Section(b"{}")}))


def test_a_fleet_of_one_has_nothing_to_compare_with() -> None:
    with pytest.raises(NotApplicable, match="no other host"):
        Fleet("web1", {"web1": 1}).others()
    with pytest.raises(NotApplicable, match="this host"):
        _ = Fleet("web1", {"web2": 1}).own
    assert list(Fleet("b", {"c": 3, "b": 2, "a": 1}).others()) == [("a", 1), ("c", 3)]


def test_a_probe_that_never_ran_or_speaks_another_version_is_not_known() -> None:
    for section in (
        Section(status=Status.TIMEOUT),
        Section(b"nonsense"),
        Section(b'{"version": 9, "address": "a"}'),
    ):
        with pytest.raises(Inconclusive):
            LivePorts.parse(Bundle({"tls-probe": section}))
    with pytest.raises(Inconclusive, match="not collected"):
        LivePorts.parse(Bundle())


def test_the_public_half_is_the_same_digest_that_openssl_gives() -> None:
    key = CLIENTS.pair.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert describe(CLIENTS.pair.certificate).public_key == sha256(key).hexdigest()
    assert Seen().served is False

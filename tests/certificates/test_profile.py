"""What we issue is taken by strict verifiers for its one purpose, and for nothing else."""

import json
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auditor.certificates.authority import Making, read_certificates
from auditor.certificates.issue import Request, issue
from auditor.certificates.keys import KeyType
from auditor.certificates.ledger import Certificate
from auditor.certificates.names import Constraints, Names
from auditor.certificates.profile import Purpose
from auditor.certificates.store import Store
from auditor.facts.x509 import describe
from tests.certificates.pki import (
    NO_PASSPHRASE,
    authority_file,
    client,
    new_store,
    openssl_verify,
    server,
    shake_hands,
    strict_context,
)
from tests.lab.need import need

# pkilint takes a name without a dot for no name at all; localhost and short names of hosts are fine on private networks.
_FALSE_ALARM = "pkix.invalid_domain_name_syntax"


def lint(store: Store, certificate: x509.Certificate) -> set[str]:
    """What pkilint finds in a certificate."""
    file = store.folder / "linted.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    program = Path(sys.executable).with_name("lint_pkix_cert")
    said = subprocess.run(
        [program, "lint", "-s", "WARNING", "-f", "JSON", file], capture_output=True, text=True, check=False
    )
    assert said.stdout, said.stderr
    return {
        finding["code"]
        for result in json.loads(said.stdout)["results"]
        for finding in result["finding_descriptions"]
    }


@pytest.mark.parametrize("kind", list(KeyType))
def test_openssl_takes_it_for_its_purpose_and_for_no_other(tmp_path: Path, kind: KeyType) -> None:
    need("openssl")
    store = new_store(tmp_path)
    for one, other in ((server(store, key=kind), "sslclient"), (client(store, key=kind), "sslserver")):
        assert openssl_verify(store, one).stdout.endswith(": OK\n")
        assert "unsuitable certificate purpose" in openssl_verify(store, one, other).stderr


@pytest.mark.parametrize("kind", list(KeyType))
def test_pkilint_finds_nothing(tmp_path: Path, kind: KeyType) -> None:
    store = new_store(tmp_path, "payments", making=Making(key=kind))
    issued = [
        server(store, "web1", "web1.example.org", "10.0.0.1", "::1", key=kind),
        client(store, team="payments", key=kind),
    ]
    made = [store.folder / each.file for each in store.load().authorities]
    for file in (*made, *(store.folder / each.file for each in issued)):
        assert lint(store, read_certificates(file)[0]) == set(), file


def test_pkilint_has_one_false_alarm_at_names_without_a_dot(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    found = lint(store, read_certificates(store.folder / server(store, "web1", "localhost").file)[0])
    assert found == {_FALSE_ALARM}


@pytest.mark.parametrize("kind", list(KeyType))
def test_the_strictest_python_shakes_hands_with_it(tmp_path: Path, kind: KeyType) -> None:
    store = new_store(tmp_path, making=Making(key=kind))
    daemon, user = sides(store, server(store, key=kind), client(store, key=kind))
    shake_hands(daemon, user, "localhost")
    shake_hands(daemon, user, "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(daemon, user, "elsewhere")


def test_a_servers_certificate_is_no_clients_and_the_other_way_round(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    one, other = server(store), client(store)
    daemon, user = sides(store, one, one)
    with pytest.raises(ssl.SSLError):
        shake_hands(daemon, user, "localhost")
    daemon, user = sides(store, other, other)
    with pytest.raises(ssl.SSLError):
        shake_hands(daemon, user, "localhost")


def test_a_client_of_a_team_is_known_by_its_chain(tmp_path: Path) -> None:
    need("openssl")
    store = new_store(tmp_path, "payments")
    one = client(store, team="payments")
    assert len(read_certificates(store.folder / one.file)) == 2
    assert openssl_verify(store, one).returncode == 0


def sides(store: Store, daemon: Certificate, user: Certificate) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A daemon that trusts the clients' authority, and a client that trusts the servers'."""
    ledger = store.load()
    clients = store.folder / ledger.trusted(Purpose.CLIENT)[0].file
    servers = store.folder / ledger.trusted(Purpose.SERVER)[0].file
    return (
        strict_context(ssl.Purpose.CLIENT_AUTH, store.folder / daemon.file, clients),
        strict_context(ssl.Purpose.SERVER_AUTH, store.folder / user.file, servers),
    )


def test_lives_are_as_promised_and_begin_an_hour_ago(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    present = datetime.now(UTC)
    for each, days in ((server(store), 397), (client(store), 90)):
        assert abs(each.not_after - present - timedelta(days=days)) < timedelta(minutes=2)
        assert abs(present - timedelta(hours=1) - each.not_before) < timedelta(minutes=2)


def test_nothing_outlives_its_issuer_and_that_is_said(tmp_path: Path) -> None:
    store = new_store(tmp_path, making=Making(days=30))
    issued = issue(store, [Request(Purpose.SERVER, "web1", Names.of(["web1"]))], NO_PASSPHRASE)[0]
    assert issued.certificate.not_after == store.load().authority(issued.certificate.authority).not_after
    assert "rotate-ca server" in issued.cautions[0]


def test_serials_are_long_and_never_the_same_and_no_two_authorities_share_a_name(tmp_path: Path) -> None:
    one, other = new_store(tmp_path / "a"), new_store(tmp_path / "b")
    serials = {server(one, f"web{number}").serial for number in range(20)}
    assert len(serials) == 20
    assert min(int(serial, 16).bit_length() for serial in serials) > 100
    names = {
        read_certificates(store.folder / each.file)[0].subject
        for store in (one, other)
        for each in store.load().authorities
    }
    assert len(names) == 4


def test_our_own_reader_of_certificates_finds_no_fault(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    facts = describe(read_certificates(store.folder / server(store).file)[0])
    assert not facts.strict
    assert facts.usages == frozenset({"serverAuth"})


def test_name_constraints_hold_at_the_verifiers_too(tmp_path: Path) -> None:
    need("openssl")
    limits = Constraints.of(["example.org", "10.0.0.0/8"])
    store = new_store(tmp_path, making=Making(constraints=limits))
    inside = server(store, "web1", "web1.example.org", "10.0.0.1")
    assert openssl_verify(store, inside).returncode == 0
    free = new_store(tmp_path / "free")
    outside = server(free, "web2", "web2.elsewhere.org")
    forged = forge(store, free, outside)
    said = subprocess.run(
        ["openssl", "verify", "-CAfile", authority_file(store, inside), forged],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "permitted subtree violation" in said.stderr


def forge(store: Store, other: Store, certificate: Certificate) -> Path:
    """The same names signed by the constrained authority, past our own check."""
    from auditor.certificates.authority import open_signer  # noqa: PLC0415  this test alone goes past the desk
    from auditor.certificates.keys import check_public  # noqa: PLC0415
    from auditor.certificates.profile import Leaf, sign_leaf  # noqa: PLC0415

    authority = store.load().issuer(Purpose.SERVER)
    assert authority
    public = check_public(read_certificates(other.folder / certificate.file)[0].public_key())
    leaf = Leaf(Purpose.SERVER, certificate.name, Names.of(certificate.names), 30)
    signed = sign_leaf(leaf, public, open_signer(store, authority, ""))
    file = store.folder / "forged.pem"
    file.write_bytes(signed.public_bytes(Encoding.PEM))
    return file


def test_domains_alone_forbid_every_address(tmp_path: Path) -> None:
    need("openssl")
    store = new_store(tmp_path, making=Making(constraints=Constraints.of(["example.org"])))
    inside = server(store, "web1", "web1.example.org")
    assert openssl_verify(store, inside).returncode == 0
    free = new_store(tmp_path / "free")
    forged = forge(store, free, server(free, "web2", "10.0.0.1"))
    said = subprocess.run(
        ["openssl", "verify", "-CAfile", authority_file(store, inside), forged],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "subtree violation" in said.stderr

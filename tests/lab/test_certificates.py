"""The lab's certificates are what they say: openssl is the judge."""

import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from tests.lab.certificates import Authority, Pair, kinds

KINDS = sorted(kinds(Authority("lab"), "127.0.0.1"))


def verify(authority: Authority, pair: Pair, folder: Path) -> str:
    """What ``openssl verify`` says of a server's certificate: OK or its complaint."""
    certificate, _ = pair.write(folder)
    trusted = authority.write(folder / "ca.pem")
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "127.0.0.1"]
    done = subprocess.run(
        [*command, "-CAfile", str(trusted), "-untrusted", str(certificate), str(certificate)],
        capture_output=True,
        text=True,
        check=False,
    )
    return "OK" if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_the_one_fault_it_is_named_for(kind: str, tmp_path: Path) -> None:
    complaints = {
        "expired": "certificate has expired",
        "not yet valid": "certificate is not yet valid",
        "no alternative name": "IP address mismatch",
        "wrong alternative name": "IP address mismatch",
        "client only": "unsuitable certificate purpose",
        "rsa 1024": "",
        "self-signed": "self-signed certificate",
        "chain incomplete": "unable to get local issuer certificate",
        "an authority itself": "",
    }
    authority = Authority("lab")
    said = verify(authority, kinds(authority, "127.0.0.1")[kind], tmp_path)
    assert complaints.get(kind, "OK") in said


def test_a_certificate_whose_key_is_another_is_refused_by_tls(tmp_path: Path) -> None:
    certificate, key = kinds(Authority("lab"), "127.0.0.1")["key mismatch"].write(tmp_path)
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def test_an_intermediate_authoritys_certificate_travels_with_what_it_issues(tmp_path: Path) -> None:
    root = Authority("lab")
    pair = Authority("between", parent=root).issue("web1", names=["127.0.0.1"])
    assert verify(root, pair, tmp_path) == "OK"


def test_a_version_1_authority_has_no_extensions() -> None:
    certificate = Authority.version_1("old").pair.certificate
    assert certificate.version is x509.Version.v1
    assert not list(certificate.extensions)


def test_keys_are_written_for_their_owner_alone(tmp_path: Path) -> None:
    _, key = Authority("lab").issue("web1").write(tmp_path)
    assert key.stat().st_mode & 0o777 == 0o600

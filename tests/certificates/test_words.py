"""What is shown of files, folders and ports, whoever made them."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from auditor.certificates.words import place, show_path, show_text
from auditor.errors import BadFile
from tests.certificates.pki import new_store, server


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("web1:2376", ("web1", 2376)),
        ("tcp://web1", ("web1", 2376)),
        ("tcp://web1:2377/", ("web1", 2377)),
        ("2001:db8::5", ("2001:db8::5", 2376)),
        ("tcp://2001:db8::5", ("2001:db8::5", 2376)),
        ("[2001:db8::5]:2377", ("2001:db8::5", 2377)),
        ("tcp://[::1]", ("::1", 2376)),
        ("[::1]", ("::1", 2376)),
        ("web1", None),
        ("tcp://:2376", None),
        ("tcp://", None),
        ("C:/x", None),
    ],
)
def test_an_address_is_read_as_it_is_meant(text: str, meant: tuple[str, int] | None) -> None:
    assert place(text) == meant


def test_one_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    good = server(store)
    (store.folder / "servers/aaa.pem").write_text("no certificate")
    said = "\n".join(show_path(store.folder))
    assert good.fingerprint in said
    assert "aaa.pem: holds no certificate, request or key in PEM" in said
    (tmp_path / "only").mkdir()
    (tmp_path / "only/x.pem").write_text("nothing")
    with pytest.raises(BadFile, match=r"x\.pem: holds no certificate"):
        list(show_path(tmp_path / "only/x.pem"))


def test_a_file_without_an_end_is_read_to_a_limit() -> None:
    with pytest.raises(BadFile, match="holds no certificate"):
        list(show_path(Path("/dev/zero")))


def spoilt(extension: bytes, *, change: tuple[bytes, bytes] = (b"", b"")) -> str:
    """A certificate in PEM with an alternative name in DER, or bytes of it changed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "odd")])
    dates = datetime(2025, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5, *dates)
    for number, content in ((17, extension), (100, b"\x05\x00"), (101, b"\x05\x00")):
        odd = x509.UnrecognizedExtension(x509.ObjectIdentifier(f"2.5.29.{number}"), content)
        builder = builder.add_extension(odd, critical=False)
    der = builder.sign(key, SHA256()).public_bytes(Encoding.DER).replace(*change, 1) if change[0] else None
    der = der or builder.sign(key, SHA256()).public_bytes(Encoding.DER)
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n"


PLAIN = bytes.fromhex("3003820161")


@pytest.mark.parametrize(
    "text",
    [
        spoilt(PLAIN, change=(bytes.fromhex("0603551d65"), bytes.fromhex("0603551d64"))),
        spoilt(PLAIN, change=(bytes.fromhex("a003020102"), bytes.fromhex("a003020109"))),
        spoilt(bytes.fromhex("3002a300")),
        spoilt(bytes.fromhex("300587030a0000")),
        spoilt(bytes.fromhex("30038201ff")),
    ],
    ids=["an extension twice", "version 10", "a name of a kind unknown", "a short address", "a name that is no text"],
)  # fmt: skip
def test_a_certificate_that_nobody_should_make_is_told_as_such(text: str) -> None:
    said = "\n".join(show_text(text))
    assert "not a certificate" in said or "parts make no sense" in said, said

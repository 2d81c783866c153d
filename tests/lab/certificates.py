"""
Certificates for the lab: good ones, and one of every bad kind that an audit must recognise.

    clients, servers = Authority("clients"), Authority("servers")
    servers.issue("web1", names=["web1", "127.0.0.1"]).write(folder, "server-cert.pem", "server-key.pem")
    kinds(servers, "127.0.0.1")["expired"].write(folder)
"""

import datetime as dt
import ipaddress
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True)
class Pair:
    """A certificate, the chain sent with it, and a key (which a bad pair's need not be)."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.chain))

    def key_pem(self, password: bytes = b"") -> bytes:
        encryption = BestAvailableEncryption(password) if password else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

    def write(
        self, folder: Path, certificate: str = "cert.pem", key: str = "key.pem", *, mode: int = 0o600
    ) -> tuple[Path, Path]:
        """Write both below ``folder``; the key with ``mode``. Returns where they are."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content, bits in ((certificate, self.pem, 0o644), (key, self.key_pem(), mode)):
            (folder / name).write_bytes(content)
            (folder / name).chmod(bits)
        return folder / certificate, folder / key


class Authority:
    """A certificate authority. ``plain`` leaves out key usage, as the authorities of Docker's own how-to do."""

    def __init__(
        self, name: str, *, plain: bool = False, days: float = 3650, parent: "Authority | None" = None
    ) -> None:
        self.parent = parent
        issuer = parent.pair if parent else None
        key = new_key()
        builder = _builder(_name(name), issuer.certificate.subject if issuer else _name(name), key, -1, days)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        if not plain:
            builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        self.pair: Pair = Pair(_sign(builder, key, issuer), key)

    @classmethod
    def version_1(cls, name: str) -> "Authority":
        """A certificate of X.509 version 1, which has no extensions at all; needs the openssl program."""
        authority = cls(name)
        with tempfile.TemporaryDirectory() as folder:
            _, key = authority.pair.write(Path(folder))
            request = ["openssl", "req", "-new", "-key", str(key), "-subj", f"/CN={name}"]
            signing = ["openssl", "x509", "-req", "-signkey", str(key), "-days", "3650"]
            asked = subprocess.run(request, capture_output=True, check=True).stdout
            signed = subprocess.run(signing, input=asked, capture_output=True, check=True).stdout
        certificate = x509.load_pem_x509_certificate(signed)
        assert certificate.version is x509.Version.v1, "this openssl adds extensions by itself"
        authority.pair = replace(authority.pair, certificate=certificate)
        return authority

    @property
    def pem(self) -> bytes:
        return self.pair.pem

    def write(self, path: Path) -> Path:
        """Write the certificate (never the key)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.pem)
        return path

    def issue(
        self,
        name: str,
        *,
        names: Sequence[str] = (),
        usages: Sequence[x509.ObjectIdentifier] = (SERVER,),
        since: float = -1,
        days: float = 90,
        is_authority: bool = False,
        key: Key | None = None,
    ) -> Pair:
        """A certificate valid from ``since`` to ``days`` days from now; ``names`` are host names and addresses."""
        key = key or new_key()
        builder = _builder(_name(name), self.pair.certificate.subject, key, since, days)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=is_authority, path_length=None), critical=True
        )
        builder = builder.add_extension(_usage("digital_signature"), critical=True)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(list(map(_alternative, names))), critical=False
            )
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        chain = (self.pair.certificate,) if self.parent else ()
        return Pair(_sign(builder, key, self.pair), key, chain)


def kinds(authority: Authority, host: str) -> dict[str, Pair]:
    """Server certificates for ``host``, one of each kind, by name; all but ``good`` have one thing wrong."""
    below = Authority("lab intermediate", parent=authority)
    good = authority.issue(host, names=[host])
    return {
        "good": good,
        "expired": authority.issue(host, names=[host], since=-90, days=-1),
        "not yet valid": authority.issue(host, names=[host], since=30, days=90),
        "expires in 5 days": authority.issue(host, names=[host], days=5.5),
        "no alternative name": authority.issue(host),
        "wrong alternative name": authority.issue(host, names=["elsewhere.example"]),
        "no extended key usage": authority.issue(host, names=[host], usages=[]),
        "server and client": authority.issue(host, names=[host], usages=[SERVER, CLIENT]),
        "client only": authority.issue(host, names=[host], usages=[CLIENT]),
        "an authority itself": authority.issue(host, names=[host], is_authority=True),
        "rsa 1024": authority.issue(host, names=[host], key=rsa.generate_private_key(65537, 1024)),  # noqa: S505 - the fault it is made for
        "self-signed": self_signed(host),
        "chain incomplete": replace(below.issue(host, names=[host]), chain=()),
        "key mismatch": replace(good, key=new_key()),
    }


def self_signed(host: str) -> Pair:
    """A server certificate that vouches for itself."""
    key = new_key()
    builder = _builder(_name(host), _name(host), key, -1, 90)
    names = x509.SubjectAlternativeName([_alternative(host)])
    return Pair(_sign(builder.add_extension(names, critical=False), key, None), key)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def load_key(path: Path) -> Key:
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, Key)
    return key


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*which: str) -> x509.KeyUsage:
    bits = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{bit: bit in which for bit in bits.split()})


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, since: float, days: float
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=since))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _sign(builder: x509.CertificateBuilder, key: Key, issuer: Pair | None) -> x509.Certificate:
    signer = issuer.key if issuer else key
    named = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return builder.add_extension(named, critical=False).sign(signer, hashes.SHA256())

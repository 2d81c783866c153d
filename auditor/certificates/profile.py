"""
What our certificates look like.

One purpose each, and all that strict verifiers ask for: Go (dockerd, the docker command), OpenSSL with
X509_V_FLAG_X509_STRICT (docker-py on newer Pythons), Windows.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from auditor.certificates.keys import PrivateKey, PublicKey, digest_for
from auditor.certificates.names import Constraints, Names, common_name

BACKDATE = timedelta(hours=1)
AUTHORITY_DAYS, SERVER_DAYS, CLIENT_DAYS = 3652, 397, 90


class Purpose(StrEnum):
    """What a certificate is for, and which side an authority signs."""

    SERVER = "server"
    CLIENT = "client"


DAYS = {Purpose.SERVER: SERVER_DAYS, Purpose.CLIENT: CLIENT_DAYS}
_USAGE = {Purpose.SERVER: ExtendedKeyUsageOID.SERVER_AUTH, Purpose.CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True)
class Signer:
    """An authority that is opened for signing."""

    certificate: x509.Certificate
    key: PrivateKey


@dataclass(frozen=True)
class Leaf:
    """What a certificate shall say. ``names`` are a server's; ``name`` is the host's or the client's identity."""

    purpose: Purpose
    name: str
    names: Names
    days: int

    def alternative(self) -> x509.SubjectAlternativeName:
        """A server's names; a client's own, since some verifiers want any at all."""
        if self.purpose is Purpose.SERVER:
            return x509.SubjectAlternativeName(self.names.general())
        return x509.SubjectAlternativeName([x509.DirectoryName(_subject(self.name))])


def sign_authority(
    label: str,
    key: PrivateKey,
    *,
    days: int = AUTHORITY_DAYS,
    below: int = 0,
    constraints: Constraints | None = None,
    parent: Signer | None = None,
) -> x509.Certificate:
    """
    A certificate for an authority: self-signed, or by ``parent``.

    ``label`` is its name; digits of its key make it unique. ``below`` is how many authorities may follow it in a chain.
    """
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    subject = _subject(f"{label} {identifier.digest.hex()[:8]}")
    builder = _begin(
        subject, parent.certificate.subject if parent else subject, key.public_key(), days, parent
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(identifier, critical=False)
    if constraints and constraints.texts:
        builder = builder.add_extension(constraints.extension(), critical=True)
    if parent:
        builder = builder.add_extension(_authority_identifier(parent.certificate), critical=False)
    signing = parent.key if parent else key
    return builder.sign(signing, digest_for(signing))


def sign_leaf(leaf: Leaf, public: PublicKey, signer: Signer) -> x509.Certificate:
    """A certificate for a server or a client. It ends with its issuer at the latest."""
    builder = _begin(_subject(common_name(leaf.name)), signer.certificate.subject, public, leaf.days, signer)
    usage = _key_usage(enciphers=isinstance(public, rsa.RSAPublicKey) and leaf.purpose is Purpose.SERVER)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([_USAGE[leaf.purpose]]), critical=False)
    builder = builder.add_extension(leaf.alternative(), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    builder = builder.add_extension(_authority_identifier(signer.certificate), critical=False)
    return builder.sign(signer.key, digest_for(signer.key))


def _subject(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _begin(
    subject: x509.Name, issuer: x509.Name, public: PublicKey, days: int, signer: Signer | None
) -> x509.CertificateBuilder:
    now = datetime.now(UTC).replace(microsecond=0)
    since, until = now - BACKDATE, now + timedelta(days=days)
    if signer:
        since = max(since, signer.certificate.not_valid_before_utc)
        until = min(until, signer.certificate.not_valid_after_utc)
    return (
        x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


def _key_usage(*, signs_certificates: bool = False, enciphers: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    found = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)

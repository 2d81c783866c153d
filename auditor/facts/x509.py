"""
Reading certificates: what checks want to know of one, once, from its bytes.

All that facts need of cryptography is here. It takes long to load, so facts import this module only when there is a
certificate to read.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from auditor.facts.certificate import Certificate

Kind = TypeVar("Kind", bound=x509.ExtensionType)

UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the reader of X.509 raises where somebody made what nobody should: not all of them are ValueErrors."""

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_GOOD_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_WEAK_HASHES = {"md2", "md4", "md5", "sha1"}
_LEAST_RSA_BITS = 2048
_USAGES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "any",
}


def read_pem(text: str) -> Iterator[x509.Certificate | str]:
    """Each certificate in a text, or why one of them cannot be read."""
    for block in text.split(_BEGIN)[1:]:
        try:
            yield x509.load_pem_x509_certificate(
                f"{_BEGIN}{block.partition(_END)[0]}{_END}\n".encode("ascii", "replace")
            )
        except UNREADABLE as error:
            yield f"not a certificate: {error}"


def describe(certificate: x509.Certificate) -> Certificate:
    """
    What checks want to know of a certificate.

    Raises:
        ValueError: parts of it make no sense; the message says which.
    """
    try:
        return _described(certificate)
    except UNREADABLE as error:
        raise ValueError(str(error)) from error


def describe_der(certificate: bytes) -> Certificate:
    """
    ``describe`` for a certificate in DER.

    Raises:
        ValueError: it is none, or parts of it make no sense.
    """
    try:
        return describe(x509.load_der_x509_certificate(certificate))
    except UNREADABLE as error:
        raise ValueError(str(error)) from error


def _described(certificate: x509.Certificate) -> Certificate:
    extensions = certificate.extensions
    constraints = _extension(extensions, x509.BasicConstraints)
    usages = _extension(extensions, x509.ExtendedKeyUsage)
    names, addresses = _alternative_names(extensions)
    key, weak_key = _key(certificate)
    self_signed = is_signed_by(certificate, certificate) is True
    # A certificate of version 1 cannot say whether it is a CA; Go and OpenSSL take a self-signed one for a root.
    is_ca = constraints.value.ca if constraints else certificate.version is x509.Version.v1 and self_signed
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key=key,
        weak_key=weak_key,
        weak_signature=_weak_signature(certificate),
        names=names,
        addresses=addresses,
        usages=frozenset(_USAGES.get(oid, oid.dotted_string) for oid in usages.value) if usages else None,
        is_ca=is_ca,
        self_signed=self_signed,
        strict=tuple(_strict(certificate, is_ca=is_ca, self_signed=self_signed)),
        fingerprint=sha256(certificate.public_bytes(Encoding.DER)).hexdigest(),
        public_key=public_key_digest(certificate),
    )


def public_key_digest(certificate: x509.Certificate) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, in hex; empty for a kind of key that cannot be read."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return ""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool | None:
    """Whether ``issuer`` signed it: name and signature; None when the algorithm cannot be checked here."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, InvalidSignature):
        return False
    except (TypeError, UnsupportedAlgorithm):
        return None
    return True


def _extension(extensions: x509.Extensions, kind: type[Kind]) -> x509.Extension[Kind] | None:
    try:
        return extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _alternative_names(extensions: x509.Extensions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = _extension(extensions, x509.SubjectAlternativeName)
    if not found:
        return (), ()
    addresses: Iterable[object] = found.value.get_values_for_type(x509.IPAddress)
    literal = tuple(str(address) for address in addresses if isinstance(address, IPv4Address | IPv6Address))
    return tuple(found.value.get_values_for_type(x509.DNSName)), literal


def _key(certificate: x509.Certificate) -> tuple[str, str]:
    """The key's kind in words, and what is weak about it."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        return "unknown", f"a key that cannot be read: {error}"
    if isinstance(key, rsa.RSAPublicKey):
        kind = f"RSA {key.key_size}"
        return kind, f"{kind} bits" if key.key_size < _LEAST_RSA_BITS else ""
    if isinstance(key, ec.EllipticCurvePublicKey):
        kind = f"EC {_GOOD_CURVES.get(key.curve.name, key.curve.name)}"
        return (
            kind,
            "" if key.curve.name in _GOOD_CURVES else f"{kind}, a curve that Docker's TLS does not speak",
        )
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519", ""
    kind = (
        "Ed448"
        if isinstance(key, ed448.Ed448PublicKey)
        else type(key).__name__.strip("_").removesuffix("PublicKey")
    )
    return kind, f"{kind}, which Docker's TLS does not speak"


def _weak_signature(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return f"unknown algorithm {certificate.signature_algorithm_oid.dotted_string}"
    # Ed25519 hashes by itself; a root's own signature is not looked at by anybody.
    return algorithm.name.upper() if algorithm and algorithm.name in _WEAK_HASHES else ""


def _strict(certificate: x509.Certificate, *, is_ca: bool, self_signed: bool) -> Iterator[str]:
    """What verifiers in strict mode (RFC 5280 to the letter) refuse."""
    if certificate.version is not x509.Version.v3:
        yield "X.509 version 1"
        return
    extensions = certificate.extensions
    if is_ca:
        constraints = _extension(extensions, x509.BasicConstraints)
        if constraints and not constraints.critical:
            yield "basic constraints are not critical"
        usage = _extension(extensions, x509.KeyUsage)
        if not usage:
            yield "no key usage"
        elif not usage.value.key_cert_sign:
            yield "key usage without keyCertSign"
        if not _extension(extensions, x509.SubjectKeyIdentifier):
            yield "no subject key identifier"
    if not self_signed:
        authority = _extension(extensions, x509.AuthorityKeyIdentifier)
        if not authority or authority.value.key_identifier is None:
            yield "no authority key identifier"

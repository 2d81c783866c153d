"""Private keys: the kinds there are, and how they lie on disk."""

from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from auditor.errors import AuditorError, BadFile, UsageError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
_LEAST_RSA_BITS, _MOST_RSA_BITS = 2048, 8192
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_LEAST_PASSPHRASE = 8


class KeyType(StrEnum):
    """Kinds of keys to choose from."""

    P256 = "p256"
    P384 = "p384"
    RSA3072 = "rsa3072"
    RSA4096 = "rsa4096"
    ED25519 = "ed25519"


CAUTIONS = {
    KeyType.RSA3072: "RSA keys take hundreds of times longer to make than p256; choose them only for clients that lack elliptic curves",
    KeyType.RSA4096: "RSA keys take hundreds of times longer to make than p256; choose them only for clients that lack elliptic curves",
    KeyType.ED25519: "Ed25519 works with dockerd, the docker command and docker-py, and not with Windows' own TLS, .NET and old Java",
}


def make_key(kind: KeyType) -> PrivateKey:
    """A new key."""
    if kind is KeyType.ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    if kind in (KeyType.RSA3072, KeyType.RSA4096):
        return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))
    return ec.generate_private_key(ec.SECP384R1() if kind is KeyType.P384 else ec.SECP256R1())


def digest_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    """The hash that a key signs with; Ed25519 has its own."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    on_large_curve = isinstance(key, ec.EllipticCurvePrivateKey) and not isinstance(key.curve, ec.SECP256R1)
    return hashes.SHA384() if on_large_curve else hashes.SHA256()


def key_pem(key: PrivateKey, passphrase: str = "") -> bytes:
    """PKCS#8, encrypted if there is a passphrase."""
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def read_key(path: Path, passphrase: str = "") -> PrivateKey:
    """
    The private key in a PEM file, which may hold certificates too.

    Raises:
        BadFile: there is none that can be used.
        AuditorError: the passphrase is missing or wrong; the message never holds it.
    """
    try:
        key = load_pem_private_key(_key_block(path), passphrase.encode() or None)
    except TypeError:
        problem = (
            "is encrypted, and no passphrase was given"
            if not passphrase
            else "is not encrypted, but a passphrase was given"
        )
        raise AuditorError(f"the key in {path} {problem}") from None
    except (ValueError, UnsupportedAlgorithm):
        if passphrase:
            raise AuditorError(
                f"the passphrase does not open the key in {path}: give the one it was made with"
            ) from None
        raise BadFile(path, "holds no private key that can be used: restore it from a backup") from None
    if not isinstance(key, PrivateKey):
        raise BadFile(path, "holds a kind of key that Docker's TLS does not speak")
    return key


def _key_block(path: Path) -> bytes:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadFile(path, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    start = text.rfind(b"-----BEGIN ", 0, max(0, text.find(b"PRIVATE KEY-----")))
    return text[start:] if start >= 0 else text


def check_public(key: object) -> PublicKey:
    """
    A public key that somebody else made, if Docker's TLS takes it.

    Raises:
        UsageError: it is weak, or of a kind that no client speaks.
    """
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, rsa.RSAPublicKey):
        if _LEAST_RSA_BITS <= key.key_size <= _MOST_RSA_BITS:
            return key
        raise UsageError(f"the request's RSA key has {key.key_size} bits: make one with 3072")
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name in _CURVES:
            return key
        raise UsageError(
            f"the request's key is on the curve {key.curve.name}, which Docker's TLS does not speak: use P-256"
        )
    raise UsageError("the request's key is of a kind that Docker's TLS does not speak: make one on P-256")


def check_passphrase(text: str) -> str:
    """
    A passphrase that is fit to protect an authority.

    Raises:
        UsageError: it is too short.
    """
    if len(text) < _LEAST_PASSPHRASE:
        raise UsageError(
            f"a passphrase has at least {_LEAST_PASSPHRASE} signs; to leave the authorities' keys unprotected say --no-passphrase"
        )
    return text


def same_key(one: PublicKey, other: object) -> bool:
    """Whether two public keys are the same."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return isinstance(other, PublicKey) and one.public_bytes(*form) == other.public_bytes(*form)

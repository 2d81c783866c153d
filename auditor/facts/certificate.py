"""One certificate: what checks want to know of it."""

from datetime import UTC, datetime

import msgspec


class Certificate(msgspec.Struct, frozen=True):
    """
    An X.509 certificate; the defaults are those of a good server certificate.

    ``usages`` is None without an extended key usage extension: such a certificate serves every purpose.
    ``weak_key`` and ``weak_signature`` are empty, or say what is weak. ``strict`` lists what strict verifiers
    (Python 3.13 and newer) refuse. ``fingerprint`` and ``public_key`` are SHA-256 in hex, of the certificate and of its
    SubjectPublicKeyInfo.
    """

    subject: str = "CN=web1"
    issuer: str = "CN=Example server CA"
    not_before: datetime = datetime(2025, 6, 1, tzinfo=UTC)
    not_after: datetime = datetime(2026, 6, 1, tzinfo=UTC)
    key: str = "EC P-256"
    weak_key: str = ""
    weak_signature: str = ""
    names: tuple[str, ...] = ("web1.example",)
    addresses: tuple[str, ...] = ()
    usages: frozenset[str] | None = frozenset({"serverAuth"})
    is_ca: bool = False
    self_signed: bool = False
    strict: tuple[str, ...] = ()
    fingerprint: str = "5e" * 32
    public_key: str = "9a" * 32

    @property
    def serves_clients(self) -> bool:
        """Whether dockerd takes it as a client's, its issuer granted: no extended key usage, clientAuth, or any."""
        return self.usages is None or bool(self.usages & {"clientAuth", "any"})

    @property
    def serves_servers(self) -> bool:
        """Whether clients take it as a server's."""
        return self.usages is None or bool(self.usages & {"serverAuth", "any"})

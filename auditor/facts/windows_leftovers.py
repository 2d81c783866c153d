"""What making certificates left on a Windows host: files of an authority's key, and the machine's certificate store."""

import base64
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import decode


class Leftover(msgspec.Struct, frozen=True):
    """A file whose name says that it is an authority's key or the passphrase of one."""

    path: str
    exists: bool = True
    error: str | None = None

    @property
    def is_passphrase(self) -> bool:
        """Whether it is the passphrase, as dockertls writes it in clear text."""
        return self.path.lower().endswith(".txt")


class _Stored(msgspec.Struct, frozen=True):
    subject: str
    has_key: bool
    base64: str
    thumbprint: str = ""


class _Told(msgspec.Struct, frozen=True):
    leftovers: list[Leftover]
    store: list[_Stored]


class Authority(msgspec.Struct, frozen=True):
    """A certificate authority in the machine's store, with its private key."""

    subject: str
    thumbprint: str


class WindowsLeftovers(msgspec.Struct, frozen=True):
    """``unread`` are certificates of the store, with a key, that make no sense. ``elevated``: an administrator looked, so nothing was hidden."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-certificates", "host")

    files: tuple[Leftover, ...] = ()
    authorities: tuple[Authority, ...] = ()
    unread: tuple[str, ...] = ()
    elevated: bool = True

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        told: _Told = decode(bundle.text("windows-certificates"), _Told, "windows-certificates")
        authorities, unread = list[Authority](), list[str]()
        for stored in told.store:
            try:
                if stored.has_key and _is_ca(stored.base64):
                    authorities.append(Authority(stored.subject, stored.thumbprint))
            except ValueError:
                unread.append(stored.subject)
        elevated = "elevated=True" in bundle.text("host").splitlines()
        return cls(tuple(told.leftovers), tuple(authorities), tuple(unread), elevated)


def _is_ca(der: str) -> bool:
    """
    Whether it is the certificate of an authority.

    Raises:
        ValueError: it makes no sense.
    """
    from auditor.facts.x509 import describe_der  # noqa: PLC0415  a store without keys does not wait for cryptography

    return describe_der(base64.b64decode(der, validate=True)).is_ca

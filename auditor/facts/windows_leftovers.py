"""What making certificates left on a Windows host: files of an authority's key, and the machine's certificate store."""

import base64
from dataclasses import dataclass
from typing import ClassVar, Self

import msgspec
from cryptography import x509

from auditor.collect.bundle import Bundle
from auditor.facts.certificate import UNREADABLE, describe
from auditor.facts.engine import decode
from auditor.gaps import Inconclusive


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


@dataclass(frozen=True)
class Authority:
    """A certificate authority in the machine's store, with its private key."""

    subject: str
    thumbprint: str


@dataclass(frozen=True)
class WindowsLeftovers:
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
            if not stored.has_key:
                continue
            try:
                certificate = x509.load_der_x509_certificate(base64.b64decode(stored.base64, validate=True))
                if describe(certificate).is_ca:
                    authorities.append(Authority(stored.subject, stored.thumbprint))
            except (*UNREADABLE, Inconclusive):
                unread.append(stored.subject)
        elevated = "elevated=True" in bundle.text("host").splitlines()
        return cls(tuple(told.leftovers), tuple(authorities), tuple(unread), elevated)

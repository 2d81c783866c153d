"""The ledger: every authority and every certificate ever made, as it stands in ``ledger.json``."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from auditor.certificates.profile import Purpose

VERSION = 1
Role = Literal["incoming", "active", "outgoing", "retired"]
TRUSTED: tuple[Role, ...] = ("incoming", "active", "outgoing")


class Authority(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    An authority. ``file`` holds its certificate and ``key`` its private key, both relative to the folder.

    ``team`` names the team whose clients it signs, and ``parent`` is then the authority that signed it. ``role``: an
    ``incoming`` one is trusted already and signs nothing yet, an ``outgoing`` one is still trusted and signs no more.
    """

    id: str
    purpose: Purpose
    file: str
    key: str
    not_before: datetime
    not_after: datetime
    role: Role = "active"
    encrypted: bool = True
    team: str = ""
    parent: str = ""
    below: int = 0
    constraints: tuple[str, ...] = ()


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Where a certificate was brought: a host's daemon (``place`` is ``address:port`` as clients reach it), or a bundle's path.

    ``trust`` names the authorities that were delivered with it.
    """

    place: str
    at: datetime
    serial: str
    trust: tuple[str, ...]
    proved: bool = False


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    A certificate that was issued. ``file`` holds it, its chain and, unless ``from_request``, its private key.

    ``serial`` is in hex; ``replaced`` is the serial of the one that took its place. ``forgotten``: its host or client is gone.
    """

    serial: str
    purpose: Purpose
    name: str
    authority: str
    file: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    days: int
    key_type: str
    names: tuple[str, ...] = ()
    from_request: bool = False
    replaced: str = ""
    forgotten: bool = False

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"{self.purpose} {self.name}"

    def left(self, now: datetime) -> timedelta:
        """Time until it ends; negative once it has."""
        return self.not_after - now

    def is_due(self, now: datetime) -> bool:
        """Whether two thirds of its life are over."""
        return now >= self.not_before + (self.not_after - self.not_before) * 2 / 3


class Ledger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All there is. A change makes a new one; certificates are in the order of their making."""

    version: int = VERSION
    organisation: str = ""
    authorities: tuple[Authority, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    deliveries: dict[str, Delivery] = {}
    """The last delivery of each certificate, under its ``label``."""

    def current(self, purpose: Purpose | None = None) -> list[Certificate]:
        """The certificates in force: neither replaced nor forgotten; of one purpose, or both."""
        kept = [each for each in self.certificates if not each.replaced and not each.forgotten]
        return [each for each in kept if purpose in (None, each.purpose)]

    def find(self, purpose: Purpose, name: str) -> Certificate | None:
        """The certificate in force under a name."""
        return next((each for each in self.current(purpose) if each.name == name), None)

    def authority(self, identifier: str) -> Authority:
        """An authority by its id; every id that is written down exists."""
        return next(each for each in self.authorities if each.id == identifier)

    def trusted(self, purpose: Purpose) -> list[Authority]:
        """
        The authorities that the other side must trust now.

        With teams it is theirs alone, never the one above them: leaving one out is then how a team is locked out.
        """
        roots = [
            each
            for each in self.authorities
            if each.purpose is purpose and not each.team and each.role in TRUSTED
        ]
        return [below for root in roots for below in self._teams(root) or [root]]

    def _teams(self, root: Authority) -> list[Authority]:
        below = [each for each in self.authorities if each.parent == root.id]
        return [each for each in below if each.role in TRUSTED]

    def issuer(self, purpose: Purpose, team: str = "") -> Authority | None:
        """The authority that signs for a purpose (and a team) now."""
        for each in self.authorities:
            if each.purpose is purpose and each.team == team and each.role == "active":
                return each
        return None

    def teams(self) -> list[str]:
        """The teams that have an authority of their own."""
        return [each.team for each in self.authorities if each.team and each.role == "active"]

    def renews(self, certificate: Certificate) -> bool:
        """Whether there is an authority that may sign it anew: none for a team that was dropped, or for no team where there are teams."""
        team = self.authority(certificate.authority).team
        fits = certificate.purpose is Purpose.SERVER or bool(team) == bool(self.teams())
        return fits and self.issuer(certificate.purpose, team) is not None

    def with_authority(self, authority: Authority) -> "Ledger":
        """With an authority added, or put in the place of the one of its id."""
        others = tuple(each for each in self.authorities if each.id != authority.id)
        position = next(
            (i for i, each in enumerate(self.authorities) if each.id == authority.id), len(others)
        )
        return msgspec.structs.replace(self, authorities=(*others[:position], authority, *others[position:]))

    def with_certificate(self, certificate: Certificate) -> "Ledger":
        """With a certificate added; the one in force under its name is thereby replaced."""
        earlier = tuple(
            msgspec.structs.replace(each, replaced=certificate.serial)
            if not each.replaced and each.label == certificate.label
            else each
            for each in self.certificates
        )
        return msgspec.structs.replace(self, certificates=(*earlier, certificate))

    def without(self, certificates: Sequence[Certificate]) -> "Ledger":
        """With certificates forgotten, and where they were brought."""
        serials, labels = {each.serial for each in certificates}, {each.label for each in certificates}
        kept = tuple(
            msgspec.structs.replace(each, forgotten=True) if each.serial in serials else each
            for each in self.certificates
        )
        deliveries = {label: each for label, each in self.deliveries.items() if label not in labels}
        return msgspec.structs.replace(self, certificates=kept, deliveries=deliveries)

    def with_delivery(self, certificate: Certificate, delivery: Delivery) -> "Ledger":
        """With a certificate's last delivery."""
        return msgspec.structs.replace(self, deliveries={**self.deliveries, certificate.label: delivery})


def now() -> datetime:
    """The present, to the second."""
    return datetime.now(UTC).replace(microsecond=0)

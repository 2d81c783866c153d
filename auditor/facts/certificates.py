"""The certificates of a host: the daemon's on disk, those it serves, and others that lie there."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.facts.certificate import Certificate
from auditor.facts.live import LivePorts, Port
from auditor.facts.origin import Origin
from auditor.facts.paths import normal
from auditor.facts.tls import DaemonTls
from auditor.gaps import Gap, Inconclusive, NotApplicable
from auditor.results import CertificateSummary


class Role(StrEnum):
    """What a certificate is to the daemon."""

    SERVER = "server certificate"
    CHAIN = "intermediate certificate"
    CLIENT_CA = "client CA"
    OTHER = "other certificate"


class Seen(msgspec.Struct, frozen=True):
    """
    A certificate, its role, and where it was seen: a path, or ``port 2376`` when it was served.

    ``trusted_as_client``: signatures lead from it to a CA that may sign the daemon's clients. ``issuer`` tells whether
    the certificate of its issuer was seen: ``mismatch`` means one of that name, whose key did not sign it.
    """

    certificate: Certificate = msgspec.field(default_factory=Certificate)
    role: Role = Role.SERVER
    where: str = "/etc/docker/tls/server-cert.pem"
    trusted_as_client: bool = False
    issuer: Literal["seen", "mismatch", "not seen"] = "not seen"

    @property
    def served(self) -> bool:
        """Whether it was seen on the wire."""
        return self.where.startswith("port ")

    def __str__(self) -> str:
        return f"{self.where}: {self.certificate.subject or '(no subject)'}"


class Damaged(msgspec.Struct, frozen=True):
    """A certificate that cannot be read: where, and why."""

    where: str
    problem: str
    role: Role = Role.SERVER


class Certificates(msgspec.Struct, frozen=True):
    """All certificates seen. ``unread`` says, one reason each, what of the daemon's own could not be seen."""

    SECTIONS: ClassVar[tuple[str, ...]] = (*DaemonTls.SECTIONS, "certificates", "tls-probe")

    seen: tuple[Seen, ...] = (Seen(),)
    damaged: tuple[Damaged, ...] = ()
    unread: tuple[str, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        ports = _tls_ports(bundle)
        try:
            tls, text = bundle.fact(DaemonTls), bundle.text("certificates")
        except NotApplicable:
            if not ports:
                raise
            tls, text, unread = DaemonTls(enabled=False), "", []
        except Inconclusive as gap:
            tls, text, unread = (
                DaemonTls(enabled=False),
                "",
                [f"the daemon's certificates on the host: {gap}"],
            )
        else:
            unread = list(_unread(text, tls))
        if not (ports or "file " in text):
            return cls((), (), tuple(unread))
        from auditor.facts import certificate_pool  # noqa: PLC0415  a host without any does not wait for cryptography

        return cls(*certificate_pool.read(text, tls, ports), tuple(unread))

    @property
    def own(self) -> tuple[Seen, ...]:
        """The daemon's own, each once: what is served as well as on disk is told of the disk only."""
        on_disk = [seen for seen in self.seen if seen.role is not Role.OTHER and not seen.served]
        known = {seen.certificate.fingerprint for seen in on_disk}
        served = [seen for seen in self.seen if seen.served and seen.certificate.fingerprint not in known]
        return (*on_disk, *served)

    def of(self, *roles: Role) -> tuple[Seen, ...]:
        """The daemon's own of some roles."""
        return tuple(seen for seen in self.own if seen.role in roles)

    def settle(self) -> None:
        """
        To be asked when everything that was seen has been judged.

        Raises:
            Inconclusive: some of the daemon's own could not be seen.
            NotApplicable: it has none.
        """
        if self.unread:
            raise Inconclusive("; ".join(self.unread))
        if not self.own and not any(damaged.role is not Role.OTHER for damaged in self.damaged):
            raise NotApplicable("the engine uses no certificate")

    def summaries(self) -> tuple[CertificateSummary, ...]:
        """Every certificate once for each place it was seen at, soonest end first."""
        told = (
            CertificateSummary(
                seen.certificate.subject,
                seen.role.value,
                seen.where,
                seen.certificate.not_before,
                seen.certificate.not_after,
            )
            for seen in self.seen
        )
        return tuple(sorted(told, key=_end))


def _end(summary: CertificateSummary) -> datetime:
    return summary.not_after


class ServerKeys(msgspec.Struct, frozen=True):
    """The public halves of a host's server keys (SHA-256 of each), for the comparison of hosts."""

    SECTIONS: ClassVar[tuple[str, ...]] = (*Certificates.SECTIONS, *Origin.SECTIONS)

    machine: str = "web1"
    public: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        certificates, origin = bundle.fact(Certificates), bundle.fact(Origin)
        keys = frozenset(seen.certificate.public_key for seen in certificates.of(Role.SERVER))
        if not keys:
            certificates.settle()
        return cls(origin.address or origin.name, keys - {""})


def _tls_ports(bundle: Bundle) -> tuple[Port, ...]:
    try:
        return tuple(port for port in bundle.fact(LivePorts).ports if port.verdict.tls and port.configured)
    except Gap:
        return ()


def _unread(text: str, tls: DaemonTls) -> Iterator[str]:
    """Which of the daemon's own files were not read, and why."""
    words = (line.partition(" ") for line in split_lines(text))
    came = {normal(path): word for word, _, path in words if word in _CAME}
    for path in dict.fromkeys((tls.certificate, tls.ca)):
        if tls.enabled and path and came.get(path) != "file":
            yield f"{path}: {_CAME[came.get(path, '')]}"


_CAME = {
    "file": "",
    "absent": "no longer there, though the daemon was started with it",
    "denied": "permission denied",
    "": "was not collected",
}

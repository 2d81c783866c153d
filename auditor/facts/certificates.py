"""The certificates of a host: the daemon's on disk, those it serves, and others that lie there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal, Self

from cryptography import x509

from auditor.collect.bundle import Bundle
from auditor.facts.certificate import Certificate, describe, is_signed_by, read_pem
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


@dataclass(frozen=True)
class Seen:
    """
    A certificate, its role, and where it was seen: a path, or ``port 2376`` when it was served.

    ``trusted_as_client``: signatures lead from it to a CA that may sign the daemon's clients. ``issuer`` tells whether
    the certificate of its issuer was seen: ``mismatch`` means one of that name, whose key did not sign it.
    """

    certificate: Certificate = field(default_factory=Certificate)
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


@dataclass(frozen=True)
class Damaged:
    """A certificate that cannot be read: where, and why."""

    where: str
    problem: str
    role: Role = Role.SERVER


@dataclass(frozen=True)
class Certificates:
    """All certificates seen. ``unread`` says, one reason each, what of the daemon's own could not be seen."""

    SECTIONS: ClassVar[tuple[str, ...]] = (*DaemonTls.SECTIONS, "certificates", "tls-probe")

    seen: tuple[Seen, ...] = (Seen(),)
    damaged: tuple[Damaged, ...] = ()
    unread: tuple[str, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        ports = _tls_ports(bundle)
        try:
            tls, text = DaemonTls.parse(bundle), bundle.text("certificates")
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
        found = [*_on_disk(text, tls), *_served(ports)]
        names = {name for port in ports for name in port.client_cas or ()}
        return cls(*_related(found, names), tuple(unread))

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


@dataclass(frozen=True)
class ServerKeys:
    """The public halves of a host's server keys (SHA-256 of each), for the comparison of hosts."""

    SECTIONS: ClassVar[tuple[str, ...]] = (*Certificates.SECTIONS, *Origin.SECTIONS)

    machine: str = "web1"
    public: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        certificates, origin = Certificates.parse(bundle), Origin.parse(bundle)
        keys = frozenset(seen.certificate.public_key for seen in certificates.of(Role.SERVER))
        if not keys:
            certificates.settle()
        return cls(origin.address or origin.name, keys - {""})


# One certificate on the way to a Seen: its bytes or why they cannot be read.
_Found = tuple[x509.Certificate | str, Role, str]


def _tls_ports(bundle: Bundle) -> tuple[Port, ...]:
    try:
        return tuple(port for port in LivePorts.parse(bundle).ports if port.verdict.tls and port.configured)
    except Gap:
        return ()


def _roles(path: str, tls: DaemonTls, position: int) -> list[Role]:
    """What the certificate at a position in a file is; one file may be given for two purposes."""
    roles = []
    if tls.enabled and path == tls.certificate:
        roles.append(Role.CHAIN if position else Role.SERVER)
    if tls.enabled and path == tls.ca:
        roles.append(Role.CLIENT_CA)
    return roles or [Role.OTHER]


def _on_disk(text: str, tls: DaemonTls) -> Iterator[_Found]:
    """Read the section: ``file PATH`` and the PEM blocks that were in it."""
    for block in f"\n{text}".split("\nfile ")[1:]:
        path, _, pem = block.partition("\n")
        path = normal(path)
        read = list(read_pem(pem)) or ["there is no certificate in this file"]
        for position, certificate in enumerate(read):
            for role in _roles(path, tls, position):
                yield certificate, role, path


def _unread(text: str, tls: DaemonTls) -> Iterator[str]:
    """Which of the daemon's own files were not read, and why."""
    words = (line.partition(" ") for line in text.splitlines())
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


def _served(ports: Iterable[Port]) -> Iterator[_Found]:
    for port in ports:
        for position, pem in enumerate(port.chain):
            for certificate in read_pem(pem):
                yield certificate, Role.CHAIN if position else Role.SERVER, f"port {port.port}"


def _related(found: Sequence[_Found], client_cas: set[str]) -> tuple[tuple[Seen, ...], tuple[Damaged, ...]]:
    """Describe the certificates and find out who signed whom."""
    seen: list[tuple[x509.Certificate, Seen]] = []
    damaged: list[Damaged] = []
    for certificate, role, where in found:
        if isinstance(certificate, str):
            damaged.append(Damaged(where, certificate, role))
            continue
        try:
            seen.append((certificate, Seen(describe(certificate), role, where)))
        except ValueError as error:
            damaged.append(Damaged(where, str(error), role))
    signers = {one.certificate.fingerprint: _signers(raw, seen) for raw, one in seen}
    return tuple(_placed(one, signers, seen, client_cas) for _, one in seen), tuple(damaged)


def _signers(raw: x509.Certificate, pool: Sequence[tuple[x509.Certificate, Seen]]) -> list[tuple[Seen, bool]]:
    """Those in the pool that bear the issuer's name, and whether they signed it (an algorithm unknown here counts as yes)."""
    return [
        (seen, is_signed_by(raw, issuer) is not False)
        for issuer, seen in pool
        if issuer.subject == raw.issuer
    ]


def _placed(
    one: Seen,
    signers: dict[str, list[tuple[Seen, bool]]],
    pool: Sequence[tuple[x509.Certificate, Seen]],
    client_cas: set[str],
) -> Seen:
    named = [
        (seen, signed)
        for seen, signed in signers[one.certificate.fingerprint]
        if seen.certificate != one.certificate
    ]
    issuer: Literal["seen", "mismatch", "not seen"] = "not seen"
    if any(signed for _, signed in named):
        issuer = "seen"
    # A leftover of the same name proves nothing; one of the daemon's own does.
    elif any(seen.role is not Role.OTHER for seen, _ in named):
        issuer = "mismatch"
    anchors = {seen.certificate.fingerprint for _, seen in pool if seen.role is Role.CLIENT_CA}
    above, todo = set[str](), [one]
    while todo:
        current = todo.pop().certificate
        if current.fingerprint in above:
            continue
        above.add(current.fingerprint)
        # A CA that was only named on the wire: its name is all there is to go by.
        if not anchors and current.issuer in client_cas:
            return replace(one, issuer=issuer, trusted_as_client=True)
        todo.extend(seen for seen, signed in signers[current.fingerprint] if signed)
    return replace(one, issuer=issuer, trusted_as_client=bool(anchors & above))

"""The certificates of a host as they were read, and who signed whom."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec
from cryptography import x509

from auditor.facts.certificates import Damaged, Role, Seen
from auditor.facts.live import Port
from auditor.facts.paths import normal
from auditor.facts.tls import DaemonTls
from auditor.facts.x509 import describe, is_signed_by, read_pem

# One certificate on the way to a Seen: its bytes or why they cannot be read.
_Found = tuple[x509.Certificate | str, Role, str]


def read(text: str, tls: DaemonTls, ports: Sequence[Port]) -> tuple[tuple[Seen, ...], tuple[Damaged, ...]]:
    """The certificates of the section ``certificates`` and those that ports served."""
    names = {name for port in ports for name in port.client_cas or ()}
    return _related([*_on_disk(text, tls), *_served(ports)], names)


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
            return msgspec.structs.replace(one, issuer=issuer, trusted_as_client=True)
        todo.extend(seen for seen, signed in signers[current.fingerprint] if signed)
    return msgspec.structs.replace(one, issuer=issuer, trusted_as_client=bool(anchors & above))

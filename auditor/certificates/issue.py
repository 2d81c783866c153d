"""Certificates for servers and clients: issued, signed from requests, renewed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from auditor.certificates.authority import Opening, open_signer, read_certificates, serial_of
from auditor.certificates.keys import KeyType, PublicKey, check_public, key_pem, make_key
from auditor.certificates.ledger import Authority, Certificate, Ledger, now
from auditor.certificates.names import NO_NAMES, Constraints, Names, identity
from auditor.certificates.profile import DAYS, Leaf, Purpose, Signer, sign_leaf
from auditor.certificates.store import Store
from auditor.errors import BadFile, UsageError
from auditor.facts.x509 import UNREADABLE


@dataclass(frozen=True)
class Request:
    """
    One certificate to issue. ``names`` are a server's. ``days`` 0: what its purpose has by default.

    With ``public`` the key is somebody else's and stays there. ``replacing``: one of that name may be in force.
    """

    purpose: Purpose
    name: str
    names: Names = NO_NAMES
    days: int = 0
    key: KeyType = KeyType.P256
    team: str = ""
    public: PublicKey | None = None
    replacing: bool = False


@dataclass(frozen=True)
class Issued:
    """What came of one request, and what to know about it."""

    certificate: Certificate
    cautions: tuple[str, ...] = ()


def issue(store: Store, requests: Sequence[Request], opening: Opening) -> list[Issued]:
    """
    Issue certificates, all of them or none.

    Raises:
        UsageError: a name is taken or not fit; nothing was issued.
        AuditorError: an authority cannot be opened, or a file not be written.
    """
    with store.locked():
        ledger = store.load()
        for request in requests:
            _refuse(ledger, request)
        desk = _Desk(store, opening)
        issued = list[Issued]()
        for request in requests:
            one = desk.issue(ledger, request)
            ledger = ledger.with_certificate(one.certificate)
            issued.append(one)
        store.commit(ledger)
    return issued


def _refuse(ledger: Ledger, request: Request) -> None:
    """Everything that can be known to be wrong before anything is made."""
    identity(request.name)
    authority = _issuer(ledger, request)
    if request.purpose is Purpose.SERVER:
        if not request.names.texts:
            raise UsageError(f"server {request.name}: give the names and addresses that clients use")
        Constraints.of(authority.constraints).refuse(request.names)
    if not request.replacing and ledger.find(request.purpose, request.name):
        raise UsageError(
            f"there is a certificate for {request.purpose} {request.name}: 'auditor certs renew {request.name}' makes a new one "
            "with the same names, --force one with these"
        )


def _issuer(ledger: Ledger, request: Request) -> Authority:
    teams = ledger.teams()
    if request.purpose is Purpose.CLIENT and bool(teams) != bool(request.team):
        raise UsageError(
            f"client {request.name}: say for which team: --team {' or '.join(teams)}"
            if teams
            else "there are no teams here: leave out --team"
        )
    authority = ledger.issuer(request.purpose, request.team)
    if not authority:
        raise UsageError(
            f"there is no authority for {request.purpose}s{f' of team {request.team}' if request.team else ''}: 'auditor certs init'"
        )
    if authority.not_after <= now():
        raise UsageError(
            f"the authority {authority.id} ended on {authority.not_after:%Y-%m-%d} and signs nothing more: "
            f"'auditor certs rotate-ca {request.purpose}' makes its successor"
        )
    return authority


class _Desk:
    """Issues one after the other; each authority is opened once."""

    def __init__(self, store: Store, opening: Opening) -> None:
        self._store, self._opening = store, opening
        self._signers: dict[str, Signer] = {}

    def issue(self, ledger: Ledger, request: Request) -> Issued:
        authority = _issuer(ledger, request)
        signer = self._signer(authority)
        days = request.days or DAYS[request.purpose]
        key = None if request.public else make_key(request.key)
        public = request.public or (key.public_key() if key else None)
        if public is None:
            raise AssertionError("a request without a public key gets a key of its own")
        certificate = sign_leaf(Leaf(request.purpose, request.name, request.names, days), public, signer)
        chain = certificate.public_bytes(Encoding.PEM)
        if authority.parent:
            chain += signer.certificate.public_bytes(Encoding.PEM)
        serial = serial_of(certificate)
        file = f"{request.purpose}s/{request.name}-{serial[:12]}.pem"
        self._store.add(file, chain + (key_pem(key) if key else b""))
        entry = Certificate(
            serial,
            request.purpose,
            request.name,
            authority.id,
            file,
            sha256(certificate.public_bytes(Encoding.DER)).hexdigest(),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            days,
            request.key.value,
            request.names.texts,
            from_request=request.public is not None,
        )
        return Issued(entry, tuple(_cautions(entry, request)))

    def _signer(self, authority: Authority) -> Signer:
        if authority.id not in self._signers:
            passphrase = self._opening.passphrase if authority.encrypted else ""
            self._signers[authority.id] = open_signer(self._store, authority, passphrase)
        return self._signers[authority.id]


def _cautions(entry: Certificate, request: Request) -> Iterable[str]:
    yield from request.names.cautions()
    if entry.left(now()) < timedelta(days=entry.days) - timedelta(minutes=1):
        yield f"{entry.label} ends on {entry.not_after:%Y-%m-%d}, with its authority: 'auditor certs rotate-ca {entry.purpose}'"


def renew(store: Store, certificates: Sequence[Certificate], opening: Opening) -> list[Issued]:
    """
    Issue anew with the same names: a new key, or the same one where it never was here.

    Raises:
        AuditorError: as ``issue``.
    """
    ledger = store.load()
    return issue(store, [_again(store, ledger, each) for each in certificates], opening)


def _again(store: Store, ledger: Ledger, certificate: Certificate) -> Request:
    request = Request(
        certificate.purpose,
        certificate.name,
        Names.of(certificate.names),
        certificate.days,
        KeyType(certificate.key_type),
        ledger.authority(certificate.authority).team,
        replacing=True,
    )
    if certificate.from_request:
        public = read_certificates(store.folder / certificate.file)[0].public_key()
        request = replace(request, public=check_public(public))
    return request


def forget(store: Store, names: Sequence[str]) -> list[Certificate]:
    """
    Take certificates out of what is watched, renewed and waited for. Their files stay, and they hold until they end.

    Raises:
        UsageError: there is none of a name; none was forgotten.
    """
    with store.locked():
        ledger = store.load()
        chosen = named(ledger, names)
        store.commit(ledger.without(chosen))
    return chosen


def named(ledger: Ledger, names: Sequence[str]) -> list[Certificate]:
    """
    The certificates in force of these names, servers' and clients'.

    Raises:
        UsageError: there is none of a name.
    """
    chosen = [each for each in ledger.current() if each.name in names]
    if unknown := set(names) - {each.name for each in chosen}:
        raise UsageError(
            f"there is no certificate {', '.join(sorted(unknown))}: 'auditor certs status' lists them"
        )
    return chosen


def read_request(path: Path) -> tuple[PublicKey, str, tuple[str, ...]]:
    """
    What a certificate signing request asks for: its public key, common name, and names. Nothing else of it is taken.

    Raises:
        BadFile: it is none, or its signature does not hold.
        UsageError: its key is not fit.
    """
    try:
        request = x509.load_pem_x509_csr(path.read_bytes())
        if not request.is_signature_valid:
            raise BadFile(path, "is a request whose signature does not hold: make it again")
        common = [
            str(each.value) for each in request.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        ]
        key, names = request.public_key(), tuple(_names(request))
    except OSError as error:
        raise BadFile(path, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except (*UNREADABLE, InvalidSignature):
        raise BadFile(
            path, "holds no certificate signing request in PEM: 'openssl req -new' makes one"
        ) from None
    return check_public(key), (common or [""])[0], names


def _names(request: x509.CertificateSigningRequest) -> Iterable[str]:
    try:
        found = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    yield from found.get_values_for_type(x509.DNSName)
    yield from map(str, found.get_values_for_type(x509.IPAddress))

"""Authorities: made, opened for signing, trusted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auditor.certificates.keys import KeyType, check_passphrase, key_pem, make_key, read_key
from auditor.certificates.ledger import Authority, Ledger, Role, now
from auditor.certificates.names import NO_LIMITS, Constraints, identity
from auditor.certificates.profile import AUTHORITY_DAYS, Purpose, Signer, sign_authority
from auditor.certificates.store import Store
from auditor.errors import BadFile, UsageError
from auditor.facts.x509 import UNREADABLE

_MOST_IN_ORGANISATION = 32
_MOST_IN_TEAM = 20


@dataclass(frozen=True)
class Opening:
    """How to open authorities' keys: ``passphrase`` is asked for when it is first needed, and once."""

    ask: Callable[[], str]

    @cached_property
    def passphrase(self) -> str:
        return self.ask()

    def __repr__(self) -> str:
        return "Opening(…)"


@dataclass(frozen=True)
class Making:
    """What new authorities shall be like."""

    key: KeyType = KeyType.P256
    days: int = AUTHORITY_DAYS
    constraints: Constraints = NO_LIMITS


def init(
    store: Store,
    organisation: str,
    teams: Sequence[str],
    making: Making,
    passphrase: str,
    *,
    anew: bool = False,
) -> Ledger:
    """
    Make an authority for servers and one for clients, and one for each team below that.

    ``passphrase`` is empty when the keys shall lie unprotected. ``anew`` retires those that there are.

    Raises:
        UsageError: there are authorities, or a word is not fit.
    """
    if passphrase:
        check_passphrase(passphrase)
    _check_words(organisation, teams)
    store.make()
    with store.locked():
        ledger = store.load() if store.exists else Ledger()
        if ledger.authorities and not anew:
            raise UsageError(
                f"{store.folder} has authorities already: go on with 'auditor certs server', or say --force to retire them"
            )
        for each in ledger.authorities:
            ledger = ledger.with_authority(msgspec.structs.replace(each, role="retired"))
        ledger = msgspec.structs.replace(ledger, organisation=organisation)
        for purpose in Purpose:
            below = 1 if teams and purpose is Purpose.CLIENT else 0
            limits = making.constraints if purpose is Purpose.SERVER else NO_LIMITS
            ledger = _add(store, ledger, purpose, _Plan(making, below=below, limits=limits), passphrase)
        for team in teams:
            ledger = _add_team(store, ledger, team, making, passphrase)
        store.commit(ledger)
    return ledger


def add_team(store: Store, team: str, making: Making, opening: Opening) -> Ledger:
    """
    Make an authority for one more team, below the clients'.

    Raises:
        UsageError: it has one, or the clients' authority was made without teams.
    """
    _check_words("", [team])
    with store.locked():
        ledger = store.load()
        if team in ledger.teams():
            raise UsageError(f"team {team} has an authority already")
        if any(
            each.role in ("incoming", "outgoing") and each.purpose is Purpose.CLIENT
            for each in ledger.authorities
        ):
            raise UsageError(
                "the clients' authority is being replaced: end that first with 'auditor certs rotate-ca client'"
            )
        root = ledger.issuer(Purpose.CLIENT)
        passphrase = opening.passphrase if root and root.encrypted else ""
        ledger = _add_team(store, ledger, team, making, passphrase)
        store.commit(ledger)
    return ledger


def drop_team(store: Store, team: str) -> Ledger:
    """
    Lock a team out: daemons no longer trust its authority once they have been installed again.

    Raises:
        UsageError: there is no such team, or none would be left.
    """
    with store.locked():
        ledger = store.load()
        found = ledger.issuer(Purpose.CLIENT, team)
        if not found or ledger.teams() == [team]:
            raise UsageError(
                f"team {team} cannot be dropped: {'it is the only one' if found else 'there is none of that name'}"
            )
        for each in ledger.authorities:
            if each.team == team:  # in a rotation it has two
                ledger = ledger.with_authority(msgspec.structs.replace(each, role="retired"))
        store.commit(ledger)
    return ledger


@dataclass(frozen=True)
class _Plan:
    """One authority to make."""

    making: Making
    role: Role = "active"
    team: str = ""
    parent: Authority | None = None
    below: int = 0
    limits: Constraints = NO_LIMITS


def _add(store: Store, ledger: Ledger, purpose: Purpose, plan: _Plan, passphrase: str) -> Ledger:
    """A ledger with one more authority, whose files are written; nothing is committed."""
    key = make_key(plan.making.key)
    label = " ".join(word for word in (ledger.organisation, plan.team, "Docker", purpose, "CA") if word)
    parent = open_signer(store, plan.parent, passphrase) if plan.parent else None
    certificate = sign_authority(
        label, key, days=plan.making.days, below=plan.below, constraints=plan.limits, parent=parent
    )
    identifier = f"{purpose}-{f'{plan.team}-' if plan.team else ''}{serial_of(certificate)[:12]}"
    authority = Authority(
        identifier,
        purpose,
        file=store.add(f"authorities/{identifier}.pem", certificate.public_bytes(Encoding.PEM)),
        key=store.add(f"authorities/{identifier}.key", key_pem(key, passphrase)),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        role=plan.role,
        encrypted=bool(passphrase),
        team=plan.team,
        parent=plan.parent.id if plan.parent else "",
        below=plan.below,
        constraints=plan.limits.texts,
    )
    return ledger.with_authority(authority)


def add_successor(store: Store, ledger: Ledger, old: Authority, making: Making, passphrase: str) -> Ledger:
    """A ledger with an incoming authority like ``old``, and incoming ones for its teams; nothing is committed."""
    plan = _Plan(making, role="incoming", below=old.below, limits=Constraints.of(old.constraints))
    ledger = _add(store, ledger, old.purpose, plan, passphrase)
    new = ledger.authorities[-1]
    for each in ledger.authorities:
        if each.parent == old.id and each.role == "active":
            below = _Plan(making, role="incoming", team=each.team, parent=new)
            ledger = _add(store, ledger, old.purpose, below, passphrase)
    return ledger


def _add_team(store: Store, ledger: Ledger, team: str, making: Making, passphrase: str) -> Ledger:
    parent = ledger.issuer(Purpose.CLIENT)
    if not parent or not parent.below:
        raise UsageError(
            "the clients' authority was made without teams and can have none below it: 'auditor certs init --force --team NAME' makes others"
        )
    return _add(store, ledger, Purpose.CLIENT, _Plan(making, team=team, parent=parent), passphrase)


def _check_words(organisation: str, teams: Sequence[str]) -> None:
    if len(organisation) > _MOST_IN_ORGANISATION or not organisation.isprintable():
        raise UsageError(f"an organisation's name has up to {_MOST_IN_ORGANISATION} printable signs")
    for team in teams:
        if len(identity(team)) > _MOST_IN_TEAM or "@" in team:
            raise UsageError(f"a team's name has up to {_MOST_IN_TEAM} letters, digits and . _ + -")
    if len(set(teams)) != len(teams):
        raise UsageError("a team is named twice")


def open_signer(store: Store, authority: Authority, passphrase: str) -> Signer:
    """
    An authority with its key.

    Raises:
        AuditorError: a file is missing or spoilt, or the passphrase is wrong.
    """
    key = read_key(store.folder / authority.key, passphrase if authority.encrypted else "")
    return Signer(read_certificates(store.folder / authority.file)[0], key)


def read_certificates(path: Path) -> list[x509.Certificate]:
    """
    The certificates in a PEM file; at least one.

    Raises:
        BadFile: there is none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise BadFile(path, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UNREADABLE:
        raise BadFile(path, "holds no certificate that can be read") from None


def trust_pem(store: Store, ledger: Ledger, purpose: Purpose) -> bytes:
    """What the other side trusts: the certificates of the authorities of a purpose."""
    return b"".join((store.folder / each.file).read_bytes() for each in ledger.trusted(purpose))


def trust_ids(ledger: Ledger, purpose: Purpose) -> tuple[str, ...]:
    """The same as ids."""
    return tuple(each.id for each in ledger.trusted(purpose))


def serial_of(certificate: x509.Certificate) -> str:
    """A serial number in hex."""
    return f"{certificate.serial_number:x}"


def ends_soon(authority: Authority) -> bool:
    """Whether a successor is needed: two thirds of its life are over."""
    return now() >= authority.not_before + (authority.not_after - authority.not_before) * 2 / 3

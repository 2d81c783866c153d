"""
A new authority in the place of an old one, without cutting anybody off.

Two phases, and every step is written down before the next begins, so that a rotation goes on wherever it was left:
first everybody trusts both (the new one is ``incoming``), then certificates are issued anew (the old one is ``outgoing``),
and only when all are delivered is the old one dropped.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from auditor.certificates.authority import Making, Opening, add_successor, open_signer
from auditor.certificates.issue import Issued, renew
from auditor.certificates.ledger import Certificate, Ledger, Role
from auditor.certificates.profile import Purpose
from auditor.certificates.status import other
from auditor.certificates.store import Store
from auditor.errors import UsageError


@dataclass(frozen=True)
class Progress:
    """What was done now, what has to be delivered before it goes on, and whether the old authority is gone."""

    done: tuple[str, ...] = ()
    waiting: tuple[Certificate, ...] = ()
    finished: bool = False
    issued: tuple[Issued, ...] = ()


def advance(
    store: Store, purpose: Purpose, making: Making, opening: Opening, *, impatient: bool = False
) -> Progress:
    """
    Go as far as can be gone now. ``impatient`` does not wait for deliveries: who lacks one is cut off.

    Raises:
        UsageError: there is no authority.
        AuditorError: one cannot be opened, or nothing be written.
    """
    done, issued = list[str](), list[Issued]()
    if not _has(ledger := store.load(), purpose, "incoming", "outgoing"):
        _begin(store, ledger, purpose, making, opening)
        done.append(f"made a new authority for {purpose}s; both are trusted now")
    if _has(ledger := store.load(), purpose, "incoming"):
        if (waiting := _lack_trust(ledger, purpose)) and not impatient:
            return Progress(tuple(done), tuple(waiting))
        _set_roles(store, ledger, purpose, {"active": "outgoing", "incoming": "active"})
        done.append(f"the new authority signs for {purpose}s from now on")
    issued += _issue_anew(store, purpose, opening)
    ledger = store.load()
    if (waiting := _lack_certificate(ledger, purpose)) and not impatient:
        return Progress(tuple(done), tuple(waiting), issued=tuple(issued))
    _set_roles(store, ledger, purpose, {"outgoing": "retired"})
    done.append(f"the old authority for {purpose}s is retired")
    return Progress((*done,), tuple(_lack_trust(store.load(), purpose)), finished=True, issued=tuple(issued))


def _has(ledger: Ledger, purpose: Purpose, *roles: Role) -> bool:
    return any(each.purpose is purpose and each.role in roles for each in ledger.authorities)


def _begin(store: Store, seen: Ledger, purpose: Purpose, making: Making, opening: Opening) -> None:
    old = seen.issuer(purpose)
    if not old:
        raise UsageError(f"there is no authority for {purpose}s to replace: 'auditor certs init'")
    passphrase = opening.passphrase if old.encrypted else ""
    open_signer(store, old, passphrase)  # a wrong passphrase must not become the new authority's
    with store.locked():
        store.commit(add_successor(store, _unmoved(store, seen), old, making, passphrase))


def _set_roles(store: Store, seen: Ledger, purpose: Purpose, roles: dict[Role, Role]) -> None:
    with store.locked():
        ledger = _unmoved(store, seen)
        for each in ledger.authorities:
            if each.purpose is purpose and each.role in roles:
                ledger = ledger.with_authority(msgspec.structs.replace(each, role=roles[each.role]))
        store.commit(ledger)


def _unmoved(store: Store, seen: Ledger) -> Ledger:
    """The ledger, if its authorities are as they were seen: a step is taken from where one looked, or not at all."""
    ledger = store.load()
    if ledger.authorities != seen.authorities:
        raise UsageError(
            "somebody else changes the authorities at this moment: call it again, it goes on where they are"
        )
    return ledger


def _issue_anew(store: Store, purpose: Purpose, opening: Opening) -> Iterable[Issued]:
    """Certificates of outgoing authorities, one by one, so that a run that is cut off has lost none."""
    ledger = store.load()
    old = [each for each in ledger.current(purpose) if ledger.authority(each.authority).role == "outgoing"]
    for each in old:
        yield from renew(store, [each], opening)


def _lack_trust(ledger: Ledger, purpose: Purpose) -> list[Certificate]:
    """Those of the other side that were delivered with other authorities to trust than today's."""
    wanted = {each.id for each in ledger.trusted(purpose)}
    return [
        each
        for each in ledger.current(other(purpose))
        if (delivery := ledger.deliveries.get(each.label)) and set(delivery.trust) != wanted
    ]


def _lack_certificate(ledger: Ledger, purpose: Purpose) -> list[Certificate]:
    """Those that were issued anew and not delivered since."""
    return [
        each
        for each in ledger.current(purpose)
        if (delivery := ledger.deliveries.get(each.label)) and delivery.serial != each.serial
    ]

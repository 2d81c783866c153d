"""How every certificate and authority stands: in the ledger, and on the wire."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from ssl import PEM_cert_to_DER_cert

from auditor.certificates.authority import ends_soon, trust_ids
from auditor.certificates.ledger import TRUSTED, Certificate, Ledger, now
from auditor.certificates.profile import Purpose
from auditor.certificates.words import place
from auditor.facts.live import Port, Verdict
from auditor.probe.port import examine

_AT_ONCE = 16


class State(StrEnum):
    """How one stands; the order is that of urgency."""

    FINE = "fine"
    NOT_SEEN = "not seen"
    DUE = "due"
    EXPIRED = "expired"
    WRONG = "wrong"


@dataclass(frozen=True)
class Standing:
    """One certificate, where it is, and what to do about it (empty: nothing)."""

    certificate: Certificate
    state: State
    where: str
    advice: str = ""

    def days(self, present: datetime) -> int:
        """Whole days left."""
        return self.certificate.left(present).days


Look = Callable[[tuple[str, int]], Port]


def standings(ledger: Ledger, *, live: bool = True, look: Look = examine) -> list[Standing]:
    """How every certificate in force stands; ``live`` asks each daemon it was installed on what it serves."""
    current = ledger.current()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda each: _standing(ledger, each, look if live else None), current))


def _standing(ledger: Ledger, certificate: Certificate, look: Look | None) -> Standing:
    delivery = ledger.deliveries.get(certificate.label)
    where = delivery.place if delivery else "not delivered"
    state, advice = _in_ledger(ledger, certificate)
    spot = (
        place(delivery.place)
        if delivery and certificate.purpose is Purpose.SERVER and delivery.proved
        else None
    )
    if look and spot and delivery:
        on_wire, words = _on_wire(certificate, delivery.serial, look(spot))
        if _urgency(on_wire) > _urgency(state):
            return Standing(certificate, on_wire, where, words)
    return Standing(certificate, state, where, advice)


def due(ledger: Ledger) -> list[Certificate]:
    """The certificates in force whose time is over or nearly so, or whose authority is retired, and that can be issued anew."""
    return [each for each in ledger.current() if ledger.renews(each) and _renewal(ledger, each)[1]]


def _renewal(ledger: Ledger, certificate: Certificate) -> tuple[State, str]:
    """Whether it must be issued anew, and why; empty if not."""
    present = now()
    if certificate.left(present).total_seconds() <= 0:
        return State.EXPIRED, "it has ended"
    if ledger.authority(certificate.authority).role not in TRUSTED:
        return State.DUE, "its authority is retired"
    return State.DUE, "two thirds of its life are over" if certificate.is_due(present) else ""


def _in_ledger(ledger: Ledger, certificate: Certificate) -> tuple[State, str]:
    team = ledger.authority(certificate.authority).team
    if team and not ledger.renews(certificate):
        return State.FINE, f"team {team} is dropped: it opens no daemon that was installed since"
    state, why = _renewal(ledger, certificate)
    if why and ledger.renews(certificate):
        return state, f"{why}: auditor certs renew {certificate.name}"
    if why:
        return state, f"{why}: auditor certs client {certificate.name} --force --team TEAM"
    return _delivered(ledger, certificate)


def _delivered(ledger: Ledger, certificate: Certificate) -> tuple[State, str]:
    delivery = ledger.deliveries.get(certificate.label)
    if not delivery:
        return State.FINE, ""
    again = delivery_command(certificate)
    if delivery.serial != certificate.serial:
        return State.DUE, f"renewed, and not delivered yet: {again}"
    if set(delivery.trust) != set(trust_ids(ledger, other(certificate.purpose))):
        return State.DUE, f"the authorities it should trust have changed: {again}"
    return State.FINE, ""


def delivery_command(certificate: Certificate) -> str:
    """How one is brought to where it is used, once more."""
    if certificate.purpose is Purpose.SERVER:
        return f"auditor certs install {certificate.name}"
    return f"auditor certs bundle {certificate.name} --force"


def other(purpose: Purpose) -> Purpose:
    """The other side."""
    return Purpose.CLIENT if purpose is Purpose.SERVER else Purpose.SERVER


def _on_wire(certificate: Certificate, delivered: str, seen: Port) -> tuple[State, str]:
    if not seen.verdict.reached:
        return State.NOT_SEEN, f"its daemon does not answer ({seen.verdict})"
    if seen.verdict is not Verdict.MUTUAL_TLS:
        return (
            State.WRONG,
            f"its daemon lets others in, or fails ({seen.verdict}): auditor certs show, auditor certs install",
        )
    if not seen.chain:
        return State.NOT_SEEN, "its daemon shows its certificate to clients alone"
    served = sha256(PEM_cert_to_DER_cert(seen.chain[0])).hexdigest()
    if served == certificate.fingerprint:
        return State.FINE, ""
    if delivered != certificate.serial:
        return State.DUE, f"its daemon serves the one before: auditor certs install {certificate.name}"
    return State.WRONG, "its daemon serves another certificate: it was changed by hand, or not restarted"


def _urgency(state: State) -> int:
    return list(State).index(state)


def authority_advice(ledger: Ledger) -> list[str]:
    """What to do about authorities."""
    found = [
        f"the authority {each.id} ends on {each.not_after:%Y-%m-%d}: auditor certs rotate-ca {each.purpose}"
        for each in ledger.authorities
        if each.role == "active" and ends_soon(each)
    ]
    found += [
        f"the authorities of {each.purpose}s are being replaced: go on with auditor certs rotate-ca {each.purpose}"
        for each in ledger.authorities
        if each.role in ("incoming", "outgoing") and not each.team
    ]
    return list(dict.fromkeys(found))


def exit_code(found: Sequence[Standing], advice: Sequence[str]) -> int:
    """0 fine, 1 something is due, expired or wrong, 3 something was not seen."""
    states = {each.state for each in found}
    if states & {State.DUE, State.EXPIRED, State.WRONG} or advice:
        return 1
    return 3 if State.NOT_SEEN in states else 0

"""Certificates to a host: planned, put in place, proved, and put back when the proof fails."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from auditor.certificates.authority import trust_ids
from auditor.certificates.bundles import parts
from auditor.certificates.ledger import Certificate, Delivery, Ledger, now
from auditor.certificates.names import Names
from auditor.certificates.plan import Plan, look, make_plan
from auditor.certificates.profile import Purpose
from auditor.certificates.prove import Attempt, Credentials, credentials, prove
from auditor.certificates.session import Answer, ConnectionLost, Session, again, reachable
from auditor.certificates.status import other
from auditor.certificates.store import Store
from auditor.errors import AuditorError, UsageError
from auditor.host import Host
from auditor.transports.base import shortened

SECONDS_TO_CONFIRM = 180
SECONDS_AFTER = 120
"""How long beyond that a host may take until it is back."""
_LOCAL = "127.0.0.1"


class State(StrEnum):
    """In which state an installation left a host."""

    PLANNED = "planned"
    NEW = "new"
    OLD = "old"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Outcome:
    """What came of it; ``reason`` says why the state is not the new one or what else went wrong, ``daemon`` how it fares."""

    state: State
    reason: str = ""
    daemon: str = ""


@dataclass(frozen=True)
class Job:
    """One host, the certificate that it shall get, and how. ``listen`` is the daemon's listener, ``tcp://ADDRESS:PORT``."""

    host: Host
    certificate: Certificate
    listen: str = "tcp://0.0.0.0:2376"
    client: str = ""
    seconds: int = SECONDS_TO_CONFIRM

    @property
    def address(self) -> str:
        """How clients call the host: its address, or a name of its certificate."""
        if self.covered:
            return self.host.address
        names = self.certificate.names
        plain = next((name for name in names if not name.startswith("*.")), "")
        return plain or names[0].replace("*", self.certificate.name.partition(".")[0])

    @property
    def covered(self) -> bool:
        """Whether the certificate holds for the host's address."""
        return Names.of(self.certificate.names).covers(self.host.address)

    @property
    def port(self) -> int:
        """The daemon's port."""
        return int(self.listen.rpartition(":")[2])


@dataclass(frozen=True)
class Ready:
    """A job whose plan can be shown and carried out."""

    job: Job
    plan: Plan
    held: Credentials


Tell = Callable[[Attempt], None]


def certificate_for(ledger: Ledger, host: Host, name: str = "") -> Certificate:
    """
    The certificate of a host: under its name, or for its address.

    Raises:
        UsageError: there is none that can be installed.
    """
    current = ledger.current(Purpose.SERVER)
    found = [each for each in current if each.name == (name or host.name)]
    found = found or [
        each for each in current if host.address and not name and Names.of(each.names).covers(host.address)
    ]
    if not found:
        raise UsageError(
            f"there is no certificate for {name or host.name}: 'auditor certs server {name or host.name}', or say --certificate NAME"
        )
    if found[0].from_request:
        raise UsageError(
            f"the key of {found[0].label} never was here, so it cannot be brought: 'auditor certs bundle --for daemon-linux {found[0].name}' "
            "writes the rest"
        )
    if found[0].left(now()) <= timedelta():
        raise UsageError(
            f"{found[0].label} ended on {found[0].not_after:%Y-%m-%d}: 'auditor certs renew {found[0].name}'"
        )
    return found[0]


def prepare(store: Store, session: Session, job: Job) -> "Ready":
    """
    Find out what would change on a host, and what the proof will be made with. Changes nothing.

    Raises:
        AuditorError: it cannot be done as things are.
        HostError: the host does not tell.
    """
    ledger = store.load()
    held = credentials(store, ledger, job.certificate, job.client, _server_trust(store, ledger, job))
    pieces = parts(store, ledger, job.certificate)
    return Ready(job, make_plan(look(session, job.host.name), job.certificate, pieces, job.listen), held)


def _server_trust(store: Store, ledger: Ledger, job: Job) -> bytes:
    return (store.folder / ledger.authority(job.certificate.authority).file).read_bytes()


def apply(store: Store, session: Session, ready: Ready, tell: Tell) -> Outcome:
    """
    Put it in place and prove it. ``tell`` hears of every attempt of the proof.

    Whatever breaks on the way, the host ends in the old state or the new one; the outcome says in which, if it can be known.
    """
    try:
        outcome = _apply(session, ready, tell)
    except ConnectionLost as error:
        outcome = _after_loss(ready, str(error))
    if outcome.state is State.NEW:
        try:
            _note(store, ready.job)
        except AuditorError as error:
            return replace(outcome, reason=f"this could not be written down, install again: {error}")
    return outcome


def _apply(session: Session, ready: Ready, tell: Tell) -> Outcome:
    job, plan = ready.job, ready.plan
    if plan.nothing:
        problems = _proof(session, ready, tell)
        return Outcome(State.OLD, problems) if problems else Outcome(State.NEW)
    answer = session.run("install", plan.words(job.seconds), plan.data())
    if answer.words.get("state") != "unconfirmed":
        return _outcome(answer, plan)
    if problems := _proof(session, ready, tell):
        answer = session.run("rollback", [f"the proof failed: {shortened(problems)}"])
    else:
        answer = session.run("confirm")
    if answer.words.get("state") == "rolling":
        return _after_loss(ready, "the host put itself back before the proof was done")
    return _outcome(answer, plan)


def _proof(session: Session, ready: Ready, tell: Tell) -> str:
    """As ``_prove``; what breaks off the proof is a reason to put back, not to leave the host waiting."""
    try:
        return _prove(session, ready, tell)
    except KeyboardInterrupt:
        session.run("rollback", ["the proof was interrupted"])
        raise
    except (AuditorError, OSError, ValueError) as error:
        return f"it broke off: {error}"


def _outcome(answer: Answer, plan: Plan) -> Outcome:
    """What an answer means; a new state is ours only with our folder, since an earlier installation ended in one too."""
    words = answer.words
    complaint = shortened(answer.complaint)
    reason = "; ".join(part for part in (shortened(words.get("reason", "")), complaint) if part)
    match words.get("state"):
        case "new" if words.get("folder") == plan.folder:
            return Outcome(State.NEW)
        case "new":
            return Outcome(State.OLD, reason or "nothing was changed: it never began")
        case "old" | "busy":
            return Outcome(State.OLD, reason, words.get("daemon", ""))
    return Outcome(State.UNKNOWN, reason or f"the script ended with status {answer.status} and said nothing")


def _after_loss(ready: Ready, why: str) -> Outcome:
    """The host puts itself back when nobody confirms: wait until it has, and read what it says."""
    job = ready.job
    answer = again(job.host, job.seconds + SECONDS_AFTER)
    if answer is None:
        return Outcome(
            State.UNKNOWN,
            f"{why}, and since then the host cannot be reached, or has not come to rest. It puts itself back {job.seconds} seconds after the change; "
            f"{ready.plan.found.last} there says how it ended",
        )
    seen = _outcome(answer, ready.plan)
    return Outcome(seen.state, "; ".join(part for part in (why, seen.reason) if part), seen.daemon)


def _prove(session: Session, ready: Ready, tell: Tell) -> str:
    """What is wrong, or nothing. The port is tried from here, else from the host's own side of the SSH connection."""
    problems = list[str]()
    with _way(session, ready.job) as place:
        for attempt in prove(place, ready.job.address, ready.held):
            tell(attempt)
            if attempt.problem:
                problems.append(f"that it {attempt.what} is not so: {attempt.problem}")
    return "; ".join(problems)


@contextmanager
def _way(session: Session, job: Job) -> Iterator[tuple[str, int]]:
    direct = job.host.address or _LOCAL
    behind = bool(job.host.ssh.jumps or job.host.ssh.proxy_command)
    if not behind and reachable(direct, job.port):
        yield direct, job.port
        return
    bound = job.listen.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    with session.way_to(_LOCAL if bound in ("", "0.0.0.0", "::") else bound, job.port) as place:  # noqa: S104  compared, not bound
        yield place


def _note(store: Store, job: Job) -> None:
    with store.locked():
        ledger = store.load()
        trust = trust_ids(ledger, other(job.certificate.purpose))
        place = f"[{job.address}]:{job.port}" if ":" in job.address else f"{job.address}:{job.port}"
        delivery = Delivery(place, now(), job.certificate.serial, trust, proved=True)
        store.commit(ledger.with_delivery(job.certificate, delivery))


def missing_address(jobs: Sequence[Job]) -> Iterator[str]:
    """Lines for hosts that are reached at an address which their certificate lacks."""
    for job in jobs:
        if job.host.address and not job.covered:
            yield f"{job.host.name} is reached at {job.host.address}, which its certificate lacks; it is proved under {job.address}"

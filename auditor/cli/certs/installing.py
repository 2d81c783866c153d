"""What ``auditor certs install`` does: each host for itself, one after the other or several at once, and a table at the end."""

import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Protocol

import typer

from auditor.certificates.install import Job, Outcome, State, apply, certificate_for, missing_address, prepare
from auditor.certificates.ledger import Ledger
from auditor.certificates.prove import Attempt
from auditor.certificates.session import open_session
from auditor.certificates.status import State as Standing
from auditor.certificates.status import standings
from auditor.certificates.store import Store
from auditor.cli.certs.making import Office, caution
from auditor.cli.hosts import Reach, find_hosts
from auditor.cli.options import INVENTORY
from auditor.cli.progress import progress
from auditor.errors import AuditorError, HostError, UsageError
from auditor.fleet import Done, Started, stop_on_interrupt
from auditor.host import Host
from auditor.transports.base import shortened

_WORDS = {
    State.PLANNED: "planned only",
    State.NEW: "new state, proved",
    State.OLD: "old state",
    State.UNKNOWN: "state not known",
}
_LAST_PORT = 65535


@dataclass(frozen=True)
class Installing:
    """What the command line says of an installation; ``workers``: how many hosts at once."""

    certificate: str
    client: str
    listen: str
    patience: int
    yes: bool
    dry_run: bool
    due: bool
    workers: int = 1


class Say(Protocol):
    """Says a line: at once, or when its host is finished."""

    def __call__(self, message: str, *, err: bool = False) -> None: ...


@dataclass
class _Kept:
    """Lines kept together until their host is finished."""

    lines: list[tuple[str, bool]] = field(default_factory=list)

    def __call__(self, message: str, *, err: bool = False) -> None:
        self.lines.append((message, err))

    def tell(self) -> None:
        for message, err in self.lines:
            typer.echo(message, err=err)


def install_hosts(
    office: Office, names: Sequence[str], listed: tuple[Path | None, str], reach: Reach, how: Installing
) -> int:
    """Install on each host; the exit code says the worst, and a host in its old state is worse than one not known."""
    _refuse(how)
    store = Store(office.folder)
    ledger = store.load()
    hosts = _hosts(names, listed, reach)
    jobs, outcomes = _jobs(ledger, hosts, how)
    if how.due:
        jobs = _due(ledger, jobs)
    if not jobs and not outcomes:
        typer.echo("nothing to install: every host has its newest certificate and authorities")
        return 0
    caution(missing_address(jobs))
    if how.certificate and len(jobs) > 1:
        caution(
            [
                f"{len(jobs)} hosts would share one key: whoever takes it from one of them passes for all of them"
            ]
        )
    outcomes |= _install_all(store, jobs, how)
    if len(outcomes) > 1:
        typer.echo(
            "\n".join(_table({host.name: outcomes[host.name] for host in hosts if host.name in outcomes}))
        )
    if any(outcome.state is State.OLD for outcome in outcomes.values()):
        return 1
    return 3 if any(outcome.reason for outcome in outcomes.values()) else 0


def _refuse(how: Installing) -> None:
    port = how.listen.rpartition(":")[2]
    if not how.listen.startswith("tcp://") or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        raise UsageError(f"--listen {how.listen!r}: it is written tcp://ADDRESS:PORT")
    if how.workers > 1 and not (how.yes or how.dry_run):
        raise UsageError(
            "--workers: only with --yes or --dry-run, since you are asked for one host at a time"
        )


def _hosts(names: Sequence[str], listed: tuple[Path | None, str], reach: Reach) -> tuple[Host, ...]:
    """Hosts as the audit finds them; a bare name is one of the inventory."""
    path, limit = listed
    bare = [name for name in names if name != "local" and "://" not in name]
    if bare and len(bare) < len(names):
        raise UsageError("name hosts of the inventory, or hosts by ssh://, not both at once")
    if bare and not (path or INVENTORY.exists()):
        raise UsageError(
            f"there is no inventory.yaml here that says how to reach {bare[0]}: name it as ssh://user@{bare[0]}, or give --inventory FILE"
        )
    return (
        find_hosts([], path, ",".join(bare) or limit, reach)
        if bare
        else find_hosts(names, path, limit, reach)
    )


def _jobs(ledger: Ledger, hosts: Sequence[Host], how: Installing) -> tuple[list[Job], dict[str, Outcome]]:
    """What is to be done, and the hosts for which there is nothing to bring: of several, one such stops no other."""
    jobs, without = list[Job](), dict[str, Outcome]()
    for host in hosts:
        try:
            certificate = certificate_for(ledger, host, how.certificate)
            jobs.append(Job(host, certificate, how.listen, how.client, how.patience))
        except UsageError as error:
            if len(hosts) == 1:
                raise
            without[host.name] = Outcome(State.OLD, f"nothing was changed: {error}")
            _said(host.name, without[host.name], typer.echo)
    return jobs, without


def _due(ledger: Ledger, jobs: Sequence[Job]) -> list[Job]:
    """Those that lack the newest certificate or authorities."""
    due = {each.certificate.label for each in standings(ledger, live=False) if each.state is Standing.DUE}
    return [
        job for job in jobs if job.certificate.label in due or job.certificate.label not in ledger.deliveries
    ]


def _install_all(store: Store, jobs: Sequence[Job], how: Installing) -> dict[str, Outcome]:
    if how.workers > 1:
        return _at_once(store, jobs, how)
    outcomes = dict[str, Outcome]()
    for number, job in enumerate(jobs, 1):
        _headline(number, jobs, job)
        outcomes[job.host.name] = _install(store, job, how, typer.echo)
    return outcomes


def _at_once(store: Store, jobs: Sequence[Job], how: Installing) -> dict[str, Outcome]:
    """Several at a time; each one's lines are told when it is finished. Ctrl-C begins no further one."""
    outcomes, kept = dict[str, Outcome](), {job.host.name: _Kept() for job in jobs}
    with (
        stop_on_interrupt() as stop,
        progress(len(jobs), shown=True) as bar,
        ThreadPoolExecutor(how.workers) as pool,
    ):
        tell = bar or (lambda _event: None)

        def work(job: Job) -> Outcome:
            tell(Started(job.host))
            return _unless(stop, store, job, how, kept[job.host.name])

        running = {pool.submit(work, job): job for job in jobs}
        for number, each in enumerate(as_completed(running), 1):
            job = running[each]
            outcomes[job.host.name] = each.result()
            tell(Done(job.host, None, 0))
            _headline(number, jobs, job)
            kept[job.host.name].tell()
    return outcomes


def _unless(stop: Event, store: Store, job: Job, how: Installing, say: Say) -> Outcome:
    if stop.is_set():
        return _said(
            job.host.name, Outcome(State.OLD, "nothing was changed: interrupted before it began"), say
        )
    return _install(store, job, how, say)


def _headline(number: int, jobs: Sequence[Job], job: Job) -> None:
    if len(jobs) > 1:
        typer.echo(f"\n[{number}/{len(jobs)}] {job.host.name}")


def _install(store: Store, job: Job, how: Installing, say: Say) -> Outcome:
    """One host; what stops it is said, and the next one's turn comes."""
    name, began = job.host.name, False
    try:
        with open_session(job.host) as session:
            ready = prepare(store, session, job)
            say("\n".join([f"{name}: {job.certificate.label}", *(f"  {line}" for line in ready.plan.text())]))
            for line in ready.plan.cautions:
                say(f"caution: {line}", err=True)
            if how.dry_run:
                return Outcome(State.PLANNED)
            if not (
                how.yes or ready.plan.nothing or typer.confirm(f"Change {name} so, and restart its daemon?")
            ):
                return _said(name, Outcome(State.OLD, "you said no"), say)
            began = True
            return _said(name, apply(store, session, ready, lambda attempt: _tell(attempt, say)), say)
    except (AuditorError, HostError) as error:
        return _said(name, _stopped(str(error), job, began=began), say)
    except Exception as error:  # noqa: BLE001  the fence around one host: it must stop no other
        say(traceback.format_exc().rstrip(), err=True)
        return _said(name, _stopped(f"a fault of ours: {error!r}", job, began=began), say)
    except KeyboardInterrupt:
        if began:
            say(
                f"{name}: interrupted; if nobody confirms, it puts itself back within {job.seconds} s",
                err=True,
            )
        raise


def _stopped(why: str, job: Job, *, began: bool) -> Outcome:
    if not began:
        return Outcome(State.OLD, f"nothing was changed: {why}")
    return Outcome(
        State.UNKNOWN, f"after the change: {why}; unconfirmed it puts itself back within {job.seconds} s"
    )


def _tell(attempt: Attempt, say: Say) -> None:
    say(
        f"  {'NO ' if attempt.problem else 'yes'} {attempt.what}{f': {attempt.problem}' if attempt.problem else ''}"
    )


def _said(name: str, outcome: Outcome, say: Say) -> Outcome:
    if outcome.state is State.NEW:
        say(f"{name}: is in the new state, proved")
        if outcome.reason:
            say(f"{name}: {outcome.reason}", err=True)
        return outcome
    state = "its state is not known" if outcome.state is State.UNKNOWN else "is in the old state"
    daemon = f"; its daemon {outcome.daemon}" if outcome.daemon else ""
    say(f"{name}: {state} ({outcome.reason}){daemon}", err=True)
    return outcome


def _table(outcomes: dict[str, Outcome]) -> Iterator[str]:
    """How each host ended, and how many so."""
    width, states = max(map(len, outcomes)), max(map(len, _WORDS.values()))
    yield ""
    for name, outcome in outcomes.items():
        yield f"{name:<{width}}  {_WORDS[outcome.state]:<{states}}  {shortened(outcome.reason)}".rstrip()
    counted = Counter(outcome.state for outcome in outcomes.values())
    parts = [f"{counted[state]} {words}" for state, words in _WORDS.items() if counted[state]]
    incomplete = " (incomplete: see the table)" if counted[State.UNKNOWN] else ""
    yield f"{len(outcomes)} hosts: {', '.join(parts)}{incomplete}"

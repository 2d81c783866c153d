"""What ``auditor certs`` does to bring certificates to where they are used, and to replace them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from auditor.certificates import bundles
from auditor.certificates import rotate as rotation
from auditor.certificates.authority import Making, drop_team
from auditor.certificates.install import Job, Outcome, State, apply, certificate_for, missing_address, prepare
from auditor.certificates.issue import renew
from auditor.certificates.keys import KeyType
from auditor.certificates.ledger import Certificate, Ledger, now
from auditor.certificates.profile import Purpose
from auditor.certificates.prove import Attempt
from auditor.certificates.session import open_session
from auditor.certificates.status import State as Standing
from auditor.certificates.status import standings
from auditor.certificates.store import Store
from auditor.cli.certs.making import Office, caution, report
from auditor.cli.hosts import Reach, find_hosts
from auditor.errors import AuditorError, HostError, UsageError
from auditor.host import Host

_WORDS: dict[State | None, str] = {
    None: "planned only",
    State.NEW: "new state, proved",
    State.OLD: "old state",
    State.UNKNOWN: "state not known",
}
_SUFFIXES = {"context": ".dockercontext", "azure-devops": ".json", "pkcs12": ".p12"}


def write_bundle(office: Office, name: str, layout: str, output: Path | None, url: str) -> None:
    """Write a bundle and say where."""
    store = Store(office.folder)
    certificate = bundles.find(store.load(), layout, name)
    place = output or Path(name + _SUFFIXES.get(layout, ""))
    for path in bundles.write(store, layout, certificate, place, url, replace=office.force):
        typer.echo(path)
    caution(
        ["the password opens the .p12: send it another way, then delete its file"]
        if layout == "pkcs12"
        else []
    )


@dataclass(frozen=True)
class Installing:
    """What the command line says of an installation."""

    certificate: str
    client: str
    listen: str
    patience: int
    yes: bool
    dry_run: bool
    due: bool


def install_hosts(
    office: Office, names: Sequence[str], listed: tuple[Path | None, str], reach: Reach, how: Installing
) -> int:
    """Install on one host after the other; the exit code says the worst."""
    store = Store(office.folder)
    ledger = store.load()
    _refuse(how)
    hosts = _hosts(names, listed, reach)
    jobs, without = _jobs(ledger, hosts, how)
    if how.due:
        wanted = {
            each.certificate.label for each in standings(ledger, live=False) if each.state is Standing.DUE
        }
        jobs = [
            job
            for job in jobs
            if job.certificate.label in wanted or job.certificate.label not in ledger.deliveries
        ]
    caution(missing_address(jobs))
    outcomes = {job.host.name: _install(store, job, how) for job in jobs} | without
    if len(outcomes) > 1:
        typer.echo(
            "".join(
                f"\n{host.name}: {_WORDS[outcomes[host.name]]}" for host in hosts if host.name in outcomes
            )
        )
    states = set(outcomes.values())
    return 3 if State.UNKNOWN in states else int(State.OLD in states)


def _jobs(
    ledger: Ledger, hosts: Sequence[Host], how: Installing
) -> tuple[list[Job], dict[str, State | None]]:
    """What is to be done, and the hosts for which there is nothing to bring: of several, one such stops no other."""
    jobs, without = list[Job](), dict[str, State | None]()
    for host in hosts:
        try:
            jobs.append(_job(ledger, host, how))
        except UsageError as error:
            if len(hosts) == 1:
                raise
            without[host.name] = _said(host.name, Outcome(State.OLD, f"nothing was changed: {error}"))
    return jobs, without


def _hosts(names: Sequence[str], listed: tuple[Path | None, str], reach: Reach) -> tuple[Host, ...]:
    """Hosts as the audit finds them; a bare name is one of the inventory."""
    path, limit = listed
    bare = [name for name in names if name != "local" and "://" not in name]
    if bare and len(bare) < len(names):
        raise UsageError("name hosts of the inventory, or hosts by ssh://, not both at once")
    return (
        find_hosts([], path, ",".join(bare) or limit, reach)
        if bare
        else find_hosts(names, path, limit, reach)
    )


def _refuse(how: Installing) -> None:
    if not how.listen.startswith("tcp://") or not how.listen.rpartition(":")[2].isdigit():
        raise UsageError(f"--listen {how.listen!r}: it is written tcp://ADDRESS:PORT")


def _job(ledger: Ledger, host: Host, how: Installing) -> Job:
    certificate = certificate_for(ledger, host, how.certificate)
    return Job(host, certificate, how.listen, how.client, how.patience)


def _install(store: Store, job: Job, how: Installing) -> State | None:
    """One host, None where it was only planned; what stops it is said, and the next one's turn comes."""
    name, began = job.host.name, False
    try:
        with open_session(job.host) as session:
            ready = prepare(store, session, job)
            typer.echo(
                "\n".join([f"{name}: {job.certificate.label}", *(f"  {line}" for line in ready.plan.text())])
            )
            caution(ready.plan.cautions)
            if how.dry_run:
                return None
            if not (
                how.yes or ready.plan.nothing or typer.confirm(f"Change {name} so, and restart its daemon?")
            ):
                return _said(name, Outcome(State.OLD, "you said no"))
            began = True
            return _said(name, apply(store, session, ready, _tell))
    except (AuditorError, HostError) as error:
        if began:
            return _said(name, Outcome(State.UNKNOWN, f"after the change: {error}"))
        return _said(name, Outcome(State.OLD, f"nothing was changed: {error}"))


def _tell(attempt: Attempt) -> None:
    typer.echo(
        f"  {'NO ' if attempt.problem else 'yes'} {attempt.what}{f': {attempt.problem}' if attempt.problem else ''}"
    )


def _said(name: str, outcome: Outcome) -> State:
    if outcome.state is State.NEW:
        typer.echo(f"{name}: is in the new state, proved")
        return outcome.state
    state = "its state is not known" if outcome.state is State.UNKNOWN else "is in the old state"
    daemon = f"; its daemon {outcome.daemon}" if outcome.daemon else ""
    typer.echo(f"{name}: {state} ({outcome.reason}){daemon}", err=True)
    return outcome.state


def renew_certificates(office: Office, names: Sequence[str], *, due: bool) -> int:
    """Issue anew; 1 when what was issued has to be delivered."""
    if bool(names) == due:
        raise UsageError("name certificates, or say --due")
    store = Store(office.folder)
    ledger = store.load()
    chosen = [each for each in ledger.current() if (each.is_due(now()) if due else each.name in names)]
    if unknown := set(names) - {each.name for each in chosen}:
        raise UsageError(
            f"there is no certificate {', '.join(sorted(unknown))}: 'auditor certs status' lists them"
        )
    report(renew(store, chosen, office.passphrase.opening()), office.folder)
    undelivered = [each for each in chosen if each.label in ledger.deliveries]
    typer.echo("\n".join(_deliver(undelivered)) if undelivered else f"renewed {len(chosen)}")
    return int(bool(undelivered))


def _deliver(certificates: Iterable[Certificate]) -> list[str]:
    """A line for each certificate that has to be delivered."""
    verbs = {Purpose.SERVER: "install", Purpose.CLIENT: "bundle"}
    return [
        f"to deliver: {each.label} (auditor certs {verbs[each.purpose]} {each.name})" for each in certificates
    ]


def rotate(office: Office, side: str, key: str, team: str) -> int:
    """Go on with a rotation as far as can be gone; 1 while something has to be delivered."""
    store, purpose = Store(office.folder), Purpose(side)
    if team:
        ledger = drop_team(store, team)
        typer.echo(f"team {team} is dropped; each daemon lets it in until it has been installed again")
        lines = _deliver(each for each in ledger.current(Purpose.SERVER) if each.label in ledger.deliveries)
        typer.echo("\n".join(lines) or "no daemon to install again")
        return int(bool(lines))
    went = rotation.advance(
        store, purpose, Making(KeyType(key)), office.passphrase.opening(), impatient=office.force
    )
    for line in went.done:
        typer.echo(line)
    report(went.issued, office.folder)
    for line in _deliver(went.waiting):
        typer.echo(line)
    if not went.finished:
        typer.echo(f"then go on with: auditor certs rotate-ca {side}")
    return int(bool(went.waiting) or not went.finished)

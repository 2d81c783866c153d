"""What ``auditor certs`` does to bring certificates to where they are used, and to replace them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from auditor.certificates import bundles
from auditor.certificates import rotate as rotation
from auditor.certificates.authority import Making, drop_team
from auditor.certificates.issue import forget, named, renew
from auditor.certificates.keys import KeyType
from auditor.certificates.ledger import Certificate, Ledger, now
from auditor.certificates.profile import Purpose
from auditor.certificates.status import delivery_command
from auditor.certificates.status import due as due_ones
from auditor.certificates.store import Store
from auditor.cli.certs.making import Office, caution, report
from auditor.errors import UsageError

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


def renew_certificates(office: Office, names: Sequence[str], *, due: bool) -> int:
    """Issue anew; 1 when what was issued has to be delivered."""
    if bool(names) == due:
        raise UsageError("name certificates, or say --due")
    store = Store(office.folder)
    ledger = store.load()
    chosen = due_ones(ledger) if due else named(ledger, names)
    report(renew(store, chosen, office.passphrase.opening()), office.folder)
    undelivered = [each for each in chosen if each.label in ledger.deliveries]
    if not chosen:
        typer.echo("nothing is due")
    else:
        typer.echo("\n".join(_deliver(ledger, undelivered)) if undelivered else f"renewed {len(chosen)}")
    return int(bool(undelivered))


def forget_certificates(office: Office, names: Sequence[str]) -> None:
    """Forget, and say what that does not do."""
    for each in forget(Store(office.folder), names):
        typer.echo(f"forgot {each.label}: it is watched and renewed no more")
        if each.purpose is Purpose.CLIENT and each.not_after > now():
            until = f"{each.not_after:%Y-%m-%d}, for Docker knows no revocation"
            caution(
                [
                    f"{each.label} still opens every daemon until {until}; today only 'auditor certs rotate-ca client' locks it out"
                ]
            )


def _deliver(ledger: Ledger, certificates: Iterable[Certificate]) -> list[str]:
    """A line for each certificate that has to be delivered, with where its last one went."""
    return [
        f"to deliver: {each.label}, to {ledger.deliveries[each.label].place} ({delivery_command(each)})"
        for each in certificates
    ]


def rotate(office: Office, side: str, key: str, team: str) -> int:
    """Go on with a rotation as far as can be gone; 1 while something has to be delivered."""
    store, purpose = Store(office.folder), Purpose(side)
    if team:
        ledger = drop_team(store, team)
        typer.echo(f"team {team} is dropped; each daemon lets it in until it has been installed again")
        lines = _deliver(
            ledger, (each for each in ledger.current(Purpose.SERVER) if each.label in ledger.deliveries)
        )
        typer.echo("\n".join(lines) or "no daemon to install again")
        return int(bool(lines))
    went = rotation.advance(
        store, purpose, Making(KeyType(key)), office.passphrase.opening(), impatient=office.force
    )
    for line in went.done:
        typer.echo(line)
    report(went.issued, office.folder)
    for line in _deliver(store.load(), went.waiting):
        typer.echo(line)
    if not went.finished:
        typer.echo(f"then go on with: auditor certs rotate-ca {side}")
    return int(bool(went.waiting) or not went.finished)

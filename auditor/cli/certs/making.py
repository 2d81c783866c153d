"""What ``auditor certs`` does to make certificates."""

import getpass
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from auditor.certificates.authority import Making, Opening, add_team, init
from auditor.certificates.issue import Issued, Request, issue, read_request
from auditor.certificates.keys import CAUTIONS, KeyType, check_passphrase
from auditor.certificates.ledger import now
from auditor.certificates.names import NO_NAMES, Constraints, Names, identity, is_shared
from auditor.certificates.profile import Purpose
from auditor.certificates.store import Store, write_new
from auditor.errors import UsageError
from auditor.host import Host

_VARIABLE = "AUDITOR_CERTS_PASSPHRASE"


@dataclass(frozen=True)
class Passphrase:
    """Where the authorities' passphrase is to be had."""

    variable: str = ""
    file: Path | None = None
    none: bool = False

    def opening(self) -> Opening:
        """For keys that there are."""
        return Opening(lambda: self._fetch() or self._ask("Passphrase of the authorities: "))

    def new(self) -> str:
        """For keys that are made; empty when they shall lie unprotected."""
        if self.none:
            return ""
        if given := self._fetch():
            return check_passphrase(given)
        first = check_passphrase(self._ask("New passphrase for the authorities: ", ", or --no-passphrase"))
        if first != self._ask("Once more: "):
            raise UsageError("the two passphrases differ: try again")
        return first

    def _ask(self, prompt: str, more: str = "") -> str:
        if not sys.stdin.isatty():
            raise UsageError(
                f"the authorities' keys need a passphrase, and there is no terminal to ask at: --passphrase-env, --passphrase-file{more}"
            )
        return getpass.getpass(prompt)

    def _fetch(self) -> str:
        from auditor.inventory.secrets import FromEnvironment, FromFile  # noqa: PLC0415  it loads all of the inventory

        if self.variable and self.file:
            raise UsageError("give --passphrase-env or --passphrase-file, not both")
        if self.variable or (not self.file and os.environ.get(_VARIABLE)):
            return FromEnvironment(self.variable or _VARIABLE).reveal()
        return FromFile(self.file).reveal() if self.file else ""


@dataclass(frozen=True)
class Office:
    """Where certificates are kept, how their authorities are opened, and whether what there is may be replaced."""

    folder: Path
    passphrase: Passphrase = Passphrase()
    force: bool = False

    def issue(self, requests: Sequence[Request]) -> list[Issued]:
        """Issue them all, or none."""
        return issue(Store(self.folder), requests, self.passphrase.opening())


@dataclass(frozen=True)
class Wish:
    """What a certificate shall be like; ``days`` 0: what is usual."""

    key: str = "p256"
    days: int = 0
    team: str = ""


def caution(lines: Iterable[str]) -> None:
    """Say on standard error what is allowed and yet asks for trouble."""
    for line in dict.fromkeys(filter(None, lines)):
        typer.echo(f"caution: {line}", err=True)


def listed(text: str) -> list[str]:
    """The parts of a list with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def init_authorities(
    office: Office, organisation: str, teams: Sequence[str], wish: Wish, constrain: str
) -> None:
    """Make the authorities, or those of more teams where there are some."""
    store = Store(office.folder)
    making = Making(KeyType(wish.key), wish.days, Constraints.of(listed(constrain)))
    caution(_key_cautions(making.key, "Python's cryptography takes no Ed25519 authority"))
    if teams and store.exists and not office.force:
        for team in teams:
            add_team(store, team, making, office.passphrase.opening())
            typer.echo(f"team {team} has an authority; install again on hosts that shall let it in")
        return
    if store.exists and not office.force:
        raise UsageError(
            f"{office.folder} has authorities: go on with 'auditor certs server', or say --force to retire them"
        )
    if office.passphrase.none:
        caution([f"whoever reads {office.folder} can sign for every host: keep it on an encrypted disk"])
    ledger = init(store, organisation, teams, making, office.passphrase.new(), anew=office.force)
    for each in ledger.authorities:
        if each.role == "active":
            typer.echo(f"made the authority {each.id}, valid to {each.not_after:%Y-%m-%d}")
    typer.echo(
        f"next: auditor certs server HOST, auditor certs client NAME. Back up {office.folder}: nobody can make it again"
    )


def _key_cautions(kind: KeyType, of_ed25519: str = "") -> list[str]:
    return [CAUTIONS.get(kind, ""), of_ed25519 if kind is KeyType.ED25519 else ""]


def issue_servers(office: Office, words_: Sequence[str], hosts: Sequence[Host], wish: Wish) -> None:
    """Issue for hosts named, or for all of the inventory's ``hosts``."""
    known = {host.name: host for host in hosts}
    if not words_ and not known:
        raise UsageError("name hosts, or give --inventory FILE")
    named = dict(_named(word) for word in words_) if words_ else dict.fromkeys(known, ())
    requests = [
        Request(
            Purpose.SERVER,
            name,
            Names.of(given or _names_of(name, known.get(name))),
            wish.days,
            KeyType(wish.key),
            replacing=office.force,
        )
        for name, given in named.items()
    ]
    caution(_key_cautions(KeyType(wish.key)))
    caution(line for each in requests for line in missing(each.name, each.names, known.get(each.name)))
    if not words_ and not office.force:
        requests = _lacking(Store(office.folder), requests)
        if not requests:
            typer.echo(
                "nothing to issue: every host has its certificate ('auditor certs renew --due' makes new ones in time)"
            )
            return
    report(office.issue(requests), office.folder)


def _lacking(store: Store, requests: Sequence[Request]) -> list[Request]:
    """
    Of a whole inventory's requests those whose host has no certificate that holds and has these names; the others are told.

    Names that a certificate has beside the inventory's were asked for once: they stay.
    """
    ledger, wanted = store.load(), list[Request]()
    for each in requests:
        held = ledger.find(each.purpose, each.name)
        if held is None:
            wanted.append(each)
            continue
        missing_names = sorted(set(each.names.texts) - set(held.names))
        holds = held.not_after > now() and ledger.authority(held.authority).role == "active"
        if holds and not missing_names:
            typer.echo(f"{each.name} has a certificate, valid to {held.not_after:%Y-%m-%d}")
            continue
        why = f"lacks {', '.join(missing_names)}" if missing_names else "holds no longer"
        typer.echo(f"{each.name} has a certificate that {why}")
        names = Names.of(dict.fromkeys((*held.names, *each.names.texts)))
        wanted.append(replace(each, names=names, replacing=True))
    return wanted


def known_hosts(inventory: Path | None, limit: str) -> tuple[Host, ...]:
    """The hosts of an inventory, or of ./inventory.yaml if it is there; else none. Recorded answers are no hosts."""
    from auditor.cli.options import INVENTORY  # noqa: PLC0415  only where an inventory may be

    if not (inventory or limit or INVENTORY.exists()):
        return ()
    from auditor.cli.hosts import from_inventory  # noqa: PLC0415  it loads all that audits need

    return tuple(host for host in from_inventory(inventory, limit) if host.transport != "bundle")


def _named(word: str) -> tuple[str, tuple[str, ...]]:
    name, equals, names = word.partition("=")
    try:
        identity(name)
    except UsageError:
        raise UsageError(
            f"{word!r}: write NAME=ADDRESS: a name of letters, digits, '.', '-' for the host, then what clients use"
        ) from None
    if equals and not listed(names):
        raise UsageError(f"{word!r}: after '=' come the names and addresses that clients use")
    return name, tuple(listed(names))


def _names_of(name: str, host: Host | None) -> tuple[str, ...]:
    """What clients of a host call it: its address and its name in the inventory."""
    return (host.address, name) if host and host.address and host.address != name else (name,)


def missing(name: str, names: Names, host: Host | None) -> list[str]:
    """A line for an address in use that a certificate lacks."""
    if host and host.address and not names.covers(host.address):
        return [
            f"{name} is reached at {host.address} ({host.source}), which its certificate lacks: add it, if docker clients use it too"
        ]
    return []


def issue_clients(office: Office, names: Sequence[str], wish: Wish) -> None:
    """Issue for clients."""
    kind = KeyType(wish.key)
    caution(_key_cautions(kind))
    caution(
        f"{name} sounds like something that several share: give each person and pipeline a name of its own"
        for name in names
        if is_shared(name)
    )
    requests = [
        Request(Purpose.CLIENT, name, days=wish.days, key=kind, team=wish.team, replacing=office.force)
        for name in dict.fromkeys(names)
    ]
    report(office.issue(requests), office.folder)


def report(issued: Sequence[Issued], folder: Path) -> None:
    """Say what was issued."""
    for each in issued:
        one = each.certificate
        names = f" for {', '.join(one.names)}" if one.names else ""
        typer.echo(f"issued {one.label}{names}, valid to {one.not_after:%Y-%m-%d}: {folder / one.file}")
        caution(each.cautions)


def sign_request(office: Office, path: Path, request: Request, names: str, output: Path | None) -> None:
    """Sign what a file asks for, and write the certificate with its chain. ``names`` and the request's own name win."""
    public, common, asked = read_request(path)
    name = request.name or common
    if not name:
        raise UsageError(f"{path} names nobody: say --as NAME")
    if output and output.exists() and not office.force:
        raise UsageError(f"{output} exists: choose another place, or say --force to replace it")
    given = Names.of(listed(names) or asked or [name]) if request.purpose is Purpose.SERVER else NO_NAMES
    issued = office.issue([replace(request, name=name, names=given, public=public)])
    content = (office.folder / issued[0].certificate.file).read_bytes()
    if output:
        write_new(output, content, mode=0o644, replace=office.force)
        report(issued, office.folder)
    else:
        typer.echo(content.decode(), nl=False)
        caution(issued[0].cautions)

"""What ``auditor certs`` does, as far as it makes, shows and lists certificates."""

import getpass
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import typer

from auditor.certificates import explain, words
from auditor.certificates.authority import Making, Opening, add_team, init
from auditor.certificates.issue import Issued, Request, issue, read_request
from auditor.certificates.keys import CAUTIONS, KeyType, check_passphrase
from auditor.certificates.ledger import Ledger, now
from auditor.certificates.names import NO_NAMES, Constraints, Names, identity, is_shared
from auditor.certificates.profile import Purpose
from auditor.certificates.status import Standing, State, authority_advice, exit_code, standings
from auditor.certificates.store import Store, write_new
from auditor.errors import UsageError
from auditor.host import Host
from auditor.inventory.secrets import FromEnvironment, FromFile

_VARIABLE = "AUDITOR_CERTS_PASSPHRASE"


@dataclass(frozen=True)
class Passphrase:
    """Where the authorities' passphrase is to be had."""

    variable: str = ""
    file: Path | None = None
    none: bool = False

    def opening(self) -> Opening:
        """For keys that there are."""
        return Opening(lambda: self._fetch() or getpass.getpass("Passphrase of the authorities: "))

    def new(self) -> str:
        """For keys that are made; empty when they shall lie unprotected."""
        if self.none:
            return ""
        if given := self._fetch():
            return check_passphrase(given)
        if not sys.stdin.isatty():
            raise UsageError(
                "the authorities' keys need a passphrase: --passphrase-env, --passphrase-file, or --no-passphrase"
            )
        first = check_passphrase(getpass.getpass("New passphrase for the authorities: "))
        if first != getpass.getpass("Once more: "):
            raise UsageError("the two passphrases differ: try again")
        return first

    def _fetch(self) -> str:
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
    report(office.issue(requests), office.folder)


def known_hosts(inventory: Path | None, limit: str) -> tuple[Host, ...]:
    """The hosts of an inventory, or of ./inventory.yaml if it is there; else none."""
    from auditor.cli.hosts import from_inventory  # noqa: PLC0415
    from auditor.cli.options import INVENTORY  # noqa: PLC0415  only where an inventory is asked for

    return from_inventory(inventory, limit) if inventory or limit or INVENTORY.exists() else ()


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


def show_anything(folder: Path, what: str) -> None:
    """Say in words what something is."""
    path = Path(what).expanduser() if what else folder
    if what and not path.exists():
        ledger = Store(folder).load() if Store(folder).exists else Ledger()
        if found := [each for each in ledger.current() if each.name == what]:
            for each in found:
                _print(words.show_path(folder / each.file))
            return
        if spot := words.place(what):
            _print(words.show_port(*spot))
            return
        raise UsageError(f"{what!r} is no file or folder here, no certificate of {folder}, and no HOST:PORT")
    _print(words.show_path(path))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo("".join(sign if sign.isprintable() else "?" for sign in line))


def explain_text(text: str) -> int:
    """Explain an error text; 1 when it is not known."""
    found = explain.explain(sys.stdin.read() if text == "-" else text)
    if not found:
        typer.echo(
            "this text is not known; see both sides with 'auditor certs show HOST:2376' and 'auditor certs show FOLDER'"
        )
        return 1
    typer.echo("\n\n".join(f"{each.cause}\nWhat to do: {each.fix}" for each in found))
    return 0


def print_status(folder: Path, *, live: bool, as_json: bool) -> int:
    """Print how everything stands; the exit code says the worst."""
    store = Store(folder)
    ledger = store.load()
    found, advice = standings(ledger, live=live), authority_advice(ledger)
    code = exit_code(found, advice)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode([_row(each) for each in found])).decode())
        return code
    for each in sorted(found, key=lambda one: one.certificate.not_after):
        _print([_line(each)])
    _print(advice)
    _print(
        f"{name}: left by a run that was cut off; nothing uses it, delete it"
        for name in store.leftovers(ledger)
    )
    if not found:
        typer.echo("no certificate issued yet: auditor certs server HOST, auditor certs client NAME")
    return code


def _row(each: Standing) -> dict[str, object]:
    one = each.certificate
    return {
        "purpose": one.purpose,
        "name": one.name,
        "state": each.state,
        "days_left": each.days(now()),
        "not_after": one.not_after,
        "names": one.names,
        "serial": one.serial,
        "fingerprint": one.fingerprint,
        "where": each.where,
        "advice": each.advice,
    }


def _line(each: Standing) -> str:
    left = (
        f"{each.days(now())} days left"
        if each.state is not State.EXPIRED
        else f"ended {each.certificate.not_after:%Y-%m-%d}"
    )
    return f"{each.state:<9} {each.certificate.label:<28} {left:<18} {each.where}{f'  -> {each.advice}' if each.advice else ''}"

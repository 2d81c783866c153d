"""What ``auditor certs`` does to show certificates, explain errors, and say how everything stands."""

import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec
import typer

from auditor.certificates import explain, words
from auditor.certificates.ledger import Ledger, now
from auditor.certificates.status import Standing, State, authority_advice, exit_code, standings
from auditor.certificates.store import Store
from auditor.errors import UsageError


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
    found = explain.explain(sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text)
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
        for line in advice:
            typer.echo(line, err=True)
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

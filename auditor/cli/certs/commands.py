"""``auditor certs``: commands and options. What they do stands in the modules beside this one, imported when a command runs."""

# ruff: noqa: D301, PLC0415  \b keeps lines apart in the help; --help must not wait for what it does not need

import sys
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.certs import delivery_commands
from auditor.cli.certs.options import (
    MOST_DAYS,
    PKI,
    Days,
    Dir,
    Force,
    Inventory,
    Key,
    KeyKind,
    Limit,
    PassphraseEnv,
    PassphraseFile,
    Side,
    Team,
)

app = typer.Typer(
    name="certs",
    help="Make, install, prove and renew TLS certificates for Docker daemons and their clients.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.command()
def init(
    *,
    folder: Dir = PKI,
    organisation: Annotated[str, typer.Option(metavar="NAME", help="Stands in the authorities' names.")] = "",
    key: KeyKind = Key.P256,
    days: Days = 3652,
    constrain: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Domains and networks the servers' authority is limited to: corp.example,10.0.0.0/8.",
        ),
    ] = "",
    team: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="An authority for this team's clients; also later. May be repeated.",
            show_default=False,
        ),
    ] = None,
    passphrase_env: PassphraseEnv = "",
    passphrase_file: PassphraseFile = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave the authorities' keys unprotected.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Retire the authorities that there are and make others.")
    ] = False,
) -> None:
    """
    Make two authorities: one for servers, which clients trust, and one for clients, which daemons trust.

    \b
    Examples:
      auditor certs init --organisation Example
      auditor certs init --constrain corp.example,10.0.0.0/8 --team payments --team search
      auditor certs init --team shop                  one more team, later
    """
    from auditor.cli.certs.making import Office, Passphrase, Wish, init_authorities

    office = Office(folder, Passphrase(passphrase_env, passphrase_file, none=no_passphrase), force)
    init_authorities(office, organisation, team or [], Wish(key.value, days), constrain)


@app.command()
def server(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HOST[=NAME,ADDRESS]...",
            help="Hosts, with the names and addresses clients use.",
            show_default=False,
        ),
    ] = None,
    *,
    folder: Dir = PKI,
    inventory: Inventory = None,
    limit: Limit = "",
    key: KeyKind = Key.P256,
    days: Days = 397,
    passphrase_env: PassphraseEnv = "",
    passphrase_file: PassphraseFile = None,
    force: Force = False,
) -> None:
    """
    Issue a certificate for the daemon of each host.

    \b
    Examples:
      auditor certs server web1.example
      auditor certs server web1=web1.example,10.0.0.5,2001:db8::5
      auditor certs server --inventory inventory.yaml --limit web
    """
    from auditor.cli.certs.making import Office, Passphrase, Wish, issue_servers, known_hosts

    office = Office(folder, Passphrase(passphrase_env, passphrase_file), force)
    issue_servers(office, hosts or [], known_hosts(inventory, limit), Wish(key.value, days))


@app.command()
def client(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="One for each person and pipeline: ann, ci-payments."),
    ],
    *,
    folder: Dir = PKI,
    team: Team = "",
    key: KeyKind = Key.P256,
    days: Days = 90,
    passphrase_env: PassphraseEnv = "",
    passphrase_file: PassphraseFile = None,
    force: Force = False,
) -> None:
    """
    Issue a certificate for each client. It cannot be revoked, so its life is short and its name one person's.

    \b
    Example:
      auditor certs client ann ci-payments
    """
    from auditor.cli.certs.making import Office, Passphrase, Wish, issue_clients

    office = Office(folder, Passphrase(passphrase_env, passphrase_file), force)
    issue_clients(office, names, Wish(key.value, days, team))


@app.command()
def sign(
    request: Annotated[Path, typer.Argument(metavar="CSR", help="A certificate signing request in PEM.")],
    *,
    side: Annotated[Side, typer.Option("--for", help="What it is for.")] = Side.SERVER,
    name: Annotated[
        str,
        typer.Option(
            "--as", metavar="NAME", help="The host's name or client's identity.  [default: the request's]"
        ),
    ] = "",
    names: Annotated[
        str,
        typer.Option(
            "--names", metavar="LIST", help="A server's names and addresses.  [default: the request's]"
        ),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the certificate here.  [default: standard output]",
            show_default=False,
        ),
    ] = None,
    folder: Dir = PKI,
    team: Team = "",
    days: Annotated[
        int,
        typer.Option(
            min=0,
            max=MOST_DAYS,
            help="Days that it is valid.  [default: 397, a client's 90]",
            show_default=False,
        ),
    ] = 0,
    passphrase_env: PassphraseEnv = "",
    passphrase_file: PassphraseFile = None,
    force: Force = False,
) -> None:
    """
    Sign a request, for keys that never leave their host. Of the request only key and names are taken.

    \b
    Example:
      auditor certs sign web1.csr --for server --output web1.pem
    """
    from auditor.certificates.issue import Request
    from auditor.certificates.profile import Purpose
    from auditor.cli.certs.making import Office, Passphrase, sign_request

    office = Office(folder, Passphrase(passphrase_env, passphrase_file), force)
    asked = Request(Purpose(side.value), name, days=days, team=team, replacing=force)
    sign_request(office, request, asked, names, output)


@app.command()
def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[FILE|DIR|HOST:PORT|NAME]",
            help="A file, a folder, a port, or a certificate's name.",
            show_default=False,
        ),
    ] = "",
    *,
    folder: Dir = PKI,
) -> None:
    """
    Say in words what is in a file, a folder or on a live port. Without an argument: authorities and certificates of the ledger.

    \b
    Examples:
      auditor certs show ~/.docker
      auditor certs show tcp://web1:2376
    """
    from auditor.cli.certs.showing import show_anything

    show_anything(folder, what)


@app.command()
def explain(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="What docker, dockerd, openssl or Python said; -: from standard input."
        ),
    ],
) -> None:
    """
    Explain an error text and say what mends it. 1 when it is not known.

    \b
    Examples:
      auditor certs explain "x509: certificate signed by unknown authority"
      docker -H tcp://web1:2376 version 2>&1 | auditor certs explain -
    """
    from auditor.cli.certs.showing import explain_text

    sys.exit(explain_text(text))


@app.command()
def status(
    *,
    folder: Dir = PKI,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask daemons what they serve.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """
    Say how every certificate stands: where it is, days left, in the ledger and on the wire.

    Exit codes: 0 fine; 1 something is due, expired or wrong; 2 usage; 3 a daemon did not answer.

    \b
    Examples:
      auditor certs status
      auditor certs status --offline --json      in a pipeline, without asking daemons
    """
    from auditor.cli.certs.showing import print_status

    sys.exit(print_status(folder, live=not offline, as_json=as_json))


app.command()(delivery_commands.bundle)
app.command()(delivery_commands.install)
app.command()(delivery_commands.renew)
app.command()(delivery_commands.forget)
app.command(name="rotate-ca")(delivery_commands.rotate_ca)

"""The commands of ``auditor certs`` that bring certificates to where they are used, and replace them."""

# ruff: noqa: D301, PLC0415  \b keeps lines apart in the help; --help must not wait for what it does not need

import sys
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.certs.options import (
    PKI,
    Dir,
    Force,
    Identity,
    Inventory,
    Key,
    KeyKind,
    KnownHosts,
    Layout,
    Limit,
    PassphraseEnv,
    PassphraseFile,
    Side,
)


def bundle(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A client's name, or for daemon-… a server's.")],
    *,
    layout: Annotated[Layout, typer.Option("--for", help="Who shall use it.")] = Layout.DIR,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where to write.  [default: ./NAME, with a suffix for files]",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="URL", help="The daemon's address, for context and azure-devops: tcp://web1:2376."
        ),
    ] = "",
    folder: Dir = PKI,
    force: Force = False,
) -> None:
    """
    Write a certificate with its key and what it trusts, as somebody needs it. Everything written is secret.

    \b
    Examples:
      auditor certs bundle ann --output ~/.docker                        for docker and DOCKER_CERT_PATH
      auditor certs bundle ann --for context --host tcp://web1:2376      for 'docker context import'
      auditor certs bundle ci --for azure-devops --host tcp://web1:2376  a Docker Host service connection
      auditor certs bundle web1 --for daemon-windows
    """
    from auditor.cli.certs.delivering import write_bundle
    from auditor.cli.certs.making import Office

    write_bundle(Office(folder, force=force), name, layout.value, output, host)


def install(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HOST...",
            help="ssh://user@host:port, local, or names in the inventory.",
            show_default=False,
        ),
    ] = None,
    *,
    folder: Dir = PKI,
    inventory: Inventory = None,
    limit: Limit = "",
    due: Annotated[
        bool, typer.Option("--due", help="Only hosts that lack the newest certificate or authorities.")
    ] = False,
    certificate: Annotated[
        str, typer.Option(metavar="NAME", help="The server certificate to install.  [default: the host's]")
    ] = "",
    client: Annotated[
        str, typer.Option(metavar="NAME", help="The client the proof is made with.  [default: any]")
    ] = "",
    listen: Annotated[
        str, typer.Option(metavar="URL", help="Where the daemon listens.")
    ] = "tcp://0.0.0.0:2376",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")] = False,
    sudo: Annotated[bool, typer.Option("--sudo", help="Become root by 'sudo -n' there.")] = False,
    identity: Identity = None,
    known_hosts: KnownHosts = None,
    patience: Annotated[
        int,
        typer.Option(
            min=10, metavar="SECONDS", help="After this long without a proof a host puts itself back."
        ),
    ] = 180,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            help="How many hosts at once, with --yes or --dry-run. At 1 not all daemons restart together.",
        ),
    ] = 1,
) -> None:
    """
    Bring a server's certificate to its host, switch mutual TLS on, prove it, and put everything back when the proof fails.

    By SSH, or by WinRM for the inventory's Windows hosts. One host after the other, or --workers at once: one that fails stops no other.

    \b
    Examples:
      auditor certs install ssh://root@web1 --dry-run
      auditor certs install --inventory inventory.yaml --limit web --yes
      auditor certs install --inventory inventory.yaml --dry-run --workers 8
    Exit codes: 0 proved on every host; 1 a host is in its old state; 2 usage; 3 a host's state is not known (1 where both hold).
    """
    from auditor.cli.certs.installing import Installing, install_hosts
    from auditor.cli.certs.making import Office
    from auditor.cli.hosts import Reach

    reach = Reach(identity=identity, known_hosts=known_hosts, sudo=sudo)
    how = Installing(
        certificate, client, listen, patience, yes=yes, dry_run=dry_run, due=due, workers=workers
    )
    sys.exit(install_hosts(Office(folder), hosts or [], (inventory, limit), reach, how))


def renew(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Servers and clients.", show_default=False)
    ] = None,
    *,
    due: Annotated[
        bool,
        typer.Option(
            "--due", help="All that have lived two thirds of their life, or whose authority is retired."
        ),
    ] = False,
    folder: Dir = PKI,
    passphrase_env: PassphraseEnv = "",
    passphrase_file: PassphraseFile = None,
) -> None:
    """
    Issue certificates anew, with the same names and new keys.

    Exit codes: 0 nothing is left to do; 1 something has to be delivered now (install, bundle); 2 usage.

    \b
    Examples:
      auditor certs renew --due                  every day, from cron
      auditor certs renew web1
    """
    from auditor.cli.certs.delivering import renew_certificates
    from auditor.cli.certs.making import Office, Passphrase

    office = Office(folder, Passphrase(passphrase_env, passphrase_file))
    sys.exit(renew_certificates(office, names or [], due=due))


def forget(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Servers and clients that are gone.")],
    *,
    folder: Dir = PKI,
) -> None:
    """
    Take certificates out of status, renewal and rotation: their host or client is gone. They stay valid until they end.

    \b
    Example:
      auditor certs forget web7 ann
    """
    from auditor.cli.certs.delivering import forget_certificates
    from auditor.cli.certs.making import Office

    forget_certificates(Office(folder), names)


def rotate_ca(
    side: Annotated[Side, typer.Argument(metavar="server|client", help="Whose authority.")],
    *,
    key: KeyKind = Key.P256,
    drop_team: Annotated[str, typer.Option(metavar="NAME", help="Only lock this team's clients out.")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Do not wait for deliveries: who lacks one is cut off.")
    ] = False,
    folder: Dir = PKI,
    passphrase_env: PassphraseEnv = "",
    passphrase_file: PassphraseFile = None,
) -> None:
    """
    Replace an authority without cutting anybody off. Call it again after each round of deliveries: it goes on where it was.

    First both authorities are trusted, then certificates are issued anew, then the old authority is dropped.

    Exit codes: 0 the old authority is gone; 1 something has to be delivered (it is named); 2 usage.

    \b
    Examples:
      auditor certs rotate-ca server
      auditor certs rotate-ca client --drop-team payments
    """
    from auditor.cli.certs.delivering import rotate
    from auditor.cli.certs.making import Office, Passphrase

    office = Office(folder, Passphrase(passphrase_env, passphrase_file), force)
    sys.exit(rotate(office, side.value, key.value, drop_team))

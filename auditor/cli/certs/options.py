"""Options that several of the commands of ``auditor certs`` take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

MOST_DAYS = 36525  # a century: dates have an end


class Key(StrEnum):
    """Kinds of keys."""

    P256 = "p256"
    P384 = "p384"
    RSA3072 = "rsa3072"
    RSA4096 = "rsa4096"
    ED25519 = "ed25519"


class Side(StrEnum):
    """What a certificate is for."""

    SERVER = "server"
    CLIENT = "client"


class Layout(StrEnum):
    """Layouts of bundles."""

    DIR = "dir"
    CONTEXT = "context"
    AZURE_DEVOPS = "azure-devops"
    PKCS12 = "pkcs12"
    DAEMON_LINUX = "daemon-linux"
    DAEMON_WINDOWS = "daemon-windows"


Dir = Annotated[
    Path,
    typer.Option(
        "--dir",
        metavar="DIR",
        envvar="AUDITOR_CERTS_DIR",
        help="Folder of authorities, certificates and ledger.",
    ),
]
PassphraseEnv = Annotated[
    str,
    typer.Option(
        "--passphrase-env", metavar="NAME", help="Environment variable with the authorities' passphrase."
    ),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", metavar="FILE", help="File with it, that only you may read.", show_default=False
    ),
]
KeyKind = Annotated[
    Key, typer.Option("--key", help="Kind of key. Others than p256 break or slow something: it is said.")
]
Days = Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Days that it is valid.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what there is.")]
Team = Annotated[str, typer.Option("--team", metavar="NAME", help="The team whose authority signs.")]
Inventory = Annotated[
    Path | None,
    typer.Option(
        "--inventory",
        "-i",
        metavar="FILE",
        help="Inventory with names and addresses of hosts.",
        show_default=False,
    ),
]
Limit = Annotated[str, typer.Option(metavar="PATTERN", help="Only these hosts of the inventory.")]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", metavar="FILE", help="Private key for ssh:// hosts.", show_default=False),
]
KnownHosts = Annotated[
    Path | None,
    typer.Option("--known-hosts", metavar="FILE", help="Host keys for ssh:// hosts.", show_default=False),
]
PKI = Path("pki")

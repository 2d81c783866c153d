"""Options that several commands take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

INVENTORY = Path("inventory.yaml")


class FailOn(StrEnum):
    """From which severity on findings make the run fail."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    NEVER = "never"


class PlatformName(StrEnum):
    """What a host runs."""

    LINUX = "linux"
    WINDOWS = "windows"


class ListFormat(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    JSON = "json"


Hosts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="HOST",
        help="local, ssh://user@host:port, tcp://host:2376, unix:///path, bundle:PATH. None: the inventory.",
        show_default=False,
    ),
]
Inventory = Annotated[
    Path | None,
    typer.Option(
        "--inventory",
        "-i",
        help="Inventory file (ours or Ansible's).  [default: inventory.yaml]",
        show_default=False,
    ),
]
Limit = Annotated[
    str, typer.Option(metavar="PATTERN", help="Only these hosts: names, globs, groups; a:b, a:&b, a:!b.")
]
BenchmarkNames = Annotated[
    list[str] | None,
    typer.Option(
        "--benchmark",
        metavar="NAME",
        help="Judge by this one; repeat it for another platform.  [default: cis-docker-1.8.0, windows-container-host]",
        show_default=False,
    ),
]
Level = Annotated[
    int,
    typer.Option(
        min=0,
        max=2,
        help="Only the benchmark's level 1, or 1 and 2.  [default: all checks]",
        show_default=False,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option("--check", metavar="ID", help="Only this check: id, glob or number.", show_default=False),
]
Skip = Annotated[
    list[str] | None, typer.Option("--skip", metavar="ID", help="Not this check.", show_default=False)
]
WaiverPath = Annotated[
    Path | None, typer.Option("--waivers", metavar="FILE", help="Accepted risks.", show_default=False)
]
AttestationPath = Annotated[
    Path | None,
    typer.Option(
        "--attestations", metavar="FILE", help="People's answers to manual controls.", show_default=False
    ),
]
PolicyPath = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="Picks, parameters and severities by group of hosts.",
        show_default=False,
    ),
]
OwnChecks = Annotated[
    list[Path] | None,
    typer.Option(
        "--checks",
        metavar="DIR",
        help="A folder of your own checks; the Python files in it are run.",
        show_default=False,
    ),
]
Threshold = Annotated[FailOn, typer.Option("--fail-on", help="Exit with 1 from this severity on.")]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT=PATH",
        help="console, html, junit, json; PATH '-': standard output.",
        show_default=False,
    ),
]
TlsDir = Annotated[
    Path | None,
    typer.Option(
        "--tls-dir", metavar="DIR", help="ca.pem, cert.pem, key.pem for tcp://.", show_default=False
    ),
]
Sudo = Annotated[bool, typer.Option("--sudo", help="Become root by 'sudo -n' on ssh:// and local hosts.")]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", metavar="FILE", help="Private key for ssh:// hosts.", show_default=False),
]
KnownHosts = Annotated[
    Path | None,
    typer.Option("--known-hosts", metavar="FILE", help="Host keys for ssh:// hosts.", show_default=False),
]
Workers = Annotated[int, typer.Option(min=1, max=512, help="How many hosts at once.")]
Timeout = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="For everything on one host.  [default: 120]", show_default=False),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, and no console report beside others.")
]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the bundles; made if missing.")
]

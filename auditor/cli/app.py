"""Commands and options. What they do stands in the modules beside this one, imported when a command runs."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from auditor import __version__
from auditor.cli import certs

app = typer.Typer(
    name="auditor",
    help="Audit Docker hosts, from one machine, with nothing installed on them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

app.add_typer(certs.app)

INVENTORY = Path("inventory.yaml")


class FailOn(StrEnum):
    """From which severity on findings make the run fail."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    NEVER = "never"


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
BenchmarkName = Annotated[
    str, typer.Option("--benchmark", metavar="NAME", help="Which benchmark's numbers to use.")
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


@app.callback(invoke_without_command=True)
def auditor(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False
) -> None:
    """
    Audit Docker hosts, from one machine, with nothing installed on them.

    Exit codes: 0 clean; 1 findings at or above --fail-on; 2 usage or a bad file; 3 something could not be seen.
    """
    if version:
        typer.echo(f"auditor {__version__}")
        raise typer.Exit


@app.command()
def run(
    hosts: Hosts = None,
    *,
    inventory: Inventory = None,
    limit: Limit = "",
    benchmark: BenchmarkName = "cis-docker-1.8.0",
    level: Level = 0,
    check: Only = None,
    skip: Skip = None,
    waivers: WaiverPath = None,
    fail_on: Threshold = FailOn.LOW,
    report: Reports = None,
    tls_dir: TlsDir = None,
    sudo: Sudo = False,
    identity: Identity = None,
    known_hosts: KnownHosts = None,
    workers: Workers = 16,
    timeout: Timeout = None,
    quiet: Quiet = False,
) -> None:
    """
    Collect from hosts, judge, report.

    \b
    Examples:
      auditor run                                        every host of ./inventory.yaml
      auditor run local                                  this machine
      auditor run ssh://audit@web1 --sudo                one host, ad hoc
      auditor run --limit 'web:!web3' --fail-on high     some hosts; exit 1 for high and critical only
      auditor run --report html=audit.html --report junit=audit.xml
      auditor run --check 5 --check daemon-without-tls   section 5 and one check
    """  # noqa: D301  \b keeps the lines apart in the help
    from auditor.cli.auditing import Selection, run_audit  # noqa: PLC0415
    from auditor.cli.hosts import Reach, find_hosts  # noqa: PLC0415

    chosen = find_hosts(
        hosts or [], inventory, limit, Reach(tls_dir, identity, known_hosts, timeout, sudo=sudo)
    )
    selection = Selection(benchmark, level, tuple(check or ()), tuple(skip or ()), waivers)
    sys.exit(run_audit(chosen, selection, fail_on.value, report or [], workers, quiet=quiet))


@app.command()
def collect(
    hosts: Hosts = None,
    *,
    output: Output = Path("bundles"),
    inventory: Inventory = None,
    limit: Limit = "",
    tls_dir: TlsDir = None,
    sudo: Sudo = False,
    identity: Identity = None,
    known_hosts: KnownHosts = None,
    workers: Workers = 16,
    timeout: Timeout = None,
    quiet: Quiet = False,
) -> None:
    """
    Only collect: write what each host answers to a bundle file.

    \b
    Examples:
      auditor collect local ssh://root@web1 -o bundles
      sh linux.sh > web1.bundle        by hand, on a host without a network ('auditor collector' prints linux.sh)
    """  # noqa: D301
    from auditor.cli.auditing import collect_bundles  # noqa: PLC0415
    from auditor.cli.hosts import Reach, find_hosts  # noqa: PLC0415

    chosen = find_hosts(
        hosts or [], inventory, limit, Reach(tls_dir, identity, known_hosts, timeout, sudo=sudo)
    )
    sys.exit(collect_bundles(chosen, output, workers, quiet=quiet))


@app.command()
def evaluate(
    bundles: Annotated[
        list[Path], typer.Argument(metavar="BUNDLE...", help="Bundle files, or folders of them.")
    ],
    *,
    benchmark: BenchmarkName = "cis-docker-1.8.0",
    level: Level = 0,
    check: Only = None,
    skip: Skip = None,
    waivers: WaiverPath = None,
    fail_on: Threshold = FailOn.LOW,
    report: Reports = None,
    workers: Workers = 16,
    quiet: Quiet = False,
) -> None:
    """
    Only judge: read bundles that were collected before, touch no host.

    \b
    Examples:
      auditor evaluate bundles/ --report html=audit.html
      auditor evaluate web1.bundle --benchmark cis-docker-1.7.0
    """  # noqa: D301
    from auditor.cli.auditing import Selection, run_audit  # noqa: PLC0415
    from auditor.cli.hosts import bundle_hosts  # noqa: PLC0415

    selection = Selection(benchmark, level, tuple(check or ()), tuple(skip or ()), waivers)
    sys.exit(run_audit(bundle_hosts(bundles), selection, fail_on.value, report or [], workers, quiet=quiet))


@app.command()
def checks(
    *,
    benchmark: BenchmarkName = "cis-docker-1.8.0",
    level: Level = 0,
    format_: Annotated[
        ListFormat, typer.Option("--format", help="How to print the list.")
    ] = ListFormat.TABLE,
) -> None:
    """
    List checks and controls.

    \b
    Examples:
      auditor checks
      auditor checks --benchmark cis-docker-1.7.0 --level 1
      auditor checks --format json
    """  # noqa: D301
    from auditor.cli.catalogue import list_checks  # noqa: PLC0415

    list_checks(benchmark, level, as_json=format_ is ListFormat.JSON)


@app.command()
def explain(
    check: Annotated[str, typer.Argument(metavar="CHECK", help="A check's id, or a control's number.")],
    *,
    benchmark: BenchmarkName = "cis-docker-1.8.0",
) -> None:
    """
    Say what a check wants, why, and how to get there.

    \b
    Examples:
      auditor explain privileged-container
      auditor explain 2.8
    """  # noqa: D301
    from auditor.cli.catalogue import explain_check  # noqa: PLC0415

    explain_check(check, benchmark)


@app.command()
def inventory(
    *,
    inventory: Inventory = None,
    limit: Limit = "",
    ping: Annotated[
        bool, typer.Option("--ping", help="Connect to each host and say whether it answers.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the inventory's JSON Schema, for editors.")
    ] = False,
    workers: Workers = 16,
) -> None:
    """
    Validate the inventory and show what each host resolves to.

    \b
    Examples:
      auditor inventory                    without connecting
      auditor inventory --ping --limit web
    """  # noqa: D301
    from auditor.cli.hosts import from_inventory as load  # noqa: PLC0415
    from auditor.cli.hosts import ping_hosts, print_schema, show_hosts  # noqa: PLC0415

    if schema:
        print_schema()
        return
    chosen = load(inventory, limit)
    sys.exit(ping_hosts(chosen, workers) if ping else show_hosts(chosen))


@app.command()
def collector() -> None:
    """
    Print the script that runs on a host, to read it or to run it by hand.

    \b
    Example:
      auditor collector > linux.sh; sudo sh linux.sh > web1.bundle
    """  # noqa: D301
    from auditor.transports.base import linux_script  # noqa: PLC0415

    sys.stdout.write(linux_script().decode())

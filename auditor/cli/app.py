"""Commands and options. What they do stands in the modules beside this one, imported when a command runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from auditor import __version__
from auditor.cli.certs.commands import app as certs_app
from auditor.cli.options import (
    AttestationPath,
    BenchmarkNames,
    FailOn,
    Hosts,
    Identity,
    Inventory,
    KnownHosts,
    Level,
    Limit,
    ListFormat,
    Only,
    Output,
    OwnChecks,
    PlatformName,
    PolicyPath,
    Quiet,
    Reports,
    Skip,
    Sudo,
    Threshold,
    Timeout,
    TlsDir,
    WaiverPath,
    Workers,
)

app = typer.Typer(
    name="auditor",
    help="Audit Docker hosts, from one machine, with nothing installed on them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

app.add_typer(certs_app)


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
    benchmark: BenchmarkNames = None,
    level: Level = 0,
    check: Only = None,
    skip: Skip = None,
    checks: OwnChecks = None,
    policy: PolicyPath = None,
    waivers: WaiverPath = None,
    attestations: AttestationPath = None,
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
      auditor run --check 5 --check tcp-without-tls      section 5 and one check
      auditor run --policy policy.yaml --waivers waivers.yaml --attestations attestations.yaml
      auditor run --checks our_checks                    ours beside yours
    """  # noqa: D301  \b keeps the lines apart in the help
    from auditor.cli.hosts import Reach, find_hosts  # noqa: PLC0415
    from auditor.transports.local import TRANSPORT as THIS_MACHINE  # noqa: PLC0415

    chosen = find_hosts(
        hosts or [], inventory, limit, Reach(tls_dir, identity, known_hosts, timeout, sudo=sudo)
    )
    some_only = check or skip or policy
    with THIS_MACHINE.begun(() if some_only else chosen):
        from auditor.cli.auditing import run_audit  # noqa: PLC0415
        from auditor.cli.selection import Files, Selection, platforms_of  # noqa: PLC0415

        files = Files(tuple(checks or ()), policy, waivers, attestations)
        selection = Selection(
            tuple(benchmark or ()), level, tuple(check or ()), tuple(skip or ()), files, platforms_of(chosen)
        )
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
    benchmark: BenchmarkNames = None,
    level: Level = 0,
    check: Only = None,
    skip: Skip = None,
    checks: OwnChecks = None,
    policy: PolicyPath = None,
    waivers: WaiverPath = None,
    attestations: AttestationPath = None,
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
    from auditor.cli.auditing import run_audit  # noqa: PLC0415
    from auditor.cli.hosts import bundle_hosts  # noqa: PLC0415
    from auditor.cli.selection import Files, Selection  # noqa: PLC0415

    files = Files(tuple(checks or ()), policy, waivers, attestations)
    selection = Selection(tuple(benchmark or ()), level, tuple(check or ()), tuple(skip or ()), files)
    sys.exit(run_audit(bundle_hosts(bundles), selection, fail_on.value, report or [], workers, quiet=quiet))


@app.command()
def checks(
    *,
    benchmark: BenchmarkNames = None,
    level: Level = 0,
    own: OwnChecks = None,
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
    from auditor.cli.show_checks import list_checks  # noqa: PLC0415

    list_checks(benchmark or (), level, own or (), as_json=format_ is ListFormat.JSON)


@app.command()
def explain(
    check: Annotated[str, typer.Argument(metavar="CHECK", help="A check's id, or a control's number.")],
    *,
    benchmark: BenchmarkNames = None,
    own: OwnChecks = None,
) -> None:
    """
    Say what a check wants, why, and how to get there.

    \b
    Examples:
      auditor explain privileged-container
      auditor explain 2.8
    """  # noqa: D301
    from auditor.cli.show_checks import explain_check  # noqa: PLC0415

    explain_check(check, benchmark or (), own or ())


@app.command()
def inventory(
    *,
    inventory: Inventory = None,
    limit: Limit = "",
    benchmark: BenchmarkNames = None,
    checks: OwnChecks = None,
    policy: PolicyPath = None,
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
      auditor inventory --policy policy.yaml    by what each host is judged
    """  # noqa: D301
    from auditor.cli.hosts import from_inventory as load  # noqa: PLC0415
    from auditor.cli.show_hosts import ping_hosts, print_schema, show_hosts  # noqa: PLC0415

    if schema:
        print_schema()
        return
    chosen = load(inventory, limit)
    if policy:
        from auditor.cli.selection import Files, show_policies  # noqa: PLC0415

        show_policies(chosen, benchmark or (), Files(tuple(checks or ()), policy))
        return
    sys.exit(ping_hosts(chosen, workers) if ping else show_hosts(chosen))


@app.command()
def collector(
    *,
    platform: Annotated[PlatformName, typer.Option(help="For hosts of this platform.")] = PlatformName.LINUX,
) -> None:
    """
    Print the script that runs on a host, to read it or to run it by hand.

    \b
    Examples:
      auditor collector > linux.sh; sudo sh linux.sh > web1.bundle
      auditor collector --platform windows > windows.ps1
    """  # noqa: D301
    from auditor.collect.scripts import script  # noqa: PLC0415

    sys.stdout.write(script(platform.value).decode())

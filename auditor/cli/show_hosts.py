"""``inventory``: what hosts resolve to, and whether they answer."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auditor.cli.progress import progress
from auditor.fleet import audit_all, stop_on_interrupt
from auditor.host import Host


def print_schema() -> None:
    """Print the inventory's JSON Schema."""
    from auditor.inventory import schema  # noqa: PLC0415

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n")


def show_hosts(hosts: Sequence[Host]) -> int:
    """Print what each host resolves to; 0."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("host", "how", "where", "as", "groups", "tags", "declared"):
        table.add_column(column, overflow="fold")
    for host in hosts:
        table.add_row(
            *map(
                Text,
                (
                    host.name,
                    host.transport,
                    _where(host),
                    _who(host),
                    ", ".join(host.groups),
                    ", ".join(host.tags),
                    host.source,
                ),
            )
        )
    console = Console()
    if not console.is_terminal:
        console.width = 200
    console.print(table)
    return 0


def _where(host: Host) -> str:
    if host.path:
        return os.path.relpath(host.path) if host.path.is_relative_to(Path.cwd()) else str(host.path)
    place = f"[{host.address}]" if ":" in host.address else host.address
    hops = " via ".join(["", *(f"{hop.address}:{hop.port}" for hop in reversed(host.ssh.jumps))])
    return f"{place}:{host.port}{hops}" if host.port else f"{place}{hops}"


def _who(host: Host) -> str:
    return f"{host.user}, sudo" if host.user and host.sudo else "sudo" if host.sudo else host.user


def ping_hosts(hosts: Sequence[Host], workers: int) -> int:
    """Connect to each host, run one small section, and say what came of it; 3 when one did not answer."""
    failed = False
    with stop_on_interrupt() as stop, progress(len(hosts), shown=True) as tell:
        for outcome in audit_all(
            hosts,
            lambda _host: ("host",),
            lambda _host, _bundle: "answers",
            workers=workers,
            on_event=tell,
            stop=stop,
        ):
            failed = failed or outcome.error is not None
            Console().print(
                Text(f"{outcome.host.name}: {outcome.error or f'answers, {outcome.seconds:.1f} s'}")
            )
    return 3 if failed else 0

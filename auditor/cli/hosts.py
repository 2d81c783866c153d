"""Which hosts: from the command line, the inventory, or a folder of bundles."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.cli.options import INVENTORY
from auditor.errors import UsageError
from auditor.host import Host
from auditor.transports.replay import name_from


@dataclass(frozen=True)
class Reach:
    """How to reach hosts that stand on the command line; ``timeout`` holds for every host."""

    tls_dir: Path | None = None
    identity: Path | None = None
    known_hosts: Path | None = None
    timeout: float | None = None
    sudo: bool = False

    def applied(self, host: Host) -> Host:
        """An ad-hoc host with these options."""
        ssh = host.ssh
        if self.identity:
            ssh = replace(ssh, identity_files=(self.identity,), identities_only=True)
        if self.known_hosts:
            ssh = replace(ssh, known_hosts=(self.known_hosts,))
        return replace(host, ssh=ssh, sudo=self.sudo and host.transport in ("local", "ssh"))

    def limited(self, host: Host) -> Host:
        """Any host with the time-out of the command line."""
        return replace(host, timeouts=replace(host.timeouts, total=self.timeout)) if self.timeout else host


def find_hosts(names: Sequence[str], inventory: Path | None, limit: str, reach: Reach) -> tuple[Host, ...]:
    """
    The hosts named on the command line, else those of the inventory.

    Raises:
        UsageError: both were given, a name makes no sense, or nothing is left.
        BadFile: the inventory is not well-formed.
    """
    if list(names) == ["local"] and not (inventory or limit or reach.tls_dir):
        return (reach.limited(reach.applied(Host("local", source="command line"))),)
    from auditor.inventory import parse_target, select  # noqa: PLC0415  this machine alone needs no parsers

    if names and inventory:
        raise UsageError("name hosts or give an inventory, not both: --limit chooses hosts of an inventory")
    if not names:
        return tuple(reach.limited(host) for host in from_inventory(inventory, limit))
    hosts = tuple(reach.limited(reach.applied(parse_target(name, tls_dir=reach.tls_dir))) for name in names)
    return select(_named_apart(hosts), limit) if limit else _named_apart(hosts)


def from_inventory(inventory: Path | None, limit: str) -> tuple[Host, ...]:
    """The hosts of an inventory (default: ``inventory.yaml`` here), or those of them that ``limit`` names."""
    from auditor.inventory import load  # noqa: PLC0415

    path = inventory or INVENTORY
    if inventory is None and not path.exists():
        raise UsageError(
            "no host named and no inventory.yaml here: name a host ('auditor run local'), or give --inventory FILE"
        )
    return load(path, limit=limit or "all")


def bundle_hosts(paths: Sequence[Path]) -> tuple[Host, ...]:
    """
    A host for each bundle file, and for each one below a folder.

    Raises:
        UsageError: there is no such file, or no bundle in a folder.
    """
    files = [file for path in paths for file in _bundles_of(path)]
    return _named_apart(
        tuple(Host(name_from(file), "bundle", path=file, source="command line") for file in files)
    )


def _bundles_of(path: Path) -> list[Path]:
    if not path.exists():
        raise UsageError(f"{path}: there is no such file")
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.name.endswith((".bundle", ".bundle.gz")))
    if not found:
        raise UsageError(f"{path}: no *.bundle file in this folder")
    return found


def _named_apart(hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    """Hosts of one name get their place as a number, because results are told apart by name."""
    seen: dict[str, int] = {}

    def apart(host: Host) -> Host:
        seen[host.name] = seen.get(host.name, 0) + 1
        return host if seen[host.name] == 1 else replace(host, name=f"{host.name}#{seen[host.name]}")

    return tuple(apart(host) for host in hosts)

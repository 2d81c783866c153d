"""What is asked of which host: a benchmark, checks and controls by name, a policy, and what people declared of results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import msgspec

from auditor.attestations import Attestations, load_attestations
from auditor.cli.catalogue import PLATFORMS, everything
from auditor.errors import UsageError
from auditor.host import Host, Platform
from auditor.plan import Plan, pick
from auditor.policies import Resolved, load_policies
from auditor.policy import Policy
from auditor.waivers import Waivers, load_waivers


@dataclass(frozen=True)
class Files:
    """The files that have a say: folders of own checks, a policy, accepted risks, people's answers."""

    own_checks: tuple[Path, ...] = ()
    policy: Path | None = None
    waivers: Path | None = None
    attestations: Path | None = None


@dataclass(frozen=True)
class Selection:
    """
    What the command line asks. A policy picks from what is left by ``level``, ``only`` and ``skip``.

    ``benchmarks`` are names; a platform of which none is named is judged by its usual one. ``platforms`` are those of the
    hosts: where nobody names a check, what is for others is not even loaded.
    """

    benchmarks: tuple[str, ...] = ()
    level: int = 0
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    files: Files = field(default_factory=Files)
    platforms: frozenset[Platform] = PLATFORMS

    @cached_property
    def everything(self) -> Plan:
        """All that could be asked: every control, and every check, ours and the user's."""
        named = self.only or self.skip or self.files != Files()
        return everything(self.benchmarks, self.files.own_checks, PLATFORMS if named else self.platforms)

    @cached_property
    def plan(self) -> Plan:
        """What the command line picks of it."""
        return pick(self.everything, level=self.level, only=self.only, skip=self.skip)

    def resolve(self, hosts: Sequence[Host]) -> Resolved:
        """
        What is asked of each host, and the parameters that it is judged by.

        Raises:
            BadFile: the policy cannot be used as it is.
            UsageError: nothing is asked of anybody, which must not look like a clean audit.
        """
        resolved = Resolved(tuple(hosts))
        if self.files.policy:
            resolved = load_policies(self.files.policy, self.everything).resolve(hosts, self.plan)
        plans = [self._asked(resolved, host) for host in hosts]
        if not any(plan.items for plan in plans or [self.plan]):
            raise UsageError(
                "no check and no control is left to ask: pick more with --level, --check, --skip or --policy"
            )
        return resolved

    def _asked(self, resolved: Resolved, host: Host) -> Plan:
        """What is asked of a host, as far as that is known before it has answered."""
        plan = resolved.plans.get(host.name, self.plan)
        return plan.on(host.known_platform) if host.known_platform else plan

    def waivers(self) -> Waivers | None:
        """The accepted risks, which may speak of any check there is, picked or not."""
        return load_waivers(self.files.waivers, _today(), self._names()) if self.files.waivers else None

    def attestations(self) -> Attestations | None:
        """The people's answers, likewise."""
        path = self.files.attestations
        return load_attestations(path, _today(), self._names()) if path else None

    def _names(self) -> Iterable[str]:
        return {name for item in self.everything.items for name in (item.id, *item.controls)}


def platforms_of(hosts: Iterable[Host]) -> frozenset[Platform]:
    """The platforms that hosts may be of, as far as that is known before they have answered."""
    return frozenset(
        platform
        for host in hosts
        for platform in ([host.known_platform] if host.known_platform else PLATFORMS)
    )


def _today() -> date:
    return datetime.now(UTC).date()


def show_policies(hosts: Sequence[Host], benchmarks: Sequence[str], files: Files) -> None:
    """Print for each host what is asked of it, and every parameter and severity that is not the usual one."""
    selection = Selection(tuple(benchmarks), files=files)
    resolved = selection.resolve(hosts)
    for host in resolved.hosts:
        plan = resolved.plans[host.name].on(host.platform)
        items = plan.items
        numbers = {number for item in items for number in item.controls}
        _print(f"{host.name}: {len(items)} results on {len(numbers)} controls of {plan.benchmark}")
        usual = msgspec.structs.asdict(Policy())
        for name, value in msgspec.structs.asdict(host.policy).items():
            if value != usual[name]:
                _print(f"  {name}: {msgspec.json.encode(value).decode()}")
        for item in items:
            if item.check and item.severity != item.check.severity:
                _print(f"  severity of {item.id}: {item.severity.value}, usually {item.check.severity.value}")
    for warning in resolved.warnings:
        _print(f"warning: {warning}")


def _print(line: str) -> None:
    print(line.encode("utf-8", "backslashreplace").decode())  # noqa: T201  this is the output

"""Policies: a YAML file says for groups of hosts which checks run, by which parameters they judge, and how much they matter."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from auditor.check import Severity
from auditor.errors import UsageError
from auditor.host import Host
from auditor.plan import Item, Picks, Plan
from auditor.policy import Policy
from auditor.yamlfile import Document, document


class PolicyEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """
    What holds for the hosts that ``hosts`` means, a pattern such as ``--limit`` takes.

    ``level`` 0 is every check. ``also`` are checks to run whatever the level. ``severities`` maps checks to theirs.
    """

    hosts: str = "all"
    level: Literal[0, 1, 2] | None = None
    only: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    severities: dict[str, Severity] = {}
    parameters: Policy = msgspec.field(default_factory=Policy)


class PolicyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: a list under ``policies``."""

    policies: tuple[PolicyEntry, ...]


@dataclass(frozen=True)
class Effective:
    """What the entries that mean a host say together."""

    picks: Picks = field(default_factory=Picks)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def plan(self, everything: Plan) -> Plan:
        """The items it picks of a plan, with the severities it gives."""
        items = self.picks.of(everything.items)
        return replace(
            everything, items=tuple(replace(item, severity=self._severity(item)) for item in items)
        )

    def _severity(self, item: Item) -> Severity:
        given = [severity for name, severity in self.severities.items() if item.is_called(name)]
        return given[-1] if given else item.severity


@dataclass(frozen=True)
class Resolved:
    """Hosts with the parameters that hold for them, what is asked of each by name, and what the file's owner should know."""

    hosts: tuple[Host, ...]
    plans: Mapping[str, Plan] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policies:
    """The entries of a file; a later one beats an earlier one, and all of them the inventory."""

    file: Document
    entries: tuple[PolicyEntry, ...]

    def effective(self, host: Host) -> Effective:
        """What holds for a host."""
        return self._merged(self._meaning(host))

    def resolve(self, hosts: Sequence[Host], everything: Plan) -> Resolved:
        """
        A plan for each host: hosts of which the same entries speak share one, and all tell each other what any of them compares.

        Args:
            hosts: as the inventory has them.
            everything: the plan to pick from; what it lacks no policy brings back.
        """
        meant = {host.name: self._meaning(host) for host in hosts}
        made = {indices: self._merged(indices).plan(everything) for indices in meant.values()}
        compared = frozenset[Any]().union(*(plan.compared for plan in made.values()))
        shared = {indices: replace(plan, shared=compared) for indices, plan in made.items()}
        return Resolved(
            tuple(_judged_by(self._merged(meant[host.name]), host) for host in hosts),
            {name: shared[indices] for name, indices in meant.items()},
            tuple(self._warnings(meant.values(), made)),
        )

    def _meaning(self, host: Host) -> tuple[int, ...]:
        from auditor.inventory.names import means  # noqa: PLC0415  without a policy nobody waits for inventories' parsers

        return tuple(index for index, entry in enumerate(self.entries) if means(entry.hosts, host))

    def _merged(self, indices: Iterable[int]) -> Effective:
        effective = Effective()
        for index in indices:
            entry, picks = self.entries[index], effective.picks
            effective = Effective(
                Picks(
                    picks.level if entry.level is None else entry.level,
                    picks.only if entry.only is None else entry.only,
                    (*picks.skip, *entry.skip),
                    (*picks.also, *entry.also),
                ),
                {**_without(effective.severities, entry.severities), **entry.severities},
                {**effective.parameters, **self._parameters(index)},
            )
        return effective

    def _parameters(self, index: int) -> dict[str, Any]:
        """Those that stand in the file: the others keep the value they have."""
        said = self.file.value["policies"][index].get("parameters", {})
        return {name: getattr(self.entries[index].parameters, name) for name in said}

    def _warnings(
        self, meant: Iterable[tuple[int, ...]], made: Mapping[tuple[int, ...], Plan]
    ) -> Iterator[str]:
        used = {index for indices in meant for index in indices}
        for index in sorted(set(range(len(self.entries))) - used):
            yield f"{self._where(index)} means no host of this run"
        for indices, plan in made.items():
            if not plan.items:
                yield f"{self._where(indices[-1]) if indices else self.file.path} leaves nothing to ask"

    def _where(self, index: int) -> str:
        return f"{self.file.path}:{self.file.line('policies', index)}: the policy for {self.entries[index].hosts!r}"


def _without(old: Mapping[str, Severity], new: Mapping[str, Severity]) -> dict[str, Severity]:
    """The last one that means a check counts, so what is said again moves to the end."""
    return {name: severity for name, severity in old.items() if name not in new}


def _judged_by(effective: Effective, host: Host) -> Host:
    return replace(host, policy=msgspec.structs.replace(host.policy, **effective.parameters))


def load_policies(path: Path, everything: Plan) -> Policies:
    """
    Read a policy file.

    Raises:
        BadFile: it is malformed, or names a check or a control that is not in ``everything``.
    """
    file = document(path)
    entries = file.into(PolicyFile).policies
    for index, entry in enumerate(entries):
        for keys, name in _names(entry):
            try:
                everything.require(name)
            except UsageError as error:
                raise file.bad(str(error), "policies", index, *keys) from None
        if not entry.hosts.strip(" ,:"):
            raise file.bad("is empty: give a name, a group, tag:NAME or all", "policies", index, "hosts")
    return Policies(file, entries)


def _names(entry: PolicyEntry) -> Iterator[tuple[tuple[Hashable, ...], str]]:
    """Every name of a check or a control in an entry, with the keys that lead to it."""
    for key, names in (("only", entry.only or ()), ("skip", entry.skip), ("also", entry.also)):
        yield from (((key, place), name) for place, name in enumerate(names))
    yield from ((("severities", name), name) for name in entry.severities)

"""The plan of a run: which checks, under which numbers. Made once, used for every host."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, get_args, get_origin

from auditor.benchmark import Benchmark, Control
from auditor.check import Check, Severity
from auditor.collect.bundle import OF_THE_HOST
from auditor.collect.scripts import sections
from auditor.errors import UsageError
from auditor.facts.fleet import Fleet
from auditor.host import Platform
from auditor.results import CheckText


@dataclass(frozen=True)
class Item:
    """
    One result to come: a check, or a control that has none yet (``check`` is None).

    ``levels`` are the benchmark's, one for each of ``controls``; none for a check beyond the benchmark.
    It is asked of hosts of ``platform``.
    """

    id: str
    title: str
    severity: Severity
    section: str
    controls: tuple[str, ...]
    levels: tuple[int, ...]
    check: Check[...] | None
    benchmark: str = ""
    platform: Platform = "linux"

    @property
    def level(self) -> int:
        """The lowest of its levels, 0 for a check beyond the benchmark."""
        return min(self.levels, default=0)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The fact type behind each parameter of its check, ``Fleet[X]`` as X."""
        return {name: fact_of(fact) for name, fact in self.check.facts.items()} if self.check else {}

    @cached_property
    def compared(self) -> dict[str, Any]:
        """Those of ``facts`` that its check wants of all hosts."""
        asked = self.check.facts if self.check else {}
        return {name: fact for name, fact in self.facts.items() if get_origin(asked[name]) is Fleet}

    @cached_property
    def of_the_host(self) -> bool:
        """Whether its facts are the same whichever daemon of a host is asked."""
        return {name for fact in self.facts.values() for name in getattr(fact, "SECTIONS", ())} <= {
            *OF_THE_HOST
        }

    @cached_property
    def numbers(self) -> dict[str, list[str]]:
        """Its controls as results tell them, by the benchmark's name; one object for all hosts."""
        return {self.benchmark: list(self.controls)} if self.controls else {}

    def at(self, level: int) -> "Item":
        """The item with those of its controls that belong to a level; 0: with all."""
        kept = [
            pair for pair in zip(self.controls, self.levels, strict=True) if not level or pair[1] <= level
        ]
        controls, levels = zip(*kept, strict=True) if kept else ((), ())
        return replace(self, controls=controls, levels=levels)

    def is_called(self, name: str) -> bool:
        """Whether ``name`` means this item: its id (globs allowed), a control's number, or a chapter's (``5``)."""
        return fnmatchcase(self.id, name) or any(
            number == name or number.startswith(f"{name}.") for number in self.controls
        )


@dataclass(frozen=True)
class Picks:
    """
    Which items are wanted: of these levels (0: all, and what is beyond the benchmark), named in ``only`` (empty: all), not in ``skip``.

    ``also`` are wanted whatever the level is. Names are check ids, globs of them, and numbers.
    """

    level: int = 0
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def of(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """Those of the items that are wanted, with those of their controls that the level has."""
        return tuple(
            item if any(map(item.is_called, self.also)) else item.at(self.level)
            for item in items
            if self._wants(item)
        )

    def _wants(self, item: Item) -> bool:
        if any(map(item.is_called, self.skip)):
            return False
        if any(map(item.is_called, self.also)):
            return True
        in_level = not self.level or 0 < item.level <= self.level
        return in_level and (not self.only or any(map(item.is_called, self.only)))


@dataclass(frozen=True)
class Plan:
    """
    What is asked of hosts; ``on`` a platform it is what is asked of one.

    ``shared`` are facts that a host tells to checks that compare it with others, whatever it is asked itself.
    """

    benchmark: str
    items: tuple[Item, ...]
    shared: frozenset[Any] = frozenset()

    def on(self, platform: Platform) -> "Plan":
        """What of it is asked of a host of this platform."""
        return self._on.get(platform) or Plan(self.benchmark, (), self.shared)

    @cached_property
    def _on(self) -> dict[Platform, "Plan"]:
        items: dict[Platform, list[Item]] = {}
        for item in self.items:
            items.setdefault(item.platform, []).append(item)
        return {
            platform: replace(self, benchmark=some[0].benchmark or self.benchmark, items=tuple(some))
            for platform, some in items.items()
        }

    @cached_property
    def facts(self) -> tuple[Any, ...]:
        """The fact types that the checks need, ``Fleet[X]`` as X."""
        needed = {fact: None for item in self.items for fact in item.facts.values()}
        return tuple(needed | dict.fromkeys(sorted(self.shared, key=lambda fact: str(fact.__name__))))

    @cached_property
    def compared(self) -> frozenset[Any]:
        """The fact types that the checks want of all hosts: X of ``Fleet[X]``."""
        return frozenset(fact for item in self.items for fact in item.compared.values())

    @cached_property
    def sections(self) -> tuple[str, ...]:
        """The collector's sections that the facts are made of."""
        names = {name: None for fact in self.facts for either in _reads(fact) for name in either if name}
        return tuple(names)

    def texts(self) -> dict[str, CheckText]:
        """The words of every item, by id, for the report."""
        return {item.id: _text(item) for item in reversed(self.items)}

    def require(self, *names: str) -> None:
        """
        See that each name means something here.

        Raises:
            UsageError: one means no check and no control.
        """
        for name in names:
            if not any(item.is_called(name) for item in self.items):
                raise UsageError(
                    f"no check and no control of {self.benchmark} is called {name!r}; 'auditor checks' lists them"
                )


def join(*plans: Plan) -> Plan:
    """One plan of several, each for hosts of its own platform."""
    return Plan(
        ", ".join(plan.benchmark for plan in plans), tuple(item for plan in plans for item in plan.items)
    )


def can_tell(platform: Platform, check: Check[...]) -> bool:
    """Whether the collector of a platform brings all that a check reads. A folder of checks that is named as a platform is for that one only."""
    if check.section in get_args(Platform) and check.section != platform:
        return False
    brought = sections(platform) | {""}
    facts = map(fact_of, check.facts.values())
    return all(brought.intersection(either) for fact in facts for either in _reads(fact))


def _reads(fact: Any) -> Iterable[list[str]]:
    """The sections that a fact is made of; where platforms tell the same thing in different ones, any of them will do; the empty one needs nothing."""
    return (name.split("|") for name in getattr(fact, "SECTIONS", ()))


def fact_of(annotation: Any) -> Any:
    """The fact type behind an annotation: X for X and for ``Fleet[X]``."""
    return get_args(annotation)[0] if get_origin(annotation) is Fleet else annotation


def make_plan(
    checks: Mapping[str, Check[...]],
    benchmark: Benchmark,
    *,
    level: int = 0,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> Plan:
    """
    Put checks under a benchmark's numbers.

    Every control is in the plan, with a check or without. Checks beyond the benchmark come after it, unless a
    ``level`` is asked for: levels are the benchmark's. ``only`` and ``skip`` take check ids, globs and numbers.

    Raises:
        UsageError: the benchmark names a check that there is not, or a name in ``only`` or ``skip`` means nothing.
    """
    unknown = {name for control in benchmark.controls for name in control.checks} - checks.keys()
    if unknown:
        raise UsageError(
            f"benchmark {benchmark.id} names checks that there are not: {', '.join(sorted(unknown))}"
        )
    everything = Plan(benchmark.id, (*_numbered(checks, benchmark), *_beyond(checks, benchmark)))
    return pick(everything, level=level, only=only, skip=skip)


def pick(plan: Plan, *, level: int = 0, only: Sequence[str] = (), skip: Sequence[str] = ()) -> Plan:
    """
    What is wanted of a plan, as ``make_plan`` says.

    Raises:
        UsageError: a name in ``only`` or ``skip`` means nothing.
    """
    plan.require(*only, *skip)
    return replace(plan, items=Picks(level, tuple(only), tuple(skip)).of(plan.items))


def _numbered(checks: Mapping[str, Check[...]], benchmark: Benchmark) -> Iterable[Item]:
    """The benchmark's controls in their order; a check that answers several stands at the first."""
    seen: set[str] = set()
    for control in benchmark.controls:
        if not control.checks:
            yield _unanswered(control, benchmark)
        for name in control.checks:
            if name not in seen:
                seen.add(name)
                controls = benchmark.controls_of(name)
                yield _item(checks[name], benchmark, controls)


def _beyond(checks: Mapping[str, Check[...]], benchmark: Benchmark) -> Iterable[Item]:
    return (_item(check, benchmark, ()) for check in checks.values() if not benchmark.controls_of(check.id))


def _item(check: Check[...], benchmark: Benchmark, controls: Sequence[Control]) -> Item:
    numbers, levels = tuple(it.number for it in controls), tuple(it.level for it in controls)
    section = benchmark.section_of(controls[0]) if controls else check.section
    return Item(
        check.id,
        check.title,
        check.severity,
        section,
        numbers,
        levels,
        check,
        benchmark.id,
        benchmark.platform,
    )


def _unanswered(control: Control, benchmark: Benchmark) -> Item:
    section = benchmark.section_of(control)
    return Item(
        f"control-{control.number}",
        control.title,
        Severity.LOW,
        section,
        (control.number,),
        (control.level,),
        None,
        benchmark.id,
        benchmark.platform,
    )


def _text(item: Item) -> CheckText:
    rationale = item.check.rationale if item.check else "No check answers this control yet: a person has to."
    remediation = (
        item.check.remediation
        if item.check
        else "Look the control up in the benchmark and assess it by hand."
    )
    severity = item.check.severity if item.check else item.severity
    return CheckText(item.title, severity, item.section, rationale, remediation, item.level)

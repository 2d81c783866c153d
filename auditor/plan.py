"""The plan of a run: which checks, under which numbers. Made once, used for every host."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, get_args, get_origin

from auditor.benchmark import Benchmark, Control
from auditor.check import Check, Severity
from auditor.errors import UsageError
from auditor.facts.fleet import Fleet
from auditor.results import CheckText


@dataclass(frozen=True)
class Item:
    """
    One result to come: a check, or a control that has none yet (``check`` is None).

    ``level`` is the benchmark's, 0 for a check beyond the benchmark.
    """

    id: str
    title: str
    severity: Severity
    section: str
    controls: tuple[str, ...]
    level: int
    check: Check[...] | None

    def is_called(self, name: str) -> bool:
        """Whether ``name`` means this item: its id (globs allowed), a control's number, or a chapter's (``5``)."""
        return fnmatchcase(self.id, name) or any(
            number == name or number.startswith(f"{name}.") for number in self.controls
        )


@dataclass(frozen=True)
class Plan:
    """What is asked of every host."""

    benchmark: str
    items: tuple[Item, ...]

    @property
    def facts(self) -> tuple[Any, ...]:
        """The fact types that the checks need, ``Fleet[X]`` as X."""
        needed = {
            fact_of(fact): None for item in self.items if item.check for fact in item.check.facts.values()
        }
        return tuple(needed)

    @property
    def sections(self) -> tuple[str, ...]:
        """The collector's sections that the facts are made of."""
        names = {name: None for fact in self.facts for name in getattr(fact, "SECTIONS", ())}
        return tuple(names)

    def texts(self) -> dict[str, CheckText]:
        """The words of every item, by id, for the report."""
        return {item.id: _text(item) for item in self.items}


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
    items = [*_numbered(checks, benchmark), *_beyond(checks, benchmark)]
    for name in (*only, *skip):
        if not any(item.is_called(name) for item in items):
            raise UsageError(
                f"no check and no control of {benchmark.id} is called {name!r}; 'auditor checks' lists them"
            )
    chosen = [
        item
        for item in items
        if (not level or 0 < item.level <= level)
        and (not only or any(item.is_called(name) for name in only))
        and not any(item.is_called(name) for name in skip)
    ]
    return Plan(benchmark.id, tuple(chosen))


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
                yield _item(checks[name], [it.number for it in controls], min(it.level for it in controls))


def _beyond(checks: Mapping[str, Check[...]], benchmark: Benchmark) -> Iterable[Item]:
    return (_item(check, (), 0) for check in checks.values() if not benchmark.controls_of(check.id))


def _item(check: Check[...], numbers: Iterable[str], level: int) -> Item:
    return Item(check.id, check.title, check.severity, check.section, tuple(numbers), level, check)


def _unanswered(control: Control, benchmark: Benchmark) -> Item:
    section = benchmark.section_of(control)
    return Item(
        f"control-{control.number}",
        control.title,
        Severity.LOW,
        section,
        (control.number,),
        control.level,
        None,
    )


def _text(item: Item) -> CheckText:
    rationale = item.check.rationale if item.check else "No check answers this control yet: a person has to."
    remediation = (
        item.check.remediation
        if item.check
        else "Look the control up in the benchmark and assess it by hand."
    )
    return CheckText(item.title, item.severity, item.section, rationale, remediation, item.level)

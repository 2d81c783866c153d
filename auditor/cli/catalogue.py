"""What can be asked: the checks, the benchmarks, and their words."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

import checks
from auditor.benchmark import Benchmark, available, load_benchmark
from auditor.check import Check
from auditor.errors import UsageError
from auditor.host import Platform
from auditor.own_checks import load_own_checks
from auditor.plan import Item, Plan, can_tell, join, make_plan, pick
from auditor.registry import discover

BENCHMARKS = Path(checks.__file__).parent / "benchmarks"
_USUAL: dict[Platform, str] = {"linux": "cis-docker", "windows": "windows-container-host"}


@cache
def all_checks(*folders: Path) -> dict[str, Check[...]]:
    """
    Every check there is, by id; those of a user's folders too.

    Raises:
        BadFile: a folder holds no check, one that cannot be loaded, or one whose id is taken.
    """
    found = discover(checks)
    for folder in folders:
        found |= load_own_checks(folder, found)
    return found


def benchmark_named(name: str) -> Benchmark:
    """The benchmark; ``cis-docker`` without a version means the newest of that name."""
    newest = next((it for it in available(BENCHMARKS) if it.startswith(f"{name}-")), name)
    return load_benchmark(BENCHMARKS, newest)


def benchmarks_named(names: Sequence[str]) -> tuple[Benchmark, ...]:
    """
    The benchmarks of these names, and the usual one of each platform of which none is named.

    Raises:
        UsageError: there is none of a name, or two are for one platform.
    """
    named = [benchmark_named(name) for name in names]
    found = {benchmark.platform: benchmark for benchmark in named}
    if len(found) < len(named):
        raise UsageError(f"--benchmark: name one for each platform; {' and '.join(names)} are for the same")
    return tuple(found.get(platform) or benchmark_named(name) for platform, name in _USUAL.items())


def everything(benchmarks: Sequence[str] = (), own: Sequence[Path] = ()) -> Plan:
    """All that could be asked, of every platform: every control, and every check, ours and the user's."""
    return join(*(plan_of(benchmark, own) for benchmark in benchmarks_named(benchmarks)))


def plan_of(benchmark: Benchmark, own: Sequence[Path] = ()) -> Plan:
    """All that could be asked by a benchmark."""
    return make_plan(_askable(benchmark, own), benchmark)


def _askable(benchmark: Benchmark, own: Sequence[Path]) -> dict[str, Check[...]]:
    """Ours that it names, or all, and the user's: those whose facts a host of its platform can tell."""
    named = {name for control in benchmark.controls for name in control.checks}
    ours = all_checks()
    return {
        name: check
        for name, check in all_checks(*own).items()
        if name in named or (can_tell(benchmark.platform, check) and not (benchmark.closed and name in ours))
    }


def list_checks(benchmarks: Sequence[str], level: int, own: Sequence[Path] = (), *, as_json: bool) -> None:
    """Print every check and every control that has none."""
    plan = pick(everything(benchmarks, own), level=level)
    if as_json:
        rows = [
            {
                "check": item.id,
                "title": item.title,
                "severity": item.severity.value,
                "section": item.section,
                "controls": {item.benchmark: list(item.controls)} if item.controls else {},
                "platform": item.platform,
                "level": item.level or None,
                "automated": item.check is not None,
                "sections_read": list(_sections(item)),
            }
            for item in plan.items
        ]
        print(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())  # noqa: T201  this is the output
        return
    Console().print(_table(plan))


def _sections(item: Item) -> tuple[str, ...]:
    return Plan("", (item,)).sections


def _table(plan: Plan) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("control", "level", "severity", "check"):
        table.add_column(name, no_wrap=True, overflow="ignore")
    table.add_column("title", ratio=1)
    for item in plan.items:
        name = item.id if item.check else "(not automated yet)"
        level = str(item.level or "")
        severity = item.severity.value if item.check else ""
        table.add_row(*map(Text, (", ".join(item.controls), level, severity, name, item.title)))
    return table


def explain_check(name: str, benchmarks: Sequence[str], own: Sequence[Path] = ()) -> None:
    """
    Print the words of a check, or of all checks that answer a control.

    Raises:
        UsageError: nothing is called so; the text suggests what is.
    """
    plan = everything(benchmarks, own)
    items = [item for item in plan.items if item.is_called(name)]
    if not items:
        close = _close(name, plan)
        raise UsageError(
            f"no check or control is called {name!r}"
            + (f"; did you mean {close}?" if close else "; 'auditor checks' lists them")
        )
    console = Console()
    for same in _by_id(items).values():
        _print_words(console, plan, same)


def _by_id(items: Iterable[Item]) -> dict[str, list[Item]]:
    """The items of each check: one a platform."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.id, []).append(item)
    return found


def _close(name: str, plan: Plan) -> str:
    import difflib  # noqa: PLC0415

    return ", ".join(difflib.get_close_matches(name, [item.id for item in plan.items], n=3))


def _print_words(console: Console, plan: Plan, items: Sequence[Item]) -> None:
    """The words of one check, with its numbers on each platform."""
    name, words = items[0].id, plan.texts()[items[0].id]
    numbers = "; ".join(map(_numbers, items))
    console.print(Text(name, style="bold"), Text(f"  {items[0].severity.value}, {numbers}", style="dim"))
    console.print(Text(f"{words.title}\n"))
    console.print(Text(_flowing(words.rationale) + "\n"))
    console.print(Text("What to do", style="bold"))
    console.print(Text(_flowing(words.remediation) + "\n"))


def _flowing(text: str) -> str:
    """The text with its paragraphs in one line each, for the terminal to wrap; what is indented or listed keeps its lines."""
    return re.sub(r"(?<=\S)\n(?=[^\s*-])", " ", text)


def _numbers(item: Item) -> str:
    level = f", level {item.level}" if item.level else ""
    numbers = f"{item.benchmark} {', '.join(item.controls)}" if item.controls else f"beyond {item.benchmark}"
    return f"{numbers}{level}{_adapted(item)}"


def _adapted(item: Item) -> str:
    """What its controls are adapted from."""
    benchmark = benchmark_named(item.benchmark)
    numbers = [
        number for it in benchmark.controls if it.number in item.controls for number in it.adapted_from
    ]
    return f" (adapted from {benchmark.adapted_from} {', '.join(numbers)})" if numbers else ""

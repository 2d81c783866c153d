"""What can be asked: the checks, the benchmarks, and their words."""

from collections.abc import Sequence
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
from auditor.own_checks import load_own_checks
from auditor.plan import Item, Plan, make_plan
from auditor.registry import discover

BENCHMARKS = Path(checks.__file__).parent / "benchmarks"


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


def list_checks(benchmark: str, level: int, own: Sequence[Path] = (), *, as_json: bool) -> None:
    """Print every check and every control that has none."""
    plan = make_plan(all_checks(*own), benchmark_named(benchmark), level=level)
    if as_json:
        rows = [
            {
                "check": item.id,
                "title": item.title,
                "severity": item.severity.value,
                "section": item.section,
                "controls": {plan.benchmark: list(item.controls)} if item.controls else {},
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


def explain_check(name: str, benchmark: str, own: Sequence[Path] = ()) -> None:
    """
    Print the words of a check, or of all checks that answer a control.

    Raises:
        UsageError: nothing is called so; the text suggests what is.
    """
    plan = make_plan(all_checks(*own), benchmark_named(benchmark))
    items = [item for item in plan.items if item.is_called(name)]
    if not items:
        close = _close(name, plan)
        raise UsageError(
            f"no check or control is called {name!r}"
            + (f"; did you mean {close}?" if close else "; 'auditor checks' lists them")
        )
    console = Console()
    for item in items:
        _print_words(console, plan, item)


def _close(name: str, plan: Plan) -> str:
    import difflib  # noqa: PLC0415

    return ", ".join(difflib.get_close_matches(name, [item.id for item in plan.items], n=3))


def _print_words(console: Console, plan: Plan, item: Item) -> None:
    words = plan.texts()[item.id]
    numbers = f"{plan.benchmark} {', '.join(item.controls)}" if item.controls else "beyond the benchmark"
    level = f", level {item.level}" if item.level else ""
    console.print(
        Text(item.id, style="bold"), Text(f"  {item.severity.value}, {numbers}{level}", style="dim")
    )
    console.print(Text(f"{words.title}\n"))
    console.print(Text(words.rationale + "\n"))
    console.print(Text("What to do", style="bold"))
    console.print(Text(words.remediation + "\n"))

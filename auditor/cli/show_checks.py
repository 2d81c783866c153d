"""``checks`` and ``explain``: what can be asked, in words."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auditor.cli.catalogue import benchmark_named, everything
from auditor.errors import UsageError
from auditor.plan import Item, Plan, pick


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

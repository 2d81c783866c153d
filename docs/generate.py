"""Write the pages that are made from the code: ``python docs/generate.py``; ``--check`` only says whether they are current."""

import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import msgspec

from auditor.benchmark import Benchmark
from auditor.check import Check
from auditor.cli.catalogue import all_checks, benchmark_named, plan_of
from auditor.facts.fleet import Fleet
from auditor.gaps import Manual
from auditor.plan import Item, Plan, fact_of, join
from auditor.transports.base import linux_script
from auditor.transports.powershell import windows_script
from auditor.yamlfile import read

DOCS = Path(__file__).parent
_WINDOWS = "windows-container-host"
_NOTE = "<!-- Made by docs/generate.py. Do not edit: change the code and run it again. -->\n"


def checks_page() -> str:
    """The catalogue: every check with its words, its numbers and the facts it reads."""
    plans = [plan_of(benchmark_named(name)) for name in ("cis-docker", _WINDOWS)]
    linux, windows = ({item.id: item for item in plan.items if item.check} for plan in plans)
    items = [_numbered(item, windows.get(item.id)) for item in linux.values()]
    items += [item for item in windows.values() if item.id not in linux]
    plan = join(*plans)
    lines = [
        _NOTE,
        "# The checks\n",
        f"Numbers are those of {plans[0].benchmark}; those with a W are of {_WINDOWS}.\n",
    ]
    lines += ["| check | controls | level | severity |", "| --- | --- | --- | --- |"]
    lines += [
        f"| [{it.id}](#{it.id}) | {', '.join(it.controls)} | {it.level or ''} | {it.severity.value} |"
        for it in items
    ]
    for item in items:
        lines += _entry(plan, item)
    return "\n".join(lines) + "\n"


def _numbered(item: Item, on_windows: Item | None) -> Item:
    """An item with the numbers that it has on Windows too."""
    if on_windows is None:
        return item
    return replace(item, controls=item.controls + on_windows.controls, levels=item.levels + on_windows.levels)


def _entry(plan: Plan, item: Item) -> Iterator[str]:
    words = plan.texts()[item.id]
    facts = item.check.facts.values() if item.check else ()
    names = ", ".join(
        sorted(f"{fact_of(fact).__name__}{' of the fleet' if _is_fleet(fact) else ''}" for fact in facts)
    )
    numbers = ", ".join(item.controls) or "beyond the benchmark"
    yield f"\n## {item.id}\n"
    yield f"**{words.title}**\n"
    yield f"{item.severity.value} · {numbers} · {item.section} · reads {names}\n"
    yield words.rationale + "\n"
    yield f"*What to do:* {words.remediation}"


def _is_fleet(fact: object) -> bool:
    return getattr(fact, "__origin__", None) is Fleet


def collector_page() -> str:
    """What runs on a host: the collectors' sections, each with its comment and its commands, then the whole scripts."""
    script = linux_script().decode()
    lines = [_NOTE, (DOCS / "what-runs-on-your-host.head.md").read_text()]
    for match in re.finditer(
        r"((?:^# [^\n]*\n)+)^section_([a-z_]+)\(\) \{\n(.*?)^\}\n", script, re.MULTILINE | re.DOTALL
    ):
        comment = " ".join(
            line.removeprefix("# ") for line in match[1].splitlines() if "shellcheck" not in line
        )
        lines += [
            f"### {match[2].replace('_', '-')}\n",
            comment + "\n",
            "```sh",
            match[3].rstrip("\n"),
            "```\n",
        ]
    lines += ["## The whole script\n", "```sh", script.rstrip("\n"), "```\n", *_on_windows()]
    return "\n".join(lines) + "\n"


def _on_windows() -> Iterator[str]:
    """The same of the collector for Windows."""
    script = windows_script().decode()
    yield (DOCS / "what-runs-on-your-host.windows.md").read_text()
    for match in re.finditer(
        r"((?:^    # [^\n]*\n)+)^    function section-([a-z-]+) \{\n(.*?)^    \}\n",
        script,
        re.MULTILINE | re.DOTALL,
    ):
        comment = [line.removeprefix("    # ") for line in match[1].splitlines()]
        yield f"### {match[2]} on Windows\n"
        yield " ".join(comment) + "\n"
        yield "```powershell\n" + textwrap.dedent(match[3]).rstrip("\n") + "\n```\n"
    yield "## The whole script for Windows\n"
    yield "```powershell\n" + script.rstrip("\n") + "\n```"


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What another tool was reported to say, what ours says, and the test (``file::name``) that sees to it."""

    reports: tuple[str, ...]
    was: str
    ours: str
    test: str


class Cases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of cases."""

    cases: tuple[Case, ...]


CASES = read(DOCS / "coverage-cases.yaml", Cases).cases


def coverage_page() -> str:
    """Every control: our checks, what they read, who decides; then the cases in which others were reported to be wrong."""
    lines = [
        *_coverage(benchmark_named("cis-docker")),
        "\n## Where other tools were reported to be wrong\n",
        _CASES_LEGEND,
        "",
    ]
    lines += ["| reported | what was said | what ours says | held by |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *map(_case, CASES)]) + "\n"


def windows_coverage_page() -> str:
    """The same of the benchmark for Windows, with the controls for Linux that each is adapted from."""
    return "\n".join(_coverage(benchmark_named(_WINDOWS))) + "\n"


def _coverage(benchmark: Benchmark) -> list[str]:
    """A row for each control: our checks, what they read, who decides."""
    checks = all_checks()
    rows, decided = [], list[str]()
    for control in benchmark.controls:
        found = [checks[name] for name in control.checks]
        decided.append(_decided(found))
        names = ", ".join(f"[{it.id}](checks.md#{it.id})" for it in found) or "none yet: a person looks"
        facts = ", ".join(sorted({fact_of(fact).__name__ for it in found for fact in it.facts.values()}))
        who = f"{decided[-1]} | {control.assessment}"
        if benchmark.adapted_from:
            who += f" | {', '.join(control.adapted_from) or 'of its own'}"
        rows.append(f"| {control.number} | {control.level} | {control.title} | {names} | {facts} | {who} |")
    lines = [_NOTE, f"# Coverage of {benchmark.title}\n", _LEGEND, ""]
    lines += [f"* {decided.count(kind)} {kind}" for kind in _KINDS]
    more = (f" adapted from {benchmark.adapted_from} |", " --- |") if benchmark.adapted_from else ("", "")
    lines += ["", f"| control | level | wanted | checks | facts | decided by | the benchmark says |{more[0]}"]
    return [*lines, f"| --- | --- | --- | --- | --- | --- | --- |{more[1]}", *rows]


_KINDS = ("facts", "facts, in part a person", "a person")
_LEGEND = """Read from the checks' code. *facts*: they decide it wherever they can be seen; *facts, in part a person*: there are situations
in which the answer is `manual`, with the evidence; *a person*: no check answers it. One column is what the benchmark says of itself."""
_CASES_LEGEND = """Each was reported in public; some have been mended since. The test named keeps ours from saying the same."""


def _decided(checks: list[Check[...]]) -> str:
    if not checks:
        return "a person"
    return "facts, in part a person" if any(_may_ask(check.rule) for check in checks) else "facts"


def _may_ask(rule: Callable[..., Any]) -> bool:
    """Whether a rule, or a function of ``checks`` that it calls, can raise Manual."""
    todo, seen = list[Any]([rule]), set[int]()
    while todo:
        function = todo.pop()
        if not isinstance(function, FunctionType) or id(function) in seen:
            continue
        seen.add(id(function))
        inside: list[Any] = [function.__globals__.get(name) for name in _names(function.__code__)]
        inside += [cell.cell_contents for cell in function.__closure__ or ()]
        if Manual in [it for it in inside if isinstance(it, type)]:
            return True
        todo += [it for it in inside if getattr(it, "__module__", "").startswith("checks.")]
    return False


def _names(code: CodeType) -> set[str]:
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _case(case: Case) -> str:
    links = ", ".join(
        f"[{name.partition('/')[2]}](https://github.com/{name.replace('#', '/issues/')})"
        for name in case.reports
    )
    path, _, name = case.test.partition("::")
    return f"| {links} | {case.was} | {case.ours} | [{name}](../{path}) |"


PAGES = {
    "checks.md": checks_page,
    "coverage.md": coverage_page,
    "coverage-windows.md": windows_coverage_page,
    "what-runs-on-your-host.md": collector_page,
}


def main() -> int:
    """Write the pages, or with ``--check`` name those that are not current (exit code 1)."""
    stale = [
        name
        for name, make in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text() != make()
    ]
    if "--check" in sys.argv:
        for name in stale:
            print(f"docs/{name} is not what the code says: run python docs/generate.py")  # noqa: T201
        return bool(stale)
    for name in stale:
        (DOCS / name).write_text(PAGES[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main())

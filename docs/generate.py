"""Write the pages that are made from the code: ``python docs/generate.py``; ``--check`` only says whether they are current."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from auditor.cli.catalogue import all_checks, benchmark_named
from auditor.facts.fleet import Fleet
from auditor.plan import Item, Plan, fact_of, make_plan
from auditor.transports.base import linux_script

DOCS = Path(__file__).parent
_NOTE = "<!-- Made by docs/generate.py. Do not edit: change the code and run it again. -->\n"


def checks_page() -> str:
    """The catalogue: every check with its words, its numbers and the facts it reads."""
    plan = make_plan(all_checks(), benchmark_named("cis-docker"))
    items = [item for item in plan.items if item.check]
    lines = [_NOTE, "# The checks\n", f"Numbers are those of {plan.benchmark}.\n"]
    lines += ["| check | controls | level | severity |", "| --- | --- | --- | --- |"]
    lines += [
        f"| [{it.id}](#{it.id}) | {', '.join(it.controls)} | {it.level or ''} | {it.severity.value} |"
        for it in items
    ]
    for item in items:
        lines += _entry(plan, item)
    return "\n".join(lines) + "\n"


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
    """What runs on a host: the collector's sections, each with its comment and its commands, then the whole script."""
    script = linux_script().decode()
    lines = [_NOTE, (DOCS / "what-runs-on-your-host.head.md").read_text()]
    for match in re.finditer(
        r"((?:^# .*\n)+)^section_([a-z_]+)\(\) \{\n(.*?)^\}\n", script, re.MULTILINE | re.DOTALL
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
    lines += ["## The whole script\n", "```sh", script.rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


PAGES = {"checks.md": checks_page, "what-runs-on-your-host.md": collector_page}


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

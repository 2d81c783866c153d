"""
One screen for whoever ran the audit: hosts, what failed, what was not seen, what is waived, and one line to sum up.

Hosts' words are shown as text: markup of the terminal library and control sequences in them do nothing.
"""

import io
from collections.abc import Iterable, Iterator

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from auditor.results import AuditReport, Counts, HostReport, count
from reports import overview
from reports.visible import visible

_HOSTS, _DEVIATIONS, _OTHERS, _NAMES, _SUBJECTS = 10, 15, 5, 5, 3
_NUMBERS = 56
Part = Text | Table | Padding
_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}


def render(
    report: AuditReport, *, width: int = 100, colour: bool = False, encoding: str = "utf-8"
) -> Iterator[str]:
    """
    The report as text for a terminal ``width`` columns wide.

    ``colour`` adds ANSI sequences. A character that ``encoding`` lacks is written out by its number.
    """
    written = io.BytesIO()
    page = io.TextIOWrapper(written, encoding, "backslashreplace", newline="\n")
    console = Console(
        file=page,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
        _environ={},
    )
    for part in _parts(report, width):
        console.print(part)
    page.flush()
    yield written.getvalue().decode(encoding)


def show(report: AuditReport, console: Console) -> None:
    """Print the report; width, colour (a terminal, no NO_COLOR) and encoding are those of ``console``."""
    colour = console.is_terminal and not console.no_color and not console.legacy_windows
    console.file.writelines(render(report, width=console.width, colour=colour, encoding=console.encoding))


def _parts(report: AuditReport, width: int) -> Iterator[Part]:
    if report.hosts:
        yield from _hosts(report.hosts, width)
    yield from _listed("Failed", _DEVIATIONS, [_deviation(one, width) for one in overview.deviations(report)])
    unreachable = [_entry(f"{host.name}: {host.error}") for host in report.hosts if host.error]
    yield from _listed("Could not be audited", _OTHERS, unreachable)
    yield from _listed("Not seen", _OTHERS, [_gap(group) for group in overview.gaps(report)])
    yield from _listed("Waived", _OTHERS, [_waiver(one) for one in overview.waivers(report)])
    yield from _listed("Warnings", _OTHERS, [_entry(warning) for warning in report.warnings])
    yield _sum(report)


def _hosts(hosts: Iterable[HostReport], width: int) -> Iterator[Part]:
    """A table of the hosts, the worst first: those with most critical failures, then high, and so on."""
    counted = sorted(((host, count(host.results)) for host in hosts), key=_badness)
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("host", no_wrap=True, overflow="crop")
    for name in ("passed", "failed", "error", "waived", "manual", "n/a"):
        table.add_column(name, justify="right", no_wrap=True)
    for host, counts in counted[:_HOSTS]:
        table.add_row(_short(visible(host.name), width - _NUMBERS), *_numbers(counts))
    yield table
    if len(counted) > _HOSTS:
        yield _entry(f"and {len(counted) - _HOSTS} more")
    yield Text()


def _badness(counted: tuple[HostReport, Counts]) -> tuple[int, int, str]:
    host, counts = counted
    weight = sum(
        100**result.severity.rank for result in host.results if result.outcome == "fail" and not result.waiver
    )
    return (-weight, -counts.error, host.name)


def _numbers(counts: Counts) -> list[Text]:
    passed = f"{counts.passed} ({counts.per_cent} %)" if counts.per_cent is not None else "0"
    return [
        Text(passed),
        Text(str(counts.fail), "bold red" if counts.fail else "dim"),
        Text(str(counts.error), "magenta" if counts.error else "dim"),
        *(
            Text(str(number), "" if number else "dim")
            for number in (counts.waived, counts.manual, counts.not_applicable)
        ),
    ]


def _deviation(one: overview.Deviation, width: int) -> Text:
    places = [f"{visible(name)}{_within(subjects)}" for name, subjects in list(one.hosts.items())[:_NAMES]]
    return Text.assemble(
        (f"  {one.severity.value:<9}", _STYLES[one.severity.value]),
        (f"{visible(one.check)} {', '.join(one.numbers)}".rstrip(), "bold"),
        f" on {_many(len(one.hosts), 'host')}, {_many(one.findings, 'finding')}\n{'':11}",
        _short(_and_more(places, len(one.hosts)), width - 11),
    )


def _within(subjects: list[str]) -> str:
    return (
        f" ({_and_more([visible(subject) for subject in subjects[:_SUBJECTS]], len(subjects))})"
        if subjects
        else ""
    )


def _gap(group: overview.UnseenGroup) -> Part:
    hosts = _and_more([visible(name) for name in group.hosts[:_NAMES]], len(group.hosts))
    return _entry(f"{group.reason} [{_many(len(group.checks), 'check')} on {hosts}]")


def _waiver(one: overview.Accepted) -> Part:
    until = f"until {one.waiver.expires}" if one.waiver.expires else "without end"
    hosts = _and_more([visible(name) for name in list(one.hosts)[:_NAMES]], len(one.hosts))
    return _entry(f"{one.check} on {hosts}, {until}: {one.waiver.justification}")


def _listed(title: str, shown: int, entries: list[Part]) -> Iterator[Part]:
    if entries:
        yield Text(f"{title} ({len(entries)})", "bold")
        yield from entries[:shown]
        if len(entries) > shown:
            yield _entry(f"and {len(entries) - shown} more")
        yield Text()


def _sum(report: AuditReport) -> Text:
    total = report.summary
    severities = ", ".join(f"{number} {severity}" for severity, number in total.failures.items() if number)
    parts = [
        _many(total.hosts, "host"),
        f"{total.outcomes.passed} passed",
        f"{total.outcomes.fail} failed" + (f" ({severities})" if severities else ""),
    ]
    parts += [
        f"{number} {name}"
        for name in ("waived", "manual", "attested")
        for number in [getattr(total.outcomes, name)]
        if number
    ]
    line = Text(", ".join(parts), "bold")
    if total.incomplete or report.interrupted or total.unreachable:
        why = [f"{total.outcomes.error} results not known"]
        why += [f"{_many(total.unreachable, 'host')} not audited"] * bool(total.unreachable) + [
            "interrupted"
        ] * report.interrupted
        line.append(f"; incomplete: {', '.join(why)}", "bold magenta")
    return line


def _entry(text: str) -> Part:
    return Padding(Text(visible(text)), (0, 0, 0, 2), expand=False)


def _short(text: str, width: int) -> Text:
    """``text``, cut to ``width`` columns, 16 at least, with dots that any encoding has."""
    width = max(width, 16)
    return Text(text if cell_len(text) <= width else set_cell_size(text, width - 3) + "...")


def _many(number: int, one: str) -> str:
    return f"{number} {one}{'s' * (number != 1)}"


def _and_more(named: list[str], number: int) -> str:
    return ", ".join(named) + (f", and {number - len(named)} more" if number > len(named) else "")

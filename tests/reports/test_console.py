"""The console report fits a screen, says the worst first, and obeys nothing that hosts say."""

import io
import re

import pytest
from rich.console import Console

from auditor.results import AuditReport
from reports import console
from tests.reports import samples


def rendered(report: AuditReport, *, width: int = 100, colour: bool = False, encoding: str = "utf-8") -> str:
    return "".join(console.render(report, width=width, colour=colour, encoding=encoding))


def test_the_last_line_sums_up_and_says_that_the_run_is_incomplete() -> None:
    summary = " ".join(rendered(samples.three_hosts()).strip().rpartition("\n\n")[2].split())
    assert summary.startswith(
        "3 hosts, 143 passed, 33 failed (4 critical, 8 high, 10 medium, 11 low), 4 waived"
    )
    assert summary.endswith("incomplete: 135 results not known, 1 host not audited")


def test_the_most_severe_and_then_the_most_widespread_come_first() -> None:
    severities = re.findall(
        r"^  (critical|high|medium|low) +\S+ .*on (\d+) hosts?", rendered(samples.three_hosts()), re.MULTILINE
    )
    order = ["critical", "high", "medium", "low"]
    ranked = [(order.index(severity), -int(hosts)) for severity, hosts in severities]
    assert ranked == sorted(ranked)
    assert len(ranked) > 4


def test_gaps_waivers_warnings_and_hosts_out_of_reach_are_in_sight() -> None:
    text = rendered(samples.three_hosts())
    for title in ("Could not be audited (1)", "Not seen (1)", "Waived (4)", "Warnings (1)"):
        assert title in text
    assert "auditctl -l could not be read" in text
    assert "until 2026-06-30" in text


def test_attested_results_are_counted_apart_from_those_that_wait_for_a_person() -> None:
    report = samples.three_hosts()
    manual, attested = report.summary.outcomes.manual, report.summary.outcomes.attested
    assert manual
    assert attested
    assert f"{manual} manual, {attested} attested; incomplete" in " ".join(rendered(report).split())


def test_a_thousand_hosts_still_fit_on_about_a_screen() -> None:
    text = rendered(samples.fleet(1000, 20))
    assert "and 990 more" in text
    assert len(text.splitlines()) < 100


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    assert all(len(line) <= width for line in rendered(samples.three_hosts(), width=width).splitlines())


def test_colour_is_off_unless_asked_for() -> None:
    assert "\x1b" not in rendered(samples.three_hosts())
    assert "\x1b[" in rendered(samples.three_hosts(), colour=True)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_hostile_names_stay_text_in_any_encoding(encoding: str) -> None:
    text = rendered(samples.hostile(), width=200, encoding=encoding)
    assert text.encode(encoding)
    assert "[bold red]markup[/bold red]" in text
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u200b"} & set(text)


def test_a_run_over_nothing_says_so() -> None:
    assert rendered(samples.empty()) == "0 hosts, 0 passed, 0 failed\n"


def test_what_is_shown_follows_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal, pipe, plain = io.StringIO(), io.StringIO(), io.StringIO()
    console.show(
        samples.three_hosts(),
        Console(file=terminal, force_terminal=True, color_system="standard", width=80, legacy_windows=False),
    )
    console.show(samples.three_hosts(), Console(file=pipe, force_terminal=False))
    monkeypatch.setenv("NO_COLOR", "1")
    console.show(samples.three_hosts(), Console(file=plain, force_terminal=True, width=80))
    assert "\x1b[" in terminal.getvalue()
    assert "\x1b[" not in pipe.getvalue() + plain.getvalue()

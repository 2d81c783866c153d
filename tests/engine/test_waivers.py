"""Accepted risks: who is waived, until when, and what the file's owner is told."""

from datetime import date
from pathlib import Path

import pytest

from auditor.errors import BadFile
from auditor.results import Finding, HostReport, Outcome, Result, Severity
from auditor.waivers import Waivers, load_waivers

TODAY = date(2026, 11, 23)


def report(*subjects: str, outcome: Outcome = Outcome.FAIL) -> HostReport:
    findings = tuple(Finding(subject, "true", "false") for subject in subjects)
    result = Result(
        "privileged-container",
        "t",
        Severity.CRITICAL,
        "runtime",
        {"cis": ["5.5"]},
        outcome,
        findings=findings,
    )
    return HostReport("web1", "linux", "ssh", (result,))


def waivers(tmp_path: Path, *entries: str) -> Waivers:
    file = tmp_path / "waivers.yaml"
    file.write_text("waivers:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries))
    return load_waivers(file, TODAY, ["privileged-container", "5.5"])


def apply(found: Waivers, *subjects: str) -> Result:
    return found.apply(report(*subjects)).results[0]


def test_a_failure_of_which_every_finding_is_waived_is_marked_and_stays_a_failure(tmp_path: Path) -> None:
    entry = "check: privileged-container, hosts: ['web*'], subjects: ['exporter*'], justification: needs it, expires: 2026-12-31"
    found = waivers(tmp_path, entry)
    result = apply(found, "exporter-1", "exporter-2")
    assert result.outcome is Outcome.FAIL
    assert result.waiver is not None
    assert (result.waiver.justification, result.waiver.expires) == ("needs it", date(2026, 12, 31))
    assert list(found.warnings()) == []


def test_a_failure_that_is_waived_in_part_stays_open_and_says_so(tmp_path: Path) -> None:
    found = waivers(
        tmp_path,
        "check: privileged-container, subjects: [exporter], justification: needs it, expires: 2026-12-31",
    )
    result = apply(found, "exporter", "nginx")
    assert result.waiver is None
    assert (result.reason, result.note) == ("", "1 of 2 findings waived")


def test_several_waivers_together_cover_a_failure_until_the_first_ends(tmp_path: Path) -> None:
    found = waivers(
        tmp_path,
        "check: '5.5', subjects: [a], justification: one, expires: 2027-01-31",
        "check: '5.5', subjects: [b], justification: two, expires: 2027-03-31",
    )
    result = apply(found, "a", "b")
    assert result.waiver is not None
    assert (result.waiver.justification, result.waiver.expires) == ("one; two", date(2027, 1, 31))


def test_a_waiver_holds_on_its_last_day_and_not_on_the_next(tmp_path: Path) -> None:
    today = waivers(tmp_path, "check: '5.5', justification: j, expires: 2026-11-23")
    assert apply(today, "a").waiver is not None
    expired = waivers(tmp_path, "check: '5.5', justification: j, expires: 2026-11-22")
    result = apply(expired, "a")
    assert (result.waiver, result.note) == (None, "a waiver expired on 2026-11-22")
    assert "expired on 2026-11-22" in next(expired.warnings())


def test_a_waiver_for_another_host_or_subject_is_reported_as_unused(tmp_path: Path) -> None:
    found = waivers(tmp_path, "check: '5.5', hosts: [db1], justification: j, expires: 2027-01-01")
    assert apply(found, "a").waiver is None
    assert "waived nothing" in next(found.warnings())


def test_a_waiver_without_an_end_is_pointed_out(tmp_path: Path) -> None:
    found = waivers(tmp_path, "check: '5.5', justification: j")
    assert apply(found, "a").waiver is not None
    assert "has no end" in next(found.warnings())


def test_a_waiver_that_covers_more_than_anybody_looked_at_is_pointed_out(tmp_path: Path) -> None:
    end = "justification: j, expires: 2027-01-01"
    whole = waivers(tmp_path, f"control: '5.5', hosts: ['*'], {end}")
    assert apply(whole, "a").waiver is not None
    assert [text.partition(") ")[2] for text in whole.warnings()] == [
        "covers every subject on every host, those to come too: name hosts or subjects"
    ]
    glob = waivers(tmp_path, f"check: 'privileged-*', hosts: [web1], {end}")
    assert apply(glob, "a").waiver is not None
    assert "covers every check of such a name" in next(glob.warnings())
    narrow = waivers(tmp_path, f"check: 'privileged-*', hosts: [web1], subjects: [a], {end}")
    assert apply(narrow, "a").waiver is not None
    assert list(narrow.warnings()) == []


def test_a_warning_names_the_line(tmp_path: Path) -> None:
    found = waivers(tmp_path, "check: '5.5', hosts: [db1], justification: j, expires: 2027-01-01")
    assert f"{found.path}:2: waiver 1 (5.5)" in next(found.warnings())


def test_only_failures_are_waived(tmp_path: Path) -> None:
    found = waivers(tmp_path, "check: '5.5', justification: j")
    untouched = report(outcome=Outcome.ERROR)
    assert found.apply(untouched) == untouched


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("check: '5.5', justification: ' '", "has no justification"),
        ("check: nonsense, justification: j", "no check or control 'nonsense'"),
        ("check: 'nonsense-*', justification: j", "no check or control 'nonsense-[*]'"),
        ("check: privileged-containers, justification: j", "did you mean 'privileged-container'"),
        ("check: '5.5', control: '5.5', justification: j", "either check or control"),
        ("justification: j", "either check or control"),
        ("control: 'privileged-*', justification: j", "no check or control"),
        ("check: '*', justification: j", "waives everything"),
        ("check: '*', hosts: ['*'], subjects: ['*'], justification: j", "waives everything"),
        ("check: '5.5', justification: j, expires: tomorrow", "waivers.yaml:2"),
        ("check: '5.5', justification: j, hosts: []", r"waivers\[0\].hosts: names none"),
        ("check: '5.5', justification: j, subjects: []", r"waivers\[0\].subjects: names none"),
        ("check: 5.5, justification: j", "waivers.yaml:2"),
        ("check: '5.5', justification: j, host: web1", "hosts"),
        ("check: '5.5'", "justification"),
    ],
)
def test_a_malformed_waiver_is_an_error(tmp_path: Path, entry: str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        waivers(tmp_path, entry)

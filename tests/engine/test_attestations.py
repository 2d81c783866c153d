"""People's answers: what they answer, until when, and what the file's owner is told."""

from datetime import date
from pathlib import Path

import pytest

from auditor.attestations import Attestations, load_attestations
from auditor.errors import BadFile
from auditor.results import Attestation, Finding, HostReport, Outcome, Result, Severity, count

TODAY = date(2026, 11, 23)
WORDS = "statement: Seen by eye., by: Grace, on: 2026-11-01"


def report(outcome: Outcome = Outcome.MANUAL, host: str = "web1") -> HostReport:
    findings = (Finding("a", "b", "c"),) if outcome is Outcome.FAIL else ()
    result = Result(
        "port-not-needed", "t", Severity.LOW, "runtime", {"cis": ["5.9"]}, outcome, "needed?", findings
    )
    return HostReport(host, "linux", "ssh", (result,))


def attestations(tmp_path: Path, *entries: str) -> Attestations:
    file = tmp_path / "attestations.yaml"
    file.write_text("attestations:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries))
    return load_attestations(file, TODAY, ["port-not-needed", "port-on-every-address", "5.9"])


@pytest.mark.parametrize("about", ["check: port-not-needed", "check: '5.9'", "control: '5.9'"])
def test_an_answered_question_stays_manual_and_says_who_answered(tmp_path: Path, about: str) -> None:
    found = attestations(tmp_path, f"{about}, hosts: ['web*'], {WORDS}, expires: 2027-05-01")
    (result,) = found.apply(report()).results
    assert result.outcome is Outcome.MANUAL
    assert result.attestation == Attestation("Seen by eye.", "Grace", date(2026, 11, 1), date(2027, 5, 1))
    assert result.reason == "needed?"
    assert (count([result]).attested, count([result]).manual) == (1, 0)
    assert list(found.warnings()) == []


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.MANUAL])
def test_only_questions_are_answered_and_never_a_failure_or_what_could_not_be_seen(
    tmp_path: Path, outcome: Outcome
) -> None:
    found = attestations(tmp_path, f"check: '5.9', {WORDS}, expires: 2027-05-01")
    assert found.apply(report(outcome)) == report(outcome)
    assert "answered nothing in this run" in next(found.warnings())


def test_an_answer_holds_on_its_last_day_and_then_says_that_it_has_expired(tmp_path: Path) -> None:
    today = attestations(tmp_path, f"check: '5.9', {WORDS}, expires: 2026-11-23")
    assert today.apply(report()).results[0].attestation
    expired = attestations(tmp_path, f"check: '5.9', {WORDS}, expires: 2026-11-22")
    (result,) = expired.apply(report()).results
    assert result.attestation is None
    assert result.note == "what Grace attested on 2026-11-01 expired on 2026-11-22: look again"
    assert list(expired.warnings()) == [
        f"{expired.path}:2: attestation 1 (5.9) expired on 2026-11-22: it no longer counts"
    ]


def test_a_newer_answer_takes_the_place_of_an_expired_one(tmp_path: Path) -> None:
    found = attestations(
        tmp_path,
        f"check: '5.9', {WORDS}, expires: 2026-11-02",
        f"check: '5.9', {WORDS}, expires: 2027-05-01",
    )
    (result,) = found.apply(report()).results
    assert result.attestation
    assert result.note == ""


def test_an_answer_for_another_host_is_reported_as_unused(tmp_path: Path) -> None:
    found = attestations(tmp_path, f"check: '5.9', hosts: [db1], {WORDS}, expires: 2027-05-01")
    assert found.apply(report()).results[0].attestation is None
    assert "answered nothing" in next(found.warnings())


def test_one_statement_for_many_checks_or_for_years_is_pointed_out(tmp_path: Path) -> None:
    found = attestations(tmp_path, f"check: 'port-*', {WORDS}, expires: 2029-01-01")
    assert found.apply(report()).results[0].attestation
    many, long = found.warnings()
    assert "attest them one by one" in many
    assert "holds for 792 days" in long


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (f"check: '5.9', {WORDS}", "'expires' is missing"),
        ("check: '5.9', by: Grace, on: 2026-11-01, expires: 2027-05-01", "'statement' is missing"),
        (f"check: '5.9', {WORDS}, expires: next year", "yaml:2.*expires: "),
        (f"check: '5.9', {WORDS}, expires: 2026-10-31", "expires: is before 'on'"),
        (
            "check: '5.9', statement: s, by: b, on: 2026-11-24, expires: 2027-01-01",
            "yaml:2: attestations.0..on: is in the future",
        ),
        ("check: '5.9', statement: s, by: b, on: 2026-02-30, expires: 2027-01-01", "yaml:2"),
        ("check: '5.9', statement: ' ', by: b, on: 2026-11-01, expires: 2027-01-01", "statement: is empty"),
        ("check: '5.9', statement: s, by: '', on: 2026-11-01, expires: 2027-01-01", "by: is empty"),
        (f"control: '9.9', {WORDS}, expires: 2027-05-01", "no check or control '9.9'"),
        (f"{WORDS}, expires: 2027-05-01", "either check or control"),
        (f"check: '*', {WORDS}, expires: 2027-05-01", "answers every question"),
        (f"check: 5.9, {WORDS}, expires: 2027-05-01", "in quotes"),
    ],
)
def test_a_malformed_answer_is_an_error(tmp_path: Path, entry: str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        attestations(tmp_path, entry)

"""Jenkins, Azure DevOps and GitLab can read the JUnit report, whatever hosts say."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from auditor.results import (
    Attestation,
    AuditReport,
    Finding,
    HostReport,
    Outcome,
    Result,
    Severity,
    Waiver,
)
from reports import junit
from tests.reports import samples

XSD = etree.XMLSchema(file=str(Path(__file__).with_name("junit.xsd")))
WAIVER = Waiver("Accepted by Ada.", date(2026, 6, 30))


def parsed(report: AuditReport) -> etree._Element:
    root = etree.fromstring("".join(junit.render(report)).encode(), etree.XMLParser(huge_tree=True))
    XSD.assertValid(root)
    return root


def cases(*results: Result, name: str = "web1") -> list[etree._Element]:
    return list(parsed(samples.report(HostReport(name, "linux", "ssh", results))).iter("testcase"))


def result(
    outcome: Outcome,
    check: str = "privileged-container",
    number: str = "5.5",
    *,
    reason: str = "",
    waiver: Waiver | None = None,
    attestation: Attestation | None = None,
    note: str = "",
) -> Result:
    findings = (Finding("nginx", "Privileged = true", "false", "API"),) if outcome is Outcome.FAIL else ()
    controls = {samples.BENCHMARK: [number]} if number else {}
    return Result(
        check,
        "No container is privileged.",
        Severity.CRITICAL,
        "runtime",
        controls,
        outcome,
        reason,
        findings,
        waiver,
        attestation,
        note,
    )


@pytest.mark.parametrize("build", [samples.three_hosts, samples.hostile, samples.empty])
def test_every_report_is_valid_by_the_dialect(build: Callable[[], AuditReport]) -> None:
    assert len(parsed(build())) == len(build().hosts)


@given(st.text(st.characters(categories=None), min_size=1))
@settings(max_examples=200)
def test_any_name_at_all_makes_valid_xml(name: str) -> None:
    finding = Result(
        name, name, Severity.LOW, name, {}, Outcome.FAIL, name, (Finding(name, name, name, name),)
    )
    assert len(cases(finding, name=name)) == 1


def test_the_counts_are_those_of_the_cases() -> None:
    for suite in parsed(samples.fleet(50)):
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute, "")) == len(suite.findall(f"testcase/{tag}"))


def test_a_case_is_named_by_host_section_control_and_check() -> None:
    [case] = cases(result(Outcome.PASS))
    assert case.get("classname") == "web1.runtime"
    assert case.get("name") == "5.5 privileged-container: No container is privileged."
    assert len(case) == 0


def test_checks_that_answer_one_control_are_one_case_and_a_finding_beats_a_gap_beats_a_pass() -> None:
    gap = result(Outcome.ERROR, "b", reason="permission denied")
    [case] = cases(result(Outcome.PASS, "a"), gap, result(Outcome.FAIL, "c"))
    assert case.get("name") == "5.5 a, b, c"
    assert [child.tag for child in case] == ["failure"]
    assert "not seen: permission denied [b]" in (case[0].text or "")
    [case] = cases(result(Outcome.PASS, "a"), gap)
    assert [(child.tag, child.get("message")) for child in case] == [("error", "permission denied")]


def test_a_check_beyond_the_benchmark_has_a_case_of_its_own_after_the_controls() -> None:
    names = [
        case.get("name", "").split(":")[0]
        for case in cases(
            result(Outcome.PASS, "beyond", ""), result(Outcome.PASS), result(Outcome.PASS, number="5.10")
        )
    ]
    assert names == ["5.5 privileged-container", "5.10 privileged-container", "beyond"]


def test_a_failure_tells_severity_subject_observed_expected_and_source() -> None:
    [[failure]] = cases(result(Outcome.FAIL))
    assert (failure.get("type"), failure.get("message")) == ("critical", "critical: 1 finding: nginx")
    assert failure.text == "nginx: observed Privileged = true; expected false (API)"


@pytest.mark.parametrize("outcome", [Outcome.NOT_APPLICABLE, Outcome.MANUAL])
def test_what_nobody_decided_is_skipped_with_its_reason(outcome: Outcome) -> None:
    [[skipped]] = cases(result(outcome, reason="swarm mode is off"))
    assert (skipped.tag, skipped.get("message")) == ("skipped", f"{outcome}: swarm mode is off")


def test_a_waived_failure_is_skipped_with_justification_expiry_and_evidence() -> None:
    [[skipped]] = cases(result(Outcome.FAIL, waiver=WAIVER))
    assert (skipped.tag, skipped.get("message")) == ("skipped", "waived until 2026-06-30: Accepted by Ada.")
    assert (skipped.text or "").endswith("(API) [waived]")


def test_what_a_person_attested_is_skipped_with_who_when_and_what_and_never_a_plain_pass() -> None:
    word = Attestation("Ports are those of the plan.", "Grace", date(2026, 1, 31), date(2026, 7, 31))
    answered = result(Outcome.MANUAL, reason="are these ports needed?", attestation=word)
    [[skipped]] = cases(answered)
    assert (skipped.tag, skipped.get("message")) == (
        "skipped",
        "manual: attested by Grace on 2026-01-31, until 2026-07-31: Ports are those of the plan.",
    )
    [[skipped]] = cases(answered, result(Outcome.MANUAL, "b", reason="and these?"))
    assert (skipped.get("message") or "").endswith("of the plan.; and these?")


def test_an_answer_that_has_expired_stands_beside_the_question_and_an_expired_waiver_beside_the_evidence() -> (
    None
):
    [[skipped]] = cases(result(Outcome.MANUAL, reason="needed?", note="expired on 2026-01-01"))
    assert skipped.get("message") == "manual: needed?; expired on 2026-01-01"
    [[failure]] = cases(result(Outcome.FAIL, note="a waiver expired on 2026-01-01"))
    assert (failure.text or "").endswith("\na waiver expired on 2026-01-01 [privileged-container]")


def test_a_waiver_does_not_cover_what_another_check_found_or_could_not_see() -> None:
    waived = result(Outcome.FAIL, "a", waiver=WAIVER)
    assert [case[0].tag for case in cases(waived, result(Outcome.FAIL, "b"))] == ["failure"]
    assert [case[0].tag for case in cases(waived, result(Outcome.ERROR, "b", reason="denied"))] == ["error"]
    assert [case[0].tag for case in cases(waived, result(Outcome.PASS, "b"))] == ["skipped"]


def test_an_unreachable_host_has_an_error_for_every_control_and_says_why() -> None:
    suite = parsed(samples.report(samples.unreachable("db1")))[0]
    assert suite.get("errors") == suite.get("tests") != "0"
    assert "db1 could not be audited: tcp connect" in (suite.findtext("system-err") or "")


def test_warnings_stand_in_the_first_suite() -> None:
    first, *others = parsed(samples.three_hosts())
    assert "group 'edge' has no host" in (first.findtext("system-err") or "")
    assert not any("edge" in (suite.findtext("system-err") or "") for suite in others)

"""Plans and evaluation: which checks, under which numbers, and how each ends."""

import gc
import logging
import weakref
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import pytest

from auditor.benchmark import Benchmark, Control, Section
from auditor.check import Check, Finding, Findings, Inconclusive, Manual, NotApplicable, Severity, check
from auditor.collect.bundle import Bundle
from auditor.collect.bundle import Section as Part
from auditor.errors import UsageError
from auditor.evaluate import compare, judge, unreachable
from auditor.facts.fleet import Fleet
from auditor.host import Host
from auditor.plan import Picks, Plan, make_plan
from auditor.policy import Policy
from auditor.results import Outcome, Result

WORDS = "All is well.\n\nBecause.\n\nRemediation:\n    Do.\n"


@dataclass(frozen=True)
class Words:
    SECTIONS: ClassVar[tuple[str, ...]] = ("words",)
    text: str

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        text = bundle.text("words")
        if text == "crash":
            raise KeyError(text)
        return cls(text)


@check(severity=Severity.HIGH, text=WORDS)
def spoken(words: Words) -> Findings:
    for word in words.text.split():
        match word:
            case "finding":
                yield Finding("it", "seen", "unseen")
            case "gap":
                raise Inconclusive("not seen")
            case "none":
                raise NotApplicable("no such thing")
            case "person":
                raise Manual("look")
            case "bug":
                raise ZeroDivisionError


@check(severity=Severity.LOW, text=WORDS)
def limited(policy: Policy) -> Findings:
    if policy.certificate_warning_days > 30:
        yield Finding("policy", "too long", "30")


@check(severity=Severity.MEDIUM, text=WORDS)
def repeated(words: Words, fleet: Fleet[Words]) -> Findings:
    for name, other in fleet.others():
        if other == words == fleet.own:
            yield Finding(fleet.here, words.text, f"not what {name} says")


CHECKS: dict[str, Check[...]] = {it.id: it for it in (spoken, limited, repeated)}
BENCHMARK = Benchmark(
    "cis-1.0",
    "A benchmark",
    {"1": Section("one", "One")},
    (
        Control("1.1", 1, "Spoken", checks=("spoken",)),
        Control("1.2", 2, "Spoken again", checks=("spoken", "limited")),
        Control("1.3", 2, "By a person"),
    ),
)


def plan(**options: object) -> Plan:
    return make_plan(CHECKS, BENCHMARK, **options)  # type: ignore[arg-type]  # the options differ in type


def results(words: str, name: str = "web1") -> dict[str, Result]:
    judgement = judge(plan(), Host(name), Bundle({"words": Part(words.encode())}))
    return {result.check: result for result in compare([judgement])[0].results}


def test_every_control_has_a_place_and_checks_beyond_the_benchmark_follow() -> None:
    assert [(item.id, item.controls, item.level) for item in plan().items] == [
        ("spoken", ("1.1", "1.2"), 1),
        ("limited", ("1.2",), 2),
        ("control-1.3", ("1.3",), 2),
        ("repeated", (), 0),
    ]
    assert plan().sections == ("words",)


def test_of_a_check_that_answers_controls_of_both_levels_level_1_has_those_of_level_1() -> None:
    assert [(item.id, item.controls, item.level) for item in plan(level=1).items] == [("spoken", ("1.1",), 1)]


def test_what_is_wanted_also_is_there_whatever_the_level_with_all_its_controls() -> None:
    picked = Picks(level=1, also=("repeated", "1.2"), skip=("limited",)).of(plan().items)
    assert [(item.id, item.controls) for item in picked] == [("spoken", ("1.1", "1.2")), ("repeated", ())]


def test_a_level_is_the_benchmarks_and_leaves_out_what_is_beyond_it() -> None:
    assert [item.id for item in plan(level=1).items] == ["spoken"]
    assert [item.id for item in plan(level=2).items] == ["spoken", "limited", "control-1.3"]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({"only": ["repeated"]}, ["repeated"]),
        ({"only": ["1.2"]}, ["spoken", "limited"]),
        ({"only": ["1"], "skip": ["1.3"]}, ["spoken", "limited"]),
        ({"skip": ["*e*", "control-*"]}, []),
        ({"only": ["r*", "1.3"]}, ["control-1.3", "repeated"]),
    ],
)
def test_checks_are_chosen_by_id_glob_and_number(options: dict[str, list[str]], ids: list[str]) -> None:
    assert [item.id for item in plan(**options).items] == ids


@pytest.mark.parametrize("options", [{"only": ["nonsense"]}, {"skip": ["9.9"]}])
def test_a_name_that_means_nothing_is_an_error(options: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError, match="auditor checks"):
        plan(**options)


def test_a_benchmark_may_not_name_a_check_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="checks that there are not: limited"):
        make_plan({"spoken": spoken}, BENCHMARK)


@pytest.mark.parametrize(
    ("words", "outcome", "reason"),
    [
        ("fine", Outcome.PASS, ""),
        ("finding", Outcome.FAIL, ""),
        ("gap", Outcome.ERROR, "not seen"),
        ("none", Outcome.NOT_APPLICABLE, "no such thing"),
        ("person", Outcome.MANUAL, "look"),
        ("finding gap", Outcome.FAIL, "not seen"),
        ("finding person", Outcome.FAIL, "look"),
    ],
)
def test_a_finding_beats_a_gap_beats_a_pass(words: str, outcome: Outcome, reason: str) -> None:
    result = results(words)["spoken"]
    assert (result.outcome, result.reason) == (outcome, reason)
    assert result.controls == {"cis-1.0": ["1.1", "1.2"]}


@pytest.mark.parametrize("words", ["bug", "crash"])
def test_a_crash_is_an_error_on_that_host_and_its_traceback_is_logged(
    words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        found = results(words)
    assert found["spoken"].outcome is Outcome.ERROR
    assert "internal error in" in found["spoken"].reason
    assert "Traceback" in caplog.text
    assert found["limited"].outcome is Outcome.PASS


def test_a_control_without_a_check_is_for_a_person() -> None:
    result = results("fine")["control-1.3"]
    assert (result.outcome, result.reason, result.section) == (Outcome.MANUAL, "not automated yet", "one")


def test_a_fact_that_is_not_known_never_passes() -> None:
    judgement = judge(plan(), Host("web1"), Bundle())
    outcomes = {result.check: result.outcome for result in compare([judgement])[0].results}
    assert outcomes["spoken"] is Outcome.ERROR
    assert outcomes["repeated"] is Outcome.ERROR


def test_hosts_are_compared_with_those_that_answered() -> None:
    texts = {"a": "same", "b": "same", "c": "other"}
    judgements = [
        judge(plan(), Host(name), Bundle({"words": Part(text.encode())})) for name, text in texts.items()
    ]
    judgements += [unreachable(plan(), Host("d"), "no route"), judge(plan(), Host("e"), Bundle())]
    reports = {report.name: report for report in compare(judgements)}
    found = {name: report.results[3] for name, report in reports.items()}
    assert [it.findings[0].expected for it in (found["a"], found["b"])] == [
        "not what b says",
        "not what a says",
    ]
    assert found["c"].outcome is Outcome.PASS
    assert (found["d"].outcome, found["d"].reason) == (Outcome.ERROR, "no route")
    assert found["e"].reason == "words was not collected"


def test_hosts_with_different_plans_are_compared_and_one_that_is_not_asked_tells_the_others() -> None:
    silent = replace(plan(skip=["repeated"]), shared=plan().compared)
    assert silent.facts == (Words, Policy)
    asked = judge(plan(), Host("a"), Bundle({"words": Part(b"same")}))
    reports = compare([asked, judge(silent, Host("b"), Bundle({"words": Part(b"same")}))])
    assert [it.findings[0].expected for it in reports[0].results if it.check == "repeated"] == [
        "not what b says"
    ]
    assert "repeated" not in {it.check for it in reports[1].results}


def test_an_unreachable_host_has_every_result_as_an_error() -> None:
    report = unreachable(plan(), Host("web9"), "connection refused").report
    assert {result.outcome for result in report.results} == {Outcome.ERROR}
    assert len(report.results) == len(plan().items)
    assert report.error == "connection refused"


def test_the_policy_is_a_fact_like_any_other() -> None:
    host = Host("web1", policy=Policy(certificate_warning_days=60))
    judgement = judge(plan(only=["limited"]), host, Bundle())
    assert judgement.report.results[0].outcome is Outcome.FAIL


def test_what_is_kept_of_a_host_does_not_hold_its_bundle() -> None:
    for words in (None, b"finding gap", b"crash"):
        bundle = Bundle({} if words is None else {"words": Part(words)})
        kept, alive = judge(plan(), Host("web1"), bundle), weakref.ref(bundle)
        del bundle
        gc.collect()
        assert kept.report.results
        assert alive() is None

"""A host with several daemons: each is judged, and no one's answer hides another's."""

from dataclasses import dataclass
from typing import ClassVar, Self

import pytest

from auditor.benchmark import Benchmark
from auditor.check import Check, Finding, Findings, Inconclusive, Manual, NotApplicable, Severity, check
from auditor.collect.bundle import Bundle, Section
from auditor.evaluate import compare, judge
from auditor.facts.fleet import Fleet
from auditor.host import Host
from auditor.plan import make_plan
from auditor.results import Outcome, Result

WORDS = "All is well.\n\nBecause.\n\nRemediation:\n    Do.\n"
SECOND = "daemon at /run/two.sock"


@dataclass(frozen=True)
class Words:
    SECTIONS: ClassVar[tuple[str, ...]] = ("words",)
    text: str

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        return cls(bundle.text("words"))


@dataclass(frozen=True)
class Machine(Words):
    SECTIONS: ClassVar[tuple[str, ...]] = ("host",)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        return cls(bundle.text("host"))


@check(severity=Severity.HIGH, text=WORDS)
def spoken(words: Words) -> Findings:
    for word in words.text.split():
        match word:
            case "gap":
                raise Inconclusive("not seen")
            case "none":
                raise NotApplicable("no such thing")
            case "person":
                raise Manual("look")
            case "bug":
                raise ZeroDivisionError
            case _ if word != "fine":
                yield Finding(word, "seen", "unseen")


@check(severity=Severity.HIGH, text=WORDS)
def of_the_machine(machine: Machine) -> Findings:
    yield Finding("machine", machine.text, "nothing")


@check(severity=Severity.HIGH, text=WORDS)
def repeated(fleet: Fleet[Words]) -> Findings:
    for name, other in fleet.others():
        if other == fleet.own:
            yield Finding("words", other.text, f"not what {name} says")


CHECKS: dict[str, Check[...]] = {it.id: it for it in (spoken, of_the_machine, repeated)}
PLAN = make_plan(CHECKS, Benchmark("b", "B", {}, ()))


def bundle(first: str, second: str) -> Bundle:
    daemons = b"pid 9\nuid 0\nsocket /run/two.sock\nnumber 2\nat /run/two.sock\n"
    texts = {"words": first.encode(), "words.2": second.encode(), "host": b"m", "daemons": daemons}
    return Bundle({name: Section(text) for name, text in texts.items()})


def results(first: str, second: str, **others: str) -> dict[str, Result]:
    hosts = {"web1": bundle(first, second), **{name: bundle(text, "-") for name, text in others.items()}}
    reports = compare([judge(PLAN, Host(name), told) for name, told in hosts.items()])
    return {result.check: result for result in reports[0].results}


@pytest.mark.parametrize(
    ("first", "second", "outcome", "reason"),
    [
        ("fine", "fine", Outcome.PASS, ""),
        ("none", "fine", Outcome.PASS, ""),
        ("fine", "none", Outcome.PASS, ""),
        ("none", "none", Outcome.NOT_APPLICABLE, "no such thing"),
        ("fine", "person", Outcome.MANUAL, f"{SECOND}: look"),
        ("person", "none", Outcome.MANUAL, "look"),
        ("person", "gap", Outcome.ERROR, f"{SECOND}: not seen"),
        ("gap", "gap", Outcome.ERROR, "not seen"),
        ("gap", "wrong", Outcome.FAIL, "not seen"),
    ],
)
def test_what_keeps_any_daemon_from_a_pass_keeps_the_host_from_it(
    first: str, second: str, outcome: Outcome, reason: str
) -> None:
    result = results(first, second)["spoken"]
    assert (result.outcome, result.reason) == (outcome, reason)


def test_a_crash_on_the_second_daemon_is_an_error_and_the_firsts_findings_stay() -> None:
    result = results("wrong", "bug")["spoken"]
    assert result.outcome is Outcome.FAIL
    assert "internal error in spoken" in result.reason


def test_a_finding_names_the_further_daemon_it_is_about() -> None:
    found = results("daemon web", "daemon web")["spoken"].findings
    assert [it.subject for it in found] == ["daemon", "web", SECOND, f"web ({SECOND})"]


def test_a_path_is_the_same_path_whichever_daemon_led_there() -> None:
    assert [it.subject for it in results("/etc/docker", "/etc/docker /srv")["spoken"].findings] == [
        "/etc/docker",
        "/srv",
    ]


def test_what_is_the_whole_hosts_is_judged_once() -> None:
    assert len(results("fine", "fine")["of-the-machine"].findings) == 1


def test_sections_of_the_second_daemon_that_did_not_arrive_are_no_pass() -> None:
    whole = bundle("fine", "fine")
    cut = Bundle({name: part for name, part in whole.sections.items() if name != "words.2"}, complete=False)
    (result, *_) = judge(PLAN, Host("web1"), cut).report.results
    assert result.outcome is Outcome.ERROR
    assert result.reason == f"{SECOND}: words did not arrive: the reply ended early"


def test_a_further_daemon_is_compared_with_the_other_hosts_too() -> None:
    result = results("mine", "same", web2="same")["repeated"]
    assert [(it.subject, it.expected) for it in result.findings] == [
        (f"words ({SECOND})", "not what web2 says")
    ]
    assert results("mine", "own", web2="other")["repeated"].outcome is Outcome.PASS

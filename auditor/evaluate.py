"""The right half: a plan and a bundle in, results out. Pure, and nothing a host says can end the run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_origin

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.base import Knowledge
from auditor.facts.fleet import Fleet
from auditor.gaps import Gap, Inconclusive, Manual, NotApplicable, crash
from auditor.host import Host
from auditor.plan import Item, Plan, fact_of
from auditor.policy import Policy
from auditor.results import Finding, HostReport, Outcome, Result

_OUTCOMES: dict[type[Gap], Outcome] = {
    NotApplicable: Outcome.NOT_APPLICABLE,
    Inconclusive: Outcome.ERROR,
    Manual: Outcome.MANUAL,
}


@dataclass(frozen=True)
class Judgement:
    """One host, judged by its plan but for what needs the other hosts: ``shared`` is what it tells them."""

    plan: Plan
    report: HostReport
    shared: Mapping[type, Any] = field(default_factory=dict)
    waiting: Mapping[int, Mapping[str, Any] | Gap] = field(default_factory=dict)


def judge(plan: Plan, host: Host, bundle: Bundle) -> Judgement:
    """
    Run every check of the plan on one host's bundle.

    Checks that compare hosts get a place, and are filled in by ``compare``.
    """
    knowledge = Knowledge(bundle, {Policy: host.policy})
    results, waiting = [], dict[int, Mapping[str, Any] | Gap]()
    for index, item in enumerate(plan.items):
        compared = _compared(item)
        if compared:
            waiting[index] = _arguments(item, knowledge, apart=compared)
            results.append(_result(plan, item, Outcome.ERROR, "not compared with the other hosts"))
        else:
            results.append(_run(plan, item, _arguments(item, knowledge)))
    report = HostReport(host.name, host.platform, host.transport, tuple(results), benchmark=plan.benchmark)
    return Judgement(plan, report, _known(knowledge, plan.compared | plan.shared), waiting)


def unreachable(plan: Plan, host: Host, why: str) -> Judgement:
    """A host that did not answer: every check is there, as an error with the reason."""
    results = tuple(_result(plan, item, Outcome.ERROR, why) for item in plan.items)
    report = HostReport(
        host.name, host.platform, host.transport, results, error=why, benchmark=plan.benchmark
    )
    return Judgement(plan, report)


def compare(judgements: Iterable[Judgement]) -> tuple[HostReport, ...]:
    """Fill in the checks that compare hosts, each by its own plan; only hosts that answered are compared."""
    judgements = tuple(judgements)
    return tuple(_complete(judgement, judgements) for judgement in judgements)


def _complete(judgement: Judgement, everyone: tuple[Judgement, ...]) -> HostReport:
    plan, results = judgement.plan, list(judgement.report.results)
    for index, arguments in judgement.waiting.items():
        item = plan.items[index]
        known = (
            arguments if isinstance(arguments, Gap) else {**arguments, **_fleets(item, judgement, everyone)}
        )
        results[index] = _run(plan, item, known)
    return msgspec.structs.replace(judgement.report, results=tuple(results))


def _fleets(item: Item, judgement: Judgement, everyone: tuple[Judgement, ...]) -> dict[str, Any]:
    return {
        name: Fleet(
            judgement.report.name, {it.report.name: it.shared[fact] for it in everyone if fact in it.shared}
        )
        for name, fact in _compared(item).items()
    }


def _compared(item: Item) -> dict[str, Any]:
    """The parameters of a check that look at all hosts, with the fact each wants."""
    facts = item.check.facts if item.check else {}
    return {name: fact_of(fact) for name, fact in facts.items() if get_origin(fact) is Fleet}


def _known(knowledge: Knowledge, facts: Iterable[Any]) -> dict[type, Any]:
    known = {}
    for fact in facts:
        try:
            known[fact] = knowledge.get(fact)
        except Gap:
            continue  # this host's own result says so; to the others it is simply not there
    return known


def _arguments(item: Item, knowledge: Knowledge, apart: Iterable[str] = ()) -> Mapping[str, Any] | Gap:
    """The facts a check asks for, or why there are none."""
    facts = item.check.facts if item.check else {}
    try:
        given = {name: knowledge.get(fact_of(fact)) for name, fact in facts.items()}
    except Gap as gap:
        return gap
    return {name: fact for name, fact in given.items() if name not in apart}


def _run(plan: Plan, item: Item, arguments: Mapping[str, Any] | Gap) -> Result:
    """One check on one host's facts."""
    if item.check is None:
        return _result(plan, item, Outcome.MANUAL, "not automated yet")
    findings, gap = list[Finding](), arguments if isinstance(arguments, Gap) else None
    if not isinstance(arguments, Gap):
        try:
            findings.extend(item.check(**arguments))
        except Gap as raised:
            gap = raised
        except (Exception, SystemExit) as error:  # noqa: BLE001  the fence around checks: one that crashes is an error on this host
            gap = Inconclusive(crash(item.id, error))
    return _result(plan, item, outcome_of(findings, gap), str(gap or ""), findings)


def outcome_of(findings: Sequence[Finding], gap: Gap | None) -> Outcome:
    """How a check ended: findings beat a gap, a gap beats a pass."""
    if findings:
        return Outcome.FAIL
    return _OUTCOMES[type(gap)] if gap else Outcome.PASS


def _result(
    plan: Plan, item: Item, outcome: Outcome, reason: str = "", findings: Iterable[Finding] = ()
) -> Result:
    controls = {item.benchmark or plan.benchmark: list(item.controls)} if item.controls else {}
    return Result(
        item.id, item.title, item.severity, item.section, controls, outcome, reason, tuple(findings)
    )

"""The right half: a plan and a bundle in, results out. Pure, and nothing a host says can end the run."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

import msgspec

from auditor.check import Check
from auditor.collect.bundle import Bundle
from auditor.facts.base import Knowledge
from auditor.facts.daemons import further
from auditor.facts.fleet import Fleet
from auditor.gaps import Gap, Inconclusive, Manual, NotApplicable, crash
from auditor.host import Host
from auditor.plan import Item, Plan
from auditor.policy import Policy
from auditor.results import Finding, HostReport, Outcome, Result

Arguments = Mapping[str, Any] | Gap
"""What a check is called with, or why it is not."""

_OUTCOMES: dict[type[Gap], Outcome] = {
    NotApplicable: Outcome.NOT_APPLICABLE,
    Inconclusive: Outcome.ERROR,
    Manual: Outcome.MANUAL,
}


@dataclass(frozen=True)
class Judgement:
    """
    One host, judged by its plan but for what needs the other hosts: ``shared`` is what it tells them.

    ``waiting`` maps the place of a result to the arguments for each daemon, ``own`` a daemon to what it has itself of
    what is compared. The daemon that was asked is called ``""``.
    """

    plan: Plan
    report: HostReport
    shared: Mapping[type, Any] = field(default_factory=dict)
    waiting: Mapping[int, Mapping[str, Arguments]] = field(default_factory=dict)
    own: Mapping[str, Mapping[type, Any]] = field(default_factory=dict)


def judge(plan: Plan, host: Host, bundle: Bundle) -> Judgement:
    """
    Run every check of the plan on one host's bundle.

    Checks that compare hosts get a place, and are filled in by ``compare``.
    """
    given: dict[type, Any] = {Policy: host.policy}
    daemons = {"": Knowledge(bundle, given)}
    daemons |= {name: Knowledge(own, given) for name, _, own in further(bundle)}
    results, waiting = [], dict[int, Mapping[str, Arguments]]()
    for index, item in enumerate(plan.items):
        asked = [""] if item.of_the_host else list(daemons)
        arguments = {name: _arguments(item, daemons[name]) for name in asked}
        if item.compared:
            waiting[index] = arguments
            results.append(_result(item, Outcome.ERROR, "not compared with the other hosts"))
        else:
            results.append(_run(item, arguments))
    report = HostReport(host.name, host.platform, host.transport, tuple(results), benchmark=plan.benchmark)
    own = {name: _known(knowledge, plan.compared | plan.shared) for name, knowledge in daemons.items()}
    return Judgement(plan, report, own[""], waiting, own)


def unreachable(plan: Plan, host: Host, why: str) -> Judgement:
    """A host that did not answer: every check is there, as an error with the reason."""
    results = tuple(_result(item, Outcome.ERROR, why) for item in plan.items)
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
    for index, waiting in judgement.waiting.items():
        item = plan.items[index]
        arguments = {
            daemon: known
            if isinstance(known, Gap)
            else {**known, **_fleets(item, judgement, everyone, daemon)}
            for daemon, known in waiting.items()
        }
        results[index] = _run(item, arguments)
    return msgspec.structs.replace(judgement.report, results=tuple(results))


def _fleets(item: Item, judgement: Judgement, everyone: tuple[Judgement, ...], daemon: str) -> dict[str, Any]:
    here, own = judgement.report.name, judgement.own[daemon]
    return {
        name: Fleet(
            here,
            {
                it.report.name: it.shared[fact]
                for it in everyone
                if fact in it.shared and it.report.name != here
            }
            | ({here: own[fact]} if fact in own else {}),
        )
        for name, fact in item.compared.items()
    }


def _known(knowledge: Knowledge, facts: Iterable[Any]) -> dict[type, Any]:
    known = {}
    for fact in facts:
        try:
            known[fact] = knowledge.get(fact)
        except Gap:
            continue  # this host's own result says so; to the others it is simply not there
    return known


def _arguments(item: Item, knowledge: Knowledge) -> Arguments:
    """The facts a check asks for of this host, or why there are none."""
    try:
        given = {name: knowledge.get(fact) for name, fact in item.facts.items()}
    except Gap as gap:
        return gap.bare
    for name in item.compared:
        del given[name]
    return given


def _run(item: Item, arguments: Mapping[str, Arguments]) -> Result:
    """One check on one host's facts, of each of its daemons."""
    if item.check is None:
        return _result(item, Outcome.MANUAL, "not automated yet")
    findings, gaps = dict[Finding, None](), dict[str, Gap | None]()
    for daemon, known in arguments.items():
        found, gaps[daemon] = _judged(item.check, known)
        findings.update(dict.fromkeys(found if not daemon else [_told_of(daemon, each) for each in found]))
    gap = gaps[""] if len(gaps) == 1 else _settled(gaps)
    return _result(item, outcome_of(findings, gap), str(gap or ""), findings)


def _judged(check: Check[...], arguments: Arguments) -> tuple[list[Finding], Gap | None]:
    """What a check says of one daemon: its findings, and what it could not tell."""
    if isinstance(arguments, Gap):
        return [], arguments
    findings = list[Finding]()
    try:
        findings.extend(check(**arguments))
    except Gap as raised:
        return findings, raised
    except (Exception, SystemExit) as error:  # noqa: BLE001  the fence around checks: one that crashes is an error on this host
        return findings, Inconclusive(crash(check.id, error))
    return findings, None


def _told_of(daemon: str, finding: Finding) -> Finding:
    """A finding that names the further daemon it is about. A path is the same path, whichever daemon led there."""
    if finding.subject.startswith("/"):
        return finding
    subject = daemon if finding.subject == "daemon" else f"{finding.subject} ({daemon})"
    return msgspec.structs.replace(finding, subject=subject)


# The most that keeps a check from a pass decides; that one daemon has no such thing does not speak for the others.
_RANKS: tuple[type[Gap] | None, ...] = (Inconclusive, Manual, None, NotApplicable)


def _settled(gaps: Mapping[str, Gap | None]) -> Gap | None:
    """What could not be told of a host with these daemons."""
    if not any(gaps.values()):
        return None
    kinds = {gap and type(gap) for gap in gaps.values()}
    kind = next(rank for rank in _RANKS if rank in kinds)
    if kind is None:
        return None
    told = dict[str, str]()
    for daemon, gap in gaps.items():
        if gap and type(gap) is kind:
            told.setdefault(str(gap), f"{daemon}: {gap}" if daemon else str(gap))
    return kind("; ".join(told.values()))


def outcome_of(findings: Collection[Finding], gap: Gap | None) -> Outcome:
    """How a check ended: findings beat a gap, a gap beats a pass."""
    if findings:
        return Outcome.FAIL
    return _OUTCOMES[type(gap)] if gap else Outcome.PASS


def _result(item: Item, outcome: Outcome, reason: str = "", findings: Iterable[Finding] = ()) -> Result:
    return Result(
        item.id,
        item.title,
        item.severity,
        item.section,
        item.numbers,
        outcome,
        intern(reason),
        tuple(map(_lean, findings)),
    )


def _lean(finding: Finding) -> Finding:
    """The finding, in texts that it shares with all others that say the same: a fleet's findings are mostly alike."""
    return Finding(*map(intern, msgspec.structs.astuple(finding)))

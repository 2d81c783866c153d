"""A whole run: hosts and a plan in, one report out. What happens in between is the fleet's and the evaluation's."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from auditor import __version__
from auditor.attestations import Attestations
from auditor.collect.bundle import Bundle
from auditor.collect.scripts import FROM_HERE, sections
from auditor.evaluate import Judgement, compare, judge, unreachable
from auditor.facts.base import Knowledge
from auditor.facts.certificates import Certificates
from auditor.facts.daemons import Daemons, further
from auditor.facts.engine import Engine
from auditor.facts.machine import Machine, platform_of
from auditor.facts.origin import Origin
from auditor.fleet import Event, HostOutcome, audit_all
from auditor.gaps import Gap
from auditor.host import Host
from auditor.plan import Plan
from auditor.probe import probe
from auditor.results import AuditReport, CheckText, HostReport, summarize
from auditor.transports.base import Deadline
from auditor.waivers import Waivers

SCHEMA_VERSION = 1

T = TypeVar("T")

# What the report says of a host beside its results.
_ABOUT = (Origin, Machine, Engine, Daemons)


def audit(
    plan: Plan,
    hosts: Sequence[Host],
    *,
    workers: int,
    plans: Mapping[str, Plan] | None = None,
    waivers: Waivers | None = None,
    attestations: Attestations | None = None,
    warnings: Sequence[str] = (),
    on_event: Callable[[Event], None] | None = None,
    stop: threading.Event | None = None,
) -> AuditReport:
    """
    Audit hosts. Nothing that a host does raises; a host that could not be audited is in the report with the reason.

    Args:
        plan: what is asked of each host that has no other in ``plans``.
        hosts: whom to ask; the report keeps their order.
        workers: how many at once.
        plans: what is asked of a host, by its name.
        waivers: accepted risks.
        attestations: people's answers.
        warnings: what is to be said before what the run has to say.
        on_event: told of progress.
        stop: when set, unfinished hosts are reported as interrupted.
    """
    started = datetime.now(UTC)
    asked = {host.name: (plans or {}).get(host.name, plan) for host in hosts}
    outcomes = audit_all(
        hosts,
        lambda host: sections_to_ask(asked[host.name], host),
        lambda host, bundle: _judged(asked[host.name], host, bundle),
        workers=workers,
        enrich=see_from_here,
        on_event=on_event,
        stop=stop,
    )
    told = {outcome.host.name: outcome for outcome in outcomes}
    reports = compare(_judgement(asked[host.name], told[host.name]) for host in hosts)
    declared = [each for each in (waivers, attestations) if each]
    for each in declared:
        reports = tuple(map(each.apply, reports))
    return AuditReport(
        schema_version=SCHEMA_VERSION,
        started=started,
        auditor=__version__,
        benchmark=", ".join(dict.fromkeys(host.benchmark for host in reports)) or plan.benchmark,
        hosts=reports,
        summary=summarize(reports),
        checks=_texts(asked.values()) or plan.texts(),
        warnings=(
            *warnings,
            *_warnings(told.values()),
            *(
                f"{report.name}: nothing of what was picked is asked of {report.platform} hosts"
                for report in reports
                if not report.results
            ),
            *(text for each in declared for text in each.warnings()),
        ),
        interrupted=bool(stop and stop.is_set()),
    )


def _texts(plans: Iterable[Plan]) -> dict[str, CheckText]:
    """The words of every check that somebody was asked; hosts share plans."""
    distinct = {id(plan): plan for plan in plans}
    return {name: text for plan in distinct.values() for name, text in plan.texts().items()}


def sections_to_ask(plan: Plan, host: Host) -> tuple[str, ...]:
    """What to ask a host for: what the checks need, and what the report says of a host. Through the API its platform is not known before."""
    known = host.known_platform
    names = [
        *(plan.on(known) if known else plan).sections,
        *(name for fact in _ABOUT for name in fact.SECTIONS),
    ]
    told = sections(known) if known else sections("linux") | sections("windows")
    return tuple(name for name in dict.fromkeys(names) if name in told - FROM_HERE)


def see_from_here(host: Host, bundle: Bundle, deadline: Deadline) -> Bundle:
    """Add what the auditing machine sees of a host's ports; a replayed bundle has it, or never will."""
    if host.transport == "bundle" or not bundle.sections.keys() & {"daemon", "listeners", "engine-info"}:
        return bundle
    seen = probe(host, bundle, deadline)
    for _, number, own in further(bundle):
        seen |= {f"{name}.{number}": part for name, part in probe(host, own, deadline).items()}
    return bundle.adding(seen)


def _judged(plan: Plan, host: Host, bundle: Bundle) -> Judgement:
    told = replace(host, platform=platform_of(bundle) or host.platform)
    judgement = judge(plan.on(told.platform), told, bundle)
    return replace(judgement, report=_described(judgement.report, host, Knowledge(bundle)))


def _described(report: HostReport, host: Host, knowledge: Knowledge) -> HostReport:
    """The report with what is known of the host itself; what is not known stays empty."""
    origin, machine = _or_none(knowledge, Origin), _or_none(knowledge, Machine)
    engine, certificates = _or_none(knowledge, Engine), _or_none(knowledge, Certificates)
    return msgspec.structs.replace(
        report,
        address=host.address,
        groups=host.groups,
        collected=origin.collected if origin else None,
        system=machine.name if machine else "",
        engine=engine.version if engine else "",
        certificates=certificates.summaries() if certificates else (),
    )


def _or_none(knowledge: Knowledge, fact: type[T]) -> T | None:
    try:
        return knowledge.get(fact)
    except Gap:
        return None


def _judgement(plan: Plan, outcome: HostOutcome[Judgement]) -> Judgement:
    return outcome.value or unreachable(plan.on(outcome.host.platform), outcome.host, str(outcome.error))


def _warnings(outcomes: Iterable[HostOutcome[Judgement]]) -> Iterable[str]:
    return (f"{outcome.host.name}: {outcome.warning}" for outcome in outcomes if outcome.warning)

"""A whole run: hosts and a plan in, one report out. What happens in between is the fleet's and the evaluation's."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from auditor import __version__
from auditor.collect.bundle import Bundle
from auditor.evaluate import Judgement, compare, judge, unreachable
from auditor.facts.base import Knowledge
from auditor.facts.certificates import Certificates
from auditor.facts.engine import Engine
from auditor.facts.machine import Machine
from auditor.facts.origin import Origin
from auditor.fleet import Event, HostOutcome, audit_all
from auditor.gaps import Gap
from auditor.host import Host
from auditor.plan import Plan
from auditor.probe import probe
from auditor.results import AuditReport, HostReport, summarize
from auditor.transports.base import Deadline
from auditor.waivers import Waivers

SCHEMA_VERSION = 1

T = TypeVar("T")

# What the report says of a host beside its results.
_ABOUT = (Origin, Machine, Engine)


def audit(
    plan: Plan,
    hosts: Sequence[Host],
    *,
    workers: int,
    waivers: Waivers | None = None,
    on_event: Callable[[Event], None] | None = None,
    stop: threading.Event | None = None,
) -> AuditReport:
    """
    Audit hosts. Nothing that a host does raises; a host that could not be audited is in the report with the reason.

    Args:
        plan: what is asked of each.
        hosts: whom to ask; the report keeps their order.
        workers: how many at once.
        waivers: accepted risks.
        on_event: told of progress.
        stop: when set, unfinished hosts are reported as interrupted.
    """
    started = datetime.now(UTC)
    sections = sections_of(plan)
    outcomes = audit_all(
        hosts,
        lambda _host: sections,
        lambda host, bundle: _judged(plan, host, bundle),
        workers=workers,
        enrich=see_from_here,
        on_event=on_event,
        stop=stop,
    )
    told = {outcome.host.name: outcome for outcome in outcomes}
    judgements = [_judgement(plan, told[host.name]) for host in hosts]
    reports = compare(plan, judgements)
    if waivers:
        reports = tuple(waivers.apply(report) for report in reports)
    return AuditReport(
        schema_version=SCHEMA_VERSION,
        started=started,
        auditor=__version__,
        benchmark=plan.benchmark,
        hosts=reports,
        summary=summarize(reports),
        checks=plan.texts(),
        warnings=(*_warnings(told.values()), *(waivers.warnings() if waivers else ())),
        interrupted=bool(stop and stop.is_set()),
    )


def sections_of(plan: Plan) -> tuple[str, ...]:
    """What to ask a host for: what the checks need, and what the report says of a host."""
    names = [*plan.sections, *(name for fact in _ABOUT for name in fact.SECTIONS)]
    return tuple(name for name in dict.fromkeys(names) if name not in ("auditor", "tls-probe"))


def see_from_here(host: Host, bundle: Bundle, deadline: Deadline) -> Bundle:
    """Add what the auditing machine sees of a host's ports; a replayed bundle has it, or never will."""
    if host.transport == "bundle" or not bundle.sections.keys() & {"daemon", "listeners", "engine-info"}:
        return bundle
    return bundle.adding(probe(host, bundle, deadline))


def _judged(plan: Plan, host: Host, bundle: Bundle) -> Judgement:
    judgement = judge(plan, host, bundle)
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
    return outcome.value or unreachable(plan, outcome.host, str(outcome.error))


def _warnings(outcomes: Iterable[HostOutcome[Judgement]]) -> Iterable[str]:
    return (f"{outcome.host.name}: {outcome.warning}" for outcome in outcomes if outcome.warning)

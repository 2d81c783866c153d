"""What matters of a run, put together over the hosts: deviations, gaps, waivers, certificates."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from auditor.results import AuditReport, CertificateSummary, HostReport, Outcome, Result, Severity, Waiver
from reports.controls import by_number, numbers


class Deviation(NamedTuple):
    """One check that failed without a waiver, at one severity, and by host the subjects that it found."""

    check: str
    title: str
    severity: Severity
    numbers: list[str]
    hosts: dict[str, list[str]]

    @property
    def findings(self) -> int:
        """How many findings on all hosts."""
        return sum(map(len, self.hosts.values()))


class UnseenGroup(NamedTuple):
    """One reason why something could not be seen, and what it left open where. Hosts out of reach are not in it."""

    reason: str
    checks: list[str]
    hosts: list[str]


class Accepted(NamedTuple):
    """One waiver and the failures of one check that it covers, by host the number of findings."""

    check: str
    title: str
    severity: Severity
    waiver: Waiver
    hosts: dict[str, int]


class Expiry(NamedTuple):
    """One certificate and the hosts that hold it. ``days`` until it expires, rounded down; negative when it has."""

    certificate: CertificateSummary
    days: int
    hosts: list[str]


def deviations(report: AuditReport) -> list[Deviation]:
    """Every check that failed somewhere: the most severe first, then the widest spread."""
    found: dict[tuple[str, Severity], Deviation] = {}
    for host, result in _results(report.hosts):
        if result.outcome is Outcome.FAIL and not result.waiver:
            deviation = found.setdefault(
                (result.check, result.severity),
                Deviation(result.check, result.title, result.severity, numbers(result, report.benchmark), {}),
            )
            deviation.hosts[host.name] = [finding.subject for finding in result.findings]
    return sorted(
        found.values(),
        key=lambda one: (-one.severity.rank, -len(one.hosts), by_number((one.numbers or [""])[0])),
    )


def gaps(report: AuditReport) -> list[UnseenGroup]:
    """What could not be seen on hosts that answered, by reason, the widest first."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for host, result in _results(report.hosts):
        if result.outcome is Outcome.ERROR and not host.error:
            checks, hosts = found.setdefault(result.reason, ({}, {}))
            checks[result.check] = hosts[host.name] = None
    groups = [UnseenGroup(reason, list(checks), list(hosts)) for reason, (checks, hosts) in found.items()]
    return sorted(groups, key=lambda group: -len(group.hosts) * len(group.checks))


def waivers(report: AuditReport) -> list[Accepted]:
    """Every waiver in use, the first to expire first."""
    found: dict[tuple[str, Waiver], Accepted] = {}
    for host, result in _results(report.hosts):
        if result.outcome is Outcome.FAIL and result.waiver:
            accepted = found.setdefault(
                (result.check, result.waiver),
                Accepted(result.check, result.title, result.severity, result.waiver, {}),
            )
            accepted.hosts[host.name] = len(result.findings)
    return sorted(
        found.values(), key=lambda one: (str(one.waiver.expires or "9999"), -one.severity.rank, one.check)
    )


def expiries(report: AuditReport) -> list[Expiry]:
    """Every certificate once, the first to expire first."""
    found: dict[tuple[str, str, datetime, datetime], tuple[CertificateSummary, dict[str, None]]] = {}
    for host in report.hosts:
        for seen in host.certificates:
            key = (seen.subject, seen.role, seen.not_before, seen.not_after)
            found.setdefault(key, (seen, {}))[1][host.name] = None
    now = aware(report.started)
    timed = [Expiry(seen, (aware(seen.not_after) - now).days, list(hosts)) for seen, hosts in found.values()]
    return sorted(timed, key=lambda expiry: (aware(expiry.certificate.not_after), expiry.certificate.subject))


def aware(moment: datetime) -> datetime:
    """``moment`` in UTC; one without a zone is taken as UTC."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _results(hosts: Iterable[HostReport]) -> Iterator[tuple[HostReport, Result]]:
    return ((host, result) for host in hosts for result in host.results)

"""What an audit says: outcomes, findings, results. All that a report needs to know."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How much a deviation matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low up to 3 for critical."""
        return list(Severity).index(self)


class Outcome(StrEnum):
    """How a check ended on a host. Only ``PASS`` says that all is known and well."""

    PASS = "pass"  # noqa: S105  not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    MANUAL = "manual"
    ERROR = "error"


class Finding(msgspec.Struct, frozen=True, gc=False):
    """
    One deviation and its evidence.

    Args:
        subject: the container, image, file, port or key at fault; data from the host, never markup.
        observed: the value seen.
        expected: the value wanted.
        source: where it was read: flag, ``/etc/docker/daemon.json:/hosts/1``, API field, path.
    """

    subject: str
    observed: str
    expected: str
    source: str = ""


class Waiver(msgspec.Struct, frozen=True):
    """An accepted risk: why, and until which day (inclusive; None: no end)."""

    justification: str
    expires: date | None = None


class Attestation(msgspec.Struct, frozen=True):
    """A person's answer to what facts cannot decide: what is so, who says it since when, and until which day it holds (inclusive)."""

    statement: str
    by: str
    on: date
    expires: date


class Result(msgspec.Struct, frozen=True, gc=False):
    """
    One check on one host.

    ``controls`` maps a benchmark to the numbers of its controls that this check answers, for instance
    ``{"cis-docker-1.8.0": ["5.5"]}``. ``reason`` says why for every outcome but pass and fail; on a
    ``fail`` it tells what could not be seen beside the findings. A waived result keeps its outcome, and so does
    an attested one, which is ``manual``. ``note`` says what else waivers and attestations have to do with it: one
    that has expired, or that covers a part of the findings.
    """

    check: str
    title: str
    severity: Severity
    section: str
    controls: dict[str, list[str]]
    outcome: Outcome
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    waiver: Waiver | None = None
    attestation: Attestation | None = None
    note: str = ""


class CertificateSummary(msgspec.Struct, frozen=True):
    """A certificate seen on a host or on its wire, for the expiry timeline."""

    subject: str
    role: str
    where: str
    not_before: datetime
    not_after: datetime


class HostReport(msgspec.Struct, frozen=True):
    """
    Everything said about one host.

    ``error`` is empty, or why the host as a whole could not be audited (its results are then all ``error``).
    ``collected`` is when the facts were collected, in UTC; ``engine`` the engine's version, or empty.
    ``benchmark`` is the one that it was judged by.
    """

    name: str
    platform: str
    transport: str
    results: tuple[Result, ...]
    address: str = ""
    engine: str = ""
    system: str = ""
    groups: tuple[str, ...] = ()
    collected: datetime | None = None
    error: str = ""
    certificates: tuple[CertificateSummary, ...] = ()
    benchmark: str = ""


class CheckText(msgspec.Struct, frozen=True):
    """
    A check's words, kept once per report. ``level`` is the benchmark's, 0 when it has none.

    ``severity`` is the check's own; what a policy makes of it on a host stands in the results.
    """

    title: str
    severity: Severity
    section: str
    rationale: str
    remediation: str
    level: int = 0


class Counts(msgspec.Struct, frozen=True):
    """
    How many results ended how.

    ``waived`` results are failures too, and ``attested`` ones manual, each counted here only.
    """

    passed: int = msgspec.field(default=0, name="pass")
    fail: int = 0
    waived: int = 0
    not_applicable: int = 0
    manual: int = 0
    error: int = 0
    attested: int = 0

    @property
    def per_cent(self) -> int | None:
        """Of the results that facts decided (pass, fail, waived), how many per cent passed; None when none was."""
        decided = self.passed + self.fail + self.waived
        return 100 * self.passed // decided if decided else None


class Summary(msgspec.Struct, frozen=True):
    """The fleet in numbers. ``failures`` counts unwaived failures by severity, ``incomplete`` whether anything was not seen."""

    hosts: int
    unreachable: int
    outcomes: Counts
    failures: dict[str, int]
    incomplete: bool


class AuditReport(msgspec.Struct, frozen=True):
    """One run over a fleet. The field order is the JSON report's order."""

    schema_version: int
    started: datetime
    auditor: str
    benchmark: str
    hosts: tuple[HostReport, ...]
    summary: Summary
    checks: dict[str, CheckText]
    warnings: tuple[str, ...] = ()
    interrupted: bool = False


def count(results: Iterable[Result]) -> Counts:
    """Count results by outcome; a waived failure counts as waived, not as a failure, and likewise what is attested."""
    tally = dict.fromkeys(Counts.__struct_fields__, 0)
    for result in results:
        tally[_bucket(result)] += 1
    return Counts(**tally)


def _bucket(result: Result) -> str:
    if result.outcome is Outcome.PASS:
        return "passed"
    if result.outcome is Outcome.FAIL and result.waiver:
        return "waived"
    if result.outcome is Outcome.MANUAL and result.attestation:
        return "attested"
    return result.outcome.value.replace("-", "_")


# What a reader must know first of several checks that answer one control.
_PRECEDENCE = (Outcome.FAIL, Outcome.ERROR, Outcome.MANUAL, Outcome.PASS, Outcome.NOT_APPLICABLE)


def combine(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of a control that several checks answer: a finding beats a gap beats a pass."""
    return min(outcomes, key=_PRECEDENCE.index)


def summarize(hosts: Iterable[HostReport]) -> Summary:
    """The numbers of a whole run."""
    hosts = tuple(hosts)
    results = [result for host in hosts for result in host.results]
    failures = {severity.value: 0 for severity in reversed(Severity)}
    for result in results:
        if result.outcome is Outcome.FAIL and not result.waiver:
            failures[result.severity.value] += 1
    return Summary(
        hosts=len(hosts),
        unreachable=sum(1 for host in hosts if host.error),
        outcomes=count(results),
        failures=failures,
        incomplete=any(result.outcome is Outcome.ERROR for result in results),
    )

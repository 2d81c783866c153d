"""What the reports put together over the hosts."""

from datetime import date, timedelta

from auditor.results import CertificateSummary, Finding, HostReport, Outcome, Result, Severity, Waiver
from reports import overview
from tests.reports import samples


def failed(check: str, severity: Severity = Severity.HIGH, *, waiver: Waiver | None = None) -> Result:
    return Result(
        check,
        check,
        severity,
        "runtime",
        {},
        Outcome.FAIL,
        findings=(Finding("nginx", "on", "off"),),
        waiver=waiver,
    )


def unseen(check: str, reason: str) -> Result:
    return Result(check, check, Severity.HIGH, "runtime", {}, Outcome.ERROR, reason)


def host(
    name: str, *results: Result, error: str = "", certificates: tuple[CertificateSummary, ...] = ()
) -> HostReport:
    return HostReport(name, "linux", "ssh", results, error=error, certificates=certificates)


def test_deviations_come_by_severity_then_by_how_many_hosts_have_them() -> None:
    critical, wide, narrow = failed("critical", Severity.CRITICAL), failed("wide"), failed("narrow")
    report = samples.report(host("a", narrow, wide), host("b", wide, critical))
    assert [(one.check, list(one.hosts)) for one in overview.deviations(report)] == [
        ("critical", ["b"]),
        ("wide", ["a", "b"]),
        ("narrow", ["a"]),
    ]


def test_a_waived_failure_is_a_waiver_and_no_deviation() -> None:
    soon, late = Waiver("soon", date(2026, 4, 1)), Waiver("never ends")
    report = samples.report(host("a", failed("x", waiver=late), failed("y", waiver=soon)))
    assert overview.deviations(report) == []
    assert [(one.check, one.hosts) for one in overview.waivers(report)] == [("y", {"a": 1}), ("x", {"a": 1})]


def test_a_check_of_two_severities_on_different_hosts_is_two_deviations() -> None:
    report = samples.report(host("a", failed("x")), host("b", failed("x", Severity.LOW)))
    assert [(one.severity, list(one.hosts)) for one in overview.deviations(report)] == [
        ("high", ["a"]),
        ("low", ["b"]),
    ]


def test_gaps_are_grouped_by_reason_and_leave_out_hosts_out_of_reach() -> None:
    report = samples.report(
        host("a", unseen("x", "denied"), unseen("y", "denied")),
        host("b", unseen("x", "denied"), unseen("z", "timed out")),
        host("c", unseen("x", "no route"), error="no route"),
    )
    assert overview.gaps(report) == [("denied", ["x", "y"], ["a", "b"]), ("timed out", ["z"], ["b"])]


def test_a_certificate_on_many_hosts_is_shown_once_the_next_to_expire_first() -> None:
    now = samples.STARTED
    authority, server = (
        CertificateSummary(name, "role", "path", now, now + timedelta(days=days))
        for name, days in (("CA", 900), ("web", -2))
    )
    report = samples.report(host("a", certificates=(authority,)), host("b", certificates=(authority, server)))
    assert [(one.certificate.subject, one.days, one.hosts) for one in overview.expiries(report)] == [
        ("web", -2, ["b"]),
        ("CA", 900, ["a", "b"]),
    ]

"""
JUnit XML that Jenkins, Azure DevOps and GitLab read: a suite per host, a case per control.

``classname`` is ``host.section``: Jenkins shows it as package and class, GitLab as the suite of the case. Class and
name together are unique in a file, because GitLab drops a second case of the same name. A skipped case says why in
``message``, which is all that Jenkins reads of it. What a person attested is skipped too, since no program saw it.
Times are UTC without a zone, as the dialect wants them.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from auditor.results import AuditReport, Finding, HostReport, Outcome, Result
from reports.controls import group, judge
from reports.declared import accepted, attested
from reports.visible import visible, visible_lines

_NAMED_SUBJECTS = 3


def render(report: AuditReport) -> Iterator[str]:
    """The report as JUnit XML, a piece per host."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="docker-host-auditor">\n'
    notes = [f"warning: {warning}" for warning in report.warnings]
    if report.interrupted:
        notes.append("the run was interrupted")
    for host in report.hosts:
        yield _suite(report, host, notes)
        notes = []
    yield "</testsuites>\n"


def _suite(report: AuditReport, host: HostReport, notes: list[str]) -> str:
    kinds: Counter[str] = Counter()
    cases = []
    for number, results in group(host.results, report.benchmark):
        kind, ending = _verdict(results)
        kinds[kind] += 1
        section = results[0].section.replace(".", "_") or "checks"
        classname, name = _quoted(f"{host.name}.{section}"), _quoted(_name(number, results))
        cases.append(f'<testcase classname="{classname}" name="{name}" time="0"{ending}')
    counts = {
        "tests": len(cases),
        "failures": kinds["failure"],
        "errors": kinds["error"],
        "skipped": kinds["skipped"],
    }
    opening = _attributes(
        name=host.name,
        hostname=host.address or host.name,
        timestamp=_utc(host.collected or report.started),
        time="0",
        **{name: str(number) for name, number in counts.items()},
    )
    if host.error:
        notes = [*notes, f"{host.name} could not be audited: {host.error}"]
    remarks = f"<system-err>{_text(chr(10).join(notes))}</system-err>\n" if notes else ""
    return f"<testsuite{opening}>\n{_properties(report, host)}{''.join(cases)}{remarks}</testsuite>\n"


def _properties(report: AuditReport, host: HostReport) -> str:
    properties = {
        "auditor": report.auditor,
        "benchmark": host.benchmark or report.benchmark,
        "platform": host.platform,
        "transport": host.transport,
        "engine": host.engine,
        "system": host.system,
        "groups": ", ".join(host.groups),
    }
    lines = (
        f"<property{_attributes(name=name, value=value)}/>\n" for name, value in properties.items() if value
    )
    return f"<properties>\n{''.join(lines)}</properties>\n"


def _name(number: str, results: list[Result]) -> str:
    if len(results) == 1:
        return f"{number} {results[0].check}: {results[0].title}".lstrip()
    return f"{number} {', '.join(result.check for result in results)}"


def _verdict(results: list[Result]) -> tuple[str, str]:
    """The kind of a case, for counting, and the rest of its element."""
    outcome, waived = judge(results)
    if outcome is Outcome.PASS:
        return "pass", "/>\n"
    decisive = [
        result
        for result in results
        if result.outcome is outcome and waived == bool(result.waiver and outcome is Outcome.FAIL)
    ]
    if outcome is Outcome.FAIL and not waived:
        severity = max((result.severity for result in decisive), key=lambda severity: severity.rank)
        return "failure", _element(
            "failure", f"{severity}: {_subjects(decisive)}", str(severity), _evidence(results)
        )
    if outcome is Outcome.ERROR:
        return "error", _element("error", _reasons(decisive), "error", _evidence(results))
    if waived:
        return "skipped", _element("skipped", _acceptance(decisive), "", _evidence(results))
    return "skipped", _element("skipped", f"{outcome}: {_reasons(decisive)}", "", "")


def _element(tag: str, message: str, kind: str, text: str) -> str:
    attributes = _attributes(message=message, type=kind) if kind else _attributes(message=message)
    body = f">{_text(text)}</{tag}>" if text else "/>"
    return f"><{tag}{attributes}{body}</testcase>\n"


def _subjects(failed: list[Result]) -> str:
    subjects = [finding.subject for result in failed for finding in result.findings]
    more = f" and {len(subjects) - _NAMED_SUBJECTS} more" if len(subjects) > _NAMED_SUBJECTS else ""
    plural = "finding" if len(subjects) == 1 else "findings"
    return f"{len(subjects)} {plural}: {', '.join(subjects[:_NAMED_SUBJECTS])}{more}"


def _reasons(results: list[Result]) -> str:
    return "; ".join(dict.fromkeys(filter(None, map(_reason, results)))) or "no reason given"


def _reason(result: Result) -> str:
    """Why it ended so. A person's answer stands in the place of the question, for nothing else was seen."""
    if result.outcome is Outcome.MANUAL and result.attestation:
        return attested(result.attestation)
    return "; ".join(filter(None, (result.reason, result.note)))


def _acceptance(results: list[Result]) -> str:
    waivers = dict.fromkeys(result.waiver for result in results if result.waiver)
    return "; ".join(map(accepted, waivers))


def _evidence(results: list[Result]) -> str:
    """Every finding and every gap of a control, a line each."""
    lines: list[str] = []
    for result in results:
        lines += [_line(finding, result) for finding in result.findings]
        if result.reason and result.outcome in (Outcome.FAIL, Outcome.ERROR):
            lines.append(f"not seen: {visible(result.reason)} [{result.check}]")
        if result.note:
            lines.append(f"{visible(result.note)} [{result.check}]")
    return "\n".join(lines)


def _line(finding: Finding, result: Result) -> str:
    source = f" ({visible(finding.source)})" if finding.source else ""
    waived = " [waived]" if result.waiver and result.outcome is Outcome.FAIL else ""
    return f"{visible(finding.subject)}: observed {visible(finding.observed)}; expected {visible(finding.expected)}{source}{waived}"


def _utc(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _attributes(**values: str) -> str:
    return "".join(f' {name}="{_quoted(value)}"' for name, value in values.items())


@lru_cache(4096)
def _quoted(value: str) -> str:
    return _escaped(visible(value)).replace('"', "&quot;")


def _text(value: str) -> str:
    return _escaped(visible_lines(value))


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""
The data of the HTML report: tables that hold each text once, and hosts as rows of numbers into them.

A host's outcomes are one string, a letter for each check; what is more to say than the letter follows in ``details``:
``[check, reason, waiver, subject, observed, expected, source, subject, …]``, numbers of texts, -1 for none.
"""

from typing import Any

import msgspec

from auditor.results import AuditReport, CheckText, HostReport, Outcome, Result, Severity, Waiver
from reports.controls import by_number, numbers
from reports.visible import visible, visible_lines

_LETTERS = {
    Outcome.PASS: "p",
    Outcome.FAIL: "f",
    Outcome.NOT_APPLICABLE: "n",
    Outcome.MANUAL: "m",
    Outcome.ERROR: "e",
}
_WAIVED, _ABSENT = "w", "-"
_NONE = -1


class _Numbering(dict[Any, int]):
    """Gives each new key the next number."""

    def __missing__(self, key: Any) -> int:
        self[key] = number = len(self)
        return number


def encode(report: AuditReport) -> str:
    """The report's data as JSON that can stand inside a script element."""
    checks = _checks(report)
    texts, waivers = _Numbering(), _Numbering()
    places = {check: place for place, (check, _) in enumerate(checks)}
    hosts = [_host(host, places, texts, waivers) for host in report.hosts]
    tree = {
        "checks": [_check(check, words, found) for check, (words, found) in checks],
        "hosts": hosts,
        "waivers": [_waiver(waiver) for waiver in waivers],
        "texts": [visible_lines(text) for text in texts],
    }
    # Inside a string of JSON these mean the same, and neither "</script>" nor "<!--" can stand in the page.
    return msgspec.json.encode(tree).decode().replace("<", "\\u003c").replace(">", "\\u003e")


def _checks(report: AuditReport) -> list[tuple[str, tuple[CheckText, list[str]]]]:
    """Every check that has a result, in the benchmark's order: its words and the numbers of its controls."""
    found: dict[str, tuple[CheckText, list[str]]] = {}
    for host in report.hosts:
        for result in host.results:
            if result.check not in found:
                words = report.checks.get(result.check) or CheckText(
                    result.title, result.severity, result.section, "", ""
                )
                found[result.check] = (words, numbers(result, report.benchmark))
    return sorted(found.items(), key=lambda item: (by_number((item[1][1] or [""])[0]), item[0]))


def _check(check: str, words: CheckText, found: list[str]) -> list[Any]:
    severity = list(Severity).index(words.severity)
    named = [visible(text) for text in (check, ", ".join(found), words.title, words.section)]
    return [*named, severity, words.level, visible_lines(words.rationale), visible_lines(words.remediation)]


def _waiver(waiver: Waiver) -> list[str]:
    return [visible_lines(waiver.justification), waiver.expires.isoformat() if waiver.expires else ""]


def _host(host: HostReport, places: dict[str, int], texts: _Numbering, waivers: _Numbering) -> list[Any]:
    outcomes = [_ABSENT] * len(places)
    details = []
    for result in host.results:
        place = places[result.check]
        waived = result.waiver if result.outcome is Outcome.FAIL else None
        outcomes[place] = _WAIVED if waived else _LETTERS[result.outcome]
        if result.findings or result.reason or waived:
            details.append([place, *_detail(result, waived, texts, waivers)])
    facts = (
        host.name,
        host.platform,
        host.transport,
        host.address,
        host.engine,
        host.system,
        ", ".join(host.groups),
    )
    collected = host.collected.isoformat() if host.collected else ""
    return [*map(visible, facts), collected, visible_lines(host.error), "".join(outcomes), details]


def _detail(result: Result, waived: Waiver | None, texts: _Numbering, waivers: _Numbering) -> list[int]:
    row = [texts[result.reason] if result.reason else _NONE, waivers[waived] if waived else _NONE]
    for finding in result.findings:
        row += (
            texts[finding.subject],
            texts[finding.observed],
            texts[finding.expected],
            texts[finding.source],
        )
    return row

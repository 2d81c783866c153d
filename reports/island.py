"""
The data of the HTML report: tables that hold each text once, and hosts as rows of numbers into them.

A host's outcomes are one string, a letter for each check; what is more to say than the letter follows in ``details``:
``[check, reason, remark, subject, observed, expected, source, subject, …]``, numbers of texts, -1 for none. A check
that a policy gave several severities stands there once for each.
"""

from operator import attrgetter
from typing import Any

import msgspec

from auditor.results import AuditReport, CheckText, HostReport, Outcome, Result, Severity
from reports.controls import by_number, numbers
from reports.declared import remark
from reports.visible import visible, visible_lines

_LETTERS = {
    Outcome.PASS: "p",
    Outcome.FAIL: "f",
    Outcome.NOT_APPLICABLE: "n",
    Outcome.MANUAL: "m",
    Outcome.ERROR: "e",
}
_WAIVED, _ATTESTED, _ABSENT = "w", "t", "-"
_NONE = -1
Key = tuple[str, Severity]
_key = attrgetter("check", "severity")


class _Numbering(dict[Any, int]):
    """Gives each new key the next number."""

    def __missing__(self, key: Any) -> int:
        self[key] = number = len(self)
        return number


def encode(report: AuditReport) -> str:
    """The report's data as JSON that can stand inside a script element."""
    checks = _checks(report)
    texts = _Numbering()
    places = {key: place for place, (key, _) in enumerate(checks)}
    # Each host is encoded as soon as it is made: the rows of a thousand at once would take ten times as much memory.
    hosts = [msgspec.Raw(msgspec.json.encode(_host(host, places, texts))) for host in report.hosts]
    tree = {
        "checks": [_check(key, words, found) for key, (words, found) in checks],
        "hosts": hosts,
        "texts": [visible_lines(text) for text in texts],
    }
    encoded = msgspec.json.encode(tree)
    del tree, hosts
    # Inside a string of JSON these mean the same, and neither "</script>" nor "<!--" can stand in the page.
    return encoded.replace(b"<", rb"\u003c").replace(b">", rb"\u003e").decode()


def _checks(report: AuditReport) -> list[tuple[Key, tuple[CheckText, list[str]]]]:
    """Every check that has a result, in the benchmark's order: its words and the numbers of its controls."""
    found: dict[Key, tuple[CheckText, list[str]]] = {}
    for host in report.hosts:
        for result in host.results:
            if _key(result) not in found:
                words = report.checks.get(result.check) or CheckText(
                    result.title, result.severity, result.section, "", ""
                )
                found[_key(result)] = (words, numbers(result, report.benchmark))
    return sorted(
        found.items(), key=lambda item: (by_number((item[1][1] or [""])[0]), item[0][0], item[0][1].rank)
    )


def _check(key: Key, words: CheckText, found: list[str]) -> list[Any]:
    check, severity = key
    named = [visible(text) for text in (check, ", ".join(found), words.title, words.section)]
    prose = [visible_lines(words.rationale), visible_lines(words.remediation)]
    return [*named, severity.rank, words.level, *prose]


def _host(host: HostReport, places: dict[Key, int], texts: _Numbering) -> list[Any]:
    outcomes = [_ABSENT] * len(places)
    details = []
    for result in host.results:
        place = places[_key(result)]
        said = remark(result)
        outcomes[place] = _letter(result)
        if result.findings or result.reason or said:
            details.append([place, *_detail(result, said, texts)])
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


def _letter(result: Result) -> str:
    if result.outcome is Outcome.FAIL and result.waiver:
        return _WAIVED
    return _ATTESTED if result.outcome is Outcome.MANUAL and result.attestation else _LETTERS[result.outcome]


def _detail(result: Result, said: str, texts: _Numbering) -> list[int]:
    row = [texts[text] if text else _NONE for text in (result.reason, said)]
    for finding in result.findings:
        row += (
            texts[finding.subject],
            texts[finding.observed],
            texts[finding.expected],
            texts[finding.source],
        )
    return row

"""People's answers: a YAML file says what somebody has looked at where facts cannot decide. The result stays ``manual``, marked."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import msgspec

from auditor.declared import Declared, Entry, verify
from auditor.results import Attestation, HostReport, Outcome, Result
from auditor.yamlfile import document

LONGEST = 366


class AttestationEntry(Entry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What ``by`` has seen ``on`` a day. It speaks of one moment, so it must have an end."""

    statement: str
    by: str
    on: date
    expires: date


class AttestationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: a list under ``attestations``."""

    attestations: tuple[AttestationEntry, ...]


class Attestations(Declared[AttestationEntry]):
    """The attestations of a file."""

    KIND = "attestation"
    IDLE = "answered nothing"

    def apply(self, report: HostReport) -> HostReport:
        """Mark each ``manual`` result that somebody has answered, and say of an answer that has expired that there was one."""
        return msgspec.structs.replace(
            report, results=tuple(self._mark(report.name, result) for result in report.results)
        )

    def remarks(self, entry: AttestationEntry) -> Iterator[str]:
        """It answers many questions at once, or holds for long."""
        if any(char in entry.check for char in "*?["):
            yield "answers every check of such a name with one statement: attest them one by one"
        if (entry.expires - entry.on).days > LONGEST:
            yield f"holds for {(entry.expires - entry.on).days} days: look again at least once a year"

    def _mark(self, host: str, result: Result) -> Result:
        if result.outcome is not Outcome.MANUAL:
            return result

        def wanted(entry: AttestationEntry) -> bool:
            return entry.speaks_of(host, result)

        entry = self.holding(wanted)
        if entry:
            mark = Attestation(entry.statement, entry.by, entry.on, entry.expires)
            return msgspec.structs.replace(result, attestation=mark)
        old = self.expired(wanted)
        note = f"what {old.by} attested on {old.on} expired on {old.expires}: look again" if old else ""
        return msgspec.structs.replace(result, note=note)


def load_attestations(path: Path, today: date, names: Iterable[str]) -> Attestations:
    """
    Read an attestations file.

    Raises:
        BadFile: it is malformed, names no check or control of ``names``, answers everything, or an entry's dates or words make no sense.
    """
    file = document(path)
    entries = file.into(AttestationFile).attestations
    verify(file, "attestations", entries, names)
    for index, entry in enumerate(entries):
        for key, problem in _problems(entry, today):
            raise file.bad(problem, "attestations", index, key)
    lines = tuple(file.line("attestations", index) for index in range(len(entries)))
    return Attestations(path, entries, today, lines)


def _problems(entry: AttestationEntry, today: date) -> Iterator[tuple[str, str]]:
    """What is wrong with an entry, each with the key it stands at."""
    if not entry.statement.strip():
        yield "statement", "is empty: say what was looked at and found"
    if not entry.by.strip():
        yield "by", "is empty: say who has looked"
    if entry.on > today:
        yield "on", f"is in the future (today is {today} in UTC): attest what has been seen"
    if entry.expires < entry.on:
        yield "expires", f"is before 'on', {entry.on}"
    if entry.check == "*":
        yield "check", "answers every question with one statement: name the check or the control"

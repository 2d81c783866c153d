"""Accepted risks: a YAML file says which findings are known, why, and until when. A waived failure stays in sight."""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path

import msgspec

from auditor.declared import Declared, Entry, any_glob, verify
from auditor.results import Finding, HostReport, Outcome, Result, Waiver
from auditor.yamlfile import document


class WaiverEntry(Entry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One accepted risk. ``subjects`` are globs, empty: all."""

    justification: str
    subjects: tuple[str, ...] = ()

    @property
    def all_subjects(self) -> bool:
        """Whether it leaves out no finding."""
        return not self.subjects or "*" in self.subjects

    def covers(self, host: str, result: Result, finding: Finding) -> bool:
        """Whether it speaks of this finding."""
        return self.speaks_of(host, result) and any_glob(self.subjects, finding.subject)


class WaiverFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: a list under ``waivers``."""

    waivers: tuple[WaiverEntry, ...]


class Waivers(Declared[WaiverEntry]):
    """The waivers of a file."""

    KIND = "waiver"
    IDLE = "waived nothing"

    def apply(self, report: HostReport) -> HostReport:
        """Mark each failure of which every finding is waived; one that is waived in part stays a failure and says so."""
        return msgspec.structs.replace(
            report, results=tuple(self._mark(report.name, result) for result in report.results)
        )

    def remarks(self, entry: WaiverEntry) -> Iterator[str]:
        """It has no end, or covers more than somebody can have looked at."""
        yield from super().remarks(entry)
        if entry.all_hosts and entry.all_subjects:
            yield "covers every subject on every host, those to come too: name hosts or subjects"
        elif _is_glob(entry.check) and (entry.all_hosts or entry.all_subjects):
            yield "covers every check of such a name: name the checks, or both hosts and subjects"

    def _mark(self, host: str, result: Result) -> Result:
        if result.outcome is not Outcome.FAIL:
            return result
        wanted = [partial(_covers, host, result, finding) for finding in result.findings]
        entries = [entry for entry in map(self.holding, wanted) if entry]
        if entries and len(entries) == len(wanted):
            ends = [entry.expires for entry in entries if entry.expires]
            reasons = dict.fromkeys(entry.justification for entry in entries)
            return msgspec.structs.replace(result, waiver=Waiver("; ".join(reasons), min(ends, default=None)))
        notes = [f"{len(entries)} of {len(wanted)} findings waived"] if entries else []
        expired = next(filter(None, map(self.expired, wanted)), None)
        notes += [f"a waiver expired on {expired.expires}"] if expired else []
        return msgspec.structs.replace(result, note="; ".join(notes)) if notes else result


def _covers(host: str, result: Result, finding: Finding, entry: WaiverEntry) -> bool:
    return entry.covers(host, result, finding)


def _is_glob(name: str) -> bool:
    return any(char in name for char in "*?[")


def load_waivers(path: Path, today: date, names: Iterable[str]) -> Waivers:
    """
    Read a waivers file.

    Raises:
        BadFile: it is malformed, an entry has no justification, names no check or control of ``names``, or waives everything.
    """
    file = document(path)
    entries = file.into(WaiverFile).waivers
    verify(file, "waivers", entries, names)
    for index, entry in enumerate(entries):
        if not entry.justification.strip():
            problem = "has no justification: say why the risk is accepted"
            raise file.bad(problem, "waivers", index, "justification")
        if entry.check == "*" and entry.all_hosts and entry.all_subjects:
            raise file.bad("waives everything: name checks, hosts or subjects", "waivers", index)
    return Waivers(path, entries, today, tuple(file.line("waivers", index) for index in range(len(entries))))

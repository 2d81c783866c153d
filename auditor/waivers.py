"""Accepted risks: a YAML file says which findings are known, why, and until when. A waived failure stays in sight."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from auditor.errors import BadFile
from auditor.results import Finding, HostReport, Outcome, Result, Waiver
from auditor.yamlfile import read


class WaiverEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    One accepted risk.

    ``check`` is a check's id or a control's number; ``hosts`` and ``subjects`` are globs, empty: all.
    ``expires`` is the last day it holds; None: it has no end, which the report points out.
    """

    check: str
    justification: str
    expires: date | None = None
    hosts: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()

    def covers(self, host: str, result: Result, finding: Finding) -> bool:
        """Whether it speaks of this finding."""
        numbers = {number for controls in result.controls.values() for number in controls}
        return (
            (self.check == result.check or self.check in numbers)
            and _any_glob(self.hosts, host)
            and _any_glob(self.subjects, finding.subject)
        )


class WaiverFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: a list under ``waivers``."""

    waivers: tuple[WaiverEntry, ...]


@dataclass
class Waivers:
    """The entries of a file, as they hold ``today``; it remembers which were used."""

    path: Path
    entries: tuple[WaiverEntry, ...]
    today: date
    _used: set[int] = field(default_factory=set)

    def apply(self, report: HostReport) -> HostReport:
        """Mark each failure of which every finding is waived; one that is waived in part stays a failure and says so."""
        return msgspec.structs.replace(
            report, results=tuple(self._mark(report.name, result) for result in report.results)
        )

    def warnings(self) -> Iterator[str]:
        """What the file's owner should know: entries expired, unused, without an end, or covering everything."""
        for index, entry in enumerate(self.entries):
            where = f"{self.path}: waiver {index + 1} ({entry.check})"
            if not self._holds(entry):
                yield f"{where} expired on {entry.expires}: it no longer waives anything"
            elif index not in self._used:
                yield f"{where} waived nothing in this run: remove it, or look whether its hosts and subjects are right"
            elif entry.expires is None:
                yield f"{where} has no end: give it an 'expires' date"

    def _mark(self, host: str, result: Result) -> Result:
        if result.outcome is not Outcome.FAIL:
            return result
        covered = [self._covering(host, result, finding) for finding in result.findings]
        entries = [entry for entry in covered if entry]
        if entries and len(entries) == len(covered):
            ends = [entry.expires for entry in entries if entry.expires]
            reasons = dict.fromkeys(entry.justification for entry in entries)
            return msgspec.structs.replace(result, waiver=Waiver("; ".join(reasons), min(ends, default=None)))
        if entries:
            note = f"{len(entries)} of {len(covered)} findings waived"
            return msgspec.structs.replace(result, reason="; ".join(filter(None, [result.reason, note])))
        return result

    def _covering(self, host: str, result: Result, finding: Finding) -> WaiverEntry | None:
        for index, entry in enumerate(self.entries):
            if self._holds(entry) and entry.covers(host, result, finding):
                self._used.add(index)
                return entry
        return None

    def _holds(self, entry: WaiverEntry) -> bool:
        return entry.expires is None or self.today <= entry.expires


def load_waivers(path: Path, today: date, names: Iterable[str]) -> Waivers:
    """
    Read a waivers file.

    Raises:
        BadFile: it is malformed, an entry has no justification, or names no check or control of ``names``.
    """
    entries = read(path, WaiverFile).waivers
    known = set(names)
    for index, entry in enumerate(entries):
        if not entry.justification.strip():
            raise BadFile(
                path, f"waiver {index + 1} ({entry.check}) has no justification: say why the risk is accepted"
            )
        if entry.check not in known:
            raise BadFile(
                path,
                f"waiver {index + 1}: there is no check or control {entry.check!r}; 'auditor checks' lists them",
            )
    return Waivers(path, entries, today)


def _any_glob(globs: tuple[str, ...], name: str) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)

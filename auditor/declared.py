"""What people declare of results, in files: whom an entry speaks of, until when, and whether it was of any use."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import msgspec

from auditor.results import Result
from auditor.yamlfile import Document, suggest


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """
    One entry of such a file.

    ``check`` is a check's id, a glob of ids, or a control's number; ``control`` is a number and stands in its place.
    ``hosts`` are globs; without them, all. ``expires`` is the last day it holds, in UTC; None: it has no end.
    """

    check: str = ""
    control: str = ""
    hosts: tuple[str, ...] = ()
    expires: date | None = None

    @property
    def name(self) -> str:
        """What it is about, as it is written."""
        return self.check or self.control

    @property
    def all_hosts(self) -> bool:
        """Whether it leaves out no host."""
        return not self.hosts or "*" in self.hosts

    def means(self, name: str) -> bool:
        """Whether it is about the check or the control of this name."""
        return fnmatchcase(name, self.check) if self.check else name == self.control

    def speaks_of(self, host: str, result: Result) -> bool:
        """Whether it is about this check on this host."""
        numbers = (number for controls in result.controls.values() for number in controls)
        return any_glob(self.hosts, host) and any(map(self.means, (result.check, *numbers)))


E = TypeVar("E", bound=Entry)


@dataclass
class Declared(Generic[E]):
    """The entries of a file, as they hold ``today``; it remembers by their places which were used."""

    KIND: ClassVar[str]
    IDLE: ClassVar[str]

    path: Path
    entries: tuple[E, ...]
    today: date
    lines: tuple[int, ...]
    _used: set[int] = field(default_factory=set)

    def holding(self, wanted: Callable[[E], bool]) -> E | None:
        """The first entry that is wanted and still holds. It counts as used."""
        for index, entry in enumerate(self.entries):
            if self._holds(entry) and wanted(entry):
                self._used.add(index)
                return entry
        return None

    def expired(self, wanted: Callable[[E], bool]) -> E | None:
        """The first entry that is wanted and holds no more."""
        return next((entry for entry in self.entries if not self._holds(entry) and wanted(entry)), None)

    def warnings(self) -> Iterator[str]:
        """What the file's owner should know: entries that have expired, were of no use, or say too little."""
        for index, (entry, line) in enumerate(zip(self.entries, self.lines, strict=True)):
            where = f"{self.path}:{line}: {self.KIND} {index + 1} ({entry.name})"
            if not self._holds(entry):
                yield f"{where} expired on {entry.expires}: it no longer counts"
            elif index not in self._used:
                yield f"{where} {self.IDLE} in this run: remove it, or look whether what it names is right"
            else:
                yield from (f"{where} {remark}" for remark in self.remarks(entry))

    def remarks(self, entry: E) -> Iterator[str]:
        """What is doubtful about an entry that is in use."""
        if entry.expires is None:
            yield "has no end: give it an 'expires' date"

    def _holds(self, entry: Entry) -> bool:
        return entry.expires is None or self.today <= entry.expires


def verify(document: Document, key: str, entries: Iterable[Entry], names: Iterable[str]) -> None:
    """
    See that each entry, all below ``key``, is about something that there is.

    Raises:
        BadFile: it names neither a check nor a control, or both, or none of ``names``; or it lists no host or subject.
    """
    known = set(names)
    for index, entry in enumerate(entries):
        if bool(entry.check) is bool(entry.control):
            raise document.bad("say what it is about: either check or control", key, index)
        if not any(map(entry.means, known)):
            field_name = "check" if entry.check else "control"
            problem = f"there is no check or control {entry.name!r}: {suggest(entry.name, known)}"
            raise document.bad(problem, key, index, field_name)
        # A list that a program left empty must not mean everything.
        for field_name in ("hosts", "subjects"):
            if document.value[key][index].get(field_name) == []:
                raise document.bad("names none: leave it out where all are meant", key, index, field_name)


def any_glob(globs: tuple[str, ...], name: str) -> bool:
    """Whether one of ``globs`` means ``name``; none at all mean everything."""
    return not globs or any(fnmatchcase(name, glob) for glob in globs)

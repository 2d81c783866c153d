"""Builds of Windows by a dated table: until when they are supported, and which updates they got when."""

import re
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.yamlfile import read

_TABLE = Path(__file__).with_name("windows_builds.yaml")
_GOOD_FOR = timedelta(days=90)
# From one second Tuesday to the next: two updates further apart had one in between that the table does not list.
_SHORT_MONTH, _LONG_MONTH = timedelta(days=28), timedelta(days=36)
_PRO = ("Core", "Professional")
_LTSC = ("EnterpriseS", "IoTEnterpriseS")


class WindowsVersion(NamedTuple):
    """Build and revision: ``10.0.20348.4405`` is 20348 and 4405. A version without revision has -1."""

    build: int
    revision: int = -1

    def __str__(self) -> str:
        return f"10.0.{self.build}" + (f".{self.revision}" if self.revision >= 0 else "")

    @classmethod
    def of(cls, text: str) -> "WindowsVersion | None":
        """Read ``10.0.20348.4405`` or ``10.0.20348``; None when it is neither."""
        match = re.fullmatch(r"10\.0\.(\d{5})(?:\.(\d{1,6}))?", text, re.ASCII)
        return cls(int(match[1]), int(match[2] or -1)) if match else None


class Update(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An update: the revision that a build has with it, and when it came out."""

    revision: int
    released: date


class WindowsLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    A build, of servers and images or of a client.

    ``ends`` is the last day of security updates, None where that is not known. Updates are newest first.
    """

    build: int
    name: str
    client: bool = False
    mainstream: date | None = None
    ends: date | None = None
    ends_pro: date | None = None
    ends_ltsc: date | None = None
    updates: tuple[Update, ...] = ()

    def end_for(self, edition: str) -> date | None:
        """The last day of security updates for an edition as the registry calls it (``ServerDatacenter``, ``Professional``); None where it is not known."""
        if not edition and (self.ends_pro or self.ends_ltsc):
            return None
        if self.ends_pro and edition.startswith(_PRO):
            return self.ends_pro
        if self.ends_ltsc and edition.startswith(_LTSC):
            return self.ends_ltsc
        return self.ends

    def first_missed(self, revision: int) -> Update | None:
        """The oldest known update that a revision lacks: it lacks that one for certain, and maybe older ones that are not listed."""
        return min((it for it in self.updates if it.revision > revision), default=None, key=_day)

    def unlisted_since(self, day: date | None = None) -> date | None:
        """
        The first day before ``day`` (None: ever) on which an update may have come out that is not listed.

        None when there was none for certain: the update before ``day`` is listed, too.
        """
        before = max((it.released for it in self.updates if day is None or it.released < day), default=None)
        if before is None:
            return date.min
        return None if day and day - before <= _LONG_MONTH else before + _SHORT_MONTH


def _day(update: Update) -> date:
    return update.released


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    checked: date
    sources: tuple[str, ...]
    lines: tuple[WindowsLine, ...]


class WindowsBuilds(msgspec.Struct, frozen=True):
    """The table: its lines, and the day up to which it is true."""

    SECTIONS: ClassVar[tuple[str, ...]] = ()

    checked: date
    lines: tuple[WindowsLine, ...]

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:  # noqa: ARG003  a fact that needs nothing of the host
        table = _table()
        return cls(table.checked, table.lines)

    def line_of(self, build: int, *, client: bool = False) -> WindowsLine | None:
        """The line of a build, if the table has it."""
        return next((it for it in self.lines if it.build == build and it.client == client), None)

    def stale(self, today: date) -> bool:
        """Whether the table is too old to say on that day that no update is missing."""
        return today - self.checked > _GOOD_FOR


@cache
def _table() -> _Table:
    return read(_TABLE, _Table)

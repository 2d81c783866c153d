"""Which releases of the engine are maintained, by a dated table, and whose build the host runs."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import decline_podman, decode, read_engine, version_tuple
from auditor.gaps import Inconclusive
from auditor.yamlfile import read

_TABLE = Path(__file__).with_name("releases.yaml")
_GOOD_FOR = timedelta(days=183)
_DOCKERS_OWN = "Docker Engine - Community"


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    A release line (``"26.1"`` holds 26.1.0, 26.1.1, …): when it came out, its newest release, until when it is maintained.

    ``ended`` is None while no end was announced.
    """

    line: str
    released: date
    newest: str
    newest_released: date
    ended: date | None = None

    def holds(self, version: tuple[int, ...]) -> bool:
        """Whether a version belongs to it."""
        own = version_tuple(self.line)
        return version[: len(own)] == own


class VendorLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A release line that somebody else than Docker maintained, under their name for the engine, and when they stopped."""

    platform: str
    line: str
    ended: date


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    checked: date
    sources: tuple[str, ...]
    lines: tuple[Line, ...]
    vendors: tuple[VendorLine, ...] = ()


class Releases(msgspec.Struct, frozen=True):
    """The table: its lines, newest first, and the day up to which it is true."""

    SECTIONS: ClassVar[tuple[str, ...]] = ()

    checked: date
    lines: tuple[Line, ...]
    vendors: tuple[VendorLine, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:  # noqa: ARG003  a fact that needs nothing of the host
        table = _table()
        return cls(table.checked, table.lines, table.vendors)

    def vendor_end(self, platform: str, version: tuple[int, ...]) -> date | None:
        """When the maker of another build stopped to maintain the line of a version; None where that is not known."""
        for each in self.vendors:
            own = version_tuple(each.line)
            if each.platform == platform and version[: len(own)] == own:
                return each.ended
        return None

    def line_of(self, version: tuple[int, ...]) -> Line | None:
        """The line that a version belongs to, if the table has it."""
        return next((line for line in self.lines if line.holds(version)), None)

    def stale(self, today: date) -> bool:
        """Whether the table is too old to say on that day that all is well."""
        return today - self.checked > _GOOD_FOR


@cache
def _table() -> _Table:
    return read(_TABLE, _Table)


class Build(msgspec.Struct, frozen=True):
    """The engine's program: its version, who built it, and from what (``package`` is empty when it does not tell)."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("engine-version",)

    version: str = "29.8.2"
    platform: str = _DOCKERS_OWN
    package: str = ""

    @property
    def dockers_own(self) -> bool:
        """Whether Docker built it. Distributions and vendors maintain their builds by themselves, under the same version."""
        return self.platform == _DOCKERS_OWN and "+" not in self.version and "-" not in self.version

    @property
    def version_tuple(self) -> tuple[int, ...]:
        """The version as numbers, to compare."""
        return version_tuple(self.version)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        text = read_engine(bundle, "engine-version")
        decline_podman(text)
        told: _Version = decode(text, _Version, "docker version")
        server = told.Server
        if not server or not version_tuple(server.Version):
            raise Inconclusive("the engine does not tell its version")
        return cls(server.Version, server.Platform.Name if server.Platform else "", server.GitCommit)


class _Platform(msgspec.Struct, frozen=True):
    Name: str = ""


class _Server(msgspec.Struct, frozen=True):
    Version: str = ""
    GitCommit: str = ""
    Platform: _Platform | None = None


class _Version(msgspec.Struct, frozen=True):
    Server: _Server | None = None

"""Who may do what with the files, folders and registry keys that decide who controls a Windows engine."""

from collections.abc import Iterator
from contextlib import suppress
from ntpath import dirname, normcase
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import Engine
from auditor.facts.sddl import DELETE, WRITE_DAC, WRITE_OWNER, Descriptor, Kind, parse
from auditor.facts.tls import DaemonTls
from auditor.facts.windows_json import read_json
from auditor.facts.windows_paths import plain_windows_path
from auditor.gaps import Gap, Inconclusive

CLOSED = "O:BAG:SYD:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)"

READ, ADD_FILE, ADD_FOLDER, DELETE_CHILD = 0x1, 0x2, 0x4, 0x40
_OWNED = {DELETE: "delete", WRITE_DAC: "change rights", WRITE_OWNER: "take ownership"}
_FILE = {0x2: "write", 0x4: "append", **_OWNED}
# Bits by which an object can be changed, with the words for them. Attributes are left out: they decide nothing.
_CHANGES: dict[Kind, dict[int, str]] = {
    "file": _FILE,
    "pipe": _FILE,
    "folder": {ADD_FILE: "add files", ADD_FOLDER: "add folders", DELETE_CHILD: "delete what is in it", **_OWNED},
    "key": {0x2: "set values", 0x4: "add keys", 0x20: "make links", **_OWNED},
    "service": {0x2: "change the configuration", **_OWNED},
}  # fmt: skip


def changes(kind: Kind) -> int:
    """The bits by which such an object can be changed."""
    return sum(_CHANGES[kind])


def words(mask: int, kind: Kind) -> str:
    """Reading and changing in words."""
    said = {READ: "read", **_CHANGES[kind]} if kind in ("file", "folder") else _CHANGES[kind]
    return ", ".join(word for bit, word in said.items() if mask & bit)


class Guarded(msgspec.Struct, frozen=True):
    """A path and what is known of its rights: ``sddl`` None where they could not be read, ``problem`` then says why."""

    role: str
    path: str
    exists: bool = True
    kind: Kind = "file"
    sddl: str | None = CLOSED
    audit: str | None = None
    problem: str = ""

    @property
    def rights(self) -> Descriptor:
        """
        Its access list.

        Raises:
            Inconclusive: it could not be read.
        """
        return self._parsed(self.sddl, "rights")

    @property
    def auditing(self) -> Descriptor:
        """
        The same with its audit list.

        Raises:
            Inconclusive: it could not be read.
        """
        return self._parsed(self.audit, "audit list")

    def _parsed(self, sddl: str | None, what: str) -> Descriptor:
        if sddl is None:
            raise Inconclusive(f"the {what} of {self.path} could not be read: {self.problem or 'not told'}")
        try:
            return parse(sddl)
        except Inconclusive as gap:
            raise Inconclusive(f"the {what} of {self.path} make no sense: {gap}") from None


class RightsEntry(msgspec.Struct, frozen=True):
    """One path as the collector tells of it."""

    role: str
    path: str
    exists: bool
    folder: bool
    sddl: str | None
    audit: str | None
    error: str | None


def guarded(entry: RightsEntry) -> Guarded:
    """One path and its rights."""
    kind: Kind = "key" if entry.path.startswith("HKLM:") else "folder" if entry.folder else "file"
    return Guarded(
        entry.role,
        entry.path,
        # What could not be looked at may well be there.
        entry.exists or entry.error is not None,
        kind,
        entry.sddl,
        entry.audit,
        entry.error or "",
    )


class WindowsRights(msgspec.Struct, frozen=True):
    """All that was looked at, by what it is for: ``executable``, ``data-root``, ``config-file``, ``tls-key``."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-acl", *DaemonTls.SECTIONS)

    all: tuple[Guarded, ...] = ()

    def __iter__(self) -> Iterator[Guarded]:
        return iter(self.all)

    @classmethod
    def of(cls, *guarded: Guarded) -> Self:
        """Rights for tests."""
        return cls(guarded)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        found = tuple(map(guarded, read_json(bundle, "windows-acl", list[RightsEntry])))
        seen = {(it.role, plain_windows_path(it.path)) for it in found}
        unseen = [
            Guarded(role, path, sddl=None, problem="the collector did not look there")
            for role, path in _in_use(bundle)
            if path and (role, plain_windows_path(path)) not in seen
        ]
        return cls((*found, *unseen))

    def by_role(self, *roles: str) -> tuple[Guarded, ...]:
        """What plays these roles."""
        return tuple(each for each in self if each.role in roles)

    def untold(self, *roles: str) -> list[str]:
        """A line for each role of which the collector said nothing, not even that there is no such thing."""
        return [f"nothing was told of the {role}" for role in roles if not self.by_role(role)]

    def above(self, path: str) -> Guarded | None:
        """The nearest folder above a path that is there and was looked at."""
        folder = dirname(path)
        while folder != path:
            for each in self:
                if each.exists and each.kind == "folder" and normcase(each.path) == normcase(folder):
                    return each
            folder, path = dirname(folder), folder
        return None


def _in_use(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """Where the engine says that its data is, and where its TLS files are as the daemon reads its configuration."""
    with suppress(Gap):
        yield "data-root", bundle.fact(Engine).data_root
    with suppress(Gap):
        tls = bundle.fact(DaemonTls)
        if tls.enabled:
            yield from (("tls-ca", tls.ca), ("tls-cert", tls.certificate), ("tls-key", tls.key))

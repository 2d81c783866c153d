"""Access lists (ACLs) that grant more than owner, group and mode show."""

import re
from collections.abc import Iterable, Iterator, Mapping
from posixpath import normpath
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.gaps import Inconclusive

_ENTRY = re.compile(r"(user|group):(\d+):([r-])([w-])([x-])")
_MASK = re.compile(r"mask::([r-])([w-])([x-])")


class Entry(msgspec.Struct, frozen=True):
    """A user or group by number, and what it may do (``rw``); ``rights`` is empty when only the entry's presence is known."""

    who: str = "user 1000"
    rights: str = "rw"

    def __str__(self) -> str:
        return f"{self.who}: {self.rights}" if self.rights else self.who


class AccessLists(msgspec.Struct, frozen=True):
    """Entries by path, for those files that have any; None when the host has no tool that tells."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("access-lists",)

    entries: Mapping[str, tuple[Entry, ...]] | None = msgspec.field(default_factory=dict)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        text = bundle.text("access-lists")
        if text.strip() == "unknown":
            return cls(None)
        found = dict(_listed(split_lines(text)))
        for block in text.split("# file: ")[1:]:
            path, *lines = split_lines(block) or [""]
            if not path.startswith("/"):
                raise Inconclusive(f"access-lists: not what getfacl prints: {path[:80]!r}")
            if entries := tuple(_entries(lines)):
                found[normpath(_plain(path))] = entries
        return cls(found)


def _listed(lines: Iterable[str]) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    """What ``ls`` showed with a ``+``: that there is a list, and not what it grants."""
    for line in lines:
        word, _, path = line.partition(" ")
        if word == "listed" and path.startswith("/"):
            yield normpath(path), (Entry("an access list", ""),)


def _entries(lines: Iterable[str]) -> Iterator[Entry]:
    """The entries of one file for users and groups by number, cut down by its mask; the owner's own are its mode."""
    lines = list(lines)
    mask = next((set("".join(match.groups())) for match in map(_MASK.match, lines) if match), set("rwx"))
    for match in filter(None, map(_ENTRY.match, lines)):
        rights = "".join(letter for letter in match.groups()[2:] if letter != "-" and letter in mask)
        if rights:
            yield Entry(f"{match[1]} {match[2]}", rights)


def _plain(path: str) -> str:
    """Read a path of getfacl, which writes odd characters as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), path)

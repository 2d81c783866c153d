"""Folders that have several names because a file system, or a part of one, is mounted in more places than one."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.gaps import Inconclusive

_LINE = re.compile(r"shows (?P<device>\d+:\d+) (?P<root>/\S*) (?P<point>/\S*)")


class Shown(msgspec.Struct, frozen=True):
    """At ``point`` the file system of ``device`` (``254:0``) shows its folder ``root``."""

    point: str
    root: str = "/"
    device: str = "254:0"


class Mountpoints(msgspec.Struct, frozen=True, dict=True):
    """All that is mounted where the daemon runs; of several at one point the last hides the others."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("mounts",)

    shown: tuple[Shown, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        lines = bundle.text("mounts").splitlines()
        shown = tuple(_shown(line) for line in lines if line.startswith("shows "))
        if not shown:
            raise Inconclusive("what is mounted where on this host was not collected")
        return cls(shown)

    def also(self, path: str) -> tuple[str, ...]:
        """
        Further names of what a bind mount of ``path`` shows: its own, those of what is mounted below it, and points that show a part.

        The engine mounts what is mounted below a path as well; ``/`` shows everything anyway.
        """
        if path == "/":
            return ()
        if path not in self._also:
            starts = (path, *(each.point for each in self.shown if _is_below(each.point, path)))
            names = (name for start in starts for name in self._names(start))
            self._also[path] = tuple(dict.fromkeys(name for name in names if not _is_in(name, path)))
        return self._also[path]

    def _names(self, path: str) -> Iterator[str]:
        here = next((each for each in self._innermost_first if _is_in(path, each.point)), None)
        if here is None:
            return
        inner = _joined(here.root, path[len(here.point.rstrip("/")) :])
        for other in self.shown:
            if other.device != here.device or other.point == here.point:
                continue
            if _is_in(inner, other.root):
                yield _joined(other.point, inner[len(other.root.rstrip("/")) :])
            elif _is_in(other.root, inner):
                yield other.point

    @cached_property
    def _innermost_first(self) -> tuple[Shown, ...]:
        ranked = enumerate(self.shown)
        return tuple(
            each for _, each in sorted(ranked, key=lambda it: (len(it[1].point), it[0]), reverse=True)
        )

    @cached_property
    def _also(self) -> dict[str, tuple[str, ...]]:
        return {}


def _shown(line: str) -> Shown:
    match = _LINE.fullmatch(line)
    if not match:
        raise Inconclusive(f"mounts: not what the kernel prints: {line[:80]!r}")
    return Shown(plain_words(match["point"]), plain_words(match["root"]), match["device"])


def plain_words(text: str) -> str:
    r"""A path as the kernel writes it, where a space is ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)


def _is_in(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _is_below(path: str, folder: str) -> bool:
    return path != folder and _is_in(path, folder)


def _joined(folder: str, rest: str) -> str:
    return f"{folder.rstrip('/')}/{rest.strip('/')}".rstrip("/") or "/"

"""Folders that have several names because a file system, or a part of one, is mounted in more places than one."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from posixpath import dirname
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.gaps import Inconclusive

_LINE = re.compile(
    r"shows (?P<id>\d+) (?P<parent>\d+) (?P<device>\d+:\d+) (?P<root>/[^ ]*) (?P<point>/[^ ]*)"
)


class Shown(msgspec.Struct, frozen=True):
    """At ``point`` the file system of ``device`` (``254:0``) shows its folder ``root``."""

    point: str
    root: str = "/"
    device: str = "254:0"


class Mounted(msgspec.Struct, frozen=True):
    """A mount as the kernel tells it: ``parent`` is the mount that it was mounted on."""

    number: int
    parent: int
    shown: Shown


class Mountpoints(msgspec.Struct, frozen=True, dict=True):
    """All that is to be seen of what is mounted where the daemon runs."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("mounts",)

    shown: tuple[Shown, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        lines = split_lines(bundle.text("mounts"))
        mounts = [_mounted(line) for line in lines if line.startswith("shows ")]
        if not mounts:
            raise Inconclusive("what is mounted where on this host was not collected")
        return cls(tuple(_visible(mounts)))

    def but(self, left_out: Callable[[str], bool]) -> Self:
        """The same without some of the points."""
        return type(self)(tuple(each for each in self.shown if not left_out(each.point)))

    def innermost(self, path: str) -> Shown | None:
        """What is mounted nearest above a path, or at it."""
        return next((self._by_point[each] for each in _upwards(path) if each in self._by_point), None)

    def also(self, path: str) -> tuple[str, ...]:
        """
        Further names of what a bind mount of ``path`` shows: its own, those of what is mounted below it, and points that show a part.

        The engine mounts what is mounted below a path as well; ``/`` shows everything anyway.
        """
        if path == "/":
            return ()
        if path not in self._also:
            below = [each for each in _below(path, self._points) if self._shared(self._by_point[each])]
            names = (name for start in (path, *below) for name in self.names(start, self.innermost(start)))
            self._also[path] = tuple(dict.fromkeys(name for name in names if not _is_in(name, path)))
        return self._also[path]

    def names(self, path: str, here: Shown | None) -> Iterator[str]:
        """Names that other points give to what ``path`` shows, which is on ``here``, and points that show a part of it."""
        if here is None or here.device not in self._by_device:
            return
        roots = self._by_device[here.device]
        inner = _joined(here.root, path[len(here.point.rstrip("/")) :])
        for root in _upwards(inner):
            for point in roots.get(root, ()):
                if point != here.point:
                    yield _joined(point, inner[len(root.rstrip("/")) :])
        for root in _below(inner, self._roots[here.device]):
            yield from (point for point in roots[root] if point != here.point)

    def _shared(self, each: Shown) -> bool:
        return sum(map(len, self._by_device[each.device].values())) > 1

    @cached_property
    def _by_point(self) -> dict[str, Shown]:
        return {each.point: each for each in self.shown}

    @cached_property
    def _points(self) -> list[str]:
        return sorted(self._by_point)

    @cached_property
    def _by_device(self) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for each in self._by_point.values():
            found[each.device][each.root].append(each.point)
        return found

    @cached_property
    def _roots(self) -> dict[str, list[str]]:
        return {device: sorted(roots) for device, roots in self._by_device.items()}

    @cached_property
    def _also(self) -> dict[str, tuple[str, ...]]:
        return {}


def _mounted(line: str) -> Mounted:
    match = _LINE.fullmatch(line)
    if not match:
        raise Inconclusive(f"mounts: not what the kernel prints: {line[:80]!r}")
    shown = Shown(plain_words(match["point"]), plain_words(match["root"]), match["device"])
    return Mounted(int(match["id"]), int(match["parent"]), shown)


def _visible(mounts: Sequence[Mounted]) -> Iterator[Shown]:
    """
    What later mounts do not hide: one on top of it, or one beside it on a folder above it.

    What is mounted on a hidden one is hidden as well, but for what covers it.
    """
    last = {(each.parent, each.shown.point): each.number for each in mounts}
    order = {each.number: index for index, each in enumerate(mounts)}
    hidden, covered = dict[int, bool](), dict[int, str]()
    for each in mounts:  # what is mounted on another comes after it
        point = each.shown.point
        above = (last.get((each.parent, folder), each.number) for folder in _upwards(dirname(point)))
        beside = point != "/" and any(order[other] > order[each.number] for other in above)
        hidden[each.number] = beside or (
            each.parent != each.number
            and (hidden.get(each.parent, False) or covered.get(each.parent, point) != point)
        )
        if last.get((each.number, point), each.number) != each.number:
            covered[each.number] = point
        elif not hidden[each.number]:
            yield each.shown


def plain_words(text: str) -> str:
    r"""A path as the kernel writes it, where a space is ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)


def _upwards(path: str) -> Iterator[str]:
    """A path and every folder above it."""
    yield path
    while path != (path := dirname(path)):
        yield path


def _below(path: str, ordered: Sequence[str]) -> Iterable[str]:
    """Those of some ordered paths that lie below one."""
    start = f"{path.rstrip('/')}/"
    for index in range(bisect_left(ordered, start), len(ordered)):
        if not ordered[index].startswith(start):
            return
        if ordered[index] != path:
            yield ordered[index]


def _is_in(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _joined(folder: str, rest: str) -> str:
    return f"{folder.rstrip('/')}/{rest.strip('/')}".rstrip("/") or "/"

"""Owner, group and mode of files and folders on the host."""

import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from posixpath import dirname, normpath
from typing import ClassVar, Literal, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.gaps import Inconclusive, NotApplicable

Kind = Literal["file", "folder", "socket", "other"]
_KINDS: dict[int, Kind] = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFSOCK: "socket"}
# Names may hold blanks (a directory service's "domain users"); the path begins with the first slash after the numbers.
_LINE = re.compile(
    r"(?P<mode>[0-9a-f]{1,8}) (?P<uid>\d+) (?P<gid>\d+) (?P<owner>[^:]*):(?P<group>.*?) (?P<size>\d+) (?P<modified>-?\d+) (?P<path>/.*)"
)


class File(msgspec.Struct, frozen=True):
    """
    A path and what it leads to. ``mode`` has the permission and special bits (``0o7777``), ``modified`` is in seconds since 1970.

    ``resolved`` is where a symbolic link on the way leads; else it equals ``path``.
    """

    path: str
    uid: int = 0
    gid: int = 0
    mode: int = 0o400
    kind: Kind = "file"
    owner: str = "root"
    group: str = "root"
    size: int = 0
    modified: int = 0
    resolved: str = ""

    def __post_init__(self) -> None:
        if not self.resolved:
            msgspec.structs.force_setattr(self, "resolved", self.path)

    @property
    def owners(self) -> str:
        """``root:root``, by number where the host knows no name."""
        return f"{_name(self.owner, self.uid)}:{_name(self.group, self.gid)}"

    def beyond(self, allowed: int) -> int:
        """The mode bits that ``allowed`` does not have: 0 when the mode is as strict or stricter."""
        return self.mode & ~allowed


def _name(name: str, number: int) -> str:
    return str(number) if name in ("", "UNKNOWN") else name


class Files(msgspec.Struct, frozen=True, dict=True):
    """The files that were looked at, by path as asked for."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("files",)

    seen: Mapping[str, File] = msgspec.field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *files: File, absent: Iterable[str] = (), denied: Iterable[str] = ()) -> Self:
        """Files for tests."""
        return cls({file.path: file for file in files}, frozenset(absent), frozenset(denied))

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        seen: dict[str, File] = {}
        gone: dict[str, set[str]] = {"absent": set(), "denied": set()}
        path = ""
        for line in split_lines(bundle.text("files")):
            word, _, rest = line.partition(" ")
            if word in gone:
                gone[word].add(normpath(rest))
            elif word == "link":
                path = normpath(rest)
            elif word == "resolved" and path in seen:
                seen[path] = _resolved(seen[path], rest)
            elif line:
                path, file = _file(line)
                seen[path] = file
        return cls(seen, frozenset(gone["absent"]), frozenset(gone["denied"]))

    def find(self, path: str) -> File:
        """
        The file at ``path``.

        Raises:
            NotApplicable: there is none.
            Inconclusive: it could not be seen, or was not asked for.
        """
        if path in self.seen:
            return self.seen[path]
        if path in self.absent:
            raise NotApplicable(f"there is no {path}")
        raise Inconclusive(f"{path}: {'permission denied' if path in self.denied else 'was not collected'}")

    def present(self, paths: Iterable[str]) -> list[File]:
        """Those of these files that are there; one that several paths lead to is told once."""
        found = {
            self.seen[path].resolved: self.seen[path] for path in reversed(list(paths)) if path in self.seen
        }
        return list(found.values())[::-1]

    def follow(self, path: str) -> str:
        """
        A path as the kernel takes it: links in the folders above are followed, one at its end is not.

        Only links that lie on the way to the engine's files are known.
        """
        if path not in self._followed:
            self._followed[path] = self._follow(path)
        return self._followed[path]

    @cached_property
    def _followed(self) -> dict[str, str]:
        return {}

    def _follow(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        for link, target in self._links:
            if f"{folder}/".startswith(f"{link}/"):
                return f"{target}{folder[len(link) :]}/{name}"
        return path

    @cached_property
    def _links(self) -> tuple[tuple[str, str], ...]:
        """Each path that leads elsewhere, and where: the longer of two that begin alike first."""
        found = ((path, file.resolved) for path, file in self.seen.items() if file.resolved != path)
        return tuple(sorted(found, reverse=True))

    def explain(self, paths: Iterable[str]) -> None:
        """
        Say why some of these files are not among the present ones.

        Raises:
            Inconclusive: one could not be seen, or was not asked for.
            NotApplicable: none of them is there.
        """
        unseen = [path for path in paths if path not in self.seen]
        for path in unseen:
            if path not in self.absent:
                self.find(path)
        if not self.present(paths):
            raise NotApplicable(f"there is no {' and no '.join(unseen) or 'such file'}")

    def folders_above(self, path: str) -> list[File]:
        """The folders on the way to ``path`` and to what it resolves to, outermost first, as far as they were seen."""
        ways = {path, self.seen[path].resolved} if path in self.seen else {path}
        above = {folder for way in ways for folder in _parents(way)}
        return [
            self.seen[name] for name in sorted(above & self.seen.keys()) if self.seen[name].kind == "folder"
        ]


def _parents(path: str) -> Iterator[str]:
    while path != (path := dirname(path)):
        yield path


def _resolved(file: File, path: str) -> File:
    return msgspec.structs.replace(file, resolved=path)


def _file(line: str) -> tuple[str, File]:
    """``81a4 0 0 root:root 120 1700000000 /etc/docker/daemon.json`` as path and file."""
    match = _LINE.fullmatch(line)
    if not match:
        raise Inconclusive(f"files: not what stat prints: {line[:80]!r}")
    bits, path = int(match["mode"], 16), normpath(match["path"])
    return path, File(
        path,
        uid=int(match["uid"]),
        gid=int(match["gid"]),
        mode=stat.S_IMODE(bits),
        kind=_KINDS.get(stat.S_IFMT(bits), "other"),
        owner=match["owner"],
        group=match["group"],
        size=int(match["size"]),
        modified=int(match["modified"]),
    )

"""Daemons beside the one whose socket was asked: on one host there may be several."""

import re
from collections.abc import Iterator
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.gaps import Gap, Inconclusive

_DOCKERD = re.compile(r"^/proc/\d+/status:Name:\s*dockerd$", re.MULTILINE)


class OtherDaemon(msgspec.Struct, frozen=True):
    """
    A further process of the engine's, and the unix sockets it serves.

    ``number`` is that of its own sections, 0 when it has none: it runs in ``container``, has ``elsewhere`` a file
    system of its own, or is left to another entry of the inventory. ``at`` is the socket it was asked at, if any.
    """

    pid: int = 900
    uid: int = 0
    sockets: tuple[str, ...] = ()
    number: int = 0
    at: str = ""
    container: str = ""
    elsewhere: bool = False

    def __str__(self) -> str:
        place = self.at or next(iter(self.sockets), "")
        return f"daemon at {place}" if place and not self.elsewhere else f"daemon of process {self.pid}"


class Daemons(msgspec.Struct, frozen=True):
    """The further daemons of a host."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("daemons",)

    others: tuple[OtherDaemon, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        if "daemons" not in bundle.sections and "processes" in bundle.sections:
            return cls._by_processes(bundle)
        found = list[OtherDaemon]()
        for line in split_lines(bundle.text("daemons")):
            word, _, rest = line.partition(" ")
            if word == "pid" and rest.isdecimal():
                found.append(OtherDaemon(int(rest), -1))
            elif found:
                found[-1] = _described(found[-1], word, rest)
        return cls(tuple(found))

    @classmethod
    def _by_processes(cls, bundle: Bundle) -> Self:
        """Bundles of before there was this section tell at least whether there could be any."""
        called = len(_DOCKERD.findall(bundle.text("processes")))
        if called > 1:
            raise Inconclusive(
                f"{called} processes are called dockerd, and this bundle tells of one: collect it anew"
            )
        return cls()


def _described(daemon: OtherDaemon, word: str, rest: str) -> OtherDaemon:
    match word:
        case "uid" | "number" if rest.isdecimal():
            return msgspec.structs.replace(daemon, **{word: int(rest)})
        case "socket":
            return msgspec.structs.replace(daemon, sockets=(*daemon.sockets, rest))
        case "at" | "container":
            return msgspec.structs.replace(daemon, **{word: rest})
        case "elsewhere":
            return msgspec.structs.replace(daemon, elsewhere=True)
    return daemon


def further(bundle: Bundle) -> Iterator[tuple[str, int, Bundle]]:
    """What each further daemon that was looked at is called, its number, and its bundle."""
    try:
        daemons = bundle.fact(Daemons)
    except Gap:
        return
    for other in daemons.others:
        if other.number:
            yield str(other), other.number, bundle.of_daemon(other.number)

"""The named pipes of a Windows engine."""

from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.daemon import DaemonConfig
from auditor.facts.sddl import Descriptor, parse
from auditor.facts.tls import DaemonTls
from auditor.facts.windows_json import read_json
from auditor.facts.windows_paths import ENGINE_PIPE, pipe_of, plain_windows_path
from auditor.gaps import Inconclusive

USES = 0x2 | 0x4 | 0x40000 | 0x80000
"""Writing to a pipe is using it, and making another end of it is answering for the engine; whoever may change its rights may let himself in."""


class Pipe(msgspec.Struct, frozen=True):
    """A pipe: ``sddl`` None where its rights could not be read, ``problem`` then says why."""

    path: str = ENGINE_PIPE
    configured: bool = True
    sddl: str | None = "O:BAG:SYD:P(A;;GA;;;BA)(A;;GA;;;SY)"
    problem: str = ""

    @property
    def rights(self) -> Descriptor:
        """
        Who may use it.

        Raises:
            Inconclusive: that could not be read.
        """
        if self.sddl is None:
            raise Inconclusive(f"the rights of {self.path} could not be read: {self.problem or 'not told'}")
        return parse(self.sddl)

    @property
    def users(self) -> dict[str, int]:
        """The SIDs that may use it, with their rights."""
        return {sid: mask for sid, mask in self.rights.granted("pipe").items() if mask & USES}


class _Pipe(msgspec.Struct, frozen=True):
    path: str
    configured: bool
    sddl: str | None
    error: str | None


class WindowsPipes(msgspec.Struct, frozen=True):
    """
    Pipes called after Docker or containerd, and those that the engine was told of: its own are ``configured``.

    ``unseen`` has a line for each pipe that the engine should open and that was not there, or says why these are not known.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-pipes", *DaemonTls.SECTIONS)

    pipes: tuple[Pipe, ...] = (Pipe(),)
    unseen: tuple[str, ...] = ()

    @property
    def engine(self) -> tuple[Pipe, ...]:
        """Those that the engine itself opens."""
        return tuple(pipe for pipe in self.pipes if pipe.configured)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        found: list[_Pipe] = read_json(bundle, "windows-pipes", list[_Pipe])
        there = {plain_windows_path(it.path) for it in found}
        try:
            unseen = [
                f"{path}, which the engine should open, was not seen"
                for path in _told(bundle)
                if path not in there
            ]
        except Inconclusive as gap:
            unseen = [f"which pipes the engine opens is not known: {gap}"]
        return cls(
            tuple(Pipe(it.path, it.configured, it.sddl, it.error or "") for it in found), tuple(unseen)
        )


def _told(bundle: Bundle) -> list[str]:
    """The pipes that the engine opens by its configuration; without any host it opens its usual one, and with TLS a port instead."""
    hosts = bundle.fact(DaemonConfig).setting("hosts").value
    if not hosts:
        return [] if bundle.fact(DaemonTls).enabled else [ENGINE_PIPE]
    return [pipe for host in hosts if (pipe := pipe_of(str(host)))]

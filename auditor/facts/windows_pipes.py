"""The named pipes of a Windows engine."""

from dataclasses import dataclass
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.sddl import Descriptor, parse
from auditor.facts.windows_json import read_json
from auditor.gaps import Inconclusive

USES = 0x2 | 0x40000 | 0x80000
"""Writing to a pipe is using it; whoever may change its rights may let himself in."""


@dataclass(frozen=True)
class Pipe:
    """A pipe: ``sddl`` None where its rights could not be read, ``problem`` then says why."""

    path: str = r"\\.\pipe\docker_engine"
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


@dataclass(frozen=True)
class WindowsPipes:
    """Pipes called after Docker or containerd; the engine's own are ``configured``."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-pipes",)

    pipes: tuple[Pipe, ...] = (Pipe(),)

    @property
    def engine(self) -> tuple[Pipe, ...]:
        """Those that the engine itself opens."""
        return tuple(pipe for pipe in self.pipes if pipe.configured)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        found: list[_Pipe] = read_json(bundle, "windows-pipes", list[_Pipe])
        return cls(tuple(Pipe(it.path, it.configured, it.sddl, it.error or "") for it in found))

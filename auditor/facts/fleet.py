"""One fact of every host in the run, for checks that compare hosts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Fleet(Generic[T]):
    """
    The same fact on all hosts where it is known, seen from one of them.

    A check takes ``fleet: Fleet[ServerKeys]`` and judges ``here`` against the others; it gives one result per host.
    """

    here: str
    facts: Mapping[str, T]

    @property
    def own(self) -> T | None:
        """This host's, if it is known."""
        return self.facts.get(self.here)

    @property
    def others(self) -> Iterator[tuple[str, T]]:
        """The other hosts' names and facts."""
        return ((name, fact) for name, fact in self.facts.items() if name != self.here)

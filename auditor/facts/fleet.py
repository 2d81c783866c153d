"""One fact of every host of a run, for checks that compare hosts."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

import msgspec

from auditor.gaps import NotApplicable

T = TypeVar("T")


class Fleet(msgspec.Struct, Generic[T], frozen=True):
    """
    A fact of all hosts of the run where it is known, by host name; ``here`` is the host to judge.

    A rule asks for it as ``Fleet[SomeFact]``. Only this host's own results come of it.
    """

    here: str
    facts: Mapping[str, T] = msgspec.field(default_factory=dict)

    @property
    def own(self) -> T:
        """
        The fact of the host to judge.

        Raises:
            NotApplicable: it is not known there.
        """
        if self.here not in self.facts:
            raise NotApplicable("not known of this host")
        return self.facts[self.here]

    def others(self) -> Iterator[tuple[str, T]]:
        """
        Name and fact of each other host, by name.

        Raises:
            NotApplicable: there is no other host in this run.
        """
        others = sorted(name for name in self.facts if name != self.here)
        if not others:
            raise NotApplicable("there is no other host in this run to compare with")
        return ((name, self.facts[name]) for name in others)

"""What a fact is, and how one host's facts are looked up."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, TypeVar

from auditor.collect.bundle import Bundle


class Fact(Protocol):
    """
    Typed knowledge about a host.

    ``SECTIONS`` names the collector's sections that ``parse`` reads; ``listeners|windows-listeners`` where platforms tell
    the same thing in different ones, ``processes|`` where a platform may tell nothing and the fact copes. ``parse`` is pure and raises
    ``Inconclusive`` when they do not tell, ``NotApplicable`` when the host has no such thing. A fact made of
    other facts asks for them by ``Bundle.fact``.
    """

    SECTIONS: ClassVar[tuple[str, ...]]

    @classmethod
    def parse(cls, bundle: Bundle) -> Self: ...


T = TypeVar("T")


class Knowledge:
    """The facts of one host, as its bundle tells them or as they are given."""

    def __init__(self, bundle: Bundle, given: Mapping[type, Any] | None = None) -> None:
        """``given`` holds what does not come from the host: its policy, the moment to judge at."""
        self._bundle = bundle
        self._given = given or {}

    def get(self, fact: type[T]) -> T:
        """
        The fact.

        Raises:
            Gap: it is not known; the same reason each time.
        """
        told: type[Any] = fact
        known: T = self._given[fact] if fact in self._given else self._bundle.fact(told)
        return known

"""What a fact is, and how one host's facts are looked up."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, TypeVar

from auditor.collect.bundle import Bundle
from auditor.gaps import Gap, Inconclusive, crash


class Fact(Protocol):
    """
    Typed knowledge about a host.

    ``SECTIONS`` names the collector's sections that ``parse`` reads; ``listeners|windows-listeners`` where platforms tell
    the same thing in different ones, ``processes|`` where a platform may tell nothing and the fact copes. ``parse`` is pure and raises
    ``Inconclusive`` when they do not tell, ``NotApplicable`` when the host has no such thing. A fact made of
    other facts calls their ``parse``.
    """

    SECTIONS: ClassVar[tuple[str, ...]]

    @classmethod
    def parse(cls, bundle: Bundle) -> Self: ...


T = TypeVar("T")


class Knowledge:
    """The facts of one host, each parsed once, when first asked for."""

    def __init__(self, bundle: Bundle, given: Mapping[type, Any] | None = None) -> None:
        """``given`` holds what does not come from the host: its policy, the moment to judge at."""
        self._bundle = bundle
        self._known: dict[type, Any] = dict(given or {})

    def get(self, fact: type[T]) -> T:
        """
        The fact.

        Raises:
            Gap: it is not known; the same reason each time.
        """
        if fact not in self._known:
            self._known[fact] = self._parse(fact)
        known: T | Gap = self._known[fact]
        if isinstance(known, Gap):
            raise known
        return known

    def _parse(self, fact: Any) -> Any:
        try:
            return fact.parse(self._bundle)
        except Gap as gap:
            return gap
        except Exception as error:  # noqa: BLE001  the fence around facts: one that crashes is a gap on this host
            return Inconclusive(crash(fact.__name__, error))

"""Where paths of a host lead: the engine tells what it mounts by the name that somebody gave it, be it a link's."""

from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

WORDS = ("plain", "absent", "denied", "link", "resolved")


class Links(msgspec.Struct, frozen=True):
    """Paths that were looked at: empty for one without a link on its way, else where it leads."""

    leads: Mapping[str, str] = msgspec.field(default_factory=dict)

    def beyond(self, path: str) -> str | None:
        """Where a path leads, empty when that is itself; None: not known."""
        return self.leads.get(path)

    @classmethod
    def read(cls, lines: Iterable[str]) -> Self:
        """Read ``plain PATH``, ``absent PATH``, ``denied PATH``, and ``link PATH`` with ``resolved PATH`` after it."""
        leads: dict[str, str] = {}
        link = ""
        for line in lines:
            word, _, path = line.partition(" ")
            match word:
                case "plain" | "absent":
                    leads[path] = ""
                case "link":
                    link = path
                case "resolved" if link and path:
                    leads[link] = path
        return cls(leads)

"""Our own inventory format: hosts, groups and defaults."""

from collections.abc import Hashable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from auditor.errors import UsageError
from auditor.inventory.build import Entry, Listing, merge
from auditor.inventory.names import MOST_HOSTS, expand
from auditor.inventory.settings import Inventory, refuse_literal_secrets
from auditor.inventory.targets import parts
from auditor.yamlfile import Document, Keys, suggest

Named = tuple[str, str]
"""A host's name, and the key it is written under, which may be a range."""


def read(document: Document) -> Listing:
    """
    The hosts of an inventory, each with its groups' settings and the defaults below its own.

    Raises:
        BadFile: it does not fit the types, or names something that is not there, or twice.
    """
    refuse_literal_secrets(document)
    document.into(Inventory)
    entries = {entry.name: entry for entry in _Reader(document).entries()}
    words = [(entry.name, entry.groups, entry.settings.value.get("tags", ())) for entry in entries.values()]
    return Listing(words, entries.get)


class _Reader:
    """Reads a document that fits the types; what remains is what they cannot say."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.defaults: dict[str, Any] = document.value.get("defaults", {})
        self.groups: dict[str, dict[str, Any]] = {
            name: group or {} for name, group in document.value.get("groups", {}).items()
        }
        self.hosts: dict[str, Any] = document.value["hosts"]
        self.names = dict(self._names())

    def entries(self) -> Iterator[Entry]:
        members = {group: self._members(group) for group in self.groups}
        for name, key in self.names.items():
            joined = self._joined(key)
            groups = tuple(group for group in self.groups if group in joined or name in members[group])
            own = self._own(key)
            sources: list[tuple[Keys, dict[str, Any]]] = [(("defaults",), self.defaults)]
            sources += [(("groups", group), self._shared(group)) for group in groups]
            sources += [(("hosts", key), own)]
            lines: dict[Keys, int] = {(): self.document.line("hosts", key)}
            for keys, values in sources:
                lines |= {(setting,): self.document.line(*keys, setting) for setting in values}
            settings = Document(self.document.path, merge(*(values for _, values in sources)), lines)
            yield Entry(name, settings, frozenset(own), groups)

    def _joined(self, key: str) -> list[str]:
        """The groups that a host itself names."""
        joined: list[str] = (self.hosts[key] or {}).get("groups", [])
        for index, group in enumerate(joined):
            if group not in self.groups:
                problem = f"no group is called {group!r}; {suggest(group, self.groups)}"
                raise self.document.bad(problem, "hosts", key, "groups", index)
        return joined

    def _names(self) -> Iterator[Named]:
        seen: set[str] = set()
        for key in self.hosts:
            names = self._expand(key, "hosts", key)
            if len(names) > 1 and "address" in (self.hosts[key] or {}):
                raise self.document.bad("several hosts cannot share one address", "hosts", key, "address")
            for name in names:
                if name in seen:
                    raise self.document.bad(f"there is a host {name!r} already", "hosts", key)
                seen.add(name)
                yield name, key
            if len(seen) > MOST_HOSTS:
                raise self.document.bad(f"there are more than {MOST_HOSTS} hosts", "hosts", key)
        if not seen:
            raise self.document.bad("names no host: name at least one", "hosts")

    def _expand(self, name: str, *keys: Hashable) -> list[str]:
        try:
            return expand(name)
        except ValueError as error:
            raise self.document.bad(str(error), *keys) from None

    def _members(self, group: str) -> set[str]:
        members: set[str] = set()
        for index, pattern in enumerate(self.groups[group].get("hosts", ())):
            keys = ("groups", group, "hosts", index)
            for glob in self._expand(pattern, *keys) if ":" in pattern else [pattern]:
                found = (
                    {glob} if glob in self.names else {name for name in self.names if fnmatchcase(name, glob)}
                )
                if not found:
                    raise self.document.bad(f"no host is called {glob!r}; {suggest(glob, self.names)}", *keys)
                members |= found
        return members

    def _shared(self, group: str) -> dict[str, Any]:
        return {key: value for key, value in self.groups[group].items() if key != "hosts"}

    def _own(self, key: str) -> dict[str, Any]:
        """What is said of the host itself; an address that is a URL says transport, port and user too."""
        own = {name: value for name, value in (self.hosts[key] or {}).items() if name != "groups"}
        if "://" not in own.get("address", ""):
            return own
        try:
            said = parts(own.pop("address"))
        except UsageError as error:
            raise self.document.bad(str(error), "hosts", key, "address") from None
        for name in said.keys() & own.keys():
            if said[name] != own[name]:
                raise self.document.bad("the address says something else", "hosts", key, name)
        return own | said

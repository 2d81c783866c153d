"""Ansible's inventories: YAML files, and what ``ansible-inventory --list`` prints. Nothing of Ansible is needed or run."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from auditor.inventory.ansible_variables import OUR_VARIABLE, Variables, settings
from auditor.inventory.build import Entry, Listing
from auditor.inventory.names import MOST_HOSTS, expand
from auditor.yamlfile import Document, suggest

_PARTS = ("hosts", "children", "vars")
_EVERYWHERE = {"all", "ungrouped"}


def is_ansible(value: Any) -> bool:
    """Whether a file is an inventory of Ansible's rather than ours."""
    if not isinstance(value, dict) or value.keys() & {"hosts", "groups", "defaults"}:
        return False
    bodies = list(value.values())
    all_groups = all(body is None or (isinstance(body, dict) and body.keys() <= {*_PARTS}) for body in bodies)
    return bool(value.keys() & {"_meta", "all"}) or (bool(bodies) and all_groups)


def read(document: Document) -> Listing:
    """
    The hosts of an inventory; what a host's variables say is looked at when it is asked for.

    Raises:
        BadFile: it is not built as Ansible builds it.
    """
    reader = _Reader(document)
    if not reader.hosts:
        raise document.bad("names no host")
    words = [(name, reader.groups_of(name), reader.tags(name)) for name in reader.hosts]
    return Listing(words, lambda name: reader.entry(name) if name in reader.hosts else None)


@dataclass
class _Group:
    """A group, as all its mentions together make it."""

    children: set[str] = field(default_factory=set)
    variables: Variables = field(default_factory=dict)


class _Reader:
    """Collects groups and hosts from a document, then gives each host its variables."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.groups = {"all": _Group()}
        self.hosts: dict[str, Variables] = {}
        self.direct: dict[str, set[str]] = {}
        self.lines: dict[str, int] = {}
        for name, body in document.value.items():
            if name != "_meta":
                self._read_group(str(name), body, (name,))
        self._read_meta()
        self.above, self.depth = self._order()

    def groups_of(self, host: str) -> tuple[str, ...]:
        """All its groups, the outermost first."""
        found = {above for group in self.direct[host] for above in (group, *self.above[group])}
        return tuple(sorted(found - _EVERYWHERE, key=self._rank))

    def tags(self, host: str) -> list[str]:
        """Its tags, as far as they are any."""
        ours = self._variables(host).get(OUR_VARIABLE, ({}, 0))[0]
        tags = ours.get("tags") if isinstance(ours, dict) else None
        return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []

    def entry(self, host: str) -> Entry:
        """
        What its variables say, in our keys.

        Raises:
            BadFile: a variable that is needed cannot be used.
        """
        found = settings(self.document.path, host, self.lines[host], self._variables(host))
        return Entry(host, found, groups=self.groups_of(host))

    def _variables(self, host: str) -> Variables:
        merged: Variables = {}
        for group in ("all", *self.groups_of(host), "ungrouped"):
            if group in self.groups and (group != "ungrouped" or group in self.direct[host]):
                merged |= self.groups[group].variables
        return merged | self.hosts[host]

    def _read_group(self, name: str, body: Any, keys: tuple[Hashable, ...]) -> None:
        group = self.groups.setdefault(name, _Group())
        body = {"hosts": body} if isinstance(body, list) else self._mapping(body, keys)
        for part in body:
            if part not in _PARTS:
                raise self.document.bad(f"a group has no such key; {suggest(part, _PARTS)}", *keys, part)
        group.variables |= self._located(body.get("vars"), (*keys, "vars"))
        for host, variables in self._named(body.get("hosts"), (*keys, "hosts")):
            self._read_host(name, host, variables, (*keys, "hosts"))
        for child, inner in self._named(body.get("children"), (*keys, "children")):
            group.children.add(child)
            self._read_group(child, inner, (*keys, "children", child))

    def _read_host(self, group: str, pattern: str, variables: Any, keys: tuple[Hashable, ...]) -> None:
        try:
            names = expand(pattern)
        except ValueError as error:
            raise self.document.bad(str(error), *keys, pattern) from None
        located = self._located(variables, (*keys, pattern))
        for name in names:
            self.hosts.setdefault(name, {}).update(located)
            self.direct.setdefault(name, set()).add(group)
            self.lines.setdefault(name, self.document.line(*keys, pattern))
        if len(self.hosts) > MOST_HOSTS:
            raise self.document.bad(f"there are more than {MOST_HOSTS} hosts", *keys)

    def _read_meta(self) -> None:
        """Host variables as ``ansible-inventory --list`` gives them: all groups' are in them already."""
        meta = self._mapping(self.document.value.get("_meta"), ("_meta",))
        keys = ("_meta", "hostvars")
        for name, variables in self._mapping(meta.get("hostvars"), keys).items():
            self._read_host("all", str(name), variables, keys)

    def _order(self) -> tuple[dict[str, set[str]], dict[str, int]]:
        """For each group the groups above it, and how deep it is below ``all``."""
        parents: dict[str, set[str]] = {name: set() for name in self.groups}
        for name, group in self.groups.items():
            for child in group.children:
                parents[child].add(name)
        try:
            order = list(TopologicalSorter(parents).static_order())
        except CycleError as error:
            raise self.document.bad(f"groups contain each other: {' -> '.join(error.args[1])}") from None
        above: dict[str, set[str]] = {}
        depth: dict[str, int] = {}
        for name in order:
            above[name] = {upper for parent in parents[name] for upper in (parent, *above[parent])}
            depth[name] = max((depth[parent] for parent in parents[name]), default=0) + 1
        return above, depth

    def _rank(self, group: str) -> tuple[int, int, str]:
        """Ansible's order of precedence: depth, then priority, then name."""
        priority = self.groups[group].variables.get("ansible_group_priority", (1, 0))[0]
        return self.depth[group], priority if isinstance(priority, int) else 1, group

    def _mapping(self, value: Any, keys: tuple[Hashable, ...]) -> dict[Any, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.document.bad("expected a mapping", *keys)
        return value

    def _named(self, value: Any, keys: tuple[Hashable, ...]) -> Iterator[tuple[str, Any]]:
        """Names with what is below them; a list has names only."""
        if isinstance(value, list):
            value = dict.fromkeys(str(name) for name in value)
        for name, body in self._mapping(value, keys).items():
            yield str(name), body

    def _located(self, value: Any, keys: tuple[Hashable, ...]) -> Variables:
        return {
            str(name): (each, self.document.line(*keys, name))
            for name, each in self._mapping(value, keys).items()
        }

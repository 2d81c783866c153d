"""Who can command the engine beside root."""

from collections.abc import Iterable
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.facts.sudoers import Grant, included, read_sudoers

# What users may come from besides directory services.
_LOCAL = {"files", "compat", "systemd", "altfiles", "extrausers", "db", "myhostname"}


class Group(msgspec.Struct, frozen=True):
    """A group with all that belong to it, by its own list or as their primary group."""

    name: str
    gid: int
    members: tuple[str, ...] = ()


class Access(msgspec.Struct, frozen=True):
    """
    The groups of the engine's sockets and those that sudo names, what sudo grants, and further users with root's number.

    ``unseen`` says why there may be more: files that may not be read, directory services that do not list their users.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("access",)

    groups: tuple[Group, ...] = ()
    grants: tuple[Grant, ...] = ()
    other_roots: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        lines = [line.partition(" ")[::2] for line in split_lines(bundle.text("access"))]
        sudoers, others = _sudoers(lines)
        return cls(
            groups=_groups(lines),
            grants=read_sudoers(sudoers),
            other_roots=tuple(rest for word, rest in lines if word == "root" and rest != "root"),
            unseen=(*_hidden(lines), *(f"{path} is not read" for path in (*included(sudoers), *others))),
        )

    def group(self, key: str | int) -> Group | None:
        """The group of that name or number."""
        return next((group for group in self.groups if key in (group.name, group.gid)), None)


def _groups(lines: Iterable[tuple[str, str]]) -> tuple[Group, ...]:
    """``group 999 docker:anna,ben`` and ``primary 999 1001 cara``."""
    found: dict[int, Group] = {}
    for word, rest in lines:
        gid, _, told = rest.partition(" ")
        if not gid.isdecimal():
            continue
        if word == "group":
            name, _, members = told.rpartition(":")
            found[int(gid)] = Group(name, int(gid), tuple(filter(None, members.split(","))))
        elif word == "primary" and int(gid) in found:
            group, user = found[int(gid)], told.partition(" ")[2]
            found[int(gid)] = Group(group.name, group.gid, tuple(dict.fromkeys((*group.members, user))))
    return tuple(found.values())


def _sudoers(lines: Iterable[tuple[str, str]]) -> tuple[dict[str, list[str]], list[str]]:
    """The lines of each file of sudo's, and files of other programs like it."""
    files: dict[str, list[str]] = {}
    path = ""
    for word, rest in lines:
        if word == "file":
            path = rest
            files[path] = []
        elif word == "line" and path:
            files[path].append(rest)
    others = [path for path in files if "sudoers" not in path]
    return {path: text for path, text in files.items() if path not in others}, others


def _hidden(lines: Iterable[tuple[str, str]]) -> list[str]:
    """What may have members or grants that nobody sees from here."""
    lines = tuple(lines)
    found = [f"{rest}: permission denied" for word, rest in lines if word == "denied"]
    counts = {word: int(rest) for word, rest in lines if word in ("known", "local") and rest.isdecimal()}
    for word, rest in lines:
        database, _, sources = rest.partition(":")
        remote = (
            sorted({source for source in sources.split() if source[0] != "["} - _LOCAL)
            if word == "nsswitch"
            else []
        )
        if not remote:
            continue
        if database == "sudoers":
            found.append(f"sudo also asks {', '.join(remote)}")
        if database == "passwd" and counts.get("known", 0) <= counts.get("local", 0):
            found.append(
                f"{', '.join(remote)} does not list its users: whose primary group it is cannot be seen"
            )
    return found

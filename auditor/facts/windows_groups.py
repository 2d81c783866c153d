"""Groups that may use a Windows engine or rule its host, and their members."""

from collections.abc import Iterable
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.daemon import DaemonConfig
from auditor.facts.windows_json import read_json
from auditor.facts.windows_principals import ADMINISTRATORS, is_trusted, name_of
from auditor.gaps import Inconclusive


class Account(msgspec.Struct, frozen=True):
    """A user, computer or group; ``domain`` is the machine's own name for what is local, empty where it is not told."""

    sid: str = "S-1-5-21-1-2-3-1001"
    name: str = "anna"
    domain: str = ""

    def __str__(self) -> str:
        full = f"{self.domain}\\{self.name}" if self.domain else self.name
        return f"{full} ({self.sid})" if self.name and self.name != self.sid else name_of(self.sid)

    def is_named_in(self, names: Iterable[str]) -> bool:
        r"""Whether one of these means it: its SID, ``name`` or ``DOMAIN\name``; Windows knows no capitals in them."""
        own = {self.sid, self.name, f"{self.domain}\\{self.name}"} - {"", "\\"}
        return bool({name.casefold() for name in own} & {name.casefold() for name in names})


class Group(msgspec.Struct, frozen=True):
    """
    A group or user that the engine was told of, or that rules the host.

    ``sid`` is empty where Windows does not know the name, ``members`` None where they could not be listed: that of a user, too.
    """

    name: str
    sid: str = ""
    members: tuple[Account, ...] | None = ()
    configured: bool = False
    problem: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether Windows knows nobody of that name: .NET's own error says so, the same in every language."""
        return not self.sid and self.problem.startswith("IdentityNotMappedException")

    @property
    def account(self) -> Account:
        """It itself."""
        return Account(self.sid or self.name, self.name)


class _Member(msgspec.Struct, frozen=True):
    sid: str
    name: str
    domain: str | None = ""


class _Group(msgspec.Struct, frozen=True):
    name: str
    configured: bool
    sid: str | None
    members: list[_Member] | None
    error: str | None


class WindowsGroups(msgspec.Struct, frozen=True):
    """
    The groups by which one gets at the engine; those that the engine was told of are ``configured``.

    ``untold`` has a line for each that its configuration names and that was not looked at, or says why these are not known.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-groups", *DaemonConfig.SECTIONS)

    groups: tuple[Group, ...] = (Group("Administrators", ADMINISTRATORS),)
    untold: tuple[str, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        groups = tuple(map(_group, read_json(bundle, "windows-groups", list[_Group])))
        seen = {group.name.casefold() for group in groups if group.configured}
        try:
            told = str(bundle.fact(DaemonConfig).setting("group").value).split(",")
        except Inconclusive as gap:
            return cls(groups, (f"which groups the engine lets in is not known: {gap}",))
        unseen = [name for name in filter(None, map(str.strip, told)) if name.casefold() not in seen]
        return cls(
            groups,
            tuple(f"nothing was told of the group {name}, which the engine lets in" for name in unseen),
        )

    def by_sid(self, sid: str) -> Group | None:
        """The group of that SID."""
        return next((group for group in self.groups if group.sid == sid), None)

    def account(self, sid: str) -> Account:
        """Who that is, by name as far as the groups tell it."""
        known = [group.account for group in self.groups]
        known += [member for group in self.groups for member in group.members or ()]
        return next((account for account in known if account.sid == sid), Account(sid, ""))

    def rules_the_host(self, sid: str) -> bool:
        """Whether it is an administrator anyway."""
        administrators = self.by_sid(ADMINISTRATORS)
        members = (administrators.members if administrators else None) or ()
        return is_trusted(sid) or sid in [member.sid for member in members]


def _group(raw: _Group) -> Group:
    members = (
        None
        if raw.members is None
        else tuple(Account(it.sid, it.name, it.domain or "") for it in raw.members)
    )
    return Group(raw.name, raw.sid or "", members, raw.configured, raw.error or "")

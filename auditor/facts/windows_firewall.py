"""Windows Firewall as it is in force: its profiles and its inbound rules."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import ClassVar, Literal, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import decode
from auditor.facts.listeners import Listeners
from auditor.gaps import Inconclusive, NotApplicable

_ALLOW, _BLOCK = 2, 4
_ON, _OFF = 1, 0
_EVERY_PROFILE = 7
_ANY = ("Any", "")
_ANYWHERE = {*_ANY, "Internet"}
# The largest networks that anybody has to himself, 10.0.0.0/8 and fd00::/8, share so many first bits.
_OWN_BITS = 8
_UNLIMITED = {*_ANY, "0"}
_NUMBERS = {"6": "TCP", "17": "UDP"}

Protocol = Literal["TCP", "UDP"]


class _Profile(msgspec.Struct, frozen=True):
    name: str
    enabled: int
    inbound: int


class _Rule(msgspec.Struct, frozen=True):
    id: str
    action: int
    profile: int
    protocol: str
    ports: list[str]
    remote: list[str]
    local: list[str]
    program: str
    package: str
    service: str
    interfaces: list[str]


class _Raw(msgspec.Struct, frozen=True):
    profiles: list[_Profile]
    rules: list[_Rule]


class FirewallProfile(msgspec.Struct, frozen=True):
    """A profile (``Domain``, ``Private``, ``Public``). What is None could not be seen."""

    name: str = "Domain"
    enabled: bool | None = True
    refuses: bool | None = True


class FirewallRule(msgspec.Struct, frozen=True):
    """
    An inbound rule in force. ``profiles`` are bits: 1 domain, 2 private, 4 public.

    ``ports`` are numbers, ranges (``2375-2377``), words of Windows (``RPC``), or ``Any``; ``remote`` addresses,
    networks, ranges, words (``LocalSubnet``), or ``Any``. A rule whose ports Windows does not tell has none.
    One with a ``package`` is for an app from the store; a ``limited`` one for a service or a kind of network card only.
    """

    name: str = "docker"
    allows: bool = True
    protocol: str = "TCP"
    ports: tuple[str, ...] = ("2376",)
    remote: tuple[str, ...] = ("10.0.0.0/255.255.255.0",)
    local: tuple[str, ...] = ("Any",)
    program: str = "Any"
    profiles: int = _EVERY_PROFILE
    package: str = "Any"
    limited: bool = False

    @property
    def from_anywhere(self) -> bool:
        """Whether it holds for every remote address, or for so many that they cannot be one's own."""
        return not self.remote or any(it in _ANYWHERE or _is_wide(it) for it in self.remote)

    @property
    def public(self) -> bool:
        """Whether it holds in networks that are not trusted."""
        return bool(self.profiles & 4)

    def covers(self, protocol: Protocol, port: int) -> bool:
        """Whether it is about this port."""
        spoken = _NUMBERS.get(self.protocol, self.protocol)
        return spoken in ("Any", protocol) and any(_holds(it, port) for it in self.ports)

    def is_for(self, *programs: str) -> bool:
        """Whether it holds for one of these programs (``dockerd.exe``), as a rule for all programs does that is for no app."""
        name = self.program.rpartition("\\")[2].lower()
        return self.package in _ANY and (self.program in _ANY or name in programs)

    def overrules(self, other: "FirewallRule", protocol: Protocol, port: int) -> bool:
        """Whether it refuses whatever another one allows at a port: refusals come first."""
        for_all = self.program == "Any" and self.package in _ANY and not self.limited
        everywhere = self.remote == self.local == ("Any",) and for_all
        same = other.profiles & ~self.profiles == 0
        return not self.allows and everywhere and same and self.covers(protocol, port)


class WindowsFirewall(msgspec.Struct, frozen=True):
    """The firewall: profiles, and rules. ``engine`` are the TCP ports of the engine that are not for the host alone, ``gap`` why they are not known."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-firewall", *Listeners.SECTIONS)

    profiles: tuple[FirewallProfile, ...] = (
        FirewallProfile(),
        FirewallProfile("Private"),
        FirewallProfile("Public"),
    )
    rules: tuple[FirewallRule, ...] = ()
    engine: tuple[int, ...] = ()
    gap: str = ""

    def opening(self, protocol: Protocol, port: int) -> Iterator[FirewallRule]:
        """The rules that let somebody in at a port, whatever program listens there."""
        refusals = [rule for rule in self.rules if not rule.allows]
        for rule in self.rules:
            refused = any(it.overrules(rule, protocol, port) for it in refusals)
            if rule.allows and rule.covers(protocol, port) and not refused:
                yield rule

    @property
    def unread(self) -> tuple[str, ...]:
        """The names of allowing rules whose protocol Windows did not tell, or whose ports where the protocol has any."""
        untold = ("", "Any", "TCP", "UDP", *_NUMBERS)
        allowing = (it for it in self.rules if it.allows)
        return tuple(
            it.name for it in allowing if not it.protocol or (not it.ports and it.protocol in untold)
        )

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        raw: _Raw = decode(bundle.text("windows-firewall"), _Raw, "windows-firewall")
        if not raw.profiles:
            raise Inconclusive("Windows Firewall tells of no profile")
        profiles = tuple(
            FirewallProfile(
                it.name,
                {_ON: True, _OFF: False}.get(it.enabled),
                {_BLOCK: True, _ALLOW: False}.get(it.inbound),
            )
            for it in raw.profiles
        )
        return cls(profiles, tuple(_rule(it) for it in raw.rules), *_engine(bundle))


def _engine(bundle: Bundle) -> tuple[tuple[int, ...], str]:
    try:
        told = bundle.fact(Listeners)
    except NotApplicable:
        return (), ""
    except Inconclusive as gap:
        return (), f"which ports the engine listens on is not known: {gap}"
    reachable = (it.port for it in (*told.api, *(told.held or ())) if not it.loopback)
    return tuple(sorted(set(reachable))), ""


def _rule(raw: _Rule) -> FirewallRule:
    return FirewallRule(
        raw.id,
        raw.action == _ALLOW,
        raw.protocol,
        tuple(filter(None, raw.ports)),
        tuple(filter(None, raw.remote)),
        tuple(filter(None, raw.local)),
        raw.program,
        raw.profile & _EVERY_PROFILE or _EVERY_PROFILE,
        raw.package or "Any",
        bool({raw.service, *raw.interfaces} - _UNLIMITED),
    )


def _is_wide(addresses: str) -> bool:
    """Whether a network (``10.0.0.0/255.0.0.0``) or range (``10.0.0.1-10.0.0.9``) is larger than any network of one's own."""
    first, dash, last = addresses.partition("-")
    try:
        network = ip_network(addresses if not dash else first, strict=False)
        count = int(ip_address(last)) - int(network[0]) + 1 if dash else network.num_addresses
    except ValueError:
        return False  # a word of Windows
    return count > 1 << network.max_prefixlen - _OWN_BITS


def _holds(ports: str, port: int) -> bool:
    first, dash, last = ports.partition("-")
    if ports == "Any":
        return True
    if not (first.isdecimal() and (last.isdecimal() or not dash)):
        return False
    return int(first) <= port <= int(last or first)

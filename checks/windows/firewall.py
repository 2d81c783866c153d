"""Windows Firewall: whether it is on, and what it opens of the engine's ports."""

from typing import NamedTuple

from auditor.check import Finding, Findings, Inconclusive, Severity, check
from auditor.facts.windows_firewall import FirewallRule, Protocol, WindowsFirewall

_PLAIN, _OVERLAY = 2375, 4789


class _Port(NamedTuple):
    """A port of the engine's, and what it is for."""

    protocol: Protocol
    number: int
    what: str


_PORTS = (
    _Port("TCP", _PLAIN, "the engine's API without TLS"),
    _Port("TCP", 2376, "the engine's API"),
    _Port("TCP", 2377, "swarm managers"),
    _Port("TCP", 7946, "swarm nodes"),
    _Port("UDP", 7946, "swarm nodes"),
    _Port("UDP", _OVERLAY, "overlay networks"),
)


@check(severity=Severity.HIGH)
def windows_firewall_off(firewall: WindowsFirewall) -> Findings:
    """
    Windows Firewall is on in every profile and refuses what no rule allows.

    Which profile holds is decided by the network that Windows believes to be in, so all
    three have to be safe. Without the firewall every port that anything on the host opens
    is open to the network.

    Remediation:
        ``Set-NetFirewallProfile -All -Enabled True -DefaultInboundAction Block``.
    """
    unknown = []
    for profile in firewall.profiles:
        if profile.enabled is False:
            yield Finding(profile.name, "the firewall is off", "on", "Get-NetFirewallProfile:Enabled")
        elif profile.refuses is False:
            where = "Get-NetFirewallProfile:DefaultInboundAction"
            yield Finding(profile.name, "what no rule is about is allowed", "refused", where)
        elif not (profile.enabled and profile.refuses):
            unknown.append(profile.name)
    if unknown:
        raise Inconclusive(f"what holds in the profile {', '.join(unknown)} is not told")


@check(severity=Severity.HIGH)
def windows_firewall_opens_engine(firewall: WindowsFirewall) -> Findings:
    """
    The firewall opens the engine's ports to named addresses only, and 2375 to none.

    Whoever reaches the engine's API and is let in is administrator of the host. 2375 is
    its port without TLS; nobody should reach that. The others are for the few machines
    that manage the engine and for the nodes of its swarm, as is any other port that the
    engine listens on.

    Remediation:
        ``Set-NetFirewallRule -Name NAME -RemoteAddress 10.0.0.0/24 -Profile
        Domain,Private``; ``Remove-NetFirewallRule -Name NAME`` for 2375.
    """
    for profile in firewall.profiles:
        if profile.enabled is False or profile.refuses is False:
            yield Finding(
                profile.name,
                "every port is open in this profile",
                "the firewall on, refusing by default",
                "Get-NetFirewallProfile",
            )
    known = {port.number for port in _PORTS}
    others = (_Port("TCP", port, "the engine listens there") for port in firewall.engine if port not in known)
    for protocol, port, what in (*_PORTS, *others):
        for rule in firewall.opening(protocol, port):
            wrong = _wrong(rule, port)
            # Overlay networks are made by Windows' kernel, not by the engine.
            if wrong and rule.is_for("system" if port == _OVERLAY else "dockerd.exe"):
                observed = f"{protocol} {port} ({what}) is open {wrong}"
                yield Finding(rule.name, observed, _expected(port), "Get-NetFirewallRule")
    if firewall.unread:
        names = ", ".join(firewall.unread[:5])
        raise Inconclusive(f"which ports these rules open is not told: {names}")
    if firewall.gap:
        raise Inconclusive(firewall.gap)
    silent = [it.name for it in firewall.profiles if it.enabled is None or it.refuses is None]
    if silent:
        raise Inconclusive(f"whether the firewall is on in the profile {', '.join(silent)} is not told")


def _wrong(rule: FirewallRule, port: int) -> str:
    if rule.from_anywhere:
        return "to every address"
    if port == _PLAIN:
        return f"to {', '.join(rule.remote[:3])}"
    return "in public networks" if rule.public else ""


def _expected(port: int) -> str:
    return "closed" if port == _PLAIN else "open to named addresses, not in the profile Public"

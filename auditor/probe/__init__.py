"""
The live probe: what the engine's TCP ports answer to somebody without credentials, from the auditing machine.

It connects to the address that the inventory names and to no other: what a host tells is port numbers only,
and no more than a few of them.
"""

import ipaddress
import socket
from collections.abc import Iterable, Iterator

import msgspec

from auditor.collect.bundle import Bundle, Section, Status
from auditor.errors import DeadlineExceeded
from auditor.facts.listeners import Endpoint, Listeners, read_held
from auditor.facts.live import VERSION, Port, Probe, Verdict
from auditor.gaps import Gap, NotApplicable
from auditor.host import Host
from auditor.transports.base import Deadline

MOST_PORTS = 16
_AT_ONCE = 4
_LOCAL = "127.0.0.1"


def probe(host: Host, bundle: Bundle, deadline: Deadline) -> dict[str, Section]:
    """
    The section ``tls-probe`` for a host whose other sections are in ``bundle``; none for a saved bundle.

    It takes a few seconds at most, whatever the ports do, and never raises for what they answer.
    """
    if host.transport == "bundle":
        return {}
    try:
        seconds = deadline.left("the live probe")
    except DeadlineExceeded as error:
        return {"tls-probe": Section(status=Status.TIMEOUT, message=str(error))}
    endpoints, unknown = _endpoints(host, bundle)
    own = () if host.transport != "docker" or not host.address else (_own_endpoint(host),)
    address = _LOCAL if host.transport == "local" else host.address
    targets = list(_targets(host, [*own, *endpoints]))[:MOST_PORTS]
    result = Probe(VERSION, address, _examined(targets, seconds) if targets else (), unknown)
    return {"tls-probe": Section(msgspec.json.encode(result))}


def _endpoints(host: Host, bundle: Bundle) -> tuple[list[tuple[Endpoint, bool]], str]:
    """The daemon's TCP endpoints, each with whether it was configured, and why they are not known."""
    try:
        listeners = bundle.fact(Listeners)
    except NotApplicable:
        return [], ""
    except Gap as gap:
        if host.transport == "docker":
            return [], "the Docker API does not tell which other ports the engine listens on"
        # A daemon whose configuration cannot be read still holds sockets.
        held = [(endpoint, False) for endpoint in read_held(bundle) or ()]
        return held, f"which ports the engine listens on is not known: {gap}"
    configured = {endpoint.port for endpoint in listeners.api}
    others = [endpoint for endpoint in listeners.held or () if endpoint.port not in configured]
    return [
        *((endpoint, True) for endpoint in listeners.api),
        *((endpoint, False) for endpoint in others),
    ], ""


def _own_endpoint(host: Host) -> tuple[Endpoint, bool]:
    """Where the Docker API itself was reached."""
    return Endpoint(host.address, host.port or (2376 if host.tls_dir else 2375), host.source), True


_Target = tuple[str, int, bool, str]


def _targets(host: Host, endpoints: Iterable[tuple[Endpoint, bool]]) -> Iterator[_Target]:
    """Address, port, configured, and why not to connect at all, once for each port."""
    bound: dict[int, list[tuple[Endpoint, bool]]] = {}
    for endpoint, configured in endpoints:
        bound.setdefault(endpoint.port, []).append((endpoint, configured))
    for port, places in bound.items():
        only_loopback = all(endpoint.loopback for endpoint, _ in places)
        yield (
            _address(host, [place for place, _ in places]),
            port,
            places[0][1],
            _why_not(host, only_loopback=only_loopback),
        )


def _address(host: Host, places: list[Endpoint]) -> str:
    """The inventory's address; on this machine itself the one that is bound, once it has proved to be this machine's."""
    if host.transport != "local":
        return host.address
    place = places[0]
    return _LOCAL if place.wildcard or not _is_ours(place.address) else place.address


def _is_ours(address: str) -> bool:
    """Whether an IP address is this machine's: only then can a socket be bound to it."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET  # noqa: PLR2004  IPv6
        with socket.socket(family) as trial:
            trial.bind((address, 0))
    except (ValueError, OSError):
        return False
    return True


def _why_not(host: Host, *, only_loopback: bool) -> str:
    if host.transport == "local":
        return ""
    if host.ssh.jumps or host.ssh.proxy_command:
        return "the host is behind a jump host: its address means another machine here, or none"
    if not host.address:
        return "the inventory names no address"
    if only_loopback and not _is_loopback(host.address):
        return "bound to the host's loopback address only"
    return ""


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _examined(targets: Iterable[_Target], seconds: float) -> tuple[Port, ...]:
    """Each port, within ``seconds`` at most. Most hosts have none: they do not wait for what speaks TLS to load."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    from auditor.probe.port import SECONDS_A_PORT, examine  # noqa: PLC0415

    def one(target: _Target) -> Port:
        address, port, configured, why_not = target
        if why_not:
            return Port(port, Verdict.NOT_PROBED, why_not, configured)
        try:
            return examine((address, port), configured=configured, seconds=min(seconds, SECONDS_A_PORT))
        except ValueError as error:  # a name that no resolver takes
            return Port(port, Verdict.UNREACHABLE, str(error), configured)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(one, targets))

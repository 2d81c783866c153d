"""Where the engine's API can be reached by TCP: what was configured, and what the daemon really holds."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import decode
from auditor.facts.tls import DaemonTls
from auditor.gaps import Gap, Inconclusive

_PLAIN_PORT, _TLS_PORT = 2375, 2376
_SPLIT = re.compile(r"^(?:\[(?P<six>[^\]]*)\]|(?P<name>[^:]*))(?::(?P<port>\d*))?$")


class Endpoint(msgspec.Struct, frozen=True):
    """An address (or a name that stands for one) and TCP port, and where that was read."""

    address: str = "127.0.0.1"
    port: int = _TLS_PORT
    source: str = "flag -H"

    @property
    def loopback(self) -> bool:
        """Whether only programs on the host itself get there."""
        ip = _ip(self.address)
        return ip.is_loopback if ip else self.address == "localhost"

    @property
    def wildcard(self) -> bool:
        """Whether it is open on every address of the host."""
        ip = _ip(self.address)
        return bool(ip and ip.is_unspecified)

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


class Listeners(msgspec.Struct, frozen=True):
    """
    The API's TCP endpoints by configuration, and all TCP sockets that the daemon holds.

    Swarm's sockets and the metrics' are among those ``held``; it is None when this user may not see them.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = (
        *DaemonTls.SECTIONS,
        "systemd|windows-service",
        "listeners|windows-listeners",
    )

    configured: tuple[Endpoint, ...] = ()
    held: tuple[Endpoint, ...] | None = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        config, tls = bundle.fact(DaemonConfig), bundle.fact(DaemonTls)
        held = read_held(bundle)
        hosts = config.setting("hosts")
        # Without any host dockerd listens on its unix socket, and with TLS on a loopback port instead.
        spellings = hosts.value or (("tcp://localhost:2376",) if tls.enabled else ())
        configured: list[Endpoint] = []
        for spelling in spellings:
            if spelling.startswith("fd://"):
                configured.extend(_activated(bundle, held))
            elif endpoint := read_host(spelling, hosts.source):
                configured.append(endpoint)
        return cls(tuple(configured), held)

    @property
    def api(self) -> tuple[Endpoint, ...]:
        """The configured endpoints, at the addresses that are really held where these are known."""
        return tuple(dict.fromkeys(self._real()))

    def _real(self) -> Iterator[Endpoint]:
        for endpoint in self.configured:
            held = [real for real in self.held or () if real.port == endpoint.port]
            yield from (msgspec.structs.replace(real, source=endpoint.source) for real in held)
            if not held:
                yield endpoint


def read_host(spelling: str, source: str = "flag -H") -> Endpoint | None:
    """
    Read a ``hosts`` entry as dockerd does; None for one that is no TCP address (``unix://``, ``npipe://``, ``fd://``).

    An address left out is localhost and a port left out is 2375, with TLS too (seen with 20.10.24).
    """
    scheme, separator, rest = spelling.partition("://")
    if separator and scheme != "tcp":
        return None
    match = _SPLIT.match((rest if separator else spelling).partition("/")[0])
    if not match:
        return None
    address = match["six"] if match["six"] is not None else match["name"]
    return Endpoint(address or "localhost", int(match["port"] or _PLAIN_PORT), source)


def read_held(bundle: Bundle) -> tuple[Endpoint, ...] | None:
    """The TCP sockets that the daemon listens on; None when that could not be seen."""
    if "windows-listeners" in bundle.sections:
        return _read_held_on_windows(bundle)
    try:
        lines = [line.split(" ") for line in split_lines(bundle.text("listeners"))]
    except Inconclusive:
        return None
    holds = {fields[1] for fields in lines if fields[0] == "holds"}
    listening = (fields for fields in lines if fields[0] == "listens" and fields[2:] and fields[2] in holds)
    return tuple(dict.fromkeys(_kernel_endpoint(fields[1]) for fields in listening))


class _Listener(msgspec.Struct, frozen=True):
    address: str
    port: int
    pid: int


class _Listening(msgspec.Struct, frozen=True):
    engine: list[int]
    listeners: list[_Listener]


def _read_held_on_windows(bundle: Bundle) -> tuple[Endpoint, ...] | None:
    try:
        told: _Listening = decode(bundle.text("windows-listeners"), _Listening, "windows-listeners")
    except Inconclusive:
        return None
    # A daemon that belongs to another session, as Docker Desktop's does, may not be among the processes seen; Windows
    # itself always listens somewhere.
    if not told.engine or not told.listeners:
        return None
    held = (it for it in told.listeners if it.pid in told.engine)
    return tuple(dict.fromkeys(Endpoint(it.address, it.port, "sockets of the daemon") for it in held))


def _kernel_endpoint(text: str) -> Endpoint:
    """``0100007F:0947`` as the kernel prints it, 32-bit words in little-endian order."""
    address, _, port = text.partition(":")
    try:
        words = [bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8)]
        return Endpoint(str(ipaddress.ip_address(b"".join(words))), int(port, 16), "sockets of the daemon")
    except ValueError as error:
        raise Inconclusive(f"listeners: not what the kernel prints: {text[:80]!r}") from error


def _activated(bundle: Bundle, held: tuple[Endpoint, ...] | None) -> Iterable[Endpoint]:
    """The TCP endpoints that systemd opens for ``fd://``; the sockets held tell when systemd cannot be asked."""
    try:
        shown = bundle.text("systemd")
    except Gap:
        if held is None:
            raise Inconclusive("which sockets systemd opens for fd:// could not be seen") from None
        return ()
    records = (split_lines(record) for record in shown.split("\n\n"))
    listens = (
        line[7:] for record in records if _is_socket(record) for line in record if line.startswith("Listen=")
    )
    streams = (entry.removesuffix(" (Stream)") for entry in listens if entry.endswith(" (Stream)"))
    read = (
        read_host(stream, "ListenStream of docker.socket") for stream in streams if not stream.startswith("/")
    )
    return [endpoint for endpoint in read if endpoint]


def _is_socket(record: Iterable[str]) -> bool:
    return any(line.startswith("Id=") and line.endswith(".socket") for line in record)

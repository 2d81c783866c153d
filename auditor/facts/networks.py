"""The engine's networks."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.facts.engine import decode, read_engine


class _Network(msgspec.Struct, frozen=True):
    Name: str
    Driver: str
    Scope: str = ""
    Internal: bool = False
    Ingress: bool = False
    Options: dict[str, str] | None = None


class Network(msgspec.Struct, frozen=True):
    """One network; ``options`` are the driver's, as they are in force."""

    name: str
    driver: str = "bridge"
    scope: str = "local"
    ingress: bool = False
    options: Mapping[str, str] = msgspec.field(default_factory=dict)


class Networks(msgspec.Struct, frozen=True):
    """All networks that the engine lists."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("networks",)

    networks: tuple[Network, ...] = ()

    def __iter__(self) -> Iterator[Network]:
        return iter(self.networks)

    @property
    def default_bridge(self) -> Network | None:
        """The bridge that containers join when nothing else is said; None when the daemon runs without one."""
        return next(
            (network for network in self if network.name == "bridge" and network.driver == "bridge"), None
        )

    def publish_address(self, name: str) -> str:
        """The host's address at which a network publishes ports that name none; empty: all, or there is no such network."""
        option = "com.docker.network.bridge.host_binding_ipv4"
        wanted = "bridge" if name == "default" else name
        return next((network.options.get(option, "") for network in self if network.name == wanted), "")

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        lines = split_lines(read_engine(bundle, "networks"))
        raw: list[_Network] = [
            decode(line, _Network, "docker network inspect") for line in lines if line.strip()
        ]
        return cls(tuple(Network(it.Name, it.Driver, it.Scope, it.Ingress, it.Options or {}) for it in raw))

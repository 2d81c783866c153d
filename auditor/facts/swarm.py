"""The swarm a host belongs to, as this node sees it."""

from collections.abc import Iterator
from typing import ClassVar, Self

import msgspec
from msgspec import UNSET, UnsetType

from auditor.collect.bundle import Bundle
from auditor.collect.history import names_secret
from auditor.facts.certificate import Certificate
from auditor.facts.engine import Engine, decode, read_engine
from auditor.facts.listeners import Endpoint, read_held, read_host
from auditor.gaps import Gap, Inconclusive, NotApplicable

_SWARM_PORT = 2377


class _CaConfig(msgspec.Struct, frozen=True):
    NodeCertExpiry: int


class _Encryption(msgspec.Struct, frozen=True):
    AutoLockManagers: bool


class _Spec(msgspec.Struct, frozen=True):
    CAConfig: _CaConfig
    EncryptionConfig: _Encryption


class _TlsInfo(msgspec.Struct, frozen=True):
    TrustRoot: str = ""


class _Cluster(msgspec.Struct, frozen=True):
    Spec: _Spec
    RootRotationInProgress: bool = False
    TLSInfo: _TlsInfo = _TlsInfo()


class _Swarm(msgspec.Struct, frozen=True):
    LocalNodeState: str
    ControlAvailable: bool = False
    Error: str = ""
    NodeAddr: str = ""
    Nodes: int | None = None
    Managers: int | None = None
    Cluster: _Cluster | None = None


class _Info(msgspec.Struct, frozen=True):
    Swarm: _Swarm


class _Addresses(msgspec.Struct, frozen=True):
    ListenAddr: str
    AdvertiseAddr: str
    DataPathAddr: str


class _Restart(msgspec.Struct, frozen=True):
    Condition: str = "any"
    MaxAttempts: int | None = None


class _Port(msgspec.Struct, frozen=True):
    PublishedPort: int = 0
    PublishMode: str = ""


class _Service(msgspec.Struct, frozen=True):
    Name: str
    Env: list[str]
    Secrets: list[str]
    Restart: _Restart | UnsetType | None = UNSET
    Ports: list[_Port] | UnsetType | None = UNSET


class Service(msgspec.Struct, frozen=True):
    """
    A service; ``variables`` are those of its environment that are named for a secret and have a value.

    ``restart`` is ``none``, ``on-failure`` or ``any``, of its tasks, ``attempts`` how often at most, 0 without end. ``ports`` are those that
    the routing mesh opens on every node; what a task opens on its own node is the container's. None: the collector did not ask.
    """

    name: str = "web"
    variables: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ("web-password",)
    restart: str | None = "on-failure"
    attempts: int | None = 5
    ports: tuple[int, ...] | None = ()


class Cluster(msgspec.Struct, frozen=True):
    """What a manager knows of its swarm. ``node_certificate_days`` is how long a node's certificate holds."""

    nodes: int = 5
    managers: int = 3
    auto_lock: bool = True
    node_certificate_days: float = 90
    root_rotation: bool = False
    authorities: tuple[Certificate, ...] = (Certificate("CN=swarm-ca", "CN=swarm-ca", is_ca=True),)


class Addresses(msgspec.Struct, frozen=True):
    """The addresses a node was told to use, without ports; empty: not told. ``listen`` is where it really listens, if seen."""

    listen: tuple[Endpoint, ...] = (Endpoint("10.0.0.5", _SWARM_PORT, "docker-state.json:/ListenAddr"),)
    advertise: str = "10.0.0.5"
    data_path: str = "10.1.0.5"


class Swarm(msgspec.Struct, frozen=True):
    """
    A node's place in a swarm. Its parts that are None could not be seen; ask for them by the methods, which say why.

    ``state`` is ``inactive``, ``pending``, ``active``, ``error`` or ``locked``. Of a Windows host only what ``docker info`` tells is known.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = (
        *Engine.SECTIONS,
        "swarm|engine-info",
        "listeners|windows-listeners",
    )

    state: str = "active"
    manager: bool = True
    error: str = ""
    known: Cluster | None = Cluster()
    addresses: Addresses | None = Addresses()
    services: tuple[Service, ...] | None = (Service(),)
    secret_names: tuple[str, ...] = ("web-password",)
    gap: str = ""

    def membership(self) -> None:
        """
        Nothing, when the host is a settled member of a swarm.

        Raises:
            NotApplicable: it is in none.
            Inconclusive: that is not settled: the swarm is locked, pending, or in error.
        """
        if self.state == "inactive":
            raise NotApplicable("the host is in no swarm")
        if self.state != "active":
            told = f" ({self.error})" if self.error else ""
            raise Inconclusive(f"the swarm is {self.state or 'in no known state'} here{told}: not assessed")

    def cluster(self) -> Cluster:
        """
        What a manager knows of the swarm.

        Raises:
            NotApplicable: the host is in no swarm, or a worker in one: only a manager could know.
            Inconclusive: the swarm is not settled here, or the engine does not tell.
        """
        self.membership()
        if not self.manager:
            raise NotApplicable("this node is a worker: only a manager knows, and the audit of one tells")
        if self.known is None:
            raise Inconclusive("docker info does not describe the cluster")
        return self.known

    def own_addresses(self) -> Addresses:
        """
        The addresses of this node, manager or worker.

        Raises:
            NotApplicable, Inconclusive: as ``membership``; or they could not be read.
        """
        self.membership()
        if self.addresses is None:
            raise Inconclusive(f"the node's addresses could not be read: {self.gap}")
        return self.addresses

    def all_services(self) -> tuple[Service, ...]:
        """
        Every service of the swarm.

        Raises:
            NotApplicable, Inconclusive: as ``cluster``; or they could not be read.
        """
        self.cluster()
        if self.services is None:
            raise Inconclusive(f"the services could not be read: {self.gap}")
        return self.services

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        bundle.fact(Engine)
        raw: _Info = decode(read_engine(bundle, "engine-info"), _Info, "docker info")
        swarm = raw.Swarm
        lines, gap = _lines(bundle)
        addresses = _addresses(lines, bundle)
        services = tuple(_services(lines)) if "manager" in lines else None
        denied = next((line for line in lines if line.startswith(("denied ", "absent "))), "")
        return cls(
            state=swarm.LocalNodeState,
            manager=swarm.ControlAvailable,
            error=swarm.Error,
            known=_cluster(swarm),
            addresses=addresses,
            services=services,
            secret_names=tuple(
                decode(line[7:], str, "docker secret ls") for line in lines if line.startswith("secret ")
            ),
            gap=gap or denied or "the collector did not tell them",
        )


def _lines(bundle: Bundle) -> tuple[list[str], str]:
    try:
        return bundle.text("swarm").split("\n"), ""
    except Gap as gap:
        return [], str(gap)


def _cluster(swarm: _Swarm) -> Cluster | None:
    if not swarm.Cluster or swarm.Nodes is None or swarm.Managers is None:
        return None
    from auditor.facts.x509 import describe, read_pem  # noqa: PLC0415  only a swarm's managers have authorities

    spec = swarm.Cluster.Spec
    read = [one for one in read_pem(swarm.Cluster.TLSInfo.TrustRoot) if not isinstance(one, str)]
    return Cluster(
        nodes=swarm.Nodes,
        managers=swarm.Managers,
        auto_lock=spec.EncryptionConfig.AutoLockManagers,
        node_certificate_days=spec.CAConfig.NodeCertExpiry / 86_400_000_000_000,
        root_rotation=swarm.Cluster.RootRotationInProgress,
        authorities=tuple(describe(one) for one in read),
    )


def _addresses(lines: list[str], bundle: Bundle) -> Addresses | None:
    told = next((line for line in lines if line.startswith("addresses ")), None)
    if told is None:
        return None
    raw: _Addresses = decode(told[len("addresses ") :], _Addresses, "the swarm's state file")
    configured = read_host(raw.ListenAddr, "docker-state.json:/ListenAddr") if raw.ListenAddr else None
    port = configured.port if configured else _SWARM_PORT
    held = tuple(endpoint for endpoint in read_held(bundle) or () if endpoint.port == port)
    listen = held or ((configured,) if configured else ())
    return Addresses(listen, _host(raw.AdvertiseAddr), _host(raw.DataPathAddr))


def _host(address: str) -> str:
    """``10.0.0.5:2377`` -> ``10.0.0.5``; an address without port stays."""
    if address.count(":") > 1 and not address.startswith("["):
        return address
    endpoint = read_host(address) if address else None
    return endpoint.address if endpoint else address


def _services(lines: list[str]) -> Iterator[Service]:
    for line in lines:
        if line.startswith("service "):
            raw: _Service = decode(line[len("service ") :], _Service, "docker service inspect")
            variables = tuple(filter(names_secret, raw.Env))
            secrets = tuple(filter(None, raw.Secrets))
            yield Service(raw.Name, variables, secrets, *_restart(raw.Restart), _mesh_ports(raw.Ports))


def _mesh_ports(told: list[_Port] | UnsetType | None) -> tuple[int, ...] | None:
    if isinstance(told, UnsetType):
        return None
    return tuple(port.PublishedPort for port in told or () if port.PublishMode != "host")


def _restart(told: _Restart | UnsetType | None) -> tuple[str | None, int | None]:
    """Condition and attempts; a service that does not say is restarted always and without end."""
    if isinstance(told, UnsetType):
        return None, None
    return (told.Condition or "any", told.MaxAttempts or 0) if told else ("any", 0)

"""
A container's inspection as it arrives. Every field a check depends on is required: one that is missing is a gap.

The Docker client prints all of them. Only what an engine may be too old to know is optional; ``Containers`` looks
at its version before it believes that.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from auditor import typed
from auditor.collect.history import names_secret
from auditor.facts.container import LIVE, Container, Mount, Port, Ulimit, read_address
from auditor.facts.windows_paths import is_pipe, plain_windows_path, split_bind

PROPAGATIONS = ("shared", "rshared", "slave", "rslave", "private", "rprivate")
T = TypeVar("T")


class RawMount(msgspec.Struct, frozen=True):
    """One of ``Mounts``."""

    Type: str
    Source: str
    Destination: str
    RW: bool
    Propagation: str
    Name: str = ""


class RawBinding(msgspec.Struct, frozen=True):
    """One host address and port of ``PortBindings`` or ``Ports``."""

    HostIp: str
    HostPort: str


class RawRestartPolicy(msgspec.Struct, frozen=True):
    """``HostConfig.RestartPolicy``."""

    Name: str
    MaximumRetryCount: int


class RawDevice(msgspec.Struct, frozen=True):
    """One of ``HostConfig.Devices``."""

    PathOnHost: str


class RawDeviceRequest(msgspec.Struct, frozen=True):
    """One of ``HostConfig.DeviceRequests``: devices asked for by driver, GPUs for instance."""

    Driver: str
    DeviceIDs: list[str] | None
    Capabilities: list[list[str]] | None


class RawUlimit(msgspec.Struct, frozen=True):
    """One of ``HostConfig.Ulimits``."""

    Name: str
    Soft: int
    Hard: int


class RawBindOptions(msgspec.Struct, frozen=True):
    """``BindOptions`` of a requested mount."""

    Propagation: str = ""


class RawRequestedMount(msgspec.Struct, frozen=True):
    """One of ``HostConfig.Mounts``: Go leaves out what is empty."""

    Type: str
    Source: str = ""
    Target: str = ""
    ReadOnly: bool = False
    BindOptions: RawBindOptions | None = None


# What every engine hides and makes read-only; newer ones have more.
_ALWAYS_MASKED = {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"}
_ALWAYS_READ_ONLY = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}

Bindings = dict[str, list[RawBinding] | None]


class RawHostConfig(msgspec.Struct, frozen=True):
    """``HostConfig``: what was asked for at ``docker run``."""

    Binds: list[str] | None
    NetworkMode: str
    PortBindings: Bindings | None
    RestartPolicy: RawRestartPolicy
    CapAdd: list[str] | None
    CapDrop: list[str] | None
    IpcMode: str
    PidMode: str
    Privileged: bool
    PublishAllPorts: bool
    ReadonlyRootfs: bool
    SecurityOpt: list[str] | None
    UTSMode: str
    UsernsMode: str
    CpuShares: int
    Memory: int
    NanoCpus: int
    CgroupParent: str
    CpuQuota: int
    CpusetCpus: str
    Devices: list[RawDevice] | None
    DeviceCgroupRules: list[str] | None
    PidsLimit: int | None
    Ulimits: list[RawUlimit] | None
    DeviceRequests: list[RawDeviceRequest] | UnsetType | None = UNSET
    CgroupnsMode: str | UnsetType = UNSET
    Isolation: str | None = None
    CpuCount: int = 0
    CpuPercent: int = 0
    Mounts: list[RawRequestedMount] | None = None
    MaskedPaths: list[str] | UnsetType | None = UNSET
    ReadonlyPaths: list[str] | UnsetType | None = UNSET


class RawHealthcheck(msgspec.Struct, frozen=True):
    """``Config.Healthcheck``, the image's included."""

    Test: list[str] | None = None


class RawConfig(msgspec.Struct, frozen=True):
    """``Config``."""

    Image: str
    User: str
    Healthcheck: RawHealthcheck | None
    Hostname: str = ""
    ExposedPorts: dict[str, Any] | UnsetType | None = UNSET
    Service: str | UnsetType = UNSET
    Labels: dict[str, Any] | UnsetType | None = UNSET
    Env: list[str] | UnsetType | None = UNSET


class RawNetworkSettings(msgspec.Struct, frozen=True):
    """``NetworkSettings``: what is in force now."""

    Ports: Bindings | None
    Networks: dict[str, Any] | None


class RawContainer(msgspec.Struct, frozen=True):
    """One line of the section ``containers``."""

    Id: str
    Name: str
    Image: str
    Path: str
    Sshd: list[bool]
    Status: str
    Pid: int
    ExecIDs: list[str] | None
    AppArmorProfile: str
    ProcessLabel: str
    Mounts: list[RawMount] | None
    HostConfig: RawHostConfig
    Config: RawConfig
    NetworkSettings: RawNetworkSettings
    Platform: str = ""


def read_container(line: bytes, engine: tuple[int, ...], platform: str = "linux") -> Container:
    """
    Read one inspection; ``engine`` is the engine's version, ``platform`` what it runs where a container does not tell.

    Raises:
        ValueError: it is no JSON, a field is missing that such an engine tells, or a value makes no sense.
        RecursionError: it is nested without end.
    """
    raw = typed.decode(line, RawContainer)
    host = raw.HostConfig
    limits = tuple(Ulimit(limit.Name, limit.Soft, limit.Hard) for limit in host.Ulimits or ())
    return Container(
        name=raw.Name.removeprefix("/"),
        id=raw.Id,
        status=raw.Status,
        pid=raw.Pid,
        image=raw.Config.Image,
        image_id=raw.Image,
        path=raw.Path,
        sshd=any(raw.Sshd),
        exec_ids=tuple(raw.ExecIDs or ()),
        user=raw.Config.User,
        healthcheck=tuple((raw.Config.Healthcheck and raw.Config.Healthcheck.Test) or ()),
        apparmor_profile=raw.AppArmorProfile,
        process_label=raw.ProcessLabel,
        privileged=host.Privileged,
        cap_add=tuple(host.CapAdd or ()),
        cap_drop=tuple(host.CapDrop or ()),
        security_opt=tuple(host.SecurityOpt or ()),
        mounts=tuple(_mounts(raw, raw.Platform or platform)),
        devices=tuple(device.PathOnHost for device in host.Devices or ()),
        device_requests=tuple(
            _request(one) for one in _since(host.DeviceRequests, (19, 3), engine, "DeviceRequests") or ()
        ),
        device_cgroup_rules=tuple(host.DeviceCgroupRules or ()),
        network_mode=host.NetworkMode,
        networks=tuple(raw.NetworkSettings.Networks or ()),
        pid_mode=host.PidMode,
        ipc_mode=host.IpcMode,
        uts_mode=host.UTSMode,
        userns_mode=host.UsernsMode,
        cgroupns_mode=_since(host.CgroupnsMode, (20, 10), engine, "CgroupnsMode") or "",
        cgroup_parent=host.CgroupParent,
        publish_all_ports=host.PublishAllPorts,
        ports=tuple(_ports(raw)),
        readonly_rootfs=host.ReadonlyRootfs,
        memory=host.Memory,
        nano_cpus=host.NanoCpus,
        cpu_shares=host.CpuShares,
        cpu_quota=host.CpuQuota,
        cpuset_cpus=host.CpusetCpus,
        pids_limit=host.PidsLimit,
        ulimits=limits,
        restart_policy=host.RestartPolicy.Name,
        maximum_retry_count=host.RestartPolicy.MaximumRetryCount,
        platform=raw.Platform or platform,
        isolation=host.Isolation or "",
        service=None if isinstance(raw.Config.Service, UnsetType) else raw.Config.Service,
        cpu_count=host.CpuCount,
        cpu_percent=host.CpuPercent,
        hostname=raw.Config.Hostname,
        system_paths_masked=_masked(host),
        labels=None if isinstance(raw.Config.Labels, UnsetType) else tuple(raw.Config.Labels or ()),
        secrets=_secrets(raw.Config),
    )


def _since(value: T | UnsetType, version: tuple[int, ...], engine: tuple[int, ...], name: str) -> T | None:
    """A field that engines before ``version`` do not have."""
    if not isinstance(value, UnsetType):
        return value
    if engine >= version:
        raise ValueError(f"HostConfig has no {name}")
    return None


def _masked(host: RawHostConfig) -> bool | None:
    """``null`` stands for what the engine always hides, a list for itself; of a privileged one nothing is hidden."""
    if isinstance(host.MaskedPaths, UnsetType) or isinstance(host.ReadonlyPaths, UnsetType):
        return None
    told = ((host.MaskedPaths, _ALWAYS_MASKED), (host.ReadonlyPaths, _ALWAYS_READ_ONLY))
    return not host.Privileged and all(paths is None or always <= {*paths} for paths, always in told)


def _request(request: RawDeviceRequest) -> str:
    """A device request in one line: ``nvidia gpu``."""
    wanted = [name for group in request.Capabilities or () for name in group]
    return " ".join([request.Driver, *(request.DeviceIDs or ()), *wanted]).strip()


def _secrets(config: RawConfig) -> tuple[str, ...] | None:
    """Names of variables that should hold secrets; collectors that bring no labels bring names without a value too."""
    if isinstance(config.Env, UnsetType) or isinstance(config.Labels, UnsetType):
        return None
    return tuple(filter(names_secret, config.Env or ()))


def _mounts(raw: RawContainer, platform: str) -> Iterator[Mount]:
    """What is mounted; then what was asked for and is not among it, as engines may show before the first start."""
    seen = set[str]()
    plain = plain_windows_path if platform == "windows" else str
    for mount in raw.Mounts or ():
        seen.add(plain(mount.Destination))
        yield Mount(mount.Source or mount.Name, mount.Type, mount.Destination, mount.RW, mount.Propagation)
    binds = _windows_binds if platform == "windows" else _binds
    for wanted in (*_asked_for(raw.HostConfig), *binds(raw.HostConfig)):
        if plain(wanted.destination) not in seen:
            yield wanted


def _asked_for(host: RawHostConfig) -> Iterator[Mount]:
    for mount in host.Mounts or ():
        if mount.Type in ("bind", "npipe"):
            propagation = mount.BindOptions.Propagation if mount.BindOptions else ""
            yield Mount(mount.Source, mount.Type, mount.Target, not mount.ReadOnly, propagation)


def _binds(host: RawHostConfig) -> Iterator[Mount]:
    for bind in host.Binds or ():
        source, _, rest = bind.partition(":")
        destination, _, mode = rest.partition(":")
        if source.startswith("/"):
            modes = mode.split(",")
            yield Mount(
                source,
                "bind",
                destination,
                "ro" not in modes,
                next((m for m in modes if m in PROPAGATIONS), ""),
            )


def _windows_binds(host: RawHostConfig) -> Iterator[Mount]:
    for bind in filter(None, map(split_bind, host.Binds or ())):
        source, destination, mode = bind
        kind = "npipe" if is_pipe(plain_windows_path(source)) else "bind"
        yield Mount(source, kind, destination, "ro" not in mode.split(","), "")


def _ports(raw: RawContainer) -> Iterator[Port]:
    """
    Published ports: the ones in force while it runs, the ones asked for while it does not, all exposed ones if it so wants.

    On the host's network, another container's, or none, the engine publishes nothing.
    """
    mode = raw.HostConfig.NetworkMode
    if raw.Status in LIVE:
        yield from _bindings(raw.NetworkSettings.Ports)
    elif mode not in ("host", "none") and not mode.startswith("container:"):
        asked = raw.HostConfig.PortBindings or {}
        yield from _bindings(asked)
        if raw.HostConfig.PublishAllPorts:
            yield from (Port(0, 0, "", inside) for inside in _exposed(raw.Config) if not asked.get(inside))


def _exposed(config: RawConfig) -> Iterable[str]:
    if isinstance(config.ExposedPorts, UnsetType):
        raise ValueError("Config has no ExposedPorts, all of which it publishes")  # noqa: TRY004  as for all that is missing
    return config.ExposedPorts or ()


def _bindings(bindings: Bindings | None) -> Iterator[Port]:
    for inside, hosts in (bindings or {}).items():
        for host in hosts or ():
            first, _, last = host.HostPort.partition("-")
            if host.HostIp:
                read_address(host.HostIp)
            yield Port(int(first or 0), int(last or first or 0), host.HostIp, inside)

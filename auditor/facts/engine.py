"""What the engine says of itself: ``docker info`` and ``docker version``."""

import re
from typing import Any, ClassVar, Self

import msgspec

from auditor import typed
from auditor.collect.bundle import Bundle, Status
from auditor.gaps import Inconclusive, NotApplicable

# 20.10 does not, 26.1 does (both seen).
TELLS_NO_NEW_PRIVILEGES = (25,)


def read_engine(bundle: Bundle, section: str) -> str:
    """
    The text of a section that the engine answered.

    Raises:
        NotApplicable: there is no Docker engine on the host.
        Inconclusive: there may be one, but it did not answer.
    """
    found = bundle.section(section)
    if found.status == Status.ABSENT:
        raise NotApplicable(
            f"no Docker engine on this host ({found.message})"
            if found.message
            else "no Docker engine on this host"
        )
    return bundle.text(section)


def decode(text: str, kind: type[Any], what: str) -> Any:
    """
    Decode JSON into a msgspec type.

    Raises:
        Inconclusive: it is no JSON, or of another shape.
    """
    try:
        return typed.decode(text.encode("utf-8", "replace"), kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Inconclusive(f"{what} is not what Docker prints: {error}") from error


def version_tuple(version: str) -> tuple[int, ...]:
    """``20.10.24+dfsg1`` -> ``(20, 10, 24)``; empty when it does not begin with a number."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


class _Swarm(msgspec.Struct, frozen=True):
    LocalNodeState: str = ""
    ControlAvailable: bool = False
    Error: str = ""


class _Plugins(msgspec.Struct, frozen=True):
    Authorization: list[str] | None = None


class _Registries(msgspec.Struct, frozen=True):
    InsecureRegistryCIDRs: list[str] | None = None
    IndexConfigs: dict[str, dict[str, Any]] | None = None


class _Info(msgspec.Struct, frozen=True):
    ServerVersion: str = ""
    OSType: str = ""
    OperatingSystem: str = ""
    KernelVersion: str = ""
    Driver: str = ""
    LoggingDriver: str = ""
    CgroupDriver: str = ""
    CgroupVersion: str = ""
    DockerRootDir: str = ""
    DefaultRuntime: str = ""
    Isolation: str = ""
    LiveRestoreEnabled: bool = False
    ExperimentalBuild: bool = False
    Debug: bool = False
    SecurityOptions: list[str] | None = None
    Plugins: _Plugins = _Plugins()
    RegistryConfig: _Registries | None = None
    Swarm: _Swarm = _Swarm()
    Warnings: list[str] | None = None
    ServerErrors: list[str] | None = None
    SystemTime: str = ""


class _Component(msgspec.Struct, frozen=True):
    Name: str = ""


class _Server(msgspec.Struct, frozen=True):
    Components: list[_Component] | None = None


class _Version(msgspec.Struct, frozen=True):
    Server: _Server | None = None


def decline_podman(version: str) -> None:
    """
    See that it is Docker that told its version.

    Raises:
        NotApplicable: it is Podman, whose service speaks the same API and has none of Docker's configuration.
        Inconclusive: it is no version.
    """
    told: _Version = decode(version, _Version, "docker version")
    components = (told.Server and told.Server.Components) or []
    if any(component.Name.startswith("Podman") for component in components):
        raise NotApplicable("Podman answers on this socket, not Docker; Podman hosts are not judged")


class Engine(msgspec.Struct, frozen=True):
    """
    A running engine, as ``docker info`` describes it. Defaults are those of a hardened host.

    ``security_options`` are the names and values of ``SecurityOptions``: ``{"seccomp": "builtin", "apparmor": "", "rootless": ""}``.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("engine-version", "engine-info")

    version: str = "29.1.0"
    os_type: str = "linux"
    operating_system: str = "Debian GNU/Linux 13 (trixie)"
    kernel: str = "6.12.0"
    storage_driver: str = "overlay2"
    logging_driver: str = "syslog"
    cgroup_version: str = "2"
    data_root: str = "/var/lib/docker"
    live_restore: bool = True
    experimental: bool = False
    isolation: str = "hyperv"
    """How a Windows engine isolates containers that do not say; empty on Linux."""
    debug: bool = False
    default_runtime: str = "runc"
    security_options: dict[str, str] = msgspec.field(
        default_factory=lambda: {
            "apparmor": "",
            "seccomp": "builtin",
            "cgroupns": "",
            "userns": "",
            "no-new-privileges": "",
        }
    )
    authorization_plugins: tuple[str, ...] = ()
    insecure_registries: tuple[str, ...] = ()
    swarm_state: str = "inactive"
    swarm_manager: bool = False
    warnings: tuple[str, ...] = ()
    system_time: str = "2026-01-31T12:00:00Z"
    """When it said so, by its own clock; empty when it did not tell."""

    @property
    def version_tuple(self) -> tuple[int, ...]:
        """The version as numbers, to compare."""
        return version_tuple(self.version)

    @property
    def rootless(self) -> bool:
        """Whether the daemon itself runs without root's rights."""
        return "rootless" in self.security_options

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        decline_podman(read_engine(bundle, "engine-version"))
        info: _Info = decode(read_engine(bundle, "engine-info"), _Info, "docker info")
        if info.ServerErrors or not info.ServerVersion:
            raise Inconclusive("; ".join(info.ServerErrors or ["docker info tells no server version"]))
        return cls._of(info)

    @classmethod
    def _of(cls, info: _Info) -> Self:
        return cls(
            version=info.ServerVersion,
            os_type=info.OSType,
            operating_system=info.OperatingSystem,
            kernel=info.KernelVersion,
            storage_driver=info.Driver,
            logging_driver=info.LoggingDriver,
            cgroup_version=info.CgroupVersion,
            data_root=info.DockerRootDir,
            live_restore=info.LiveRestoreEnabled,
            experimental=info.ExperimentalBuild,
            debug=info.Debug,
            default_runtime=info.DefaultRuntime,
            security_options=_security_options(info.SecurityOptions or []),
            authorization_plugins=tuple(info.Plugins.Authorization or ()),
            insecure_registries=_insecure(info.RegistryConfig),
            isolation=info.Isolation,
            swarm_state=info.Swarm.LocalNodeState,
            swarm_manager=info.Swarm.ControlAvailable,
            warnings=tuple(info.Warnings or ()),
            system_time=info.SystemTime,
        )


def _security_options(options: list[str]) -> dict[str, str]:
    """``name=seccomp,profile=builtin`` -> ``{"seccomp": "builtin"}``; engines before 1.13 print the bare name."""
    found: dict[str, str] = {}
    for option in options:
        fields = dict(part.partition("=")[::2] for part in option.split(","))
        found[fields.get("name", option)] = fields.get("profile", "")
    return found


def _insecure(registries: _Registries | None) -> tuple[str, ...]:
    """Registries reached without verified TLS; loopback is insecure by default and not counted."""
    if registries is None:
        return ()
    ranges = [
        cidr for cidr in registries.InsecureRegistryCIDRs or [] if cidr not in ("127.0.0.0/8", "::1/128")
    ]
    names = [name for name, index in (registries.IndexConfigs or {}).items() if index.get("Secure") is False]
    return tuple(sorted({*ranges, *names}))

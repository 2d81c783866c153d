"""Where this daemon has its files: not always where a package would put them."""

from collections.abc import Iterable
from posixpath import dirname, join
from typing import ClassVar, Literal, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.container import plain_path
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine
from auditor.facts.files import Files
from auditor.facts.units import Units
from auditor.gaps import Gap

UNIT_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_PROGRAM_FOLDERS = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
_SYSCONFIG = "/etc/sysconfig/"


class DaemonPaths(msgspec.Struct, frozen=True):
    """
    Paths to look at. A tuple holds every place where such a file may be; those that are not there do not matter.

    ``uid`` is whom the daemon runs as, ``group`` who may use its socket: a name or a number.
    ``service`` and ``socket_unit`` are None when no systemd told them: then they may be in any of ``unit_folders``.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = (*DaemonConfig.SECTIONS, *Engine.SECTIONS, *Units.SECTIONS)

    uid: int = 0
    group: str = "docker"
    program: str = "/usr/bin/dockerd"
    config_file: str = "/etc/docker/daemon.json"
    config_folder: str = "/etc/docker"
    data_root: str = "/var/lib/docker"
    sockets: tuple[str, ...] = ("/run/docker.sock",)
    containerd_sockets: tuple[str, ...] = ("/run/containerd/containerd.sock",)
    service: tuple[str, ...] | None = ("/usr/lib/systemd/system/docker.service",)
    socket_unit: tuple[str, ...] | None = ("/usr/lib/systemd/system/docker.socket",)
    unit_folders: tuple[str, ...] = UNIT_FOLDERS
    environment_files: tuple[str, ...] = ("/etc/default/docker",)
    sysconfig_files: tuple[str, ...] = ("/etc/sysconfig/docker",)

    @property
    def rootless(self) -> bool:
        """Whether the daemon runs without root's rights."""
        return self.uid > 0

    @property
    def certificate_folder(self) -> str:
        """Where certificates and keys of registries are, a folder for each."""
        return join(self.config_folder, "certs.d")

    def programs(self, name: str) -> tuple[str, ...]:
        """Where a program of the engine's may be, beside the daemon first."""
        folders = (dirname(self.program), *_PROGRAM_FOLDERS)
        return tuple(dict.fromkeys(join(folder, name) for folder in folders if folder))

    @property
    def engine_program(self) -> tuple[str, ...]:
        """Where the daemon's own program is; every usual place when this user may not see which one runs."""
        return (self.program,) if self.program else self.programs("dockerd")

    def unit_files(self, kind: Literal["service", "socket"], files: Files) -> tuple[str, ...]:
        """The file and the drop-ins of the engine's service or socket unit: the loaded ones, else those on disk."""
        told = self.service if kind == "service" else self.socket_unit
        if told is not None:
            return told
        lib = files.seen.get("/lib")
        linked = "/lib/" if lib and lib.resolved != lib.path else "?"
        names = [
            join(folder, f"docker.{kind}") for folder in self.unit_folders if not folder.startswith(linked)
        ]
        folders = tuple(f"{name}.d/" for name in names)
        return (
            *names,
            *(path for path in files.seen if path.startswith(folders) and path.endswith(".conf")),
        )

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        config = bundle.fact(DaemonConfig)
        units = _units(bundle, config)
        read = [path for unit in units.of_kind("service") for path in unit.environment_files]
        files = read if _is_users(config) else ["/etc/default/docker", "/etc/sysconfig/docker", *read]
        folder = _config_folder(config)
        return cls(
            uid=config.uid,
            group=str(config.setting("group").value or "docker"),
            program=config.executable.removesuffix(" (deleted)"),
            config_file=config.config_path,
            config_folder=folder,
            data_root=_data_root(bundle, config),
            sockets=_sockets(config, units),
            containerd_sockets=_containerd_sockets(config),
            unit_folders=_user_units(folder) if _is_users(config) else UNIT_FOLDERS,
            service=_unit_files(units, "service"),
            socket_unit=_unit_files(units, "socket"),
            environment_files=_distinct(it for it in files if not it.startswith(_SYSCONFIG)),
            sysconfig_files=_distinct(it for it in files if it.startswith(_SYSCONFIG)),
        )


def _is_users(config: DaemonConfig) -> bool:
    """Whether the daemon is not of the system's systemd, but its user's, or nobody's."""
    return config.uid > 0 and not config.unit


def _config_folder(config: DaemonConfig) -> str:
    """Where certificates of registries are looked for: beside the usual configuration file, wherever the used one is."""
    variables = config.environment or {}
    home = variables.get("XDG_CONFIG_HOME") or (variables.get("HOME") and join(variables["HOME"], ".config"))
    if config.uid <= 0:
        return "/etc/docker"
    return join(home, "docker") if home else dirname(config.config_path)


def _user_units(config_folder: str) -> tuple[str, ...]:
    return (join(dirname(config_folder), "systemd/user"), "/etc/systemd/user", "/usr/lib/systemd/user")


def _units(bundle: Bundle, config: DaemonConfig) -> Units:
    """What systemd says of the daemon's units; where it cannot be asked the files are looked for on disk."""
    if _is_users(config):
        return Units(None)
    try:
        units = bundle.fact(Units)
    except Gap:
        return Units(None)
    own = [unit for unit in units.of_kind("service") if unit.id == config.unit]
    return Units((*own, *units.of_kind("socket"))) if own else units


def _unit_files(units: Units, kind: str) -> tuple[str, ...] | None:
    """Files and drop-ins of the loaded units of a kind; empty when systemd knows none."""
    if units.loaded is None:
        return None
    return tuple(path for unit in units.of_kind(kind) for path in (unit.fragment, *unit.drop_ins))


def _data_root(bundle: Bundle, config: DaemonConfig) -> str:
    try:
        return bundle.fact(Engine).data_root
    except Gap:
        return config.data_root


def _sockets(config: DaemonConfig, units: Units) -> tuple[str, ...]:
    hosts = [host for host in config.setting("hosts").value or () if isinstance(host, str)]
    told = [host.removeprefix("unix://") for host in hosts if host.startswith("unix:///")]
    opened = (
        [path for unit in units.of_kind("socket") for path in unit.listens]
        if any(host.startswith("fd:") for host in hosts)
        else []
    )
    return tuple(dict.fromkeys(plain_path(path) for path in (config.socket, *told, *opened)))


def _containerd_sockets(config: DaemonConfig) -> tuple[str, ...]:
    """The one that the daemon was told of, else the system's and the one of a containerd that the daemon starts itself."""
    told = config.setting("containerd").value
    if told:
        return (plain_path(str(told).removeprefix("unix://")),)
    runtime = (config.environment or {}).get("XDG_RUNTIME_DIR", "")
    default = join(runtime, "docker") if config.uid > 0 and runtime else "/run/docker"
    own = join(str(config.setting("exec-root").value or default), "containerd/containerd.sock")
    return (plain_path(own),) if config.uid > 0 else ("/run/containerd/containerd.sock", plain_path(own))


def _distinct(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(paths))

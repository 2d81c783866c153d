"""
The daemon's effective configuration, merged as dockerd merges it.

Built-in defaults < the configuration file < flags of the running process. The flags are read from the process
that owns the socket, so unit files, drop-ins and environment files are seen through their effect.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, Status, split_lines
from auditor.facts.engine import decline_podman
from auditor.facts.paths import is_windows, join
from auditor.gaps import Inconclusive, NotApplicable

# Flags whose key in the configuration file has another name. The other flags are called as their keys.
_KEYS = {
    "H": "hosts", "host": "hosts", "l": "log-level", "D": "debug", "G": "group", "b": "bridge", "p": "pidfile",
    "s": "storage-driver", "g": "data-root", "graph": "data-root", "insecure-registry": "insecure-registries",
    "registry-mirror": "registry-mirrors", "log-opt": "log-opts", "storage-opt": "storage-opts", "exec-opt": "exec-opts",
    "default-ulimit": "default-ulimits", "authorization-plugin": "authorization-plugins", "label": "labels",
    "add-runtime": "runtimes", "dns-opt": "dns-opts", "default-address-pool": "default-address-pools", "cluster-store-opt": "cluster-store-opts",
    "node-generic-resource": "node-generic-resources", "feature": "features",
}  # fmt: skip
_LISTS = {
    "hosts", "insecure-registries", "registry-mirrors", "storage-opts", "exec-opts", "authorization-plugins", "labels", "dns", "dns-opts",
    "dns-search", "node-generic-resources", "default-address-pools", "cdi-spec-dir", "allow-nondistributable-artifacts",
}  # fmt: skip
_MAPS = {"log-opts", "default-ulimits", "runtimes", "features", "cluster-store-opts", "default-network-opt"}
_SWITCHES = {
    "debug", "experimental", "icc", "init", "ip-forward", "ip-forward-no-drop", "ip-masq", "ip6tables", "iptables", "ipv6", "live-restore",
    "no-new-privileges", "raw-logs", "rootless", "selinux-enabled", "tls", "tlsverify", "userland-proxy", "validate", "version", "help",
    "allow-direct-routing", "disable-legacy-registry", "cri-containerd",
    "run-service", "register-service", "unregister-service",
}  # fmt: skip
_TEXTS = {
    "bridge", "cgroup-parent", "data-root", "graph", "group", "log-driver", "log-level", "seccomp-profile", "storage-driver",
    "tlscacert", "tlscert", "tlskey", "userns-remap",
}  # fmt: skip
# What dockerd does when nobody says otherwise; keys that are not here are unset.
_DEFAULTS: dict[str, Any] = {
    "icc": True, "iptables": True, "ip6tables": True, "userland-proxy": True, "log-level": "info", "live-restore": False,
    "no-new-privileges": False, "experimental": False, "selinux-enabled": False, "debug": False, "group": "docker",
    "data-root": "/var/lib/docker", "hosts": (), "insecure-registries": (), "authorization-plugins": (), "storage-opts": (), "exec-opts": (),
    "log-opts": {}, "default-ulimits": {}, "userns-remap": "", "cgroup-parent": "", "seccomp-profile": "",
    "storage-driver": "", "log-driver": "json-file", "bridge": "", "tlscacert": "", "tlscert": "", "tlskey": "",
}  # fmt: skip
# On Windows there is no group unless somebody names one, and what only Linux has is unset.
_WINDOWS_DEFAULTS: dict[str, Any] = {
    key: value for key, value in _DEFAULTS.items() if key not in {"icc", "iptables", "ip6tables", "userland-proxy", "selinux-enabled"}
} | {"group": "", "data-root": r"C:\ProgramData\docker"}  # fmt: skip


class Setting(msgspec.Struct, frozen=True):
    """A value and where it was read: ``flag --icc``, ``/etc/docker/daemon.json:/icc`` or ``dockerd's default``."""

    value: Any
    source: str


class ConfigFile(msgspec.Struct, frozen=True):
    """The daemon's configuration file as it lies on disk. ``problem`` says why dockerd could not read it."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("daemon-config", "engine-version")

    path: str = "/etc/docker/daemon.json"
    exists: bool = True
    content: Mapping[str, Any] = msgspec.field(default_factory=dict)
    problem: str = ""

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        _see_that_it_is_docker(bundle)
        section = bundle.section("daemon-config")
        path, _, text = section.data.decode("utf-8", "replace").partition("\n")
        if section.status == Status.ABSENT:
            return cls(path=path.strip(), exists=False)
        bundle.read("daemon-config")
        try:
            content = json.loads(text) if text.strip() else {}
        except (ValueError, RecursionError) as error:
            return cls(path=path, problem=str(error))
        if not isinstance(content, dict):
            return cls(path=path, problem="not a JSON object")
        return cls(path=path, content=content)


class DaemonConfig(msgspec.Struct, frozen=True):
    """
    What the daemon was told, each value with its source; ``settings`` has only what was set.

    ``environment`` holds the variables that configure dockerd; None when this user may not read them.
    ``started`` is the process's start in seconds since 1970, 0 when unknown, to be read as up to two seconds too early.
    ``unit`` is the system's unit that it runs in, if any: a user's own systemd has others.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("daemon", *ConfigFile.SECTIONS)

    settings: Mapping[str, Setting] = msgspec.field(default_factory=dict)
    environment: Mapping[str, str] | None = msgspec.field(default_factory=dict)
    config_path: str = "/etc/docker/daemon.json"
    socket: str = "/var/run/docker.sock"
    executable: str = "/usr/bin/dockerd"
    directory: str = "/"
    uid: int = 0
    started: int = 0
    unit: str = ""

    def setting(self, key: str) -> Setting:
        """The effective value under ``key`` (a daemon.json key), dockerd's default when it was not set, else None."""
        defaults = _WINDOWS_DEFAULTS if self.on_windows else _DEFAULTS
        return self.settings.get(key) or Setting(defaults.get(key), "dockerd's default")

    @property
    def on_windows(self) -> bool:
        """Whether it is a Windows daemon's."""
        return is_windows(self.directory)

    def is_set(self, key: str) -> bool:
        """Whether somebody set ``key``."""
        return key in self.settings

    @classmethod
    def of(cls, path: str = "/etc/docker/daemon.json", /, **settings: Any) -> Self:
        """A configuration for tests: keys with ``_`` for ``-``, all from the configuration file."""
        keys = {key.replace("_", "-"): value for key, value in settings.items()}
        return cls(
            settings={key: Setting(value, f"{path}:/{key}") for key, value in keys.items()}, config_path=path
        )

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        _see_that_it_is_docker(bundle)
        process = _process(bundle)
        file = bundle.fact(ConfigFile)
        if file.problem:
            raise Inconclusive(f"{file.path} cannot be read as dockerd reads it: {file.problem}")
        settings = {
            "data-root" if key == "graph" else key: Setting(
                _checked(file.path, key, value), f"{file.path}:/{key}"
            )
            for key, value in file.content.items()
        }
        settings.update(read_flags(process.arguments[1:]))
        return cls(
            settings=settings,
            environment=process.environment,
            config_path=file.path,
            socket=process.socket,
            executable=process.executable,
            directory=process.directory,
            uid=process.uid,
            started=process.started,
            unit=process.unit,
        )

    @property
    def data_root(self) -> str:
        """Where the daemon keeps its data, by its configuration; a rootless one by its user's home."""
        if self.uid > 0 and not self.is_set("data-root"):
            variables = self.environment or {}
            home = variables.get("XDG_DATA_HOME") or join(variables.get("HOME", "/"), ".local/share")
            return join(home, "docker")
        return self.resolve(str(self.setting("data-root").value))

    def resolve(self, path: str) -> str:
        """A path of the configuration as the daemon sees it: relative to its working directory."""
        return join(self.directory, path)


class DaemonFlags(msgspec.Struct, frozen=True):
    """What the daemon was told by flags alone, to hold against its configuration file."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("daemon",)

    settings: Mapping[str, Setting] = msgspec.field(default_factory=dict)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        return cls(read_flags(_process(bundle).arguments[1:]))


def _see_that_it_is_docker(bundle: Bundle) -> None:
    """An engine that does not answer is no obstacle: its files and its process tell by themselves."""
    version = bundle.sections.get("engine-version")
    if version and version.status == Status.OK and version.data:
        decline_podman(bundle.text("engine-version"))


class _Process(msgspec.Struct):
    pid: str
    found_by: str
    socket: str = ""
    uid: int = -1
    executable: str = ""
    directory: str = "/"
    started: int = 0
    unit: str = ""
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] | None = None


def _process(bundle: Bundle) -> _Process:
    """The one process that is the daemon; several or none is a gap."""
    section = bundle.section("daemon")
    if section.status == Status.ABSENT:
        engine = bundle.sections.get("engine-info")
        if engine is None or engine.status == Status.ABSENT:
            raise NotApplicable("no Docker engine on this host")
        raise Inconclusive("the process that owns the engine's socket is not visible from this host's shell")
    processes = _processes(bundle.text("daemon"))
    if len(processes) != 1:
        raise Inconclusive(
            f"{len(processes)} processes could own the engine's socket; run as root to tell which"
        )
    return processes[0]


def _processes(text: str) -> list[_Process]:
    """Read the ``daemon`` section: lines of ``word rest``; ``pid`` begins a process."""
    socket, found = "", list[_Process]()
    for line in split_lines(text):
        word, _, rest = line.partition(" ")
        if word == "socket":
            socket = rest
        elif word == "pid":
            pid, _, found_by = rest.partition(" ")
            found.append(_Process(pid, found_by, socket))
        elif found:
            _describe(found[-1], word, rest)
    return found


def _describe(process: _Process, word: str, rest: str) -> None:
    match word:
        case "uid" | "started" if rest.isdigit():
            setattr(process, word, int(rest))
        case "exe":
            process.executable = rest
        case "unit":
            process.unit = rest
        case "cwd":
            process.directory = rest or "/"
        case "argument":
            process.arguments = (*process.arguments, rest)
        case "environment":
            process.environment = {}
        case "variable":
            name, _, value = rest.partition("=")
            process.environment = {**(process.environment or {}), name: value}


def read_flags(arguments: tuple[str, ...]) -> dict[str, Setting]:
    """Read dockerd's flags as dockerd does: ``--flag=value``, ``--flag value``, ``-H value``, bare switches; lists add up."""
    settings: dict[str, Setting] = {}
    rest = list(arguments)
    while rest:
        flag, equals, value = rest.pop(0).partition("=")
        if not flag.startswith("-") or flag in ("-", "--"):
            continue
        name = flag.lstrip("-")
        if not flag.startswith("--") and len(name) > 1:
            if _KEYS.get(name[0]) in _SWITCHES:
                rest.insert(0, f"-{name[1:]}{equals}{value}")  # -Dlwarn is -D -lwarn
                name, equals = name[0], ""
            else:
                name, equals, value = name[0], "=", name[1:] + equals + value  # -Hunix:///x, -lwarn
        key = _KEYS.get(name, name)
        if not equals:
            value = "true" if key in _SWITCHES or not rest else rest.pop(0)
        settings[key] = Setting(_flag_value(key, value, settings.get(key)), f"flag {flag}")
    return settings


def _flag_value(key: str, value: str, earlier: Setting | None) -> Any:
    if key in _SWITCHES:
        return value.lower() in ("1", "t", "true")
    if key in _LISTS:
        return (*(earlier.value if earlier else ()), value)
    if key in _MAPS:
        name, _, setting = value.partition("=")
        return {**(earlier.value if earlier else {}), name: setting}
    return value


def _checked(path: str, key: str, value: Any) -> Any:
    """A value of the configuration file, lists as tuples; one of the wrong type means that dockerd does not start with it."""
    wanted = (
        bool
        if key in _SWITCHES
        else list
        if key in _LISTS
        else dict
        if key in _MAPS
        else str
        if key in _TEXTS
        else object
    )
    if not isinstance(value, wanted):
        raise Inconclusive(
            f"{path}:/{key} is {json.dumps(value)}, but dockerd takes a {wanted.__name__} there"
        )
    return tuple(value) if isinstance(value, list) else value

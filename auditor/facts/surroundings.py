"""What containers get from the engine and the kernel when they do not say otherwise."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.facts.container import plain_path
from auditor.facts.daemon import DaemonConfig
from auditor.facts.daemons import Daemons
from auditor.facts.engine import Engine
from auditor.facts.windows_paths import pipe_of, plain_windows_path
from auditor.gaps import Gap

KNOWN_SOCKETS = (
    "/run/docker.sock",
    "/run/docker/containerd/containerd.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
    "/run/buildkit/buildkitd.sock",
)
KNOWN_PIPES = (
    r"\\.\pipe\docker_engine",
    r"\\.\pipe\docker_engine_windows",
    r"\\.\pipe\dockerdesktopwindowsengine",
    r"\\.\pipe\containerd-containerd",
)


class Surroundings(msgspec.Struct, frozen=True):
    """
    The engine's defaults for containers. None is *not known*: the configuration is not to be seen by every transport.

    ``configured`` tells whether the daemon's configuration could be read; without it ``sockets`` (pipes on Windows) are just the usual ones.
    ``ulimits`` maps a name to its hard limit, -1 for unlimited; ``sockets`` are the paths, plain, that control an engine on this host,
    all of them where ``others_known``: those of further daemons.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = (*Engine.SECTIONS, *DaemonConfig.SECTIONS, "host", "daemons|")

    configured: bool = True
    others_known: bool = True
    no_new_privileges: bool | None = True
    ulimits: Mapping[str, int] | None = msgspec.field(default_factory=dict)
    cgroup_parent: str | None = ""
    sockets: tuple[str, ...] = KNOWN_SOCKETS
    selinux_in_kernel: bool | None = False

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        engine = bundle.fact(Engine)
        selinux = _selinux_in_kernel(bundle)
        others = () if engine.os_type == "windows" else _sockets_of_others(bundle)
        known = KNOWN_PIPES if engine.os_type == "windows" else (*KNOWN_SOCKETS, *(others or ()))
        told = "no-new-privileges" in engine.security_options
        try:
            config = bundle.fact(DaemonConfig)
        except Gap:
            return cls(
                configured=False,
                others_known=others is not None,
                no_new_privileges=told or None,
                ulimits=None,
                cgroup_parent=None,
                sockets=known,
                selinux_in_kernel=selinux,
            )
        return cls(
            others_known=others is not None,
            no_new_privileges=told or bool(config.setting("no-new-privileges").value),
            ulimits=_ulimits(config.setting("default-ulimits").value),
            cgroup_parent=str(config.setting("cgroup-parent").value or ""),
            sockets=tuple(dict.fromkeys((*known, *_sockets(config)))),
            selinux_in_kernel=selinux,
        )


def _selinux_in_kernel(bundle: Bundle) -> bool | None:
    try:
        return any(line.startswith("selinux=") for line in split_lines(bundle.text("host")))
    except Gap:
        return None


def _sockets(config: DaemonConfig) -> list[str]:
    hosts = [host for host in config.setting("hosts").value or () if isinstance(host, str)]
    if config.on_windows:
        return [plain_windows_path(config.socket), *filter(None, map(pipe_of, hosts))]
    paths = [config.socket, *(host.removeprefix("unix://") for host in hosts if host.startswith("unix:///"))]
    return [plain_path(path) for path in paths]


def _sockets_of_others(bundle: Bundle) -> tuple[str, ...] | None:
    """The sockets of the host's further daemons; None where these are not told of."""
    try:
        others = bundle.fact(Daemons).others
    except Gap:
        return None
    return tuple(plain_path(path) for other in others if not other.elsewhere for path in other.sockets)


def _ulimits(value: Any) -> dict[str, int] | None:
    """``{"nofile": {"Hard": 64000}}`` of the file, ``{"nofile": "32000:64000"}`` of the flags; None when it is neither."""
    try:
        return {name: _hard(limit) for name, limit in (value or {}).items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _hard(limit: Any) -> int:
    return int(limit["Hard"]) if isinstance(limit, dict) else int(str(limit).rpartition(":")[2])

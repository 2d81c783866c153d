"""Which volumes the daemon sees, and where layers really lie."""

import re
from posixpath import dirname
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine, decode, read_engine
from auditor.facts.mountpoints import plain_words
from auditor.gaps import Gap, Inconclusive

_MOUNT = re.compile(r"mount (?P<device>\d+:\d+) (?P<kind>[^ ]+) (?P<point>/[^ ]*)")
_CONTAINERD = "/var/lib/containerd"


class _Containerd(msgspec.Struct, frozen=True):
    Address: str = ""


class _Info(msgspec.Struct, frozen=True):
    DockerRootDir: str = ""
    DriverStatus: list[list[str]] | None = None
    Containerd: _Containerd | None = None


class Mount(msgspec.Struct, frozen=True):
    """A volume: its device number (``254:0``), the kind of its file system, and where it is mounted."""

    point: str
    device: str = "254:1"
    kind: str = "ext4"


class Storage(msgspec.Struct, frozen=True):
    """
    The folders that layers, containers and volumes lie in, and the volumes below which they are.

    A folder maps to the mount it lies on and to the one that would be there without that mount (None for ``/``).
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("mounts", *Engine.SECTIONS, *DaemonConfig.SECTIONS)

    folders: tuple[str, ...] = ("/var/lib/docker",)
    mounts: tuple[Mount, ...] = (Mount("/", "254:0"), Mount("/var/lib/docker"))

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        root = bundle.fact(Engine).data_root
        info: _Info = decode(read_engine(bundle, "engine-info"), _Info, "docker info")
        lines = split_lines(bundle.text("mounts"))
        mounts = tuple(_mount(line) for line in lines if line.startswith("mount "))
        if not mounts or not root.startswith("/"):
            raise Inconclusive("which volumes are mounted could not be seen")
        folders: tuple[str, ...] = (root,)
        if _uses_containerd(info) and not _own_containerd(bundle, info):
            folders = (root, _containerd_root(lines))
        return cls(folders, mounts)

    def volume_of(self, path: str) -> Mount:
        """
        The volume that ``path`` lies on; a mount that only shows another part of the volume around it is not counted.

        Raises:
            Inconclusive: no mount is known above it.
        """
        mount = self._innermost(path)
        while mount.point != "/" and self._innermost(dirname(mount.point)).device == mount.device:
            mount = self._innermost(dirname(mount.point))
        return mount

    def _innermost(self, path: str) -> Mount:
        """The mount that holds a path. Of several at one point the last hides the others."""
        above = [mount for mount in self.mounts if f"{path}/".startswith(mount.point.rstrip("/") + "/")]
        if not above:
            raise Inconclusive(f"no volume is known that holds {path}")
        return max(enumerate(above), key=lambda each: (len(each[1].point), each[0]))[1]


def _mount(line: str) -> Mount:
    match = _MOUNT.fullmatch(line)
    if not match:
        raise Inconclusive(f"mounts: not what the kernel prints: {line[:80]!r}")
    return Mount(plain_words(match["point"]), match["device"], match["kind"])


def _uses_containerd(info: _Info) -> bool:
    """Whether containerd's snapshotters hold the layers (the containerd image store)."""
    return any(
        pair[:1] == ["driver-type"] and "io.containerd.snapshotter" in pair[-1]
        for pair in info.DriverStatus or ()
    )


def _own_containerd(bundle: Bundle, info: _Info) -> bool:
    """Whether the daemon runs its own containerd, which keeps its data below the data root."""
    if info.Containerd and info.Containerd.Address:
        return "/docker/containerd/" in info.Containerd.Address
    try:
        config = bundle.fact(DaemonConfig)
    except Gap:
        return False
    return config.uid > 0 and not config.is_set("containerd")


def _containerd_root(lines: list[str]) -> str:
    """
    Where the system's containerd keeps its data.

    Raises:
        Inconclusive: its configuration may not be read.
    """
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "containerd-root":
            return rest
        if word == "denied":
            raise Inconclusive(f"where containerd keeps its layers is not known: {rest}: permission denied")
    return _CONTAINERD

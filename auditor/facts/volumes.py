"""Volumes that stand for something else of the host's than a folder of the engine's own."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.facts.container import Container, Mount, plain_path
from auditor.facts.engine import Engine, decode, read_engine
from auditor.facts.links import WORDS, Links
from auditor.facts.mountpoints import Mountpoints
from auditor.gaps import Gap, Inconclusive

_LINKS = tuple(f"{word} " for word in WORDS)


class _Volume(msgspec.Struct, frozen=True):
    Mountpoint: str
    Name: str = ""
    Type: str = ""
    Device: str = ""


class Volumes(msgspec.Struct, frozen=True, dict=True):
    """
    What Docker's own driver mounts at a volume's place, by that place: a folder or a device of the host.

    ``overlays`` are the places of those that lay several folders over each other: which ones is not collected, as the option that
    names them may name passwords too. ``places`` are those of plugins' volumes, by name. ``data_root`` is where the engine keeps what is its own, ``links`` where devices and plugins' places lead.
    ``points`` tells further names of folders; None: not known. ``gap`` says why volumes could not be listed.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("volumes", *Mountpoints.SECTIONS, *Engine.SECTIONS)

    devices: Mapping[str, str] = msgspec.field(default_factory=dict)
    overlays: frozenset[str] = frozenset()
    places: Mapping[str, str] = msgspec.field(default_factory=dict)
    data_root: str = "/var/lib/docker"
    links: Links = msgspec.field(default_factory=Links)
    points: Mountpoints | None = Mountpoints()
    gap: str = ""

    def mounts(self, container: Container) -> Iterator[Mount]:
        """What a container sees of the host; a volume is as good as a bind mount of what it stands for, or of where a plugin put it."""
        return (self._seen_through(mount) for mount in self._given(container))

    def _seen_through(self, mount: Mount) -> Mount:
        if mount.type != "bind":
            return mount
        return msgspec.structs.replace(
            mount, also=None if self.points is None else self._others.also(mount.names[-1])
        )

    @cached_property
    def _others(self) -> Mountpoints:
        """Where something is mounted, but for the places where the engine itself mounts volumes while they are used."""
        return (self.points or Mountpoints()).but(self._is_place)

    def _is_place(self, path: str) -> bool:
        return bool(re.fullmatch(rf"{re.escape(self.data_root)}/volumes/[^/]+/_data", path))

    def _mounted_at(self, mount: Mount) -> Iterator[Mount] | None:
        """What a volume's place shows that is mounted there, by its names elsewhere; None when nothing is."""
        here = self.points.innermost(mount.path) if self.points else None
        if here is None or not self._is_place(here.point):
            return None
        names = self._others.names(mount.path, here)
        return (msgspec.structs.replace(mount, type="bind", source=name, leads_to="") for name in names)

    def _given(self, container: Container) -> Iterator[Mount]:
        for mount in container.mounts:
            if mount.type != "volume":
                yield mount
            elif not mount.source.startswith("/"):
                place = self.places.get(mount.source)
                if place and not place.startswith(f"{self.data_root}/"):
                    yield msgspec.structs.replace(
                        mount, type="bind", source=place, leads_to=self.links.beyond(place)
                    )
            elif (device := self.devices.get(mount.path)) and not device.startswith("/dev/"):
                yield msgspec.structs.replace(
                    mount, type="bind", source=device, leads_to=self.links.beyond(device)
                )
            elif (mounted := self._mounted_at(mount)) is not None:
                yield from mounted
            elif device:  # a disk that is not mounted now: what is on it is not known
                yield msgspec.structs.replace(mount, type="bind", source=device, leads_to=None)
            elif mount.path.startswith(f"{self.data_root}/"):
                yield mount
            else:
                yield msgspec.structs.replace(mount, type="bind", leads_to=self.links.beyond(mount.path))

    def explain(self, containers: Iterable[Container]) -> None:
        """
        To be asked when everything that was seen has been judged.

        Raises:
            Inconclusive: what is behind a container's volume is not known.
        """
        for container in containers:
            for mount in container.mounts:
                if why := self._unknown(mount):
                    raise Inconclusive(
                        f"what is behind the volumes of {container.subject} is not known: {why}"
                    )

    def _unknown(self, mount: Mount) -> str:
        if mount.type != "volume":
            return ""
        if self.gap:
            return self.gap
        if self.points is None:
            return f"what is mounted at {mount.source} is not told"
        if not mount.source.startswith("/") and mount.source not in self.places:
            return f"where its plugin has {mount.source} is not told"
        if mount.path in self.overlays:
            return f"{mount.source} is an overlay of folders that are not told"
        return ""

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        data_root = plain_path(bundle.fact(Engine).data_root)
        points = _points(bundle)
        try:
            lines = split_lines(read_engine(bundle, "volumes"))
        except Inconclusive as gap:
            return cls(data_root=data_root, points=points, gap=str(gap))
        raw: list[_Volume] = [
            decode(line, _Volume, "docker volume inspect")
            for line in lines
            if line.strip() and not line.startswith(_LINKS)
        ]
        return cls(
            {plain_path(it.Mountpoint): device for it in raw if (device := _of_the_host(it.Device))},
            frozenset(plain_path(it.Mountpoint) for it in raw if it.Type.startswith("overlay")),
            {it.Name: it.Mountpoint for it in raw if it.Name and it.Mountpoint.startswith("/")},
            data_root,
            Links.read(line for line in lines if line.startswith(_LINKS)),
            points,
        )


def _points(bundle: Bundle) -> Mountpoints | None:
    try:
        return bundle.fact(Mountpoints)
    except Gap:
        return None


def _of_the_host(device: str) -> str:
    """
    A volume's device as a path from /; empty for a network's.

    Its type does not matter, the kernel ignores it where ``o`` says bind; and the engine mounts from /, where ``etc`` is /etc.
    """
    network = ":" in device and not device.startswith("/")
    if not device or network:
        return ""
    return device if device.startswith("/") else f"/{device}"

"""The engine's named volumes that stand for something else of the host's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.container import Container, Mount
from auditor.facts.engine import decode, read_engine
from auditor.gaps import Inconclusive


class _Volume(msgspec.Struct, frozen=True):
    Mountpoint: str
    Device: str


@dataclass(frozen=True)
class Volumes:
    """
    What Docker's own driver mounts at a volume's place, by that place: a folder or a device of the host.

    ``gap`` says why that is not known; then nothing is known of any volume.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("volumes",)

    devices: Mapping[str, str] = field(default_factory=dict)
    gap: str = ""

    def mounts(self, container: Container) -> Iterator[Mount]:
        """What a container sees of the host; a volume that stands for a folder is as good as a bind mount of it."""
        for mount in container.mounts:
            device = self.devices.get(mount.path, "") if mount.type == "volume" else ""
            yield replace(mount, type="bind", source=device) if device else mount

    def explain(self, containers: Iterable[Container]) -> None:
        """
        To be asked when everything that was seen has been judged.

        Raises:
            Inconclusive: a container has a volume, and what is behind volumes is not known.
        """
        if self.gap and any(mount.type == "volume" for one in containers for mount in one.mounts):
            raise Inconclusive(f"what is behind the containers' volumes is not known: {self.gap}")

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        try:
            lines = read_engine(bundle, "volumes").splitlines()
        except Inconclusive as gap:
            return cls(gap=str(gap))
        raw: list[_Volume] = [
            decode(line, _Volume, "docker volume inspect") for line in lines if line.strip()
        ]
        behind = {Mount(it.Mountpoint).path: it.Device for it in raw if it.Device.startswith("/")}
        return cls(behind)

"""The containers of a host, running or not, as the engine inspects them."""

from collections.abc import Callable, Iterator
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.container import Container, Mount, Port, Ulimit
from auditor.facts.container_json import read_container
from auditor.facts.engine import Engine, read_engine
from auditor.facts.links import WORDS, Links
from auditor.gaps import Inconclusive, NotApplicable

__all__ = ["Container", "Containers", "Mount", "Port", "Ulimit"]

SHORT_ID = 12
_LINKS = tuple(f"{word} ".encode() for word in WORDS)


class Containers(msgspec.Struct, frozen=True):
    """
    All containers of a host. Iterate over it, once per check.

    ``unseen`` are those that are there but could not be read, each with what is known of it.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = (*Engine.SECTIONS, "containers")

    all: tuple[Container, ...] = ()
    unseen: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Container]:
        """
        Every container, then the gap if there is one: findings come before it, a pass never after it.

        Raises:
            Inconclusive: some could not be read.
            NotApplicable: there is none.
        """
        yield from self.all
        if self.unseen:
            raise Inconclusive(
                f"{len(self.unseen)} container(s) could not be read: {'; '.join(self.unseen[:5])}"
            )
        if not self.all:
            raise NotApplicable("no containers on this host")

    @property
    def linux(self) -> Iterator[Container]:
        """
        Those that have Linux' options.

        Raises:
            NotApplicable: there are only Windows containers: their engine refuses such an option at creation.
            Inconclusive: some could not be read.
        """
        return self._of("linux", "a Windows engine refuses this option when a container is created")

    @property
    def windows(self) -> Iterator[Container]:
        """
        Those that run Windows.

        Raises:
            NotApplicable: there is none.
            Inconclusive: some could not be read.
        """
        return self._of("windows", "no Windows containers on this host")

    def _of(self, platform: str, why_not: str) -> Iterator[Container]:
        some = False
        for container in self:
            if container.platform == platform:
                some = True
                yield container
        if not some:
            raise NotApplicable(why_not)

    def owner(self, container: Container, mode: Callable[[Container], str]) -> Container | None:
        """
        Whose namespace a container is in: its own, or that of the one it names as ``container:ID``.

        None when that one is not there (any more), or when they name each other in a circle.
        """
        passed = set[str]()
        owner: Container | None = container
        while owner and owner.id not in passed and mode(owner).startswith("container:"):
            passed.add(owner.id)
            owner = self._named(mode(owner).removeprefix("container:"))
        return None if owner is None or owner.id in passed else owner

    def _named(self, reference: str) -> Container | None:
        """By name, id, or the id's first characters (at least twelve)."""
        short = reference if len(reference) >= SHORT_ID else "-"
        return next((one for one in self.all if reference == one.name or one.id.startswith(short)), None)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        engine = bundle.fact(Engine)
        read_engine(bundle, "containers")
        listed, gone, found, bad = list[str](), set[str](), list[Container](), list[tuple[str, str]]()
        paths = list[str]()
        for line in bundle.read("containers").splitlines():
            if line.startswith(b"listed "):
                listed.append(line[7:].decode("utf-8", "replace"))
            elif line.startswith(b"gone "):
                gone.add(line[5:].decode("utf-8", "replace"))
            elif line.startswith(_LINKS):
                paths.append(line.decode("utf-8", "replace"))
            elif line:
                try:
                    found.append(read_container(line, engine.version_tuple, engine.os_type))
                except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
                    bad.append((line[:500].decode("utf-8", "replace"), str(error)))
        seen = {container.id for container in found}
        why = bundle.section("containers").message or "it was not inspected"
        lost = [
            one
            for one in listed
            if one not in gone and one not in seen and not any(one in line for line, _ in bad)
        ]
        unseen = [f"an inspection makes no sense: {error}" for _, error in bad] + [
            f"{one[:12]}: {why}" for one in lost
        ]
        links = Links.read(paths)
        return cls(tuple(_followed(container, links) for container in found), tuple(unseen))


def _followed(container: Container, links: Links) -> Container:
    """A container whose bind mounts tell where they lead; on Windows nobody looks."""
    if container.platform == "windows" or not container.mounts:
        return container
    mounts = (
        msgspec.structs.replace(mount, leads_to=links.beyond(mount.source)) if mount.type == "bind" else mount
        for mount in container.mounts
    )
    return msgspec.structs.replace(container, mounts=tuple(mounts))

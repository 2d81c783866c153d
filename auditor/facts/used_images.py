"""Which images the containers of a host are made from."""

from collections.abc import Iterator
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.containers import Container, Containers
from auditor.facts.images import Image, Images
from auditor.gaps import Inconclusive, NotApplicable


class UsedImage(msgspec.Struct, frozen=True):
    """An image and the containers made from it, running or not."""

    image: Image = msgspec.field(default_factory=Image)
    containers: tuple[Container, ...] = (Container(),)


class UsedImages(msgspec.Struct, frozen=True):
    """
    The images that containers are made from. Iterate over it, once per check.

    ``unseen`` says what could not be read, of containers and of their images.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = (*Containers.SECTIONS, *Images.SECTIONS)

    used: tuple[UsedImage, ...] = ()
    images: Images = msgspec.field(default_factory=Images)
    unseen: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[UsedImage]:
        """
        Every image in use, then the gap if there is one.

        Raises:
            Inconclusive: some containers or their images could not be read.
            NotApplicable: there is no container.
        """
        yield from self.used
        if self.unseen:
            raise Inconclusive(f"not all images in use could be read: {'; '.join(self.unseen[:5])}")
        if not self.used:
            raise NotApplicable("no containers on this host, so no image is in use")

    @property
    def windows(self) -> Iterator[UsedImage]:
        """
        Those that Windows containers are made from.

        Raises:
            Inconclusive: some containers or their images could not be read.
            NotApplicable: there is none.
        """
        some = False
        for used in self:
            if any(container.platform == "windows" for container in used.containers):
                some = True
                yield used
        if not some:
            raise NotApplicable("no Windows containers on this host, so no Windows image is in use")

    @property
    def unused(self) -> tuple[Image, ...]:
        """
        The images that no container is made from and that no image in use is built on.

        Raises:
            Inconclusive: a container could not be read, so its image may be any; or the layers are not known.
        """
        if self.unseen or any(image.layers is None for image in self.images.all):
            raise Inconclusive(
                "which images are in use could not be seen: "
                + ("; ".join(self.unseen[:5]) or "the bundle does not tell their layers")
            )
        needed = {each.image.id for each in self.used}
        needed |= {base.id for each in self.used for base in self.images.bases(each.image)}
        return tuple(image for image in self.images.all if image.id not in needed)

    @classmethod
    def of(cls, containers: Containers, images: Images) -> Self:
        """Match containers and images; an image is known by its id or by a digest of it."""
        known = {digest.partition("@")[2]: image for image in images.all for digest in image.digests}
        known |= {image.id: image for image in images.all}
        found: dict[str, tuple[Image, list[Container]]] = {}
        unseen = [f"container {one}" for one in containers.unseen]
        for container in containers.all:
            image = known.get(container.image_id)
            if image:
                found.setdefault(image.id, (image, []))[1].append(container)
            else:
                unseen.append(f"the image of container {container.name} is not among those listed")
        used = (UsedImage(image, tuple(its)) for image, its in found.values())
        return cls(tuple(used), images, tuple(unseen))

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        return cls.of(bundle.fact(Containers), bundle.fact(Images))

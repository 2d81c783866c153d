"""The images on a host."""

from dataclasses import dataclass
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import decode, read_engine


class _RawHealthcheck(msgspec.Struct, frozen=True):
    Test: list[str] | None = None


class _RawImage(msgspec.Struct, frozen=True):
    Id: str
    RepoTags: list[str] | None
    RepoDigests: list[str] | None
    Created: str | None
    User: str | None
    Healthcheck: _RawHealthcheck | None


@dataclass(frozen=True)
class Image:
    """One image. Defaults are those of a hardened one; ``created`` is the engine's own text, empty when unknown."""

    id: str = "sha256:" + "1a" * 32
    tags: tuple[str, ...] = ("registry.example/web:1.4",)
    digests: tuple[str, ...] = ()
    created: str = ""
    user: str = "1000:1000"
    healthcheck: tuple[str, ...] = ("CMD", "/bin/healthy")


@dataclass(frozen=True)
class Images:
    """All images of a host."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("images",)

    all: tuple[Image, ...] = ()

    def tagged(self, reference: str) -> Image | None:
        """The image that a name such as ``nginx`` or ``docker.io/library/nginx:1.27`` means on this host now."""
        wanted = full_name(reference)
        return next((image for image in self.all if wanted in map(full_name, image.tags)), None)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        lines = [line for line in read_engine(bundle, "images").split("\n") if line]
        raw: list[_RawImage] = decode(f"[{','.join(lines)}]", list[_RawImage], "docker image inspect")
        return cls(tuple(_image(image) for image in raw))


def full_name(reference: str) -> str:
    """``nginx`` -> ``docker.io/library/nginx:latest``: the name the engine reads it as. A digest stays where it is."""
    registry, slash, name = reference.partition("/")
    if not slash or not (set(registry) & set(".:") or registry == "localhost"):
        registry, name = "docker.io", reference
    if registry in ("docker.io", "index.docker.io"):
        registry, name = "docker.io", name if "/" in name else f"library/{name}"
    tagged = ":" in name.rpartition("/")[2]
    return f"{registry}/{name}" if tagged else f"{registry}/{name}:latest"


def _image(raw: _RawImage) -> Image:
    return Image(
        id=raw.Id,
        tags=tuple(raw.RepoTags or ()),
        digests=tuple(raw.RepoDigests or ()),
        created=raw.Created or "",
        user=raw.User or "",
        healthcheck=tuple((raw.Healthcheck and raw.Healthcheck.Test) or ()),
    )

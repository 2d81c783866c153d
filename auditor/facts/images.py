"""The images on a host."""

from functools import cached_property
from itertools import chain
from typing import Any, ClassVar, Self

import msgspec
from msgspec import UNSET, UnsetType

from auditor.collect.bundle import Bundle
from auditor.collect.history import names_secret
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
    Size: int | None = None
    Layers: list[str] | None = None
    Env: list[str] | None = None
    Os: str | None = None
    OsVersion: str | None = None
    Entrypoint: list[str] | None = None
    Labels: dict[str, Any] | UnsetType | None = UNSET


class Image(msgspec.Struct, frozen=True):
    """
    One image. Defaults are those of a hardened one; ``created`` is the engine's own text, empty when unknown.

    ``size`` is in bytes, layers that other images share included. ``secrets`` are the variables of its environment that
    are named for a secret and have a value, ``variables`` all that have one, ``labels`` the names of its labels. Each of these is None where the
    collector did not ask. ``os_version`` is that of the Windows inside (``10.0.20348.4405``).
    """

    id: str = "sha256:" + "1a" * 32
    tags: tuple[str, ...] = ("registry.example/web:1.4",)
    digests: tuple[str, ...] = ()
    created: str = ""
    user: str = "1000:1000"
    healthcheck: tuple[str, ...] = ("CMD", "/bin/healthy")
    size: int | None = 50_000_000
    layers: tuple[str, ...] | None = ("sha256:" + "2b" * 32,)
    secrets: tuple[str, ...] | None = ()
    os: str = "linux"
    os_version: str = ""
    variables: tuple[str, ...] | None = ()
    labels: tuple[str, ...] | None = ()
    entrypoint: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its first tag, else the repository it was pulled from, else the beginning of its id."""
        pulled = [digest.partition("@")[0] for digest in self.digests]
        return (*self.tags, *pulled, self.id.removeprefix("sha256:")[:12])[0]

    @property
    def dangling(self) -> bool:
        """Whether no tag leads to it."""
        return not self.tags

    @property
    def origins(self) -> tuple[str, ...]:
        """The repositories it was pulled from or pushed to, in full (``docker.io/library/nginx``); none: made or loaded here."""
        names = (full_name(digest.partition("@")[0]).rpartition(":")[0] for digest in self.digests)
        return tuple(sorted(set(names)))


class Images(msgspec.Struct, frozen=True, dict=True):
    """All images of a host."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("images",)

    all: tuple[Image, ...] = ()

    def tagged(self, reference: str) -> Image | None:
        """The image that a name such as ``nginx`` or ``docker.io/library/nginx:1.27`` means on this host now."""
        wanted = full_name(reference)
        return next((image for image in self.all if wanted in map(full_name, image.tags)), None)

    def bases(self, image: Image) -> tuple[Image, ...]:
        """
        The images on this host that an image is built on, the nearest first.

        They are older, and their layers lie at its bottom; they may be all the layers it has.
        """
        layers = image.layers or ()
        below = (self._by_layers.get(layers[:end], ()) for end in range(len(layers), 0, -1))
        return tuple(base for base in chain.from_iterable(below) if base.created < image.created)

    @cached_property
    def _by_layers(self) -> dict[tuple[str, ...], list[Image]]:
        found: dict[tuple[str, ...], list[Image]] = {}
        for image in sorted(self.all, key=lambda image: (image.created, image.id), reverse=True):
            found.setdefault(image.layers or (), []).append(image)
        return found

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
        size=raw.Size,
        layers=None if raw.Layers is None else tuple(raw.Layers),
        secrets=None if raw.Env is None else tuple(filter(names_secret, raw.Env)),
        # Only collectors of Windows hosts tell a version of the system inside.
        os=raw.Os or ("linux" if raw.OsVersion is None else "windows"),
        os_version=raw.OsVersion or "",
        variables=None if raw.Env is None else tuple(filter(None, raw.Env)),
        labels=None if isinstance(raw.Labels, UnsetType) else tuple(raw.Labels or ()),
        entrypoint=tuple(raw.Entrypoint or ()),
    )

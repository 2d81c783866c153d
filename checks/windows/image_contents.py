"""What Windows images are built on, how they are named, how large they are and what they say of their source."""

import re

from auditor.check import Finding, Findings, Inconclusive, Manual, Severity, check
from auditor.facts.containers import Containers
from auditor.facts.images import Image, full_name
from auditor.facts.used_images import UsedImages
from auditor.policy import Policy
from checks.images.evidence import megabytes, short
from checks.images.origin import is_allowed
from checks.runtime.evidence import deviation, listing

BASES_REGISTRY = "mcr.microsoft.com"
MOST_OWN_LAYERS = 20
_BASE_LABEL = "org.opencontainers.image.base.name"
_SOURCE_LABELS = (
    "org.opencontainers.image.source",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.created",
)
_DEPLOYMENT_LABELS = (
    "com.docker.compose.project",
    "com.docker.stack.namespace",
    "com.docker.swarm.service.name",
)
_RETIRED = re.compile(r"docker\.io/microsoft/[^:@]+")


@check(severity=Severity.HIGH)
def unproven_windows_base(images: UsedImages, policy: Policy) -> Findings:
    """
    Windows images in use are built on a base image of Microsoft's registry, or of a trusted one.

    Windows itself is in the base image, and only Microsoft publishes it, at
    mcr.microsoft.com. The old repositories ``microsoft/…`` on Docker Hub get no
    updates any more. What an image is built on shows where its base is on this host
    too, by the layers they share; of others a person has to say.

    Remediation:
        Build anew ``FROM mcr.microsoft.com/windows/servercore:ltsc2022`` or another one of
        there, by digest. ``allowed_registries`` in the policy names registries with copies
        that are trusted.
    """
    trusted = (BASES_REGISTRY, *policy.allowed_registries)
    unproven = []
    for used in images.windows:
        image = used.image
        stack = (image, *images.images.bases(image))
        retired = next((one for one in stack if _retired(one)), None)
        if retired:
            yield Finding(
                image.name,
                f"{'is' if retired is image else 'is built on'} {_retired(retired)}, which gets no updates",
                f"a base of {BASES_REGISTRY}",
                f"image {short(retired)}:/RepoTags",
            )
        elif not any(is_allowed(origin, trusted) for one in stack for origin in one.origins):
            labelled = ", though a label of it names one" if _BASE_LABEL in (image.labels or ()) else ""
            unproven.append(f"{image.name}{labelled}")
    if unproven:
        raise Manual(
            f"what are these built on? No base of {' or '.join(trusted)} is below them: {listing(unproven)}"
        )


def _retired(image: Image) -> str:
    """The name in Microsoft's old repositories by which an image was pulled or is called; empty: none."""
    names = (*image.origins, *map(full_name, image.tags))
    return next((match[0] for match in map(_RETIRED.match, names) if match), "")


@check(severity=Severity.MEDIUM)
def windows_image_without_version(containers: Containers) -> Findings:
    """
    Windows containers name their image with a version.

    ``latest`` is whatever was pulled last, and Microsoft has not published it for
    Windows' base images since 2019: who names it runs an old one. A Windows image
    must fit the host's build, so that the version has to be known. A digest is best.

    Remediation:
        Recreate the container from ``NAME:VERSION`` or ``NAME@sha256:…``, for instance
        ``mcr.microsoft.com/windows/nanoserver:ltsc2022`` (compose: ``image:``).
    """
    for container in containers.windows:
        name = container.image
        if name.startswith("sha256:") or "@" in name or re.fullmatch("[0-9a-f]{12,64}", name):
            continue
        if full_name(name).endswith(":latest"):
            yield deviation(container, "Config.Image", name or "no name", "a version or a digest")


@check(severity=Severity.LOW)
def large_windows_image(images: UsedImages) -> Findings:
    """
    Windows images in use are of few and small layers.

    Each layer keeps what it once held, deleted installers included, and Windows images
    are large already: more to pull at each update, and more places for what nobody
    meant to ship. Layers and bytes above the base show where that is on this host too.

    Remediation:
        Build in stages and copy only the result. Download, install and delete in one
        ``RUN``.
    """
    yield from ()
    large, shown, unknown = False, list[str](), list[str]()
    for used in images.windows:
        image = used.image
        if image.layers is None or image.size is None:
            unknown.append(image.name)
            continue
        base = next(iter(images.images.bases(image)), Image(layers=(), size=0))
        layers = len(image.layers) - len(base.layers or ())
        own = Image(size=max(image.size - (base.size or 0), 0))
        large = large or layers > MOST_OWN_LAYERS
        shown.append(
            f"{image.name}: {layers} layers, {megabytes([own])}{' above its base' if base.layers else ''}"
        )
    if shown:
        raise Manual(
            f"{'some have many layers: ' if large else ''}must these images be as large? {listing(shown)}"
        )
    raise Inconclusive(f"the bundle does not tell the layers of {listing(unknown)}")


@check(severity=Severity.LOW)
def source_not_told(images: UsedImages) -> Findings:
    """
    Images and containers tell from which source they were made.

    What was made by hand cannot be made again, and nobody knows what changed. Labels
    name an image's source, its revision and the day it was built; compose and swarm
    label the containers they start.

    Remediation:
        Have the build set ``org.opencontainers.image.source``, ``.revision`` and
        ``.created`` (``docker build --label``). Start containers from a compose or stack
        file that is under version control, and never ship what ``docker commit`` made.
    """
    yield from ()
    unlabelled, unknown = list[str](), list[str]()
    for used in images.windows:
        image = used.image
        if image.labels is None or any(container.labels is None for container in used.containers):
            unknown.append(image.name)
            continue
        missing = [label.rpartition(".")[2] for label in _SOURCE_LABELS if label not in image.labels]
        if missing:
            unlabelled.append(f"image {image.name} has no label of its {', '.join(missing)}")
        unlabelled += [
            f"container {container.subject} was started by hand"
            for container in used.containers
            if not set(_DEPLOYMENT_LABELS) & set(container.labels or ())
        ]
    if unlabelled:
        raise Manual(f"from which source can these be made again? {listing(unlabelled)}")
    if unknown:
        raise Inconclusive(f"the bundle does not tell the labels of {listing(unknown)}")

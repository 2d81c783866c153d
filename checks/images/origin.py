"""Where images come from, and who vouches for them."""

from fnmatch import fnmatchcase

from auditor.check import Finding, Findings, Manual, Severity, check
from auditor.facts.images import Image
from auditor.facts.used_images import UsedImages
from auditor.policy import Policy
from checks.images.evidence import short
from checks.runtime.evidence import listing


@check(severity=Severity.HIGH)
def untrusted_image_origin(images: UsedImages, policy: Policy) -> Findings:
    """
    Images in use come from trusted registries.

    Whoever writes to the registry an image comes from decides what runs here. The
    digests tell where an image was pulled from; a tag proves nothing, because
    anybody can put any tag on any image. An image that was built here is judged by
    the image it is built on.

    Remediation:
        Pull the image from a registry of yours, by digest, and recreate its
        containers. ``allowed_registries`` in the policy names those that are
        trusted: a registry (``registry.corp.example``) or repositories
        (``docker.io/library/*``).
    """
    unproven = []
    for used in images:
        image = next((one for one in (used.image, *images.images.bases(used.image)) if one.origins), None)
        if image is None:
            unproven.append(f"{used.image.name}: built or loaded here, on nothing that was pulled")
        elif not policy.allowed_registries:
            unproven.append(_known(used.image, image))
        elif not any(is_allowed(origin, policy.allowed_registries) for origin in image.origins):
            yield Finding(
                used.image.name,
                _known(used.image, image),
                f"from {', '.join(policy.allowed_registries)}",
                f"image {short(image)}:/RepoDigests",
            )
    if unproven:
        asked = "" if policy.allowed_registries else " (allowed_registries in the policy would decide it)"
        raise Manual(f"are these origins trusted?{asked} {listing(unproven)}")


def _known(image: Image, origin: Image) -> str:
    said = f"from {', '.join(origin.origins)}"
    return f"{image.name}: {said}" if origin is image else f"{image.name}: built here on {origin.name} {said}"


def is_allowed(origin: str, registries: tuple[str, ...]) -> bool:
    """``docker.io/library/nginx`` is allowed by ``docker.io``, ``docker.io/library/*`` and ``*.io``."""
    registry = origin.partition("/")[0]
    return any(fnmatchcase(origin if "/" in pattern else registry, pattern) for pattern in registries)


@check(severity=Severity.MEDIUM)
def unsigned_image_tags(images: UsedImages) -> Findings:
    """
    Images are pulled by names that cannot be moved.

    A tag is a label that whoever holds the registry may stick to another image.
    Signed tags and digests cannot be moved unseen. Whether signatures are demanded
    (``DOCKER_CONTENT_TRUST=1``) is up to each client's environment at each pull, and
    leaves no trace on the host; what was asked for by digest does.

    Remediation:
        Set ``DOCKER_CONTENT_TRUST=1`` wherever images are pulled, or name images by
        digest (``nginx@sha256:…``) after verifying a signature with cosign or notation.
    """
    yield from ()
    names = [container.image for used in images for container in used.containers]
    moving = sorted({name for name in names if "@sha256:" not in name})
    digests = len(set(names)) - len(moving)
    raise Manual(
        f"do the clients that pull these images demand signed tags? {digests} image(s) are named by digest, "
        f"{len(moving)} by a name that can be moved{': ' if moving else ''}{listing(moving)}"
    )


@check(severity=Severity.MEDIUM)
def unverified_artifacts(images: UsedImages) -> Findings:
    """
    Signatures of images are verified before they run.

    A signature shows who made an image and that nobody changed it since. The engine
    itself asks for none: a pipeline, an authorization plugin or whoever pulls has to
    verify it, and nothing on the host tells that they did.

    Remediation:
        Sign images when they are built (cosign, notation), verify the signature where
        they are deployed, and deploy the digest that was verified.
    """
    yield from ()
    found = []
    for used in images:
        digests = [digest.partition("@")[2] for digest in used.image.digests]
        found.append(f"{used.image.name}: {digests[0][:19] if digests else 'no digest of a registry'}")
    raise Manual(f"where are the signatures of these images verified? {listing(found)}")

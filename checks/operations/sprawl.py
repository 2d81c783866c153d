"""Images and containers that nobody uses."""

from auditor.check import Finding, Findings, Manual, Severity, check
from auditor.facts.containers import Containers
from auditor.facts.used_images import UsedImages
from checks.images.evidence import megabytes
from checks.runtime.evidence import listing

_BROKEN = ("dead", "removing")
_STOPPED = ("created", "exited")


@check(severity=Severity.LOW)
def unused_images(images: UsedImages) -> Findings:
    """
    Images that nobody uses are cleared away.

    An old image that stays on the host is one that somebody can start by mistake,
    flaws and all, and it fills the disk. One without a name that no container uses is
    left over; of one with a name a person has to say what it is kept for. What images
    in use are built on counts as used.

    Remediation:
        ``docker image prune`` removes images without a name, ``docker image prune
        --all`` all that no container uses.
    """
    unused = images.unused
    dangling = [image for image in unused if image.dangling]
    named = [image for image in unused if not image.dangling]
    if dangling:
        yield Finding(
            "images",
            f"{len(dangling)} without a name and without a container, {megabytes(dangling)}",
            "none",
            "docker image ls",
        )
    if named:
        raise Manual(
            f"what are these {len(named)} of {len(images.images.all)} images kept for ({megabytes(named)})? "
            f"No container uses them: {listing(image.name for image in named)}"
        )


@check(severity=Severity.LOW)
def stopped_containers(containers: Containers) -> Findings:
    """
    Containers that nobody uses are cleared away.

    A stopped container keeps its files, its secrets among them, and comes back with one
    command, settings of long ago included. One that the engine failed to remove is
    left over; of any other that is stopped, a person has to say what it is kept for.

    Remediation:
        ``docker container prune`` removes all that are stopped. Start those that run
        once with ``--rm``.
    """
    for container in containers.all:
        if container.status in _BROKEN:
            source = f"container {container.id[:12]}:/State/Status"
            yield Finding(container.name, f"State.Status = {container.status}", "removed", source)
    stopped = [each for each in containers.all if each.status in _STOPPED]
    if containers.unseen or not containers.all:
        list(containers)  # raises what it has to say
    if stopped:
        raise Manual(
            f"what are these {len(stopped)} of {len(containers.all)} containers kept for? "
            f"They do not run: {listing(container.subject for container in stopped)}"
        )

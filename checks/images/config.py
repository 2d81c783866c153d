"""What images say of how they are run: user and health."""

from auditor.check import Findings, Manual, Severity, check
from auditor.facts.container import is_root
from auditor.facts.containers import Container
from auditor.facts.engine import Engine
from auditor.facts.images import Image
from auditor.facts.processes import Processes
from auditor.facts.used_images import UsedImages
from checks.images.evidence import deviation
from checks.runtime.evidence import listing


@check(severity=Severity.MEDIUM)
def image_runs_as_root(images: UsedImages, processes: Processes, engine: Engine) -> Findings:
    """
    Images in use name a user other than root.

    Root in a container is one flaw in the kernel or one careless mount away from
    being root on the host. A uid other than 0 is proof. A name is none, because
    the image itself says which uid it means: it counts where a running
    container's first process shows its uid, otherwise a person has to look.

    Remediation:
        Add a user in the Dockerfile and end it with a numeric ``USER``, for instance
        ``USER 10001:10001``. Images of others often have a variant that does not
        run as root.
    """
    mapped = engine.rootless or "userns" in engine.security_options
    named = []
    for used in images:
        user = used.image.user.partition(":")[0]
        if is_root(used.image.user):
            yield deviation(used.image, "Config.User", used.image.user or "none, which is root", "a uid")
        elif not user.isdecimal():
            uids = set() if mapped else _uids(used.image, used.containers, processes)
            if 0 in uids:
                yield deviation(
                    used.image,
                    "Config.User",
                    f"{used.image.user}, which runs with uid 0",
                    "a uid other than 0",
                )
            elif not uids:
                named.append(f"{used.image.name}: {used.image.user}")
    if named:
        raise Manual(
            f"is the uid that these names mean in their images other than 0? A numeric USER would tell. {listing(named)}"
        )


def _uids(image: Image, containers: tuple[Container, ...], processes: Processes) -> set[int]:
    """The uids of first processes that run as the image's user, as far as they can be seen."""
    firsts = (processes.first(container) for container in containers if container.user == image.user)
    return {first.uid for first in firsts if first}


@check(severity=Severity.LOW)
def image_health_unchecked(images: UsedImages) -> Findings:
    """
    Images in use say how their health is checked.

    Who builds a service knows best how to see that it works. Without a
    ``HEALTHCHECK`` in the image, whoever runs it has to find out, and mostly
    nobody does.

    Remediation:
        Add a ``HEALTHCHECK`` to the Dockerfile that asks the service itself and ends
        with status 1 when it does not answer.
    """
    for used in images:
        test = used.image.healthcheck
        if not test or test[0] == "NONE":
            yield deviation(used.image, "Config.Healthcheck", " ".join(test) or "none", "a command")

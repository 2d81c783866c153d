"""Who Windows containers and images run as."""

from auditor.check import Findings, Manual, Severity, check
from auditor.facts.containers import Containers
from auditor.facts.used_images import UsedImages
from auditor.facts.windows_accounts import ADMINISTRATORS, SERVICES, account, starts_services
from checks.images.evidence import deviation as image_deviation
from checks.runtime.evidence import deviation, listing

_SERVICES_ASK = "the service they watch runs as an account of its own; which?"
_NAMES_ASK = "is none of these accounts one of its image's administrators?"


@check(severity=Severity.HIGH)
def image_runs_as_administrator(images: UsedImages) -> Findings:
    r"""
    Images in use name a user other than the container's administrator.

    An image of Server Core or Server that names no user runs as
    ContainerAdministrator, who may install software and services and change
    everything in the container. Nano Server names ContainerUser.
    Images that start a service by ServiceMonitor need the administrator to do so: a
    person sees whom the service itself runs as.

    Remediation:
        End the Dockerfile with ``USER ContainerUser``, and grant it the folders it
        writes to with ``icacls`` before. Programs that need an identity in the network
        run as ``NT AUTHORITY\NETWORK SERVICE``.
    """
    asked = list[str]()
    for used in images.windows:
        image = used.image
        name = account(image.user)
        if starts_services(image.entrypoint):
            asked.append(f"{image.name}: {_SERVICES_ASK}")
        elif name in ADMINISTRATORS:
            seen = image.user or "none, which is ContainerAdministrator"
            yield image_deviation(image, "Config.User", seen, "ContainerUser")
        elif name not in SERVICES:
            asked.append(f"{image.name}: {image.user}: {_NAMES_ASK}")
    if asked:
        raise Manual(listing(asked))


@check(severity=Severity.HIGH)
def container_runs_as_administrator(containers: Containers) -> Findings:
    """
    Containers run as a user other than their administrator.

    With process isolation a mounted folder sees the container's user as a member of
    the host's administrators would be seen, and the kernel is the host's own: what a
    flaw yields depends on who asks. ``--user`` overrides the image's choice.

    Remediation:
        Recreate the container with ``--user=ContainerUser`` (compose:
        ``user: ContainerUser``), or from an image that says so.
    """
    asked = list[str]()
    for container in containers.windows:
        name = account(container.user)
        if starts_services((container.path,)):
            asked.append(f"{container.subject}: {_SERVICES_ASK}")
        elif name in ADMINISTRATORS:
            seen = container.user or "none, which is ContainerAdministrator"
            yield deviation(container, "Config.User", seen, "ContainerUser")
        elif name not in SERVICES:
            asked.append(f"{container.subject}: {container.user}: {_NAMES_ASK}")
    if asked:
        raise Manual(listing(asked))

"""How containers and images are named, beside what the benchmark asks."""

from auditor.check import Finding, Findings, Severity, check
from auditor.facts.containers import Containers

from .company import TEAMS


@check(severity=Severity.LOW)
def container_without_team(containers: Containers) -> Findings:
    """
    A container's name begins with the team that owns it.

    Whoever is on call has to find out whom to ask about a container, at night and in a hurry.

    Remediation:
        Recreate the container with a name such as ``shop-basket``; the teams stand in company.py.
    """
    for container in containers:
        if container.name.partition("-")[0] not in TEAMS:
            yield Finding(container.name, container.name, f"one of {', '.join(TEAMS)}, then '-'", "Name")


@check(severity=Severity.MEDIUM)
def image_without_version(containers: Containers) -> Findings:
    """
    Containers are made from images with a version in their name.

    ``latest`` is whatever was pushed last: nobody can say what runs, and nobody can go back to what ran before.

    Remediation:
        Name a version (``nginx:1.29.3``) or a digest (``nginx@sha256:…``), and recreate the container.
    """
    for container in containers:
        _, _, tag = container.image.rpartition("/")[2].partition(":")
        if "@" not in container.image and tag in ("", "latest"):
            yield Finding(container.name, container.image, "a version or a digest", "Config.Image")

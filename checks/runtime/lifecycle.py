"""How containers start, stay healthy and are kept up to date."""

from auditor.check import Findings, Inconclusive, Manual, NotApplicable, Severity, check
from auditor.facts.containers import Containers
from auditor.facts.images import Images
from auditor.facts.swarm import Swarm
from checks.runtime.evidence import deviation, listing

MOST_RESTARTS = 5


@check(severity=Severity.LOW)
def endless_restart(containers: Containers) -> Findings:
    """
    A container that keeps failing is restarted five times at most.

    A container that is restarted for ever hides its crashes, burns the host's CPU,
    and gives an attacker as many tries as he likes. ``no`` is fine; ``on-failure:0``
    has no end. Tasks of a swarm are judged by their service.

    Remediation:
        Recreate the container with ``--restart=on-failure:5`` (compose:
        ``restart: on-failure:5``); ``docker update --restart`` does it without
        recreating.
    """
    some, unknown = False, []
    for container in containers:
        if container.service:
            continue
        some = True
        if container.service is None:
            unknown.append(container.subject)
        policy, times = container.restart_policy, container.maximum_retry_count
        if policy in ("", "no") or (policy == "on-failure" and 0 < times <= MOST_RESTARTS):
            continue
        seen = f"{policy}:{times or 'no end'}" if policy == "on-failure" else policy
        yield deviation(
            container, "HostConfig.RestartPolicy", seen, f"no, or on-failure:{MOST_RESTARTS} at most"
        )
    if unknown:
        raise Inconclusive(f"whether these are tasks of a swarm was not told: {listing(unknown)}")
    if not some:
        raise NotApplicable(
            "all containers here are tasks of a swarm: their services say how often they are restarted"
        )


@check(severity=Severity.LOW)
def service_restarted_without_end(swarm: Swarm) -> Findings:
    """
    Tasks of a swarm that keep failing are restarted five times at most, or on purpose.

    To keep its tasks running is what a service is for, and without being told how often
    it tries without end. Whether that is meant is for a person to say.

    Remediation:
        ``docker service update --restart-condition on-failure --restart-max-attempts 5 SERVICE``
        (compose: ``deploy.restart_policy``).
    """
    asked, unknown = [], []
    for service in swarm.all_services():
        if service.restart is None:
            unknown.append(service.name)
        elif service.restart != "none" and not 0 < (service.attempts or 0) <= MOST_RESTARTS:
            asked.append(f"{service.name}: {service.restart}, {service.attempts or 'without end'}")
    if unknown:
        raise Inconclusive(f"the bundle does not tell how often these are restarted: {listing(unknown)}")
    if asked:
        raise Manual(f"may these services restart their tasks so often? {listing(asked)}")
    yield from ()


@check(severity=Severity.LOW)
def health_not_checked(containers: Containers) -> Findings:
    """
    Every container's health is checked.

    Without a health check the engine only sees whether a process exists, not
    whether it still does its work. The image's own ``HEALTHCHECK`` counts;
    ``--no-healthcheck`` takes it away.

    Remediation:
        Give the image a ``HEALTHCHECK``, or recreate the container with
        ``--health-cmd`` (compose: ``healthcheck:``).
    """
    for container in containers:
        kind, *command = container.healthcheck or ("NONE",)
        if kind == "NONE" or not any(command):
            yield deviation(
                container, "Config.Healthcheck", " ".join(container.healthcheck) or "none", "a command"
            )


@check(severity=Severity.MEDIUM)
def outdated_image(containers: Containers, images: Images) -> Findings:
    """
    Containers run the current version of their image.

    A container keeps the image it was created from. When its tag has been pulled
    anew since, it still runs the old one, with the flaws the new one mends. Whether
    the registry has a newer one than this host cannot be seen from here.

    Remediation:
        Pull the image and recreate the container from it (``docker pull``, compose:
        ``docker compose up --pull always``). Name a version or a digest instead of
        ``latest``, so that it is known what runs.
    """
    asked = []
    for container in containers:
        current = images.tagged(container.image)
        if current and current.id != container.image_id:
            seen = f"{_short(container.image_id)}, while {container.image} is now {_short(current.id)}"
            yield deviation(container, "Image", seen, "the image its tag means now")
        else:
            made = f" of {current.created[:10]}" if current and current.created else ""
            asked.append(f"{container.subject} runs {container.image or _short(container.image_id)}{made}")
    raise Manual(f"has the registry a newer image? {listing(asked)}")


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12]

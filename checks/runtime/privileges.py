"""Privileges that containers are given."""

from auditor.check import Findings, Inconclusive, Manual, Severity, check
from auditor.facts.capabilities import DEFAULT, plain
from auditor.facts.containers import Container, Containers
from auditor.facts.processes import Processes
from auditor.facts.surroundings import Surroundings
from auditor.policy import Policy
from checks.runtime.evidence import deviation, listing


@check(severity=Severity.CRITICAL)
def privileged_container(containers: Containers) -> Findings:
    """
    No container runs in privileged mode.

    A privileged container holds every capability, sees every device and runs
    without seccomp and AppArmor, so whoever takes over its process is root on
    the host.

    Remediation:
        Recreate the container without ``--privileged`` (compose: without
        ``privileged: true``) and grant the one capability or device it needs
        with ``--cap-add`` (``cap_add:``) or ``--device`` (``devices:``).
    """
    for container in containers.linux:
        if container.privileged:
            yield deviation(container, "HostConfig.Privileged", "true", "false")


@check(severity=Severity.HIGH)
def added_capability(containers: Containers, policy: Policy) -> Findings:
    """
    Containers hold no capability beyond Docker's default ones.

    Each capability is a part of root's power over the host's kernel; some, such
    as SYS_ADMIN, SYS_PTRACE or DAC_READ_SEARCH, are as good as all of it. What
    counts is the set a container ends up with: the default, less ``--cap-drop``,
    plus ``--cap-add``, and everything for a privileged one.

    Remediation:
        Recreate the container with ``--cap-drop=ALL`` and ``--cap-add`` for what
        it needs (compose: ``cap_drop: [ALL]`` and ``cap_add:``). Name what is
        accepted in the policy's ``allowed_capabilities``.
    """
    allowed = DEFAULT | {plain(name) for name in policy.allowed_capabilities}
    for container in containers.linux:
        beyond = sorted(container.capabilities - allowed)
        if container.privileged:
            yield deviation(
                container,
                "HostConfig.Privileged",
                "true: every capability",
                "Docker's default capabilities at most",
            )
        elif beyond:
            added = f"{', '.join(container.cap_add)}: beyond the default are {', '.join(beyond)}"
            yield deviation(container, "HostConfig.CapAdd", added, "Docker's default capabilities at most")


@check(severity=Severity.LOW)
def net_raw_capability(containers: Containers, policy: Policy) -> Findings:
    """
    Containers cannot forge network packets.

    NET_RAW is in Docker's default set for the sake of ``ping``, which has not
    needed it since engine 20.10. With it a container can answer ARP and DNS for
    its neighbours on the same bridge and read their traffic. Being a default it
    is judged apart from capabilities that somebody added.

    Remediation:
        Recreate the container with ``--cap-drop=NET_RAW``, better with
        ``--cap-drop=ALL`` and what it needs (compose: ``cap_drop:``). Where it is
        needed, name ``NET_RAW`` in the policy's ``allowed_capabilities``.
    """
    allowed = "NET_RAW" in map(plain, policy.allowed_capabilities)
    for container in containers.linux:
        if "NET_RAW" in container.capabilities and not allowed:
            dropped = ", ".join(container.cap_drop) or "none"
            yield deviation(
                container, "HostConfig.CapDrop", f"{dropped}: NET_RAW stays", "NET_RAW or ALL dropped"
            )


@check(severity=Severity.MEDIUM)
def new_privileges_allowed(
    containers: Containers, surroundings: Surroundings, processes: Processes
) -> Findings:
    """
    No process in a container can gain privileges it was not started with.

    Without ``no-new-privileges`` a set-uid program in the image turns any process
    in the container into root there. The daemon's own setting reaches only
    containers created after it was made, so a running container's first process
    is asked what holds.

    Remediation:
        Recreate the container with ``--security-opt=no-new-privileges`` (compose:
        ``security_opt: ["no-new-privileges:true"]``). For all to come, set
        ``"no-new-privileges": true`` in daemon.json.
    """
    unknown = []
    for container in containers.linux:
        holds, seen = _no_new_privileges(container, surroundings, processes)
        if holds is False:
            yield deviation(container, "HostConfig.SecurityOpt", seen, "no-new-privileges:true")
        elif holds is None:
            unknown.append(container.subject)
    if unknown and surroundings.no_new_privileges is None:
        raise Inconclusive(
            f"the daemon's default for no-new-privileges is not known; it decides for {listing(unknown)}"
        )
    if unknown:
        raise Manual(
            f"created since no-new-privileges is the daemon's default? Older ones do not have it: {listing(unknown)}"
        )


def _no_new_privileges(
    container: Container, surroundings: Surroundings, processes: Processes
) -> tuple[bool | None, str]:
    """Whether it holds, None when nothing tells; and what was seen. The last option counts, as it does for dockerd."""
    options = container.security_options("no-new-privileges")
    if options:
        return options[-1] in ("", "1", "t", "T", "TRUE", "true", "True"), f"no-new-privileges:{options[-1]}"
    first = processes.first(container)
    if first and first.no_new_privileges is not None:
        return first.no_new_privileges, "nothing of no-new-privileges, and its first process has NoNewPrivs 0"
    return (
        False if surroundings.no_new_privileges is False else None
    ), "nothing of no-new-privileges, nor has the daemon"

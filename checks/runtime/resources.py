"""How much of the host a container may use."""

from fnmatch import fnmatchcase

from auditor.check import Findings, Manual, Severity, check
from auditor.facts.containers import Container, Containers, Ulimit
from auditor.facts.surroundings import Surroundings
from auditor.policy import Policy
from checks.runtime.evidence import deviation, listing

DEFAULT_CPU_SHARES = (0, 1024)
UNLIMITED = -1
WHOLE = 100
"""Per cent."""


@check(severity=Severity.MEDIUM)
def memory_unlimited(containers: Containers) -> Findings:
    """
    Every container has a memory limit.

    Without one a single container can use up the host's memory, and the kernel then
    kills whichever process it thinks fit, the engine or a neighbour included.

    Remediation:
        Recreate the container with ``--memory=512m`` or what it needs (compose:
        ``mem_limit:`` or ``deploy.resources.limits.memory:``); ``docker update
        --memory`` does it without recreating.
    """
    for container in containers:
        if container.memory <= 0:
            yield deviation(container, "HostConfig.Memory", container.memory, "a limit in bytes")


@check(severity=Severity.LOW)
def cpu_unlimited(containers: Containers) -> Findings:
    """
    Every container has a CPU limit or a weight of its own.

    Without one a busy container starves the others, all of which have the same
    weight. A limit (``--cpus``, ``--cpu-quota``), a set of CPUs, or a weight other
    than the default all count; on Windows a number or a percentage of CPUs do too.

    Remediation:
        Recreate the container with ``--cpus=1.5`` or ``--cpu-shares=512`` (compose:
        ``cpus:``, ``cpu_shares:``, ``deploy.resources.limits.cpus:``);
        ``docker update`` does it without recreating (not on Windows).
    """
    for container in containers:
        if not _has_cpu_limit(container) and container.cpu_shares in DEFAULT_CPU_SHARES:
            others = "CpuCount or CpuPercent" if container.platform == "windows" else "CpuQuota or CpusetCpus"
            observed = f"{container.cpu_shares}, and no NanoCpus, {others}"
            yield deviation(container, "HostConfig.CpuShares", observed, "a CPU limit or weight")


def _has_cpu_limit(container: Container) -> bool:
    windows = container.cpu_count > 0 or 0 < container.cpu_percent < WHOLE
    linux = container.cpu_quota > 0 or bool(container.cpuset_cpus)
    return container.nano_cpus > 0 or (windows if container.platform == "windows" else linux)


@check(severity=Severity.MEDIUM)
def pids_unlimited(containers: Containers) -> Findings:
    """
    Every container has a limit of processes.

    A fork bomb in a container without one fills the host's process table: nobody
    can log in any more to stop it.

    Remediation:
        Recreate the container with ``--pids-limit=200`` or what it needs (compose:
        ``pids_limit:`` or ``deploy.resources.limits.pids:``); ``docker update
        --pids-limit`` does it without recreating.
    """
    for container in containers.linux:
        if container.pids_limit is None or container.pids_limit <= 0:
            seen = "null" if container.pids_limit is None else container.pids_limit
            yield deviation(container, "HostConfig.PidsLimit", seen, "more than 0")


@check(severity=Severity.LOW)
def ulimit_overridden(containers: Containers, surroundings: Surroundings) -> Findings:
    """
    Containers keep to the daemon's resource limits, or have a reason not to.

    The daemon's ``default-ulimits`` are the limits somebody chose for this host. A
    container that sets a lower one of its own is fine. Whether one that sets a
    higher one, or one where the daemon has none, needs it is for a person to say.

    Remediation:
        Recreate the container without ``--ulimit`` (compose: ``ulimits:``), or with
        a value no higher than ``default-ulimits`` in daemon.json, unless the
        application is known to need more.
    """
    asked = []
    for container in containers.linux:
        asked += [
            _limit(container, limit, surroundings)
            for limit in container.ulimits
            if _raised(limit, surroundings)
        ]
    if asked:
        raise Manual(f"do these containers need limits of their own? {listing(asked)}")
    yield from ()


def _raised(limit: Ulimit, surroundings: Surroundings) -> bool:
    default = (surroundings.ulimits or {}).get(limit.name)
    if default is None:
        return True
    return default != UNLIMITED and (limit.hard == UNLIMITED or limit.hard > default)


def _limit(container: Container, limit: Ulimit, surroundings: Surroundings) -> str:
    if surroundings.ulimits is None:
        default = "the daemon's is not known"
    else:
        default = f"the daemon's is {surroundings.ulimits.get(limit.name, 'not set')}"
    return f"{container.subject}: {limit.name}={limit.soft}:{limit.hard}, {default}"


@check(severity=Severity.LOW)
def own_cgroup_parent(containers: Containers, surroundings: Surroundings, policy: Policy) -> Findings:
    """
    Containers are accounted for where the daemon puts them.

    Limits and accounting for all containers hang on the daemon's control group. A
    container that was put under another one (``--cgroup-parent``) escapes them, and
    those who watch that group do not see it.

    Remediation:
        Recreate the container without ``--cgroup-parent`` (compose:
        ``cgroup_parent:``). Where a slice of its own is meant, name it in the
        policy's ``allowed_cgroup_parents``.
    """
    usual = ("", "docker", "system.slice", surroundings.cgroup_parent or "")
    allowed = [parent.strip("/") for parent in (*usual, *policy.allowed_cgroup_parents)]
    for container in containers.linux:
        if not any(fnmatchcase(container.cgroup_parent.strip("/"), parent) for parent in allowed):
            yield deviation(
                container, "HostConfig.CgroupParent", container.cgroup_parent, "the daemon's control group"
            )

"""Namespaces of the host that containers share."""

from collections.abc import Callable

from auditor.check import Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.containers import Container, Containers
from auditor.facts.engine import Engine
from checks.runtime.evidence import deviation, listing


@check(severity=Severity.HIGH)
def host_network(containers: Containers) -> Findings:
    """
    No container shares the host's network.

    On the host's network a container reaches every service bound to loopback,
    sees all traffic and may open any port without being asked. One that joins
    another container's network is judged by that one.

    Remediation:
        Recreate the container on a network of its own (``--network=NAME``,
        compose: ``networks:`` instead of ``network_mode: host``) and publish the
        ports it serves.
    """
    return _sharing(containers, "HostConfig.NetworkMode", lambda container: container.network_mode)


@check(severity=Severity.HIGH)
def host_pid_namespace(containers: Containers) -> Findings:
    """
    No container sees the host's processes.

    With the host's process namespace a container sees every process of the host,
    its command line and often its environment, and its root may signal or trace
    them. One that joins another container's namespace is judged by that one.

    Remediation:
        Recreate the container without ``--pid=host`` (compose: without
        ``pid: host``).
    """
    return _sharing(containers, "HostConfig.PidMode", lambda container: container.pid_mode)


@check(severity=Severity.MEDIUM)
def host_ipc_namespace(containers: Containers) -> Findings:
    """
    No container shares the host's shared memory and message queues.

    With the host's IPC namespace a container reads and writes the shared memory
    of the host's programs, databases among them. ``shareable`` is no deviation:
    such a container offers its own. One that joins another's is judged by that one.

    Remediation:
        Recreate the container without ``--ipc=host`` (compose: without
        ``ipc: host``); ``--shm-size`` gives it more shared memory of its own.
    """
    return _sharing(containers, "HostConfig.IpcMode", lambda container: container.ipc_mode)


@check(severity=Severity.LOW)
def host_uts_namespace(containers: Containers) -> Findings:
    """
    No container shares the host's name.

    With the host's UTS namespace a container that may do so renames the host,
    which misleads logs, certificates and whatever else goes by its name.

    Remediation:
        Recreate the container without ``--uts=host`` (compose: without
        ``uts: host``); ``--hostname`` gives it a name of its own.
    """
    return _sharing(containers, "HostConfig.UTSMode", lambda container: container.uts_mode)


@check(severity=Severity.HIGH)
def user_namespace_opt_out(containers: Containers, engine: Engine) -> Findings:
    """
    No container opts out of the daemon's user namespace.

    Where the daemon maps a container's root to an unprivileged user, ``--userns=host``
    takes that back for one container: its root is the host's root again. Whether the
    daemon maps users at all is another check's question; where it does not, there is
    nothing to opt out of, but a container that asks for it would stay out for good.

    Remediation:
        Recreate the container without ``--userns=host`` (compose: without
        ``userns_mode: host``).
    """
    for container in containers.linux:
        if container.userns_mode == "host":
            yield deviation(container, "HostConfig.UsernsMode", "host", "the daemon's mapping")
    if "userns" not in engine.security_options and not engine.rootless:
        raise NotApplicable(
            "the daemon maps no users, so no container can opt out (see user-namespace-not-remapped)"
        )


@check(severity=Severity.LOW)
def host_cgroup_namespace(containers: Containers, engine: Engine) -> Findings:
    """
    No container sees the host's control groups.

    With control groups version 2 every container gets a view of its own part of
    the tree. ``--cgroupns=host`` shows it the host's tree and the names of all
    services and containers in it.

    Remediation:
        Recreate the container without ``--cgroupns=host`` (compose: without
        ``cgroup: host``).
    """
    for container in containers.linux:
        if engine.cgroup_version == "2" and container.cgroupns_mode == "host":
            yield deviation(container, "HostConfig.CgroupnsMode", "host", "private")
    if engine.cgroup_version != "2":
        raise NotApplicable("control groups version 1: Docker shares the host's view there by default")


def _sharing(containers: Containers, field: str, mode: Callable[[Container], str]) -> Findings:
    """Findings for containers whose namespace, or the one they join, is the host's."""
    unresolved = []
    for container in containers.linux:
        owner = containers.owner(container, mode)
        if owner is None:
            unresolved.append(f"{container.subject}: {mode(container)}")
        elif mode(owner) == "host":
            through = "" if owner is container else f", which is {owner.name}'s: host"
            yield deviation(container, field, mode(container) + through, "not the host's")
    if unresolved:
        raise Inconclusive(f"these join a container that is not there to look at: {listing(unresolved)}")

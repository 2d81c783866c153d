"""What runs inside containers beside their own program: SSH servers and exec sessions."""

from auditor.check import Findings, Inconclusive, Manual, Severity, check
from auditor.facts.containers import Containers
from auditor.facts.processes import Process, Processes
from checks.runtime.evidence import deviation, listing

SSH_SERVERS = ("sshd", "sshd-session", "dropbear", "tinysshd")


@check(severity=Severity.MEDIUM)
def ssh_server_in_container(containers: Containers, processes: Processes) -> Findings:
    """
    No SSH server runs in a container.

    An SSH server in a container is one more way in, with keys and accounts that
    nobody manages and sessions that no log of the host shows. ``docker exec``
    gives those who may the same. Running containers are judged by their
    processes, the others by the command they start.

    Remediation:
        Take the SSH server out of the image and use ``docker exec`` for what it was
        there for.
    """
    unseen = []
    for container in containers:
        names = sorted({process.name for process in processes.of(container)} & set(SSH_SERVERS))
        if names:
            yield deviation(container, "processes", ", ".join(names), "no SSH server")
        elif container.sshd or container.path.rpartition("/")[2] in SSH_SERVERS:
            seen = container.path if not container.sshd else f"{container.path} with sshd in its arguments"
            yield deviation(container, "Path", seen, "no SSH server")
        elif container.live and not processes.of(container):
            unseen.append(container.subject)
    if unseen:
        raise Inconclusive(
            f"{processes.gap or 'their processes could not be seen'}; not looked into: {listing(unseen)}"
        )


@check(severity=Severity.HIGH)
def privileged_exec(containers: Containers, processes: Processes) -> Findings:
    """
    No exec session has more privileges than its container.

    ``docker exec --privileged`` gives a process every capability, past all limits
    the container was given. Sessions that are open now are seen: a process that was
    not started by the container's first one and holds capabilities its container
    does not. Those of the past only the audit log knows.

    Remediation:
        End the session and leave out ``--privileged``. If the capability is needed,
        give it to the container. Have auditd record calls of ``docker``, and let an
        authorization plugin refuse privileged sessions.
    """
    for container in containers:
        for session in processes.sessions(container):
            beyond = session.capabilities - container.capabilities
            if beyond:
                yield deviation(
                    container,
                    "processes",
                    f"{_session(session)} holds {', '.join(sorted(beyond))}",
                    "its container's capabilities",
                )
    raise Manual(f"did anybody use docker exec --privileged? Look into the audit log. {_known(containers)}")


@check(severity=Severity.MEDIUM)
def root_exec(containers: Containers, processes: Processes) -> Findings:
    """
    No exec session is root in a container that is not.

    ``docker exec --user=root`` takes back what running the container as an ordinary
    user gained. Sessions that are open now are seen where the container's own user
    is not root and users are not mapped. Those of the past only the audit log knows.

    Remediation:
        End the session and leave out ``--user=root``. Have auditd record calls of
        ``docker``, and let an authorization plugin refuse such sessions.
    """
    for container in containers:
        for session in processes.sessions(container):
            if session.uid == 0 and not container.root:
                user = f"{_session(session)} has uid 0, Config.User is {container.user}"
                yield deviation(container, "processes", user, "the container's user")
    raise Manual(f"did anybody use docker exec --user=root? Look into the audit log. {_known(containers)}")


def _session(session: Process) -> str:
    return f"exec session {session.name} (process {session.pid})"


def _known(containers: Containers) -> str:
    """What the engine still knows of exec sessions, those that ended lately and health checks included."""
    known = [
        f"{container.subject} ({len(container.exec_ids)})"
        for container in containers.all
        if container.exec_ids
    ]
    return f"The engine knows of sessions in {listing(known)}" if known else "The engine knows of none now"

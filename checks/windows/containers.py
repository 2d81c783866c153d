"""How Windows containers are run: isolation, ports, environment."""

from auditor.check import Findings, Inconclusive, Manual, Severity, check
from auditor.facts.containers import Containers, Port
from checks.runtime.evidence import deviation, listing

MANAGEMENT_PORTS = {
    135: "RPC",
    445: "SMB",
    2375: "the engine without TLS",
    3389: "Remote Desktop",
    5985: "WinRM",
    5986: "WinRM",
}


@check(severity=Severity.MEDIUM)
def process_isolated_container(containers: Containers) -> Findings:
    """
    Containers that must not trust each other are isolated by Hyper-V.

    With process isolation all containers share the host's kernel, and the vendor
    does not count that as a security boundary: who breaks out of one is on the
    host. With Hyper-V isolation each has a kernel of its own. Which containers
    trust each other only their owner knows.

    Remediation:
        Recreate containers of strangers, and those that the internet reaches, with
        ``--isolation=hyperv`` (compose: ``isolation: hyperv``). For all to come, set
        ``"exec-opts": ["isolation=hyperv"]`` in daemon.json; the host needs the
        Hyper-V feature.
    """
    yield from ()
    sharing, unknown = list[str](), list[str]()
    for container in containers.windows:
        if container.isolation != "hyperv":
            (sharing if container.isolation == "process" else unknown).append(container.subject)
    if sharing:
        raise Manual(f"may these containers share the host's kernel with each other? {listing(sharing)}")
    if unknown:
        raise Inconclusive(f"the engine does not tell how these are isolated: {listing(unknown)}")


@check(severity=Severity.MEDIUM)
def management_port_published(containers: Containers) -> Findings:
    """
    No port for administration leads into a container.

    WinRM, Remote Desktop, SMB and RPC are how Windows is taken over once a password
    is known, and an engine without TLS needs none. Published under another number
    they are the same; a container that takes their number on the host answers in the
    host's place.

    Remediation:
        Recreate the container without the port (``-p``; compose: ``ports:``) and use
        ``docker exec`` for what it was there for.
    """
    for container in containers.windows:
        field = "NetworkSettings.Ports" if container.live else "HostConfig.PortBindings"
        for port in container.ports:
            named = [name for number, name in MANAGEMENT_PORTS.items() if number in _numbers(port)]
            if named:
                yield deviation(container, field, f"{port} ({named[0]})", "not published")


def _numbers(port: Port) -> set[int]:
    """The numbers that it has on the host and inside."""
    inside = port.inside.partition("/")[0]
    return {*range(port.first, port.last + 1), *([int(inside)] if inside.isdecimal() else [])}


@check(severity=Severity.HIGH)
def secret_in_container_environment(containers: Containers) -> Findings:
    """
    No secret stands in a container's environment.

    Whoever may inspect a container reads its environment, every process in it
    inherits it, and it ends in crash dumps and logs. Variables are told by their
    names, values never leave the host. A secret under a harmless name is not seen.

    Remediation:
        Replace the secret, for it was known. Give it to the container as a swarm
        secret or a mounted file, or let it log in with a group managed service account,
        which needs none.
    """
    unread = []
    for container in containers.windows:
        if container.secrets is None:
            unread.append(container.subject)
        for name in container.secrets or ():
            yield deviation(container, "Config.Env", f"{name}=…", "no variable named for a secret")
    if unread:
        raise Inconclusive(f"the bundle does not tell the environment of {listing(unread)}")

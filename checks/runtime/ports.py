"""Ports and networks through which containers are reached."""

from auditor.check import Finding, Findings, Inconclusive, Manual, Severity, check
from auditor.facts.containers import Container, Containers, Port
from auditor.facts.networks import Networks
from auditor.facts.swarm import Swarm
from auditor.policy import Policy
from checks.runtime.evidence import deviation, listing

PRIVILEGED_BELOW = 1024
MESH = "ingress"
"""The network through which a swarm publishes its services' ports."""


@check(severity=Severity.MEDIUM)
def privileged_port(containers: Containers, policy: Policy) -> Findings:
    """
    No privileged port of the host leads into a container.

    Ports below 1024 are trusted: only root may open them, and clients take what
    answers there for a service of the host. A published port lets a container
    answer in its place.

    Remediation:
        Publish the port above 1023 (``-p 8443:443``; compose: ``ports:``), or keep
        ports 80 and 443 for one reverse proxy and name them in the policy's
        ``allowed_ports``.
    """
    allowed = set(policy.allowed_ports or ())
    for container in containers:
        for port in container.ports:
            low = range(max(port.first, 1), min(port.last + 1, PRIVILEGED_BELOW))
            if set(low) - allowed:
                yield deviation(
                    container, _field(container), port, f"a host port of {PRIVILEGED_BELOW} or more"
                )


@check(severity=Severity.MEDIUM)
def service_on_privileged_port(swarm: Swarm, policy: Policy) -> Findings:
    """
    No privileged port of the swarm's nodes leads to a service.

    What a swarm publishes by its routing mesh is open on every node, whether a task of
    the service runs there or not, and no container tells of it. Ports below 1024 are
    trusted: clients take what answers there for a service of the host.

    Remediation:
        Publish the port above 1023 (``docker service update --publish-rm 443
        --publish-add published=8443,target=443 SERVICE``; compose: ``ports:``), or keep
        ports 80 and 443 for one reverse proxy and name them in the policy's
        ``allowed_ports``.
    """
    unknown = []
    for service in swarm.all_services():
        if service.ports is None:
            unknown.append(service.name)
        for port in service.ports or ():
            if 0 < port < PRIVILEGED_BELOW and port not in (policy.allowed_ports or ()):
                yield Finding(
                    service.name,
                    f"PublishedPort = {port}",
                    f"a host port of {PRIVILEGED_BELOW} or more",
                    "docker service inspect:/Endpoint/Ports",
                )
    if unknown:
        raise Inconclusive(f"the bundle does not tell which ports these publish: {listing(unknown)}")


@check(severity=Severity.MEDIUM)
def port_not_needed(containers: Containers, policy: Policy) -> Findings:
    """
    Only the ports that are needed are published.

    Every published port is a way in, and Docker opens it in the host's firewall by
    itself. ``--publish-all`` publishes whatever the image happens to name. Which
    ports are needed only their owner knows: the policy's ``allowed_ports`` says so,
    and without it a person looks.

    Remediation:
        Recreate the container with only the ports it serves to the outside (``-p``;
        compose: ``ports:``), without ``--publish-all``. Containers on one network
        reach each other without publishing. List the host ports that are needed in
        the policy's ``allowed_ports``.
    """
    asked = []
    for container in containers:
        if container.publish_all_ports:
            yield deviation(container, "HostConfig.PublishAllPorts", "true", "each port named")
        if container.network_mode == "host":
            asked.append(f"{container.subject} is on the host's network and opens what it likes")
        if MESH in container.networks:
            asked.append(f"{container.subject} has ports that the swarm's routing mesh publishes")
        for port in container.ports:
            if policy.allowed_ports is None:
                asked.append(f"{container.subject} {port}")
            elif not set(_host_ports(port)) <= set(policy.allowed_ports):
                wanted = ", ".join(map(str, policy.allowed_ports)) or "none"
                yield deviation(container, _field(container), port, f"host ports allowed: {wanted}")
    if asked:
        raise Manual(f"are these ports needed? {listing(asked)}")


@check(severity=Severity.MEDIUM)
def port_on_every_address(containers: Containers, networks: Networks) -> Findings:
    """
    Ports are published on one address of the host, not on all.

    A port published without an address listens on every interface, those towards
    the internet included, and passes by many a firewall's rules. The routing mesh
    of a swarm opens its services' ports on every address of every node.

    Remediation:
        Name the address: ``-p 127.0.0.1:8080:80`` or that of the interface it is
        meant for (compose: ``ports: ["127.0.0.1:8080:80"]``). For ports that name
        none, ``"ip"`` in daemon.json sets the default bridge's address, and the option
        ``com.docker.network.bridge.host_binding_ipv4`` that of any other network.
    """
    wanted = "an address of one interface"
    for container in containers.linux:
        default = "" if container.live else _publish_address(container, networks)
        for port in container.ports:
            if Port(port.first, port.last, port.address or default).wildcard:
                yield deviation(container, _field(container), port, wanted)
        if MESH in container.networks:
            yield deviation(
                container, "NetworkSettings.Networks", f"{MESH}, which listens on every address", wanted
            )


def _publish_address(container: Container, networks: Networks) -> str:
    """Where a container will publish ports that name no address; empty if that may be everywhere."""
    addresses = {networks.publish_address(name) for name in container.networks or (container.network_mode,)}
    return "" if len(addresses) > 1 else addresses.pop()


@check(severity=Severity.MEDIUM)
def default_bridge(containers: Containers) -> Findings:
    """
    No container is on the default bridge.

    All containers that name no network meet on the default bridge, strangers or
    not, and reach each other's ports there. It has no name service and cannot be
    taken apart per application.

    Remediation:
        Create a network for each application (``docker network create NAME``) and
        start its containers with ``--network=NAME`` (compose makes one by itself;
        take out ``network_mode: bridge``).
    """
    for container in containers:
        names = container.networks or (container.network_mode,)
        if {"bridge", "default"} & set(names):
            yield deviation(
                container, "NetworkSettings.Networks", ", ".join(names), "a network made for its application"
            )


def _field(container: Container) -> str:
    """Where its ports are told: those in force while it runs, those asked for while it does not."""
    return "NetworkSettings.Ports" if container.live else "HostConfig.PortBindings"


def _host_ports(port: Port) -> range:
    """The host ports it may take; 0 stands for any."""
    return range(port.first, port.last + 1)

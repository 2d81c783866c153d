"""Where a swarm's traffic goes, and whether it is encrypted."""

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.networks import Networks
from auditor.facts.swarm import Swarm

_OFF = ("false", "0", "f", "F", "FALSE", "False")


@check(severity=Severity.MEDIUM)
def swarm_port_on_every_address(swarm: Swarm) -> Findings:
    """
    The swarm listens on one address only.

    The port that nodes join by is open on every address of the host unless it was told
    otherwise, the public one included. Who has a join token needs nothing more. Where
    the daemon's sockets can be seen, they count, otherwise what it was told.

    Remediation:
        ``docker swarm init --listen-addr 10.0.0.5:2377`` (``join`` likewise): it cannot be
        changed later, so the node has to leave and join anew.
    """
    swarm.membership()
    if not swarm.manager:
        raise NotApplicable("this node is a worker: only managers take nodes in")
    listening = swarm.own_addresses().listen
    if not listening:
        raise Inconclusive("the address the swarm listens on is not told")
    for endpoint in listening:
        if endpoint.wildcard:
            yield Finding("swarm", f"listens on {endpoint}", "one address of the host", endpoint.source)


@check(severity=Severity.MEDIUM)
def overlay_network_unencrypted(swarm: Swarm, networks: Networks) -> Findings:
    """
    Overlay networks are encrypted.

    Containers on different nodes talk through tunnels across whatever lies between the
    nodes. Without encryption anybody there reads along. A worker knows only of the
    networks its own containers use; the audit of a manager tells all.

    Remediation:
        Create the network anew with ``--opt encrypted``, the swarm's own too: ``docker
        network create --ingress --driver overlay --opt encrypted ingress``.
    """
    swarm.membership()
    for network in networks:
        if network.driver == "overlay" and network.options.get("encrypted", "false") in _OFF:
            yield Finding(
                network.name,
                f"encrypted = {network.options.get('encrypted', 'unset')}",
                "set",
                f"docker network inspect {network.name}:/Options/encrypted",
            )
    swarm.cluster()  # a worker does not know of all of them


@check(severity=Severity.MEDIUM)
def swarm_traffic_not_separated(swarm: Swarm) -> Findings:
    """
    The containers' traffic takes another way than the swarm's own.

    With an address of its own for the containers' tunnels, managers and their port can
    stay in a network that no container's traffic reaches.

    Remediation:
        ``docker swarm init --advertise-addr 10.0.0.5 --data-path-addr 10.1.0.5`` (``join``
        likewise): it cannot be changed later, so the node has to leave and join anew.
    """
    addresses = swarm.own_addresses()
    if not addresses.data_path:
        yield Finding(
            "swarm",
            "no address for data of its own",
            "DataPathAddr set",
            "docker-state.json:/DataPathAddr",
        )
    elif addresses.data_path in (addresses.advertise, *(end.address for end in addresses.listen)):
        yield Finding(
            "swarm",
            f"data and management share {addresses.data_path}",
            "another address for data",
            "docker-state.json:/DataPathAddr",
        )

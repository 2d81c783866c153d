"""The daemon's part in the host's network: bridge, firewall, proxy, registries."""

from urllib.parse import urlsplit

from auditor.check import Finding, Findings, NotApplicable, Severity, check
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine
from auditor.facts.networks import Networks
from checks.daemon.operation import is_loopback

_ENABLE_ICC = "com.docker.network.bridge.enable_icc"


@check(severity=Severity.MEDIUM)
def containers_talk_on_default_bridge(config: DaemonConfig, networks: Networks) -> Findings:
    """
    Containers on the default bridge cannot talk to each other.

    The default bridge connects every container that names no network. With
    communication between them allowed, one captured container reaches every port
    of all the others.

    Remediation:
        Set ``"icc": false`` in daemon.json and restart the daemon. Give containers
        that belong together a network of their own.
    """
    bridge = networks.default_bridge
    configured = config.setting("icc")
    if bridge is None and config.setting("bridge").value == "none":
        raise NotApplicable("the daemon runs without a default bridge")
    if configured.value:
        yield Finding("daemon", "icc = true", "false", configured.source)
    if bridge is not None and bridge.options.get(_ENABLE_ICC) != "false" and not configured.value:
        yield Finding(
            "network bridge",
            f"{_ENABLE_ICC} = {bridge.options.get(_ENABLE_ICC, 'unset')}: the daemon was not restarted since it was configured",
            "false",
            f"docker network inspect bridge:/Options/{_ENABLE_ICC}",
        )


@check(severity=Severity.MEDIUM)
def iptables_not_managed(config: DaemonConfig) -> Findings:
    """
    The engine manages its firewall rules.

    The engine's rules separate networks from each other and from the world. With
    its hands tied, containers are reachable in ways that nobody wrote down.

    Remediation:
        Remove ``"iptables": false`` from daemon.json, and ``--iptables=false`` from
        the daemon's command line. Put rules of your own into the DOCKER-USER chain.
    """
    setting = config.setting("iptables")
    if not setting.value:
        yield Finding("daemon", "iptables = false", "true", setting.source)


@check(severity=Severity.LOW)
def userland_proxy_in_use(config: DaemonConfig) -> Findings:
    """
    Published ports need no proxy process.

    The kernel forwards published ports by itself. The proxy is one more process a
    port, running as root, and it hides the client's address from the container.

    Remediation:
        Set ``"userland-proxy": false`` in daemon.json and restart the daemon. Where
        the kernel lacks hairpin NAT, waive this check and say so.
    """
    setting = config.setting("userland-proxy")
    if setting.value:
        yield Finding("daemon", "userland-proxy = true", "false", setting.source)


@check(severity=Severity.HIGH)
def insecure_registry(engine: Engine, config: DaemonConfig) -> Findings:
    r"""
    No registry is used without verified TLS.

    From an insecure registry anyone on the way can hand the host an image of his
    own. What a pull runs afterwards is his choice. A mirror that is named with
    ``http://`` is one.

    Remediation:
        Give the registry a certificate, put its authority into
        ``/etc/docker/certs.d/REGISTRY/ca.crt`` (on Windows
        ``C:\ProgramData\docker\certs.d\REGISTRY\ca.crt``), and remove it from
        ``"insecure-registries"`` in daemon.json. Name mirrors in ``"registry-mirrors"``
        with ``https://``.
    """
    configured = config.setting("insecure-registries")
    for registry in configured.value:
        yield Finding(registry, "insecure registry", "verified TLS", configured.source)
    mirrors = config.setting("registry-mirrors")
    for mirror in mirrors.value or ():
        address = urlsplit(str(mirror))
        if address.scheme == "http" and not is_loopback(address.hostname or ""):
            yield Finding(mirror, "a mirror without TLS", "https://", mirrors.source)
    for registry in engine.insecure_registries:
        if registry not in configured.value:
            yield Finding(
                registry, "insecure registry in force", "verified TLS", "docker info:/RegistryConfig"
            )

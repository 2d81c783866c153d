"""How the daemon of a Windows host is set up: isolation, network, logs, environment."""

import re

from auditor.check import Finding, Findings, Inconclusive, Manual, Severity, check
from auditor.facts.containers import Containers
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine
from auditor.facts.networks import Networks
from auditor.facts.windows_environment import WindowsEnvironment

_SECRET = re.compile(
    r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|[_-]PASS|[_-]PWD"
    r"|(?:API|ACCESS|ACCOUNT|SECRET|PRIVATE|AUTH|ENCRYPTION)[_-]?KEY)[0-9]*$",
    re.IGNORECASE,
)


@check(severity=Severity.MEDIUM)
def windows_default_isolation_process(engine: Engine) -> Findings:
    """
    Containers of different owners are isolated by Hyper-V.

    Process isolation shares the host's kernel, and Microsoft does not call it a
    security boundary: it is for containers that trust each other. Whether those on
    this host do is for a person to say.

    Remediation:
        Set ``"exec-opts": ["isolation=hyperv"]`` in daemon.json where containers of
        different owners run, and restart the service.
    """
    if engine.isolation != "hyperv":
        raise Manual(
            f"isolation by default: {engine.isolation or 'not told'} (docker info:/Isolation): do the containers on this host trust each other?"
        )
    yield from ()


@check(severity=Severity.MEDIUM)
def windows_containers_on_default_nat(containers: Containers, networks: Networks) -> Findings:
    """
    No container is on the default NAT network.

    Every container that names no network joins it. Windows has no switch to keep
    those there apart, and Windows lets in all that comes for a container from its network.

    Remediation:
        Set ``"bridge": "none"`` in daemon.json, make networks with
        ``docker network create --driver nat``, one for those that belong together,
        and run containers with ``--network``.
    """
    default = {network.name for network in networks if network.name == network.driver == "nat"}
    # One that never ran may show only what it asked for.
    default |= {"default"} if default else set()
    for container in containers.windows:
        for name in sorted(default.intersection(container.networks or (container.network_mode,))):
            yield Finding(
                container.name, f"on network {name}", "a network of its own", "NetworkSettings.Networks"
            )


@check(severity=Severity.MEDIUM)
def windows_container_logs_unbounded(engine: Engine, config: DaemonConfig) -> Findings:
    """
    Container logs are bounded or leave the host.

    The driver json-file grows without end unless it is told a size: one container
    that talks a lot fills the volume that all others live on.

    Remediation:
        Set ``"log-opts": {"max-size": "10m", "max-file": "5"}`` in daemon.json, or
        ``"log-driver"`` to ``etwlogs``, ``splunk`` or ``fluentd``, restart the service
        and create containers anew.
    """
    if not engine.logging_driver:
        raise Inconclusive("docker info tells no log driver")
    options = config.setting("log-opts")
    if engine.logging_driver == "json-file" and not options.value.get("max-size"):
        yield Finding("daemon", "log driver json-file without max-size", "max-size", options.source)


@check(severity=Severity.HIGH)
def windows_secret_in_service_environment(environment: WindowsEnvironment) -> Findings:
    """
    No secret stands in the engine's environment.

    The environment of a service is a registry value that every user of the host may
    read, and so is the machine's.

    Remediation:
        Reach the proxy without credentials, or by a local one that adds them; remove
        the variable from the registry key and restart the service. Change what was
        readable.
    """
    for variable in environment:
        where = rf"{environment.key(variable)}\{variable.name}"
        if variable.userinfo:
            yield Finding(variable.name, "credentials in an address", "no credentials", where)
        elif _SECRET.search(variable.name):
            yield Finding(variable.name, "a secret by its name", "no such variable", where)

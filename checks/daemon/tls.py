"""TLS on the engine's TCP ports, by configuration. What the ports really answer is judged in ``tls_live``."""

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.certificates import Certificates, Role
from auditor.facts.listeners import Endpoint, Listeners
from auditor.facts.tls import DaemonTls
from auditor.policy import Policy

# More CAs than anybody has of their own: a bundle made for the web.
MOST_CLIENT_CAS = 8
_SYSTEM_STORES = (
    "/etc/ssl/certs/",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/",
    "/etc/pki/ca-trust/",
    "/etc/ca-certificates/",
    "/usr/share/ca-certificates/",
    "/usr/share/pki/",
    "/usr/local/share/ca-certificates/",
    "/var/lib/ca-certificates/",
)


def _tcp(listeners: Listeners) -> tuple[Endpoint, ...]:
    if not listeners.api:
        raise NotApplicable("the engine listens on no TCP port")
    return listeners.api


def _encrypted(listeners: Listeners, tls: DaemonTls) -> tuple[Endpoint, ...]:
    endpoints = _tcp(listeners)
    if not tls.enabled:
        raise NotApplicable("TLS is off")
    return endpoints


@check(severity=Severity.CRITICAL)
def tcp_without_tls(listeners: Listeners, tls: DaemonTls) -> Findings:
    """
    The engine's TCP ports are encrypted.

    Whoever reaches a TCP port without TLS commands the engine, and so is root on the
    host. That holds for a port on the loopback address too: every local user reaches
    it, and so does a web page open in a browser there.

    Remediation:
        Reach the engine by SSH (``docker -H ssh://host``) and remove the ``tcp://``
        entry from ``hosts``; or set ``tlsverify``, ``tlscacert``, ``tlscert`` and
        ``tlskey``, and restart the daemon.
    """
    for endpoint in _tcp(listeners):
        if not tls.enabled:
            yield Finding(str(endpoint), f"no TLS ({tls.source})", "tlsverify", endpoint.source)


@check(severity=Severity.CRITICAL)
def tls_without_client_authentication(listeners: Listeners, tls: DaemonTls) -> Findings:
    """
    The engine asks every TCP client for a certificate.

    TLS alone hides the conversation and lets everybody take part in it. Only the
    client's certificate tells who may command the engine.

    Remediation:
        Set ``"tlsverify": true`` and ``tlscacert`` to the CA that signs your clients,
        and restart the daemon. Up to Docker 19.03 ``tls`` alone does not verify
        clients.
    """
    for endpoint in _encrypted(listeners, tls):
        if tls.verifies_clients is None:
            raise Inconclusive(
                "tls without tlsverify: the engine's version decides what it means, and is not known"
            )
        if not tls.verifies_clients:
            yield Finding(str(endpoint), "clients need no certificate", "tlsverify = true", tls.source)


@check(severity=Severity.CRITICAL)
def client_ca_is_system_store(listeners: Listeners, tls: DaemonTls) -> Findings:
    """
    Only CAs of your own may sign the engine's clients.

    Without ``tlscacert`` in the configuration file the daemon starts without a word
    and takes clients from every CA that the operating system trusts. Whoever gets a
    certificate from any one of them is root on the host. The same holds when
    ``tlscacert`` leads to the system's own store.

    Remediation:
        Set ``tlscacert`` to a file with the one CA that signs your clients, beside
        ``tlsverify``, in the same place (file or flags), and restart the daemon.
    """
    _encrypted(listeners, tls)
    if tls.verifies_clients is False:
        raise NotApplicable("clients are not verified")
    wanted = "a CA of your own"
    if not tls.ca:
        yield Finding("tlscacert", "not set: every CA of the operating system", wanted, tls.ca_source)
    elif tls.ca.startswith(_SYSTEM_STORES) and "docker" not in tls.ca:
        yield Finding("tlscacert", tls.ca, wanted, tls.ca_source)


@check(severity=Severity.CRITICAL)
def client_ca_bundle_too_wide(certificates: Certificates, tls: DaemonTls) -> Findings:
    """
    The file of client CAs holds a handful of CAs at most.

    Each CA in it can make somebody root on the host. A bundle made for the web
    holds more than a hundred, none of which was chosen for that.

    Remediation:
        Put only the CA that signs your clients into the file at ``tlscacert`` (and for
        a time its successor), and restart the daemon.
    """
    if not (tls.enabled and tls.ca):
        raise NotApplicable("no file of client CAs is configured")
    authorities = [seen for seen in certificates.of(Role.CLIENT_CA) if not seen.served]
    if not authorities and certificates.unread:
        raise Inconclusive("; ".join(certificates.unread))
    if len(authorities) > MOST_CLIENT_CAS:
        yield Finding(tls.ca, f"{len(authorities)} CAs", f"at most {MOST_CLIENT_CAS}", tls.ca_source)


@check(severity=Severity.HIGH)
def tls_settings_without_effect(tls: DaemonTls) -> Findings:
    """
    Every TLS setting of the engine does something.

    A setting that does nothing misleads whoever reads it: paths of certificates
    without ``tlsverify`` leave the port in plain text, ``DOCKER_TLS_VERIFY`` is for
    clients only, and flags with paths are dropped when the configuration file turns
    TLS on.

    Remediation:
        Set ``tlsverify``, ``tlscacert``, ``tlscert`` and ``tlskey`` all in daemon.json, or all
        as flags; remove the rest.
    """
    for idle in tls.idle:
        yield Finding(idle.name, f"{idle.value}: {idle.why}", "a setting that has an effect", idle.source)
    if not tls.enabled and not tls.idle:
        raise NotApplicable("no TLS setting is made")


@check(severity=Severity.MEDIUM)
def tlsverify_not_explicit(listeners: Listeners, tls: DaemonTls) -> Findings:
    """
    Verification of clients is asked for by its own name.

    ``tls`` alone let everybody in up to Docker 19.03 and verifies clients since
    20.10. A setting whose meaning turned once is not one to lean on.

    Remediation:
        Set ``"tlsverify": true`` beside ``tls``, or instead of it.
    """
    _encrypted(listeners, tls)
    if not tls.explicit:
        yield Finding("tlsverify", "not set", "true", tls.source)


@check(severity=Severity.MEDIUM)
def unexpected_engine_port(listeners: Listeners, policy: Policy) -> Findings:
    """
    The engine listens on the agreed TCP port only.

    Firewalls, monitoring and clients are set up for one port. Another one is a door
    that nobody watches.

    Remediation:
        Remove the other ``tcp://`` entries from ``hosts`` and restart the daemon, or
        correct ``engine_port`` in the inventory.
    """
    if policy.engine_port is None:
        raise NotApplicable("the policy names no engine_port")
    for endpoint in _tcp(listeners):
        if endpoint.port != policy.engine_port:
            yield Finding(
                str(endpoint), f"port {endpoint.port}", f"port {policy.engine_port}", endpoint.source
            )


@check(severity=Severity.LOW)
def engine_on_every_address(listeners: Listeners) -> Findings:
    """
    The engine listens on chosen addresses only.

    On a wildcard address the port is open in every network the host is in, today's
    and tomorrow's, those of containers among them.

    Remediation:
        Name the management address in ``hosts``: ``tcp://192.0.2.10:2376`` in place of
        ``tcp://0.0.0.0:2376``, and restart the daemon.
    """
    for endpoint in _tcp(listeners):
        if endpoint.wildcard:
            yield Finding(str(endpoint), "every address of the host", "one address", endpoint.source)

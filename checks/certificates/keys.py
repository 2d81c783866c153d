"""Private keys that lie where they should not."""

from auditor.check import Finding, Findings, Inconclusive, Manual, Severity, check
from auditor.facts.certificates import Certificates, Role, Seen, ServerKeys
from auditor.facts.fleet import Fleet
from auditor.facts.keys import Keys
from auditor.facts.tls import DaemonTls


def _held(keys: Keys, certificates: list[Seen]) -> list[tuple[str, Seen]]:
    """Paths of keys, each with the certificate that it belongs to."""
    by_key = {seen.certificate.public_key: seen for seen in certificates if seen.certificate.public_key}
    return [(key.path, by_key[key.public]) for key in keys.keys if key.public in by_key]


def _settle(keys: Keys, certificates: Certificates) -> None:
    """After the findings: which keys, or which certificates that they could belong to, could not be looked at."""
    unread = (*keys.unread, *(certificates.unread if keys.keys else ()))
    if unread:
        raise Inconclusive("; ".join(unread))


@check(severity=Severity.CRITICAL)
def ca_key_on_host(certificates: Certificates, keys: Keys, tls: DaemonTls) -> Findings:
    """
    No CA's private key lies on the host.

    Whoever takes over this host with the CA's key on it signs a certificate for
    himself and commands every host of that CA. Keys are told by their public halves, not
    by their names. One that is encrypted, or whose certificate is not here, is for a person
    to look at.

    Remediation:
        Move the key to a machine that is not reachable from hosts, and delete it here
        (``shred -u``). If others could read it, replace the CA.
    """
    # That the server's own certificate is a CA's is another check's finding, unless it signs clients as well.
    authorities = [
        seen
        for seen in certificates.seen
        if seen.role is Role.CLIENT_CA or (seen.certificate.is_ca and seen.role is not Role.SERVER)
    ]
    for path, seen in _held(keys, authorities):
        yield Finding(path, f"the key of {seen}", "kept off the host", "public halves compared")
    _settle(keys, certificates)
    known = {seen.certificate.public_key for seen in certificates.seen}
    strange = [
        key.path
        for key in keys.keys
        if key.path != tls.key and key.public not in known and key.state != "unreadable"
    ]
    if strange:
        raise Manual(f"whose keys are these? {', '.join(strange)}")


@check(severity=Severity.MEDIUM)
def client_key_on_host(certificates: Certificates, keys: Keys) -> Findings:
    """
    No client's key that opens this engine lies on the host.

    On the host itself the socket or pipe is there for whoever administers it. A client's key beside the
    daemon opens this engine and every other one of the same CA to whoever reads it.

    Remediation:
        Delete the key and certificate from the host, and keep them where the client runs.
    """
    server = {seen.certificate.public_key for seen in certificates.of(Role.SERVER)}
    clients = [
        seen
        for seen in certificates.seen
        if seen.role is Role.OTHER and seen.trusted_as_client and seen.certificate.serves_clients
        if not seen.certificate.is_ca and seen.certificate.public_key not in server
    ]
    for path, seen in _held(keys, clients):
        yield Finding(path, f"the key of {seen}", "kept where the client runs", "public halves compared")
    _settle(keys, certificates)


@check(severity=Severity.HIGH)
def server_key_shared(fleet: Fleet[ServerKeys]) -> Findings:
    """
    Every host has a server key of its own.

    With one key on several hosts, whoever takes it from the weakest poses as any of
    them.

    Remediation:
        Issue each host a certificate with a key made for it alone, and restart its
        daemon.
    """
    own = fleet.own
    for name, other in fleet.others():
        # One machine may be in the inventory twice, by SSH and by its API.
        if other.machine != own.machine and own.public & other.public:
            shared = min(own.public & other.public)
            yield Finding(
                "server key",
                f"the same as on {name} (SHA-256 of its public half {shared[:16]}…)",
                "a key of its own",
            )

"""What the daemon's certificates may be used for."""

from auditor.check import Finding, Findings, Severity, check
from auditor.facts.certificate import Certificate
from auditor.facts.certificates import Certificates, Role


def _usages(certificate: Certificate) -> str:
    if certificate.usages is None:
        return "no extended key usage, which serves every purpose"
    return f"extended key usage {', '.join(sorted(certificate.usages)) or 'empty'}"


@check(severity=Severity.MEDIUM)
def server_certificate_not_for_servers(certificates: Certificates) -> Findings:
    """
    The engine's certificate is made for servers.

    Clients refuse a server whose certificate is for other purposes only
    ("incompatible key usage").

    Remediation:
        Issue the certificate with the extended key usage serverAuth, and restart the
        daemon.
    """
    for seen in certificates.of(Role.SERVER):
        if not seen.certificate.serves_servers:
            yield Finding(str(seen), _usages(seen.certificate), "extended key usage serverAuth")
    certificates.settle()


@check(severity=Severity.HIGH)
def server_certificate_is_client_certificate(certificates: Certificates) -> Findings:
    """
    The engine's own certificate does not open other engines.

    A server certificate without extended key usage, or with clientAuth, signed by the
    CA that also signs clients, is a client's as well. Whoever steals this host's key then
    commands every engine that trusts that CA.

    Remediation:
        Issue the certificate with serverAuth only. Better still, sign servers and
        clients by two CAs, and give the daemons' ``tlscacert`` the clients' one only.
    """
    for seen in certificates.of(Role.SERVER):
        if seen.certificate.serves_clients and seen.trusted_as_client:
            yield Finding(
                str(seen),
                f"{_usages(seen.certificate)}, signed by a client CA",
                "serverAuth only, or a CA for servers alone",
            )
    certificates.settle()


@check(severity=Severity.HIGH)
def server_certificate_is_ca(certificates: Certificates) -> Findings:
    """
    The engine's certificate is not a CA's.

    With a CA's certificate, the key that lies on the host can sign certificates for
    any name, which clients who trust that CA then believe.

    Remediation:
        Issue a certificate with the basic constraint CA:FALSE, signed by a CA whose key is
        kept elsewhere, and restart the daemon.
    """
    for seen in certificates.of(Role.SERVER):
        if seen.certificate.is_ca:
            yield Finding(str(seen), "a CA's certificate (basic constraints, or version 1)", "CA:FALSE")
    certificates.settle()


@check(severity=Severity.MEDIUM)
def server_certificate_self_signed(certificates: Certificates) -> Findings:
    """
    The engine's certificate is signed by a CA.

    Clients can only trust a self-signed certificate one host at a time, and learn a new
    one with every renewal. What is in the way of work gets switched off.

    Remediation:
        Issue the certificate by a CA of your own, give that CA to the clients, and
        restart the daemon.
    """
    for seen in certificates.of(Role.SERVER):
        if seen.certificate.self_signed:
            yield Finding(str(seen), "signed by itself", "signed by a CA of your own")
    certificates.settle()

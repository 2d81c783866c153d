"""Whether clients can recognise the engine by its certificate."""

import ipaddress

from auditor.check import Finding, Findings, NotApplicable, Severity, check
from auditor.facts.certificate import Certificate
from auditor.facts.certificates import Certificates, Role
from auditor.facts.origin import Origin


@check(severity=Severity.HIGH)
def certificate_without_names(certificates: Certificates) -> Findings:
    """
    The engine's certificate carries subject alternative names.

    Docker's client and Python look at these only; a common name alone is refused. Users
    who cannot connect turn verification off, and then talk to anybody.

    Remediation:
        Issue the certificate with every name and address by which clients reach the
        host, and restart the daemon.
    """
    for seen in certificates.of(Role.SERVER):
        if not (seen.certificate.names or seen.certificate.addresses):
            yield Finding(str(seen), "no subject alternative name", "the host's names and addresses")
    certificates.settle()


@check(severity=Severity.MEDIUM)
def certificate_for_other_address(certificates: Certificates, origin: Origin) -> Findings:
    """
    The engine's certificate names the address in the inventory.

    A client that reaches the host by an address that is not in the certificate refuses
    it, or has been told not to look. An IP address counts only as such, not as a name.

    Remediation:
        Issue the certificate again with this address among its subject alternative
        names, and restart the daemon; or use one of its names in the inventory.
    """
    if not origin.address or _is_loopback(origin.address):
        raise NotApplicable("the inventory tells no address that clients would use")
    for seen in certificates.of(Role.SERVER):
        held = (*seen.certificate.names, *seen.certificate.addresses)
        if held and not _names(seen.certificate, origin.address):
            yield Finding(str(seen), ", ".join(held), origin.address)
    certificates.settle()


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _names(certificate: Certificate, address: str) -> bool:
    """Whether the certificate is for ``address``, by the rules of TLS clients."""
    try:
        return str(ipaddress.ip_address(address.strip("[]"))) in certificate.addresses
    except ValueError:
        wanted = _ascii(address).split(".")
    return any(_matches(name.lower().split("."), wanted) for name in certificate.names)


def _ascii(name: str) -> str:
    try:
        return name.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        return name.lower()


def _matches(pattern: list[str], wanted: list[str]) -> bool:
    """A ``*`` stands for the whole first label, and only before at least two others."""
    if pattern[0] == "*" and len(pattern) > 2:  # noqa: PLR2004  *.example.org
        return pattern[1:] == wanted[1:]
    return pattern == wanted

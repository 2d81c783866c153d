"""Whether certificates, keys and what is served belong together."""

from itertools import pairwise

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.certificates import Certificates, Role, Seen
from auditor.facts.keys import Keys
from auditor.facts.live import LivePorts
from auditor.facts.tls import DaemonTls


@check(severity=Severity.HIGH)
def certificate_unreadable(certificates: Certificates) -> Findings:
    """
    Every certificate file that the engine names can be read as one.

    dockerd refuses to start with a file that holds no certificate. When it runs, the
    file was changed since, and the next restart fails.

    Remediation:
        Put a PEM certificate at the path; ``openssl x509 -in FILE -noout -text`` must read it.
    """
    for damaged in certificates.damaged:
        if damaged.role is not Role.OTHER:
            yield Finding(damaged.where, damaged.problem[:200], "a PEM certificate", damaged.role.value)
    certificates.settle()


@check(severity=Severity.MEDIUM)
def certificate_chain_broken(certificates: Certificates) -> Findings:
    """
    The engine's certificate and those sent with it form a chain.

    Each must be signed by the next. A CA that has the right name and another key is
    the usual trace of two hosts set up separately; intermediates in the wrong order, or
    missing, leave clients with "unknown authority".

    Remediation:
        Write the server certificate first and each one's issuer after it into the file at
        ``tlscert``, signed by the CA that the clients have, and restart the daemon.
    """
    for seen in certificates.of(Role.SERVER, Role.CHAIN):
        if seen.issuer == "mismatch":
            yield Finding(
                str(seen),
                f"not signed by the key of {seen.certificate.issuer}",
                "signed by it",
                seen.role.value,
            )
    for where in dict.fromkeys(seen.where for seen in certificates.of(Role.CHAIN)):
        yield from _out_of_order(
            [seen for seen in certificates.own if seen.where == where and seen.role is not Role.CLIENT_CA]
        )
    certificates.settle()


def _out_of_order(chain: list[Seen]) -> Findings:
    for signed, signer in pairwise(chain):
        if signed.certificate.issuer != signer.certificate.subject:
            yield Finding(
                str(signed),
                f"followed by {signer.certificate.subject}",
                signed.certificate.issuer,
                signed.role.value,
            )


@check(severity=Severity.HIGH)
def served_certificate_differs(certificates: Certificates, tls: DaemonTls, live: LivePorts) -> Findings:
    """
    The engine serves the certificates that lie on its disk.

    dockerd never reloads certificates, not even on SIGHUP. Where the two differ, somebody
    renewed the file and believes it done: the old one ends unnoticed, and a CA taken out
    of the file still lets its clients in.

    Remediation:
        Restart the daemon (``live-restore`` keeps the containers running), and look again.
    """
    ports = [port for port in live.reached() if port.configured and port.verdict.tls]
    if not (ports and tls.enabled):
        raise NotApplicable("no TLS port that can be reached")
    disk = {seen.certificate.fingerprint: seen for seen in certificates.of(Role.SERVER) if not seen.served}
    if not disk:
        raise Inconclusive(
            "; ".join(certificates.unread) or "there is no readable server certificate on the disk"
        )
    for seen in certificates.seen:
        if seen.served and seen.role is Role.SERVER and seen.certificate.fingerprint not in disk:
            until = f"{seen.certificate.not_after:%Y-%m-%d}"
            yield Finding(
                str(seen),
                f"served, valid until {until}",
                f"{', '.join(map(str, disk.values()))}",
                "live probe",
            )
    named = {seen.certificate.subject for seen in certificates.of(Role.CLIENT_CA)}
    for port in ports:
        if named and port.client_cas and set(port.client_cas) != named:
            yield Finding(
                f"port {port.port}", f"takes clients of {_list(port.client_cas)}", _list(named), tls.ca_source
            )


def _list(names: "tuple[str, ...] | set[str]") -> str:
    shown = sorted(set(names))
    return "; ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")  # noqa: PLR2004  as shown


@check(severity=Severity.HIGH)
def key_does_not_match_certificate(certificates: Certificates, keys: Keys, tls: DaemonTls) -> Findings:
    """
    The engine's key belongs to its certificate.

    dockerd refuses to start with a pair that does not match. When it runs, one of the two
    was changed since, and the next restart fails.

    Remediation:
        Put the key and the certificate that were made together at ``tlskey`` and
        ``tlscert`` before the next restart.
    """
    on_disk = [seen for seen in certificates.of(Role.SERVER) if not seen.served]
    if not on_disk:
        certificates.settle()
        raise NotApplicable("no server certificate on the disk")
    key = keys.at(tls.key)
    if key is None:
        raise Inconclusive(f"{tls.key}: no key was seen there")
    if key.state == "encrypted":
        yield Finding(
            key.path, "encrypted, which dockerd does not read", "a key that is not encrypted", "tlskey"
        )
    elif key.state != "readable":
        raise Inconclusive("; ".join(keys.unread) or f"{key.path}: not a key that openssl can read")
    elif key.public != on_disk[0].certificate.public_key:
        yield Finding(
            key.path, "the key of another certificate", f"the key of {on_disk[0]}", "public halves compared"
        )


@check(severity=Severity.LOW)
def certificate_refused_by_strict_verifiers(certificates: Certificates) -> Findings:
    """
    The engine's certificates follow RFC 5280 to the letter.

    Python since 3.13 and ``openssl -x509_strict`` refuse CAs without key usage or of
    version 1, and certificates without authority key identifier. Docker's own how-to
    and several generators make such CAs; Docker's own client takes them.

    Remediation:
        Issue the CA with critical basic constraints, key usage (keyCertSign, cRLSign) and a
        subject key identifier, certificates with an authority key identifier, and
        distribute the new CA.
    """
    for seen in certificates.own:
        if seen.certificate.strict:
            yield Finding(str(seen), "; ".join(seen.certificate.strict), "none of these", seen.role.value)
    certificates.settle()

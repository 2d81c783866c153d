"""Keys and signatures of the daemon's certificates."""

from auditor.check import Finding, Findings, Severity, check
from auditor.facts.certificates import Certificates


@check(severity=Severity.HIGH)
def certificate_key_weak(certificates: Certificates) -> Findings:
    """
    The keys of the engine's certificates are strong.

    dockerd starts with RSA keys of 1024 bits, which can be broken, and with curves such
    as P-224 that no client speaks, so that the port is dead.

    Remediation:
        Issue the certificate again with a P-256 key (or RSA of 2048 bits and more) and
        restart the daemon.
    """
    for seen in certificates.own:
        if seen.certificate.weak_key:
            yield Finding(
                str(seen),
                seen.certificate.weak_key,
                "EC P-256, or RSA of 2048 bits and more",
                seen.role.value,
            )
    certificates.settle()


@check(severity=Severity.HIGH)
def certificate_signature_weak(certificates: Certificates) -> Findings:
    """
    The engine's certificates are signed with SHA-256 or better.

    Signatures with MD5 and SHA-1 can be forged. dockerd serves them; its clients refuse
    them since long. A root's signature of itself is looked at by nobody, and not judged.

    Remediation:
        Issue the certificate again, signed with SHA-256, and restart the daemon.
    """
    for seen in certificates.own:
        if seen.certificate.weak_signature and not seen.certificate.self_signed:
            yield Finding(str(seen), seen.certificate.weak_signature, "SHA-256 or better", seen.role.value)
    certificates.settle()

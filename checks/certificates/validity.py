"""When the daemon's certificates begin and end, as of the moment the facts were collected."""

from datetime import datetime, timedelta

from auditor.check import Finding, Findings, Severity, check
from auditor.facts.certificates import Certificates, Role, Seen
from auditor.facts.origin import Origin
from auditor.policy import Policy

_LONGEST_LEAF = timedelta(days=825)
_LONGEST_CA = timedelta(days=20 * 366)


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _left(seen: Seen, origin: Origin) -> timedelta:
    return seen.certificate.not_after - origin.collected


def _ends(seen: Seen, origin: Origin, expected: str) -> Finding:
    days = _left(seen, origin).days
    return Finding(
        str(seen), f"ends {_day(seen.certificate.not_after)}, {days} days left", expected, seen.role.value
    )


@check(severity=Severity.HIGH)
def certificate_expired(certificates: Certificates, origin: Origin) -> Findings:
    """
    None of the engine's certificates has expired.

    dockerd starts with an expired certificate and logs nothing. Clients then refuse
    the connection, or have been told not to look, which is worse.

    Remediation:
        Issue a new certificate, put it at the configured path and restart the daemon:
        it does not reload certificates (``live-restore`` keeps the containers running).
    """
    for seen in certificates.own:
        if _left(seen, origin) < timedelta():
            observed = f"ended {_day(seen.certificate.not_after)}"
            yield Finding(str(seen), observed, f"valid on {_day(origin.collected)}", seen.role.value)
    certificates.settle()


@check(severity=Severity.HIGH)
def certificate_not_yet_valid(certificates: Certificates, origin: Origin) -> Findings:
    """
    All of the engine's certificates have begun to be valid.

    Clients refuse a certificate from the future. A clock that runs ahead on the machine
    that issued it, or behind on the host, shows like this.

    Remediation:
        Compare the clocks; then wait, or issue the certificate again.
    """
    for seen in certificates.own:
        if seen.certificate.not_before > origin.collected:
            observed = f"begins {_day(seen.certificate.not_before)}"
            yield Finding(str(seen), observed, f"valid on {_day(origin.collected)}", seen.role.value)
    certificates.settle()


@check(severity=Severity.HIGH)
def certificate_expires_in_days(certificates: Certificates, origin: Origin, policy: Policy) -> Findings:
    """
    None of the engine's certificates ends within the policy's urgent days.

    On the day it ends every client is cut off, and the way to mend it by TLS with
    them. ``certificate_urgent_days`` in the inventory sets how early this is told.

    Remediation:
        Issue a new certificate now, put it at the configured path and restart the
        daemon.
    """
    urgent = timedelta(days=policy.certificate_urgent_days)
    for seen in certificates.own:
        if timedelta() <= _left(seen, origin) <= urgent:
            yield _ends(seen, origin, f"more than {policy.certificate_urgent_days} days left")
    certificates.settle()


@check(severity=Severity.MEDIUM)
def certificate_expires_soon(certificates: Certificates, origin: Origin, policy: Policy) -> Findings:
    """
    None of the engine's certificates ends within the policy's warning days.

    Renewal needs a restart of the daemon, and so a date that people agree on.
    ``certificate_warning_days`` in the inventory sets how early this is told.

    Remediation:
        Plan the renewal: issue, put in place, restart the daemon.
    """
    urgent = timedelta(days=policy.certificate_urgent_days)
    warning = timedelta(days=policy.certificate_warning_days)
    for seen in certificates.own:
        if urgent < _left(seen, origin) <= warning:
            yield _ends(seen, origin, f"more than {policy.certificate_warning_days} days left")
    certificates.settle()


@check(severity=Severity.LOW)
def certificate_validity_too_long(certificates: Certificates) -> Findings:
    """
    The engine's certificates are made for a limited time.

    Neither dockerd nor its clients look at revocation lists: a stolen key is good
    until its certificate ends. What is replaced rarely is also replaced badly.

    Remediation:
        Issue server certificates for about a year, and a CA for ten; automate the
        renewal.
    """
    for seen in certificates.own:
        longest = _LONGEST_CA if seen.certificate.is_ca else _LONGEST_LEAF
        length = seen.certificate.not_after - seen.certificate.not_before
        if length > longest:
            yield Finding(str(seen), f"{length.days} days", f"at most {longest.days} days", seen.role.value)
    certificates.settle()


@check(severity=Severity.MEDIUM)
def certificate_outlives_its_ca(certificates: Certificates) -> Findings:
    """
    No certificate of the engine is valid longer than the CA above it.

    When the CA ends, everything it signed ends with it, whatever the certificates
    say; a look at their own dates then misleads.

    Remediation:
        Renew the CA first, then issue the certificate again under it.
    """
    ends = {seen.certificate.subject: seen for seen in certificates.own if seen.certificate.is_ca}
    for seen in certificates.of(Role.SERVER, Role.CHAIN):
        above = ends.get(seen.certificate.issuer)
        if seen.issuer == "seen" and above and above.certificate.not_after < seen.certificate.not_after:
            observed = f"ends {_day(seen.certificate.not_after)}"
            yield Finding(
                str(seen),
                observed,
                f"at most {_day(above.certificate.not_after)}, the end of {above}",
                seen.role.value,
            )
    certificates.settle()

"""What making certificates on the host left behind."""

from auditor.check import Finding, Findings, Inconclusive, Severity, check
from auditor.facts.windows_leftovers import WindowsLeftovers


@check(severity=Severity.CRITICAL)
def windows_authority_left_on_host(leftovers: WindowsLeftovers) -> Findings:
    """
    No certificate authority is left on the host.

    Tools that make the engine's certificates on the host itself leave the
    authority's key there, some with its passphrase in clear text beside it. Whoever
    reads them commands every engine that trusts the authority.

    Remediation:
        Move the key to a machine that is no container host, delete key and passphrase
        here (``Remove-Item``; ``certlm.msc`` for the store), and make a new authority
        where others could read the old one's key.
    """
    for file in leftovers.files:
        if file.exists:
            kind = (
                "the passphrase of an authority's key"
                if file.is_passphrase
                else "an authority's key by its name"
            )
            yield Finding(file.path, kind, "kept off the host", file.path)
    for authority in leftovers.authorities:
        yield Finding(
            authority.subject,
            "an authority with its private key",
            "kept off the host",
            rf"Cert:\LocalMachine\My\{authority.thumbprint}",
        )
    unknown = [
        *leftovers.unread,
        *(f"{it.path}: {it.error}" for it in leftovers.files if it.error and not it.exists),
    ]
    if not leftovers.elevated:
        unknown.append("folders of other users: only an administrator sees them")
    if unknown:
        raise Inconclusive(f"not readable: {'; '.join(unknown[:5])}")

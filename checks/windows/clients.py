"""What users keep for Docker's client in their profiles on a Windows host."""

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.windows_clients import WindowsClients
from auditor.facts.windows_principals import is_broad, name_of
from auditor.facts.windows_rights import READ

_SECRET = ("key.pem", "config.json")


@check(severity=Severity.HIGH)
def client_key_readable_by_others(clients: WindowsClients) -> Findings:
    """
    A user's client key and registry passwords can be read by that user only.

    With the key one commands every engine that trusts its owner.

    Remediation:
        ``icacls FILE /inheritance:r /grant:r USER:F *S-1-5-18:F *S-1-5-32-544:F``, and renew
        the certificate.
    """
    unknown: list[str] = []
    for client in clients.clients:
        for file in client.files:
            if file.role not in _SECRET or not file.exists:
                continue
            try:
                granted = file.rights.granted("file")
            except Inconclusive as gap:
                unknown.append(str(gap))
                continue
            for sid in (sid for sid, mask in granted.items() if mask & READ and is_broad(sid)):
                source = f"access list {file.sddl}"
                yield Finding(file.path, f"{name_of(sid)} may read", "its owner and administrators", source)
    unknown += [f"{client.folder}: {client.problem}" for client in clients.clients if client.problem]
    if unknown:
        raise Inconclusive("; ".join(unknown))
    if not clients.clients:
        raise NotApplicable("no user has a folder .docker")


@check(severity=Severity.MEDIUM)
def registry_password_in_client_config(clients: WindowsClients) -> Findings:
    """
    Passwords of registries are kept by Windows, not in config.json.

    ``docker login`` without a credential store writes the password there, encoded
    and not encrypted.

    Remediation:
        Set ``"credsStore": "wincred"`` in config.json, ``docker logout`` and log in again;
        change the password.
    """
    for client in clients.clients:
        for registry in client.inline:
            yield Finding(
                f"{client.folder}\\config.json", f"a password for {registry}", "credsStore", "/auths"
            )
    problems = [f"{client.folder}: {client.problem}" for client in clients.clients if client.problem]
    if problems:
        raise Inconclusive("; ".join(problems))
    if not clients.clients:
        raise NotApplicable("no user has a folder .docker")

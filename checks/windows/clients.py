"""What users keep for Docker's client in their profiles on a Windows host."""

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.windows_clients import Client, WindowsClients
from auditor.facts.windows_principals import is_broad, is_trusted, name_of
from auditor.facts.windows_rights import READ, Guarded, changes, words

_SECRET = ("key.pem", "config.json")
_USES = READ | changes("file")


@check(severity=Severity.HIGH)
def client_key_readable_by_others(clients: WindowsClients) -> Findings:
    """
    A user's client key and registry passwords are that user's only.

    With the key one commands every engine that trusts its owner; who can put another
    in its place waits for the owner to use it.

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
            others = {
                sid: mask & _USES for sid, mask in granted.items() if mask & _USES and not is_trusted(sid)
            }
            for sid, mask in others.items():
                if client.sid or is_broad(sid):
                    yield from _others(client, file, sid, mask)
                else:
                    unknown.append(
                        f"whose profile {client.folder} is was not told, and {name_of(sid)} has rights there"
                    )
    unknown += [f"{client.folder}: {client.problem}" for client in clients.clients if client.problem]
    if unknown:
        raise Inconclusive("; ".join(unknown))
    if not clients.clients:
        raise NotApplicable("no user has a folder .docker")


def _others(client: Client, file: Guarded, sid: str, mask: int) -> Findings:
    if sid.casefold() != client.sid.casefold():
        seen = f"{name_of(sid)} may {words(mask, 'file')}"
        yield Finding(file.path, seen, "its owner and administrators", f"access list {file.sddl}")


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

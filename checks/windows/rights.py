"""Who may change, or read, the files that decide who controls a Windows engine."""

from collections.abc import Callable
from ntpath import dirname
from typing import NamedTuple

from auditor.check import Check, Findings, Inconclusive, Severity, check
from auditor.facts.sddl import WRITE_DAC, WRITE_OWNER
from auditor.facts.windows_groups import WindowsGroups
from auditor.facts.windows_principals import is_broad
from auditor.facts.windows_rights import ADD_FILE, ADD_FOLDER, Guarded, WindowsRights
from auditor.policy import Policy
from checks.windows.evidence import Seen, held, wanted

_ADMINISTRATORS_ONLY = "nobody but SYSTEM and Administrators"


class _Protected(NamedTuple):
    """
    What is to be closed to ordinary users: name, words, and its roles in the list of rights; the first is on every host.

    ``reads``: reading counts too. ``create``: whoever may make it where it is absent has it: the right for that.
    ``apart``: it takes no rights from the folder above.
    """

    name: str
    title: str
    danger: str
    remedy: str
    roles: tuple[str, ...]
    severity: Severity = Severity.HIGH
    reads: bool = False
    create: int = 0
    apart: bool = False


_CLOSE = "icacls PATH /inheritance:r /grant:r *S-1-5-32-544:(OI)(CI)F *S-1-5-18:(OI)(CI)F"
_PROTECTED = (
    _Protected(
        "engine-program-writable-by-users",
        "Ordinary users cannot change the engine's program or put files beside it.",
        "The program runs as SYSTEM at every start. It loads libraries from its own folder first, so a file put there is as good as a changed program.",
        "Install the engine below ``C:\\Program Files``; where it lies elsewhere: ``icacls PATH /inheritance:r`` with read and execute for Users only.",
        ("executable", "executable-folder"), Severity.CRITICAL,
    ),
    _Protected(
        "data-root-open-to-users",
        "The engine's data is closed to ordinary users and takes no rights from the folder above it.",
        "Layers, volumes, logs and the engine's configuration lie there. dockerd closes the folder when it makes it, but leaves one alone that was there before: "
        "a folder that somebody made below ``C:\\ProgramData`` lets every user read, and add files.",
        f"``{_CLOSE}`` on the data root while the engine is stopped; then see that containers still reach their volumes.",
        ("data-root", "config-folder", "volumes-folder", "containers-folder"), reads=True, apart=True,
    ),
    _Protected(
        "daemon-config-writable-by-users",
        "Ordinary users can neither change the engine's configuration file nor create it.",
        "The next start of the engine obeys it: it can open a port, name other authorities, or trust another registry. Where there is no such file, "
        "whoever may create it is in the same place.",
        f"``{_CLOSE}`` on the folder of daemon.json; an administrator creates the file (``{{}}`` is enough).",
        ("config-file", "config-file-folder"), create=ADD_FILE,
    ),
    _Protected(
        "tls-key-open-to-users",
        "Ordinary users can neither read nor change the engine's TLS key.",
        "Whoever has the key can pose as the engine to its clients and read what they send.",
        f"``{_CLOSE}`` on the key's folder, then issue a new key: this one has been readable.",
        ("tls-key",), Severity.CRITICAL, reads=True,
    ),
    _Protected(
        "tls-files-writable-by-users",
        "Ordinary users cannot change the engine's certificates or put files beside them.",
        "Whoever can change the authority's certificate decides who may command the engine.",
        f"``{_CLOSE}`` on the folder of the TLS files.",
        ("tls-ca", "tls-cert", "tls-folder"),
    ),
    _Protected(
        "registry-certificates-writable-by-users",
        "Ordinary users cannot change or add certificates that the engine trusts for registries.",
        "A certificate added there lets its owner pose as the registry, and put images of his own in the place of yours.",
        f"``{_CLOSE}`` on ``certs.d``; where there is none, on the folder above.",
        ("registry-certs", "registry-cert"), create=ADD_FOLDER,
    ),
    _Protected(
        "credential-specs-writable-by-users",
        "Ordinary users cannot change or add credential specs.",
        "A credential spec decides as which account of the domain a container acts on the network.",
        f"``{_CLOSE}`` on ``CredentialSpecs``; only administrators may change the registry key of that name.",
        ("credential-specs", "credential-spec", "credential-spec-key"), create=ADD_FOLDER,
    ),
)  # fmt: skip

_TEXT = """
{title}

{danger}

Ordinary users are Everyone, Users, Authenticated Users and the like, by their SIDs, also
where a file has them as its owner. What named accounts hold is told apart from this.

Remediation:
    {remedy}
"""


def _check(each: _Protected) -> Check[...]:
    @check(severity=each.severity, name=each.name, text=_TEXT.format(**each._asdict()))
    def rule(rights: WindowsRights) -> Findings:
        seen = Seen(rights.by_role(*each.roles))
        if not rights.by_role(each.roles[0]):
            seen.unknown.append(f"the collector told nothing of the {each.roles[0]}")
        for thing in seen.present():
            yield from seen.judged(thing, _open(each, rights), _ADMINISTRATORS_ONLY)
        absent = [it for it in rights.by_role(each.roles[0]) if each.create and not it.exists]
        for thing in absent:
            yield from seen.judged(thing, _creatable(each, rights), f"{_ADMINISTRATORS_ONLY} may create it")
        seen.explain(needed=not absent)

    return rule


def _open(each: _Protected, rights: WindowsRights) -> Callable[[Guarded], str]:
    def judge(thing: Guarded) -> str:
        bits = wanted(thing, reads=each.reads)
        if thing.role == "config-file-folder" and any(it.exists for it in rights.by_role("config-file")):
            # Adding files beside a file that is there does not change it.
            bits &= ~(ADD_FILE | ADD_FOLDER)
        said = held(thing, bits)
        if each.apart and thing.role == each.roles[0] and not thing.rights.protected:
            return f"it takes rights from the folder above{'; ' * bool(said)}{said}"
        return said

    return judge


def _creatable(each: _Protected, rights: WindowsRights) -> Callable[[Guarded], str]:
    def judge(thing: Guarded) -> str:
        folder = rights.above(thing.path)
        if folder is None:
            raise Inconclusive(f"there is no {thing.path}, and who may create it is not known")
        is_next = folder.path.casefold() == dirname(thing.path).casefold()
        said = held(folder, (each.create if is_next else ADD_FOLDER) | WRITE_DAC | WRITE_OWNER)
        return f"it is not there, and in {folder.path} {said}" if said else ""

    return judge


closed: tuple[Check[...], ...] = tuple(map(_check, _PROTECTED))

_SECRETS = {role for each in _PROTECTED if each.reads for role in each.roles}
_ROLES = tuple(dict.fromkeys(role for each in _PROTECTED for role in each.roles))


@check(severity=Severity.MEDIUM)
def engine_files_changeable_by_named_accounts(
    rights: WindowsRights, groups: WindowsGroups, policy: Policy
) -> Findings:
    """
    No named account but administrators can change the engine's files.

    Whoever can change the engine's program, configuration or data is SYSTEM on the host by
    a detour, whatever else the account may do. Such rights are mostly left over: from an
    installation, from a folder that was copied, or from a container that should write to
    its volume.

    Accounts that are administrators anyway do not count, nor those that policy names under
    ``trusted_users``, by SID or by name.

    Remediation:
        ``icacls PATH /remove *SID`` for the account that the finding names, or name it
        under ``trusted_users`` in the inventory's policy if it is meant so.
    """

    def is_stranger(sid: str) -> bool:
        known = groups.rules_the_host(sid) or groups.account(sid).is_named_in(policy.trusted_users)
        return not known and not is_broad(sid)

    seen = Seen(rights.by_role(*_ROLES))
    for thing in seen.present():
        bits = wanted(thing, reads=thing.role in _SECRETS)
        yield from seen.judged(
            thing,
            lambda it, bits=bits: held(it, bits, is_stranger, lambda sid: str(groups.account(sid))),  # type: ignore[misc]
            "nobody but administrators and whom policy names",
        )
    seen.explain()

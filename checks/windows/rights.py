"""Who may change what the engine of a Windows host is made of, and read what it must keep to itself."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from auditor.check import Check, Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.sddl import Descriptor, Kind
from auditor.facts.windows_principals import is_broad, is_trusted, name_of
from auditor.facts.windows_rights import ADD_FILE, ADD_FOLDER, READ, Guarded, WindowsRights, changes, words
from auditor.facts.windows_service_rights import ServiceRights
from auditor.policy import Policy

_VALID, _NOT_SIGNED = 0, 2
_INSIDE: tuple[Literal["file"], Literal["folder"]] = ("file", "folder")
_DATA = ("data-root", "config-folder", "volumes-folder", "containers-folder")
_ONE_EACH = ("registry-cert", "credential-spec")
"""Roles of which there may be any number."""
_WANTED = "SYSTEM, Administrators and TrustedInstaller alone"


class _Kept(NamedTuple):
    """What nobody else may change. ``makes``: roles of things that, where they are not there, nobody else may make."""

    name: str
    severity: Severity
    what: str
    danger: str
    roles: tuple[str, ...]
    makes: tuple[str, ...] = ()


_KEPT = (
    _Kept(
        "engine-program-changeable", Severity.CRITICAL, "the engine's program and its folder",
        "It runs as LocalSystem: whoever replaces it, or puts a library beside it, is the system.",
        ("executable", "executable-folder"),
    ),
    _Kept(
        "windows-daemon-config-changeable", Severity.HIGH, "the engine's configuration file, or make one",
        "A line there opens the engine to the network. A folder below C:\\ProgramData lets every user make files.",
        ("config-file", "config-file-folder"), ("config-file",),
    ),
    _Kept(
        "windows-tls-file-changeable", Severity.HIGH, "the engine's certificates and key",
        "A CA of one's own there makes one's own client certificate valid.",
        ("tls-ca", "tls-cert", "tls-key", "tls-folder"),
    ),
    _Kept(
        "windows-registry-certificates-changeable", Severity.HIGH, "registries' certificates, or make some",
        "A CA that somebody put there lets him pass for a registry, and its images for those of the team.",
        ("registry-certs", "registry-cert"), ("registry-certs",),
    ),
    _Kept(
        "credential-specs-changeable", Severity.HIGH, "credential specs, or make some",
        "A spec gives containers the identity of an account of the domain.",
        ("credential-specs", "credential-spec", "credential-spec-key"), ("credential-specs",),
    ),
)  # fmt: skip

_TEXT = """
Only administrators can change {what}.

{danger} Rights come from the access list as Windows reads it: what is inherited, what denies before it
allows, and what an owner may do by being one.

Remediation:
    ``icacls PATH /inheritance:r /grant:r *S-1-5-32-544:(OI)(CI)F *S-1-5-18:(OI)(CI)F``, and for the owner
    ``icacls PATH /setowner *S-1-5-32-544``. Whom you trust beside them stands by SID as ``trusted_users``
    in the policy.
"""


def _kept(each: _Kept) -> Check[...]:
    @check(severity=each.severity, name=each.name, text=_TEXT.format(**each._asdict()))
    def rule(rights: WindowsRights, policy: Policy) -> Findings:
        there = [it for it in rights.by_role(*each.roles) if it.exists]
        makes = [it for it in rights.by_role(*each.makes) if not it.exists]
        unknown = rights.untold(*(role for role in each.roles if role not in _ONE_EACH))
        for guarded in there:
            yield from _others(guarded, changes(guarded.kind), policy, unknown)
            if guarded.kind == "folder":
                yield from _others_later(guarded, policy)
        for missing in makes:
            yield from _makers(missing, rights, policy, unknown)
        if unknown:
            raise Inconclusive("; ".join(unknown))
        if not there and not makes:
            raise NotApplicable("there is no such thing on this host")

    return rule


kept: tuple[Check[...], ...] = tuple(map(_kept, _KEPT))


def _others(guarded: Guarded, bits: int, policy: Policy, unknown: list[str]) -> Iterator[Finding]:
    """Those who have rights there that only administrators should have; why that is not known goes to ``unknown``."""
    try:
        found = list(strangers(guarded.rights, guarded.kind, bits, policy))
    except Inconclusive as gap:
        unknown.append(str(gap))
        return
    for sid, mask in found:
        may = f"{name_of(sid)} may {words(mask, guarded.kind)}"
        yield Finding(guarded.path, may, _WANTED, f"access list {guarded.sddl}")


def _others_later(folder: Guarded, policy: Policy, reading: int = 0) -> Iterator[Finding]:
    """Those who can change (or, with ``reading``, read) what will be made in a folder, and have no such right on the folder itself."""
    try:
        own = folder.rights
    except Inconclusive:
        return  # told already
    seen = {sid for sid, _ in strangers(own, folder.kind, reading | changes(folder.kind), policy)}
    for kind in _INSIDE:
        for sid, mask in strangers(own.inherited_by(kind), kind, reading | changes(kind), policy):
            if sid not in seen:
                seen.add(sid)
                may = f"{name_of(sid)} may {words(mask, kind)} the {kind}s that will be made in it"
                yield Finding(folder.path, may, _WANTED, f"access list {folder.sddl}")


def strangers(rights: Descriptor, kind: Kind, bits: int, policy: Policy) -> Iterator[tuple[str, int]]:
    """Every SID that has one of these bits and neither rules the host nor is trusted by the policy, which cannot trust everybody."""
    trusted = {name.casefold() for name in policy.trusted_users}
    for sid, mask in rights.granted(kind).items():
        if mask & bits and not is_trusted(sid) and (is_broad(sid) or sid.casefold() not in trusted):
            yield sid, mask & bits


def _makers(missing: Guarded, rights: WindowsRights, policy: Policy, unknown: list[str]) -> Iterator[Finding]:
    folder = rights.above(missing.path)
    if folder is None:
        unknown.append(f"no folder above {missing.path} was looked at")
        return
    for finding in _others(folder, ADD_FILE | ADD_FOLDER, policy, unknown):
        yield Finding(
            missing.path, f"is not there, and in {folder.path} {finding.observed}", _WANTED, finding.source
        )


@check(severity=Severity.CRITICAL)
def engine_service_changeable(services: ServiceRights, policy: Policy) -> Findings:
    """
    Only administrators can change the engine's service.

    Who sets its command line, in the service manager or in the registry, starts a
    program of his own as LocalSystem.

    Remediation:
        Give the service its usual rights back (``sc.exe sdset NAME``, copied from a
        fresh host) and its registry key those of its parent.
    """
    unknown: list[str] = []
    for service in services.services:
        for guarded in service.guarded:
            yield from _others(guarded, changes(guarded.kind), policy, unknown)
    if unknown:
        raise Inconclusive("; ".join(unknown))
    if not services.services:
        raise NotApplicable("no service runs the engine")


@check(severity=Severity.HIGH)
def engine_service_path_unquoted(services: ServiceRights) -> Findings:
    r"""
    The path of the engine's program stands in quotes where it has blanks.

    Of ``C:\Program Files\Docker\dockerd.exe`` without quotes Windows tries
    ``C:\Program.exe`` first: whoever can put that there is the system.

    Remediation:
        ``sc.exe config docker binPath= "\"C:\Program Files\Docker\dockerd.exe\" --run-service"``
    """
    unknown = [f"the command of service {it.name} was not told" for it in services.services if not it.command]
    for service in services.services:
        if program := service.unquoted_program:
            yield Finding(service.name, f"starts {program}", "the path in quotes", "service:/PathName")
    if unknown:
        raise Inconclusive("; ".join(unknown))
    if not services.services:
        raise NotApplicable("no service runs the engine")


@check(severity=Severity.LOW)
def engine_program_unsigned(services: ServiceRights) -> Findings:
    """
    The engine's program is signed, and its signature is valid.

    A signature tells from whom a program is and that nobody changed it since. The
    archives of Moby are not signed; Mirantis Container Runtime is.

    Remediation:
        Install a signed build, or keep its SHA-256 with your environment's code and
        compare it after each installation.
    """
    if services.signature is None:
        raise Inconclusive("the signature of the engine's program was not told")
    if services.signature == _NOT_SIGNED:
        yield Finding(services.program, "not signed", "a valid signature", "Get-AuthenticodeSignature")


@check(severity=Severity.CRITICAL)
def engine_program_signature_broken(services: ServiceRights) -> Findings:
    """
    Where the engine's program is signed, the signature holds.

    A signature that does not hold means that somebody changed the program since, or
    that nobody whom Windows trusts vouches for it. It runs as LocalSystem.

    Remediation:
        Compare the program's SHA-256 with the vendor's, install it anew, and look for
        how it was changed.
    """
    if services.signature is None:
        raise Inconclusive("the signature of the engine's program was not told")
    if services.signature not in (_VALID, _NOT_SIGNED):
        seen = f"signature status {services.signature}"
        yield Finding(services.program, seen, "a valid signature or none", "Get-AuthenticodeSignature")


@check(severity=Severity.HIGH)
def data_root_open_to_users(rights: WindowsRights, policy: Policy) -> Findings:
    r"""
    Ordinary users can neither read nor change the engine's data.

    The engine closes a data folder that it makes itself. One that somebody made
    before, as installation scripts do, inherits the rights of C:\ProgramData: every
    user reads logs and volumes there and makes files.

    Remediation:
        ``icacls C:\ProgramData\docker /inheritance:r /grant:r *S-1-5-32-544:(OI)(CI)F *S-1-5-18:(OI)(CI)F``
    """
    found = [it for it in rights.by_role(*_DATA) if it.exists]
    unknown = rights.untold(*_DATA)
    for guarded in found:
        yield from _others(guarded, READ | changes("folder"), policy, unknown)
        yield from _others_later(guarded, policy, READ)
        yield from _dependent(guarded)
    if unknown:
        raise Inconclusive("; ".join(unknown))
    if not found:
        raise NotApplicable("the engine has no data folder yet")


def _dependent(guarded: Guarded) -> Iterator[Finding]:
    """A data root that takes rights from the folder above is open as soon as that one is."""
    try:
        if guarded.role == "data-root" and not guarded.rights.protected:
            seen = "takes rights from the folder above"
            yield Finding(guarded.path, seen, "rights of its own only", f"access list {guarded.sddl}")
    except Inconclusive:
        return  # told already


@check(severity=Severity.CRITICAL)
def windows_tls_key_readable(rights: WindowsRights, policy: Policy) -> Findings:
    r"""
    Only administrators can read the engine's private key.

    Who has it passes for this engine. A key in a folder that was made below
    C:\ProgramData by hand can be read by every user of the host.

    Remediation:
        ``icacls KEY /inheritance:r /grant:r *S-1-5-32-544:F *S-1-5-18:F``, then have a new
        key and certificate made: the old ones may be in other hands.
    """
    keys = [it for it in rights.by_role("tls-key") if it.exists]
    unknown = rights.untold("tls-key")
    for key in keys:
        yield from _others(key, READ, policy, unknown)
    if unknown:
        raise Inconclusive("; ".join(unknown))
    if not keys:
        raise NotApplicable("the engine has no TLS key")

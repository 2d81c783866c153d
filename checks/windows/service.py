"""The service that starts a Windows engine: who may change it, and what it really starts."""

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.windows_groups import WindowsGroups
from auditor.facts.windows_principals import is_broad
from auditor.facts.windows_service_rights import ServiceRights
from auditor.policy import Policy
from checks.windows.evidence import Seen, held, wanted

_NOT_SIGNED, _TAMPERED, _NOT_TRUSTED = 2, 3, 4


@check(severity=Severity.CRITICAL)
def engine_service_changeable_by_users(service: ServiceRights) -> Findings:
    """
    Ordinary users cannot change the engine's service.

    Whoever can change the command line of a service that runs as SYSTEM is SYSTEM at its
    next start. There are two doors to it: the rights on the service itself, and those on its
    registry key.

    Remediation:
        ``sc.exe sdset NAME`` with the rights that ``sc.exe sdshow`` shows of another service
        of Windows; in regedit take the account out of the key's permissions.
    """
    seen = Seen(it for each in service.services for it in each.guarded)
    for thing in seen.present():
        yield from seen.judged(
            thing, lambda it: held(it, wanted(it, reads=False)), "nobody but SYSTEM and Administrators"
        )
    _explain(seen, service)


@check(severity=Severity.MEDIUM)
def engine_service_changeable_by_named_accounts(
    service: ServiceRights, groups: WindowsGroups, policy: Policy
) -> Findings:
    """
    No named account but administrators can change the engine's service.

    The account can have its own program started as SYSTEM. Administrators do not count, nor
    whom policy names under ``trusted_users``, by SID or by name.

    Remediation:
        Take the account's entry out of ``sc.exe sdshow NAME`` with ``sc.exe sdset``, or name
        it under ``trusted_users`` in the inventory's policy if it is meant so.
    """

    def is_stranger(sid: str) -> bool:
        known = groups.rules_the_host(sid) or groups.account(sid).is_named_in(policy.trusted_users)
        return not known and not is_broad(sid)

    seen = Seen(it for each in service.services for it in each.guarded)
    for thing in seen.present():
        yield from seen.judged(
            thing,
            lambda it: held(it, wanted(it, reads=False), is_stranger, lambda sid: str(groups.account(sid))),
            "nobody but administrators and whom policy names",
        )
    _explain(seen, service)


@check(severity=Severity.MEDIUM)
def engine_service_path_unquoted(service: ServiceRights) -> Findings:
    r"""
    The service's command line names the engine's program in quotes.

    Without quotes Windows takes each blank of the path for its end and starts what it finds
    first: of ``C:\\Program Files\\Docker\\dockerd.exe`` that is ``C:\\Program.exe``.

    Remediation:
        ``sc.exe config NAME binPath= "\\"C:\\Program Files\\Docker\\dockerd.exe\\" --run-service"``
    """
    for each in service.services:
        if each.unquoted_program:
            yield Finding(
                f"service {each.name}",
                each.unquoted_program,
                "the path in quotes",
                "the service's command line",
            )
    _explain(Seen(it for each in service.services for it in each.guarded), service)


@check(severity=Severity.LOW)
def engine_program_unsigned(service: ServiceRights) -> Findings:
    """
    The engine's program is signed by a publisher that the host trusts.

    A signature tells that nobody changed the program since its publisher built it, and who
    that is. The static archives of Docker CE are not signed; Mirantis signs its programs.

    Remediation:
        Use a signed distribution, or compare the program's digest with the publisher's at
        every installation, waive this check, and let a change of the file be audited.
    """
    said = {_NOT_SIGNED: "not signed", _NOT_TRUSTED: "signed by somebody the host does not trust"}
    if _signature(service) in said:
        yield Finding(
            service.program, said[_signature(service)], "a valid signature", "Get-AuthenticodeSignature"
        )


@check(severity=Severity.CRITICAL)
def engine_program_tampered(service: ServiceRights) -> Findings:
    """
    The engine's program is the one that its publisher signed.

    A signature that does not fit the file means that the file was changed after it was
    signed.

    Remediation:
        Take the host off the network and look into who changed the program; install the
        engine anew.
    """
    if _signature(service) == _TAMPERED:
        yield Finding(
            service.program, "its signature does not fit it", "a valid signature", "Get-AuthenticodeSignature"
        )


def _signature(service: ServiceRights) -> int:
    """The status of the signature: valid, none, broken or not trusted; else it is not known."""
    if service.signature in (0, _NOT_SIGNED, _TAMPERED, _NOT_TRUSTED):
        return service.signature
    raise Inconclusive(
        f"the signature of {service.program or 'the engine'} could not be looked at: status {service.signature}"
    )


def _explain(seen: Seen, service: ServiceRights) -> None:
    if not service.services:
        raise NotApplicable("no service runs the engine")
    seen.explain()

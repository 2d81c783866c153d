"""What a Windows host writes down of what is done to its engine."""

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.windows_audit import FILE_SYSTEM, PROCESS_CREATION, WindowsAudit
from auditor.facts.windows_principals import EVERYONE
from auditor.facts.windows_rights import WindowsRights

_WRITES = 0x2
_ROLES = ("executable", "config-file", "registry-certs", "credential-specs")


@check(severity=Severity.MEDIUM)
def process_starts_not_audited(audit: WindowsAudit) -> Findings:
    """
    The start of processes is written to the security log.

    Processes of process-isolated containers are among them: without the log nobody
    can tell afterwards what ran.

    Remediation:
        ``auditpol /set /subcategory:{0CCE922B-69AE-11D9-BED3-505054503030} /success:enable``,
        better by group policy.
    """
    if not audit.logs(PROCESS_CREATION):
        yield Finding(
            "audit policy", "starts of processes are not logged", "success", f"auditpol:{PROCESS_CREATION}"
        )


@check(severity=Severity.MEDIUM)
def engine_file_changes_not_audited(audit: WindowsAudit, rights: WindowsRights) -> Findings:
    """
    Changes of the engine's program, configuration and certificates are written to the security log.

    That takes two things: the policy that logs access to files, and on each file or
    folder an entry that says whose access is logged.

    Remediation:
        ``auditpol /set /subcategory:{0CCE921D-69AE-11D9-BED3-505054503030} /success:enable``, and on each
        path an audit entry for Everyone on writing (Properties, Security, Advanced, Auditing; or by
        group policy).
    """
    if not audit.logs(FILE_SYSTEM):
        yield Finding("audit policy", "access to files is not logged", "success", f"auditpol:{FILE_SYSTEM}")
        return
    found = [it for it in rights.by_role(*_ROLES) if it.exists]
    unknown = rights.untold(*_ROLES)
    for guarded in found:
        try:
            logged = guarded.auditing.audited(guarded.kind).get(EVERYONE, 0)
        except Inconclusive as gap:
            unknown.append(str(gap))
            continue
        if not logged & _WRITES:
            seen = "no audit entry for writing by Everyone"
            yield Finding(guarded.path, seen, "writing by everybody is logged", f"audit list {guarded.audit}")
    if unknown:
        raise Inconclusive("; ".join(unknown))
    if not found:
        raise NotApplicable("none of the engine's files was found")

"""Who may use the engine of a Windows host, and by which door one gets to the host."""

from collections.abc import Iterator

from auditor.check import Finding, Findings, Inconclusive, Manual, NotApplicable, Severity, check
from auditor.facts.windows_groups import Group, WindowsGroups
from auditor.facts.windows_pipes import WindowsPipes
from auditor.facts.windows_principals import ADMINISTRATORS, is_broad
from auditor.facts.windows_winrm import WinRm
from auditor.policy import Policy
from checks.runtime.evidence import listing

_DESKTOP = "docker-users"


@check(severity=Severity.HIGH)
def windows_engine_open_to_others(groups: WindowsGroups, policy: Policy) -> Findings:
    r"""
    Only trusted users are in the groups that may use the engine.

    Whoever may use the engine can start a container that has all of C: in it, and so
    is an administrator without being called one. Those who are called so are not
    asked about, unless everybody is.

    Remediation:
        Take people out of the groups that ``group`` in daemon.json names, and of
        docker-users (``Remove-LocalGroupMember``). Name those who stay in the policy's
        ``trusted_users``, by SID or as DOMAIN\name.
    """
    asked, unknown = [], list(groups.untold)
    yield from _everybody_among_administrators(groups, unknown)
    for group in filter(_lets_in, groups.groups):
        if is_broad(group.sid):
            yield Finding(str(group.account), "ordinary users are in it", "trusted users only", "group")
        elif group.members is None and not group.account.is_named_in(policy.trusted_users):
            unknown.append(f"the members of {group.name} could not be listed: {group.problem or 'not told'}")
        for member in group.members or ():
            if groups.rules_the_host(member.sid) or member.is_named_in(policy.trusted_users):
                continue
            if policy.trusted_users or is_broad(member.sid):
                yield Finding(str(member), f"is in {group.name}", "trusted users only", f"group {group.name}")
            else:
                asked.append(f"{member} in {group.name}")
    if unknown:
        raise Inconclusive("; ".join(unknown))
    if asked:
        raise Manual(
            f"may these use the engine? (trusted_users in the policy would decide it) {listing(asked)}"
        )


def _everybody_among_administrators(groups: WindowsGroups, unknown: list[str]) -> Iterator[Finding]:
    administrators = groups.by_sid(ADMINISTRATORS)
    if administrators is None or administrators.members is None:
        unknown.append("the members of the host's administrators could not be listed")
        return
    for member in administrators.members:
        if is_broad(member.sid):
            yield Finding(str(member), "is an administrator of the host", "trusted users only", "group")


def _lets_in(group: Group) -> bool:
    """Administrators rule the host anyway; a group that there is not lets nobody in."""
    is_meant = group.configured or group.name.casefold() == _DESKTOP
    return is_meant and group.sid != ADMINISTRATORS and (group.configured or not group.is_missing)


@check(severity=Severity.HIGH)
def engine_pipe_open_to_others(pipes: WindowsPipes, groups: WindowsGroups) -> Findings:
    """
    The engine's pipe is open to those only that the engine was told of.

    The engine lets in administrators and the groups in its configuration, Docker
    Desktop its docker-users. Tools that change the pipe's rights afterwards let in
    others, of whom no file tells.

    Remediation:
        Restart the engine: it makes the pipe anew. Name who may use it as ``group`` in
        daemon.json, and remove the tool that changed the pipe.
    """
    told = {group.sid for group in filter(_lets_in, groups.groups) if group.sid}
    unknown = list(pipes.unseen)
    for pipe in pipes.pipes:
        try:
            users = pipe.users
        except Inconclusive as gap:
            unknown.append(str(gap))
            continue
        for sid in users:
            allowed = not is_broad(sid) and (sid in told or groups.rules_the_host(sid))
            if not allowed and (pipe.configured or is_broad(sid)):
                who = str(groups.account(sid))
                yield Finding(
                    pipe.path, f"{who} may use it", "administrators and configured groups", pipe.sddl or ""
                )
    if unknown:
        raise Inconclusive("; ".join(unknown))
    if not pipes.engine:
        raise NotApplicable("the engine opens no pipe: it was told to listen by TCP alone")


@check(severity=Severity.HIGH)
def winrm_takes_clear_text(winrm: WinRm) -> Findings:
    r"""
    WinRM takes no password and no message in clear, and hands no password on.

    With Basic over HTTP whoever listens has an administrator's password; with
    CredSSP the host itself gets it, to use it elsewhere.

    Remediation:
        ``Set-Item WSMan:\localhost\Service\AllowUnencrypted false``, the same for
        ``Auth\Basic`` and ``Auth\CredSSP``; keep an HTTPS listener only.
    """
    basic, credssp = winrm.auth.get("Basic"), winrm.auth.get("CredSSP")
    if winrm.unencrypted:
        yield Finding("WinRM", "AllowUnencrypted = true", "false", "WSMan:/Service/AllowUnencrypted")
    if basic and "HTTP" in winrm.transports:
        yield Finding("WinRM", "Basic with a listener for HTTP", "HTTPS only", "WSMan:/Service/Auth/Basic")
    if credssp:
        yield Finding("WinRM", "CredSSP = true", "false", "WSMan:/Service/Auth/CredSSP")
    if None in (winrm.unencrypted, basic, credssp):
        raise Inconclusive("WinRM did not tell all of AllowUnencrypted, Basic and CredSSP")

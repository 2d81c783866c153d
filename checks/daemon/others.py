"""Daemons of the host beside the one that was asked."""

from auditor.check import Finding, Findings, Manual, Severity, check
from auditor.facts.daemons import Daemons


@check(severity=Severity.MEDIUM)
def daemon_not_audited(daemons: Daemons) -> Findings:
    """
    Every daemon on the host is audited.

    A host can run several engines: a rootless one for each user, one inside a container for
    builds. Each is a way to run containers, and what is said of one holds for no other. Where
    the inventory names no socket, all that can be reached from the host are audited; one in a
    container, or in a file system of its own, cannot.

    Remediation:
        Stop a daemon that nobody needs. Audit one in a container as a host of its own, by its
        API (``transport: docker``). Give each daemon an entry in the inventory with its
        ``socket``, or name no socket: then one entry covers all of them.
    """
    left = []
    for other in daemons.others:
        if other.elsewhere:
            where = (
                f"in container {other.container[:12]}" if other.container else "in a file system of its own"
            )
            yield Finding(
                str(other),
                f"runs {where} as uid {other.uid}: neither its files nor its API were looked at",
                "an audit of its own",
                f"process {other.pid}",
            )
        elif not other.number:
            left.append(f"{other} (process {other.pid}, uid {other.uid})")
    if left:
        raise Manual(
            f"only the named socket was audited; also there: {'; '.join(left)}: are these audited too?"
        )

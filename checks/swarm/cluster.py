"""The swarm as a whole: its managers, their key, its certificates. A manager knows; on a worker these are not applicable."""

from datetime import datetime, timedelta

from auditor.check import Finding, Findings, Inconclusive, Manual, NotApplicable, Severity, check
from auditor.facts.certificate import Certificate
from auditor.facts.engine import Engine
from auditor.facts.swarm import Swarm
from auditor.policy import Policy

_MOST_MANAGERS = 7
_MOST_DAYS = 90


@check(severity=Severity.MEDIUM)
def needless_swarm_managers(swarm: Swarm) -> Findings:
    """
    The swarm has as many managers as it needs to survive a loss, and no more.

    Every manager can start anything on every node, and holds the swarm's keys. Three
    survive the loss of one, five that of two, seven that of three. An even number
    survives no more than one less does, and more than seven only slow each other down.

    Remediation:
        ``docker node demote NODE`` those beyond an odd number up to seven; ``docker
        node promote NODE`` where a swarm of several nodes has only one.
    """
    cluster = swarm.cluster()
    seen = f"{cluster.managers} managers of {cluster.nodes} nodes"
    if cluster.managers > _MOST_MANAGERS or cluster.managers % 2 == 0:
        yield Finding(
            "swarm", seen, f"an odd number, {_MOST_MANAGERS} at most", "docker info:/Swarm/Managers"
        )
    elif cluster.managers == 1 < cluster.nodes:
        raise Manual(f"one manager for {cluster.nodes} nodes: may the swarm stand still when it fails?")


@check(severity=Severity.MEDIUM)
def swarm_managers_not_locked(swarm: Swarm) -> Findings:
    """
    A manager that restarts stays locked until somebody unlocks it.

    The keys that encrypt the swarm's log and its traffic lie on every manager's disk.
    With auto-lock they are encrypted, and a stolen disk or backup gives nothing away.

    Remediation:
        ``docker swarm update --autolock=true`` on a manager, and keep the key it prints
        in a safe place off the swarm.
    """
    if not swarm.cluster().auto_lock:
        yield Finding(
            "swarm",
            "AutoLockManagers = false",
            "true",
            "docker info:/Swarm/Cluster/Spec/EncryptionConfig/AutoLockManagers",
        )


@check(severity=Severity.LOW)
def unlock_key_not_rotated(swarm: Swarm) -> Findings:
    """
    The key that unlocks managers is rotated.

    Whoever left the team, or found an old note, may know the key. The swarm does not
    record when it was changed last, and the auditor never asks for the key.

    Remediation:
        ``docker swarm unlock-key --rotate`` on a manager at least yearly and whenever
        somebody who knew it leaves; keep the old key until all managers have the new one.
    """
    yield from ()
    if not swarm.cluster().auto_lock:
        raise NotApplicable("managers are not locked, so there is no key to rotate")
    raise Manual("auto-lock is on: when was its key last rotated (docker swarm unlock-key --rotate)?")


@check(severity=Severity.LOW)
def node_certificates_too_long(swarm: Swarm) -> Findings:
    """
    Certificates of the swarm's nodes hold 90 days at most.

    Nodes renew their certificates by themselves. The shorter one holds, the shorter
    somebody who stole it can pass for that node.

    Remediation:
        ``docker swarm update --cert-expiry 2160h`` (90 days) or less on a manager.
    """
    days = swarm.cluster().node_certificate_days
    if days <= 0:
        raise Inconclusive(f"docker info tells a validity that makes no sense: {days:g} days")
    if days > _MOST_DAYS:
        yield Finding(
            "swarm",
            f"NodeCertExpiry = {days:g} days",
            f"{_MOST_DAYS} days at most",
            "docker info:/Swarm/Cluster/Spec/CAConfig/NodeCertExpiry",
        )


@check(severity=Severity.MEDIUM)
def swarm_authority_not_rotated(swarm: Swarm, engine: Engine, policy: Policy) -> Findings:
    """
    The swarm's certificate authority is rotated.

    The swarm makes its own authority, which holds for twenty years. Whoever copied its
    key in that time can make himself a node. How often it has to be changed is for a
    person to say; one that ends soon has to be changed now.

    Remediation:
        ``docker swarm ca --rotate`` on a manager, while all nodes are up.
    """
    cluster = swarm.cluster()
    if not cluster.authorities:
        raise Inconclusive("docker info shows no certificate of the swarm's authority")
    now = _moment(engine.system_time)
    for authority in cluster.authorities:
        if authority.not_after <= now + timedelta(days=policy.certificate_warning_days):
            yield Finding(
                "swarm",
                f"the authority {authority.subject} ends on {authority.not_after:%Y-%m-%d}",
                f"more than {policy.certificate_warning_days} days to go",
                "docker info:/Swarm/Cluster/TLSInfo/TrustRoot",
            )
    rotating = "; a rotation is under way" if cluster.root_rotation else ""
    shown = "; ".join(_shown(authority, now) for authority in cluster.authorities)
    raise Manual(f"is the swarm's authority due for a rotation? {shown}{rotating}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Inconclusive("docker info does not tell the host's time") from None
    if moment.tzinfo is None:
        raise Inconclusive("docker info tells a time without its zone")
    return moment


def _shown(authority: Certificate, now: datetime) -> str:
    age = (now - authority.not_before).days
    return f"{authority.subject} is {age} days old and holds until {authority.not_after:%Y-%m-%d}"

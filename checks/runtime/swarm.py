"""Whether the host belongs to a swarm."""

from auditor.check import Finding, Findings, Inconclusive, Severity, check
from auditor.facts.engine import Engine
from auditor.policy import Policy


@check(severity=Severity.MEDIUM)
def unexpected_swarm(engine: Engine, policy: Policy) -> Findings:
    """
    The host is in a swarm only on purpose.

    A swarm opens ports for its managers and its network, and lets every manager start
    containers on this host. On a host that needs none that is a way in for nothing.

    Remediation:
        ``docker swarm leave`` (``--force`` on a manager) on a host that needs no
        swarm; ``expect_swarm: true`` in the policy of one that does.
    """
    state = engine.swarm_state
    if state == "active" and not policy.expect_swarm:
        role = "manager" if engine.swarm_manager else "worker"
        yield Finding(
            "daemon", f"swarm mode is active, as {role}", "inactive", "docker info:/Swarm/LocalNodeState"
        )
    elif state not in ("active", "inactive"):
        raise Inconclusive(
            f"swarm mode is {state or 'not told'}: whether the host is in a swarm will show when that is settled"
        )

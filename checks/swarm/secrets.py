"""How a swarm's services get their secrets."""

from auditor.check import Finding, Findings, Manual, NotApplicable, Severity, check
from auditor.facts.swarm import Swarm
from checks.runtime.evidence import listing


@check(severity=Severity.HIGH)
def secret_in_swarm_service(swarm: Swarm) -> Findings:
    """
    Services get their secrets as swarm secrets.

    A service's environment is shown to whoever may inspect it, and is stored and
    logged with it. A swarm secret is encrypted on the managers, sent only to the nodes
    that need it, and appears in memory there. Variables are told by their names.

    Remediation:
        ``docker secret create NAME FILE``, then ``docker service update --secret-add
        NAME --env-rm VARIABLE SERVICE``; many images read ``VARIABLE_FILE``. Replace the
        secret, for it was known.
    """
    services = swarm.all_services()
    if not services:
        raise NotApplicable("the swarm has no services")
    for service in services:
        for name in service.variables:
            yield Finding(
                service.name,
                f"{name} in its environment has a value",
                "a swarm secret",
                f"docker service inspect {service.name}:/Spec/TaskTemplate/ContainerSpec/Env",
            )
    without = [service.name for service in services if not service.secrets]
    if without:
        raise Manual(
            f"do these services get a secret in another way? They use no swarm secret: {listing(without)}. "
            f"The swarm holds {len(swarm.secret_names)} secret(s)"
        )

"""The operating system below the engine."""

from auditor.check import Findings, Manual, Severity, check
from auditor.facts.kernel import Kernel
from auditor.facts.machine import Machine


@check(severity=Severity.MEDIUM)
def host_hardening_unconfirmed(machine: Machine, kernel: Kernel) -> Findings:
    """
    The host's operating system is hardened by its own benchmark.

    Containers share the host's kernel and trust everything else that runs there: a host
    that is open by another way is an engine that is open. What a host has to look like
    is in the benchmark of its distribution, so a person answers this, and renews it.

    Remediation:
        Judge the host by the benchmark of its distribution, then record the answer as an
        attestation that expires.
    """
    yield from ()
    settings = ", ".join(f"{name} = {value}" for name, value in kernel.settings.items())
    evidence = [
        machine.name,
        f"kernel {machine.kernel}",
        f"security modules {', '.join(kernel.modules) or 'none told'}",
        settings or "no kernel settings told",
    ]
    raise Manual(f"{'; '.join(evidence)}: was this host hardened by its distribution's benchmark, and when?")

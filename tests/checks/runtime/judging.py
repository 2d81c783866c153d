"""What the tests of container checks share: one container is enough to ask a question."""

from collections.abc import Iterable

from auditor.check import Finding
from auditor.facts.containers import Container, Containers
from auditor.gaps import Gap

WEB = Container()
UNSEEN = Containers(unseen=("0123456789ab: it was not inspected",))
NONE = Containers()


def containers(*every: Container) -> Containers:
    return Containers(every)


def answer(said: Iterable[Finding]) -> tuple[list[Finding], Gap | None]:
    """What a check found, and the gap it ended with."""
    found: list[Finding] = []
    try:
        found.extend(said)  # extend keeps what came before the gap
    except Gap as gap:
        return found, gap
    return found, None


def observed(said: Iterable[Finding]) -> list[str]:
    return [f"{finding.subject}: {finding.observed}" for finding in answer(said)[0]]

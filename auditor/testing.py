"""
For tests of checks: give a check its facts, and see how it ends.

    from auditor.testing import judge

    def test_latest_is_found() -> None:
        judged = judge(image_without_version, Containers((Container(image="nginx:latest"),)))
        assert judged.outcome is Outcome.FAIL
        assert [finding.subject for finding in judged.findings] == ["web"]

Facts' defaults are those of a hardened host, so a test names only what it is about. A check that crashes raises here.
"""

from typing import Any, NamedTuple, get_origin

from auditor.check import Check, Finding
from auditor.evaluate import outcome_of
from auditor.gaps import Gap
from auditor.policy import Policy
from auditor.results import Outcome

__all__ = ["Finding", "Judged", "Outcome", "judge"]


class Judged(NamedTuple):
    """How a check ended: the outcome, its findings, and the reason when something was not known or not asked."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    reason: str


def judge(check: Check[...], *facts: Any) -> Judged:
    """
    Run a check on facts, in any order; a ``Policy`` that is not given is the default one.

    Raises:
        TypeError: the check asks for a fact that is not given, or does not ask for one that is.
    """
    given = {type(fact): fact for fact in (Policy(), *facts)}
    wanted = {name: get_origin(fact) or fact for name, fact in check.facts.items()}
    missing = [fact.__name__ for fact in wanted.values() if fact not in given]
    needless = given.keys() - set(wanted.values()) - {Policy}
    if missing or needless:
        names = ", ".join(missing) or ", ".join(fact.__name__ for fact in needless)
        raise TypeError(f"{check.id} {'needs' if missing else 'does not ask for'} {names}")
    findings, gap = list[Finding](), None
    try:
        findings.extend(check(**{name: given[fact] for name, fact in wanted.items()}))
    except Gap as raised:
        gap = raised
    return Judged(outcome_of(findings, gap), tuple(findings), str(gap or ""))

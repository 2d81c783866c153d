"""Whether the host belongs to a swarm, judged."""

import pytest

from auditor.check import Inconclusive
from auditor.facts.engine import Engine
from auditor.policy import Policy
from checks.runtime.swarm import unexpected_swarm
from tests.checks.runtime.judging import answer, observed

ACTIVE = Engine(swarm_state="active")


def test_no_swarm_passes_expected_or_not() -> None:
    for policy in (Policy(), Policy(expect_swarm=True)):
        assert answer(unexpected_swarm(Engine(), policy)) == ([], None)


def test_a_swarm_nobody_expects_is_found_with_the_hosts_role() -> None:
    assert observed(unexpected_swarm(ACTIVE, Policy())) == ["daemon: swarm mode is active, as worker"]
    manager = Engine(swarm_state="active", swarm_manager=True)
    assert observed(unexpected_swarm(manager, Policy())) == ["daemon: swarm mode is active, as manager"]


def test_an_expected_swarm_passes() -> None:
    assert answer(unexpected_swarm(ACTIVE, Policy(expect_swarm=True))) == ([], None)


@pytest.mark.parametrize("state", ["pending", "locked", "error", ""])
def test_a_swarm_in_between_is_not_judged(state: str) -> None:
    found, gap = answer(unexpected_swarm(Engine(swarm_state=state), Policy()))
    assert not found
    assert isinstance(gap, Inconclusive)

"""Recorded hosts answer every control as the table that was written down by hand says."""

import pytest

from auditor.cli.catalogue import benchmark_named
from auditor.collect.bundle import load
from auditor.results import Outcome
from reports import controls
from tests.lab.hosts import ADDRESSES, RECORDINGS
from tests.lab.matrix import BENCHMARK, answers, differences, load_matrix


def test_the_table_has_a_word_for_every_control_and_host() -> None:
    matrix = load_matrix()
    assert list(matrix.controls) == [control.number for control in benchmark_named(BENCHMARK).controls]
    assert {len(words) for words in matrix.controls.values()} == {len(matrix.hosts)}
    assert set(matrix.hosts) == {*ADDRESSES, "engine"}


_ROOTLESS = "3.19, 3.20, 1.1.10: /etc/default/docker counts as a rootless daemon's, which does not read it; the rest mends with a recording made anew"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.xfail(reason=_ROOTLESS, strict=True)] * (name == "rootless"))
        for name in ADDRESSES
    ],
)
def test_a_recorded_host_answers_as_the_table_says(name: str) -> None:
    assert differences(name, load((RECORDINGS / f"{name}.bundle.gz").read_bytes())) == []


def test_nothing_of_level_1_fails_on_the_hardened_host_and_what_is_no_pass_is_explained() -> None:
    found = answers("hardened", load((RECORDINGS / "hardened.bundle.gz").read_bytes()))
    for control in benchmark_named(BENCHMARK).controls:
        outcome, _ = controls.judge(found[control.number])
        if control.level == 1:
            assert outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.MANUAL), control.number
        reasons = [it.reason for it in found[control.number] if it.outcome is outcome is not Outcome.PASS]
        assert all(reasons) or control.level == 2, control.number

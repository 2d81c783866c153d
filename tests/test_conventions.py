"""What holds for every check and every benchmark."""

import re
from types import ModuleType

import pytest

import checks
from auditor.benchmark import available, load_benchmark
from auditor.check import Check, Findings, Severity, check
from auditor.cli.catalogue import BENCHMARKS, all_checks, everything, plan_of
from auditor.errors import AuditorError, BadFile, UsageError
from auditor.facts.daemon import DaemonConfig
from auditor.plan import can_tell, pick
from auditor.registry import discover

ALL = list(all_checks().values())


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.id)
def test_a_check_says_what_it_wants_why_and_what_to_do(each: Check[...]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", each.id)
    assert re.fullmatch(r"[A-Z/d].*\.", each.title), "the title is one sentence"
    assert len(each.title) <= 110
    assert len(each.rationale) > 60
    assert len(each.remediation) > 20
    assert each.facts


@pytest.mark.parametrize("name", available(BENCHMARKS))
def test_every_check_that_a_benchmark_names_is_there_and_its_platform_tells_what_it_reads(name: str) -> None:
    plan = plan_of(load_benchmark(BENCHMARKS, name))
    assert plan.items
    untold = [item.id for item in plan.items if item.check and not can_tell(item.platform, item.check)]
    assert untold == []


def test_every_check_is_asked_of_some_platform() -> None:
    assert {item.id for item in everything().items if item.check} == set(all_checks())


def test_no_two_checks_have_the_same_title() -> None:
    titles = [each.title for each in ALL]
    assert sorted(titles) == sorted(set(titles))


def test_the_benchmark_has_its_118_controls_of_which_87_are_level_1() -> None:
    controls = load_benchmark(BENCHMARKS, "cis-docker-1.8.0").controls
    assert (len(controls), sum(control.level == 1 for control in controls)) == (118, 87)
    assert len({control.title for control in controls}) == 118


@pytest.mark.parametrize("name", available(BENCHMARKS))
def test_level_1_means_exactly_the_controls_of_level_1(name: str) -> None:
    benchmark = load_benchmark(BENCHMARKS, name)
    plan = pick(plan_of(benchmark), level=1)
    covered = {number for item in plan.items for number in item.controls}
    assert covered == {control.number for control in benchmark.controls if control.level == 1}
    assert {level for item in plan.items for level in item.levels} == {1}
    both = pick(plan_of(benchmark), level=2)
    assert {number for item in both.items for number in item.controls} == {
        control.number for control in benchmark.controls
    }


@pytest.mark.parametrize("version", ["1.7.0", "1.6.0"])
def test_older_benchmarks_lack_the_control_on_devicemapper_and_count_on(version: str) -> None:
    older = load_benchmark(BENCHMARKS, f"cis-docker-{version}")
    newer = load_benchmark(BENCHMARKS, "cis-docker-1.8.0")
    assert len(older.controls) == 117
    titles = {control.title: control.number for control in older.controls}
    moved = {
        control.number: titles.get(control.title)
        for control in newer.controls
        if control.number.startswith("2.")
    }
    assert (moved["2.6"], moved["2.7"], moved["2.8"], moved["2.19"]) == ("2.6", None, "2.7", "2.18")


def test_a_benchmark_that_there_is_not_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"cis-docker-1\.8\.0"):
        load_benchmark(BENCHMARKS, "cis-docker-9")


def test_a_benchmark_with_a_number_twice_is_refused(tmp_path: object) -> None:
    folder = BENCHMARKS.__class__(str(tmp_path))
    control = '{number: "1.1", level: 1, title: t}'
    (folder / "own.yaml").write_text(
        f'title: Own\nsections: {{"1": {{name: a, title: A}}}}\ncontrols: [{control}, {control}]\n'
    )
    with pytest.raises(BadFile, match=r"1\.1"):
        load_benchmark(folder, "own")


def test_a_package_without_checks_is_an_error_and_never_a_clean_audit(tmp_path: object) -> None:
    empty = ModuleType("empty")
    empty.__path__ = [str(tmp_path)]
    with pytest.raises(AuditorError, match="no check found"):
        discover(empty)
    assert discover(checks)


def test_a_check_without_words_or_annotations_refuses_to_load() -> None:
    def silent(config: DaemonConfig) -> Findings:
        yield from ()

    def untyped(config, more: DaemonConfig) -> Findings:  # type: ignore[no-untyped-def]  # noqa: ANN001  that is the point
        """T.

        R.

        Remediation:
            Do.
        """
        yield from ()

    with pytest.raises(TypeError, match="docstring"):
        check(severity=Severity.LOW)(silent)
    with pytest.raises(TypeError, match="no annotation on config"):
        check(severity=Severity.LOW)(untyped)

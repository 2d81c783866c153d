"""What every test gets: the lab's costly parts, started once, and the rule that nothing skips in CI."""

import os
from collections.abc import Generator, Iterator

import pytest

from tests.lab import engine, vm
from tests.lab.need import need_root


@pytest.fixture(scope="session")
def lab_engine() -> Iterator[engine.Engine]:
    """A dockerd with no configuration of its own. Tests share it: name your containers after your test, remove them."""
    need_root(engine.PROGRAMS)
    with engine.engine() as running:
        yield running


@pytest.fixture(scope="session")
def lab_host() -> Iterator[vm.LabHost]:
    """A whole Debian trixie as host_settle.sh leaves it. Tests share it: leave it as it was."""
    need_root(vm.PROGRAMS)
    with vm.lab_host() as host:
        yield host


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test that uses a lab host may have to build it."""
    for item in items:
        if item.get_closest_marker("vm"):
            item.add_marker(pytest.mark.timeout(vm.SECONDS_FOR_ALL))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test is a failed one in CI."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So is a whole module that skips itself."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and os.environ.get("CI"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"In CI nothing may skip, and this did. {reason}"

"""What every test gets: the lab's costly parts, started once, and the rule that nothing skips in CI."""

import os
import shutil
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


NOT_RUN = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The first test that uses a lab host may have to build it; without pwsh nothing can run windows.ps1, and that is told at the end."""
    need_pwsh = [] if shutil.which("pwsh") else [it for it in items if it.get_closest_marker("pwsh")]
    config.stash[NOT_RUN] = len(need_pwsh)
    if need_pwsh:
        config.hook.pytest_deselected(items=need_pwsh)
        items[:] = [it for it in items if it not in need_pwsh]
    for item in items:
        if item.get_closest_marker("vm"):
            item.add_marker(pytest.mark.timeout(vm.SECONDS_FOR_ALL))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """A test that did not run must not look like one that passed."""
    if config.stash.get(NOT_RUN, 0):
        terminalreporter.write_line(
            f"windows.ps1 was parsed but DID NOT RUN: pwsh is not on PATH ({config.stash[NOT_RUN]} test(s) not collected)"
        )


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

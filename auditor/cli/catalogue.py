"""What can be asked: the checks and the benchmarks."""

from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import get_args

import checks
from auditor.benchmark import Benchmark, available, load_benchmark
from auditor.check import Check
from auditor.errors import UsageError
from auditor.host import Platform
from auditor.own_checks import load_own_checks
from auditor.plan import Plan, can_tell, join, make_plan
from auditor.registry import discover

BENCHMARKS = Path(checks.__file__).parent / "benchmarks"
PLATFORMS: frozenset[Platform] = frozenset(get_args(Platform))
_USUAL: dict[Platform, str] = {"linux": "cis-docker", "windows": "windows-container-host"}


@cache
def all_checks(*folders: Path, platform: Platform | None = None) -> dict[str, Check[...]]:
    """
    Every check there is, by id; those of a user's folders too. For one ``platform``: without the folder of another's.

    Raises:
        BadFile: a folder holds no check, one that cannot be loaded, or one whose id is taken.
    """
    found = discover(checks, without=PLATFORMS - {platform} if platform else ())
    for folder in folders:
        found |= load_own_checks(folder, found)
    return found


def benchmark_named(name: str) -> Benchmark:
    """The benchmark; ``cis-docker`` without a version means the newest of that name."""
    newest = next((it for it in available(BENCHMARKS) if it.startswith(f"{name}-")), name)
    return load_benchmark(BENCHMARKS, newest)


def benchmarks_named(
    names: Sequence[str], platforms: Collection[Platform] = PLATFORMS
) -> tuple[Benchmark, ...]:
    """
    The benchmarks of these names, and the usual one of each platform of which none is named; those for ``platforms``.

    Raises:
        UsageError: there is none of a name, or two are for one platform.
    """
    named = [benchmark_named(name) for name in names]
    found = {benchmark.platform: benchmark for benchmark in named}
    if len(found) < len(named):
        raise UsageError(f"--benchmark: name one for each platform; {' and '.join(names)} are for the same")
    return tuple(
        found.get(platform) or benchmark_named(name)
        for platform, name in _USUAL.items()
        if platform in platforms
    )


def everything(
    benchmarks: Sequence[str] = (), own: Sequence[Path] = (), platforms: Collection[Platform] = PLATFORMS
) -> Plan:
    """All that could be asked of these platforms: every control, and every check, ours and the user's."""
    return join(*(plan_of(benchmark, own) for benchmark in benchmarks_named(benchmarks, platforms)))


def plan_of(benchmark: Benchmark, own: Sequence[Path] = ()) -> Plan:
    """All that could be asked by a benchmark."""
    return make_plan(_askable(benchmark, own), benchmark)


def _askable(benchmark: Benchmark, own: Sequence[Path]) -> dict[str, Check[...]]:
    """Ours that it names, or all, and the user's: those whose facts a host of its platform can tell."""
    named = {name for control in benchmark.controls for name in control.checks}
    ours = all_checks(platform=benchmark.platform)
    return {
        name: check
        for name, check in (all_checks(*own) if own else ours).items()
        if name in named or (can_tell(benchmark.platform, check) and not (benchmark.closed and name in ours))
    }

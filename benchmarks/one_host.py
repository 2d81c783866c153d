"""
One host with 1, 50 and 200 containers: ours against the raw floor, and against docker-bench-security when its path is given.

    python benchmarks/one_host.py [--containers 1 50 200] [--rounds 5] [--docker-bench PATH/docker-bench-security.sh]

It starts a dockerd of its own (root, Debian's docker.io and busybox-static), with containers that sleep. All figures
are of one run on one machine: believe the ratios, not the seconds.
"""

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.lab.engine import Engine, engine  # noqa: E402  the checkout is no installed package


class Cost(NamedTuple):
    """Seconds by the clock, and of the processors: of all programs that were started, the daemon's own not among them."""

    wall: float
    cpu: float


def main() -> None:
    options = _options()
    print(
        f"{'containers':>10} {'floor s':>8} {'ours s':>8} {'ours/floor':>10} {'floor CPU':>9} {'ours CPU':>8} {'docker-bench s':>14} {'docker-bench/ours':>18} {'processes':>9}"
    )
    with engine() as lab, tempfile.TemporaryDirectory() as folder:
        environment = lab.environment
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # who runs the auditor twice has it compiled
        made = 0
        for wanted in sorted(options.containers):
            made = _start_containers(lab, made, wanted)
            ours = _median(options.rounds, lambda: _ours(environment, Path(folder)))
            floor = _median(options.rounds, lambda: _floor(environment))
            peer = (
                _timed(lambda: _peer(environment, options.docker_bench)).wall
                if options.docker_bench
                else None
            )
            _print_row(wanted, floor, ours, peer, _processes(environment))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--containers", type=int, nargs="+", default=[1, 50, 200])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--docker-bench", type=Path)
    return parser.parse_args()


def _print_row(containers: int, floor: Cost, ours: Cost, peer: float | None, processes: int) -> None:
    bench, ratio = (f"{peer:.1f}", f"{peer / ours.wall:.0f} x") if peer else ("-", "-")
    print(
        f"{containers:>10} {floor.wall:>8.2f} {ours.wall:>8.2f} {ours.wall / floor.wall:>9.1f}x {floor.cpu:>9.2f} {ours.cpu:>8.2f} {bench:>14} {ratio:>18} {processes:>9}"
    )


def _start_containers(lab: Engine, made: int, wanted: int) -> int:
    for number in range(made, wanted):
        lab.run(f"sleeper-{number}")
    return max(made, wanted)


def _ours(environment: dict[str, str], folder: Path) -> None:
    """The whole benchmark on this host, HTML and JUnit written."""
    reports = ["--report", f"html={folder / 'r.html'}", "--report", f"junit={folder / 'r.xml'}"]
    _run(
        environment,
        sys.executable,
        "-m",
        "auditor",
        "run",
        "local",
        "-q",
        "--fail-on",
        "never",
        *reports,
        codes=(0, 3),
    )


def _floor(environment: dict[str, str]) -> None:
    """The least that brings the data back: one shell, one inspect of all, compressed."""
    _run(
        environment, "sh", "-c", "docker inspect --format '{{json .}}' $(docker ps -aq) | gzip -1 > /dev/null"
    )


def _peer(environment: dict[str, str], script: Path) -> None:
    _run(environment, "bash", str(script.resolve()), "-b", cwd=script.parent, codes=None)


def _processes(environment: dict[str, str]) -> int:
    """How many processes the collector starts: the kernel's count of forks, less what others do meanwhile."""
    with _quiet_forks() as forks:
        script = (ROOT / "auditor/collect/linux.sh").read_bytes()
        subprocess.run(
            ["sh", "-s", "--", "-z"], input=script, env=environment, stdout=subprocess.DEVNULL, check=True
        )
        return forks()


@contextmanager
def _quiet_forks() -> Iterator[Callable[[], int]]:
    def count() -> int:
        found = re.search(r"^processes (\d+)", Path("/proc/stat").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0

    before = count()
    yield lambda: count() - before


def _run(
    environment: dict[str, str], *command: str, cwd: Path = ROOT, codes: tuple[int, ...] | None = (0,)
) -> None:
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, check=False)
    if codes is not None and done.returncode not in codes:
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")


def _timed(work: Callable[[], None]) -> Cost:
    began, spent = time.perf_counter(), _cpu()
    work()
    return Cost(time.perf_counter() - began, _cpu() - spent)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _median(rounds: int, work: Callable[[], None]) -> Cost:
    work()
    costs = [_timed(work) for _ in range(rounds)]
    return Cost(statistics.median(it.wall for it in costs), statistics.median(it.cpu for it in costs))


if __name__ == "__main__":
    main()
    print(f"largest process of ours: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MB")

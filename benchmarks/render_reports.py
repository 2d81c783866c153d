"""
What it costs to render 1,000 hosts x 118 controls: CPU seconds, size, memory beyond the report itself.

Run: ``python benchmarks/render_reports.py [hosts] [checks]``
"""

import sys
import time
import tracemalloc
from collections.abc import Iterator

from reports import FORMATS
from tests.reports.samples import fleet


def main() -> None:
    hosts, checks = (int(argument) for argument in (sys.argv[1:] + ["1000", "118"][len(sys.argv) - 1 :])[:2])
    report = fleet(hosts, checks)
    print(f"{hosts} hosts x {checks} checks")
    print(f"{'format':<8} {'cold s':>8} {'warm s':>8} {'MB':>8} {'peak MB':>8}")
    for name, render in FORMATS.items():
        (cold, _), (warm, size) = (_timed(render(report)) for _ in range(2))
        tracemalloc.start()
        for _ in render(report):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"{name:<8} {cold:>8.2f} {warm:>8.2f} {size / 1e6:>8.2f} {peak / 1e6:>8.1f}")


def _timed(pieces: Iterator[str]) -> tuple[float, int]:
    start = time.process_time()
    size = sum(len(piece.encode()) for piece in pieces)
    return time.process_time() - start, size


if __name__ == "__main__":
    main()

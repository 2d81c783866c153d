"""
Evaluation alone: the whole benchmark over a saved bundle of a host with many containers and images, none of them kept well.

    python benchmarks/evaluate.py [--containers 200] [--images 100] [--rounds 9]

The bundle is that of the badly kept host in ``tests/recordings``, with its containers and images multiplied. Beside the
seconds stands the ratio to ``json.loads`` of the same JSON: the least that reading it in Python costs.
"""

import argparse
import itertools
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from auditor.cli.selection import Selection  # noqa: E402  the checkout is no installed package
from auditor.collect.bundle import Bundle, Section, load, load_file  # noqa: E402
from auditor.evaluate import compare, judge  # noqa: E402
from auditor.host import Host  # noqa: E402
from auditor.results import Outcome  # noqa: E402

RECORDING = ROOT / "tests/recordings/bad.bundle.gz"
_ID = re.compile(rb"[0-9a-f]{64}")


def main() -> None:
    options = _options()
    raw = multiplied(load_file(RECORDING), options.containers, options.images).dump()
    plan = Selection(("cis-docker-1.8.0",)).plan.on("linux")
    host = Host("web1", transport="bundle")
    documents = list(_documents(load(raw)))
    bare = _median(options.rounds, lambda: [json.loads(each) for each in documents])
    reading = _median(options.rounds, lambda: load(raw))
    bundle = load(raw)
    whole = _median(options.rounds, lambda: compare([judge(plan, host, Bundle(bundle.sections))]))
    [report] = compare([judge(plan, host, bundle)])
    findings = sum(len(result.findings) for result in report.results)
    errors = [result.check for result in report.results if result.outcome is Outcome.ERROR]
    print(f"{options.containers} containers, {options.images} images, {len(raw) / 1e6:.2f} MB")
    print(f"{len(report.results)} results, {findings} findings, {len(errors)} could not be decided")
    print(f"read the bundle      {reading:.3f} s")
    print(f"evaluate             {whole:.3f} s (target: below 0.3)")
    print(f"bare json.loads      {bare:.3f} s, evaluation takes {whole / bare:.1f} x as long")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--containers", type=int, default=200)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args()


def multiplied(bundle: Bundle, containers: int, images: int) -> Bundle:
    """The bundle as if the host had so many containers and images: copies, each with an id and a name of its own."""
    made = _copies(_lines(bundle, "images"), images)
    ids = [json.loads(line)["Id"].encode() for line in made]
    inspected = [
        re.sub(rb'"Image":"sha256:[0-9a-f]{64}"', b'"Image":"%s"' % ids[number % images], line, count=1)
        for number, line in enumerate(_copies(_lines(bundle, "containers"), containers))
    ]
    listed = [b"listed %s" % json.loads(line)["Id"].encode() for line in inspected]
    history = re.split(rb"^(?=image )", bundle.read("image-history"), flags=re.MULTILINE)[1:]
    told = [
        re.sub(rb"^image \S+", b"image " + name, text.rstrip(b"\n"))
        for name, text in zip(ids, itertools.cycle(history), strict=False)
    ]
    return bundle.adding(
        {
            "containers": Section(b"\n".join([*listed, *inspected, b""])),
            "images": Section(b"\n".join([*made, b""])),
            "image-history": Section(b"\n".join([*(b"listed " + name for name in ids), *told, b""])),
        }
    )


def _lines(bundle: Bundle, section: str) -> list[bytes]:
    return [line for line in bundle.read(section).splitlines() if line.startswith(b"{")]


def _copies(lines: list[bytes], count: int) -> list[bytes]:
    """So many of these inspections, over and over; each copy's own id differs, layers and what they refer to stay."""
    return [
        re.sub(rb'"Name":"/', b'"Name":"/n%d-' % number, line.replace(_own_id(line), b"%064x" % (number + 1)))
        for number, line in zip(range(count), itertools.cycle(lines), strict=False)
    ]


def _own_id(line: bytes) -> bytes:
    found = _ID.search(line)
    assert found, line
    return found[0]


def _documents(bundle: Bundle) -> Iterator[bytes]:
    for section in ("engine-info", "containers", "images", "networks"):
        yield from _lines(bundle, section)


def _median(rounds: int, work: Callable[[], object]) -> float:
    work()
    return statistics.median(_timed(work) for _ in range(rounds))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

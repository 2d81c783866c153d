"""
Record the real hosts of the matrix and of the worked example: ``python tests/recordings/record.py [HOST…]``.

As root; needs what tests/lab/vm.py needs. Each host is a whole Debian trixie in a virtual machine, changed by a script
beside this one, then collected over SSH and probed from outside, as ``auditor collect`` does it. Nothing in a recording
is written by hand. To be run again when a section of the collector changes.
"""

import gzip
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.lab.hosts import ADDRESSES, RECORDINGS, record


def main() -> None:
    """Record all hosts, or those named on the command line."""
    for name in sys.argv[1:] or ADDRESSES:
        bundle = record(name)
        path = RECORDINGS / f"{name}.bundle.gz"
        path.write_bytes(gzip.compress(bundle.dump(), mtime=0))
        print(f"{path.name}: {path.stat().st_size} bytes, {len(bundle.sections)} sections")


if __name__ == "__main__":
    main()

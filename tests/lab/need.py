"""What a lab test needs from the machine; where that is absent the test skips, which tests/conftest.py forbids in CI."""

import os
import shutil
from collections.abc import Sequence

import pytest


def need(*programs: str) -> None:
    """Skip the calling test unless these programs are on PATH."""
    if absent := [program for program in programs if not shutil.which(program)]:
        pytest.skip(f"not on this machine: {', '.join(absent)} (bash tests/run installs what Debian has)")


def need_root(programs: Sequence[str] = ()) -> None:
    """Skip the calling test unless it runs as root and these programs are on PATH."""
    need(*programs)
    if os.geteuid() != 0:
        pytest.skip("needs root")

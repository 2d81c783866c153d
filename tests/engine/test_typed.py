"""Types are used from many threads at once, for the first time too."""

import subprocess
import sys

import msgspec
import pytest

from auditor import typed

# Dies of a segmentation fault within some hundred rounds where threads may ask msgspec for a new type at once.
RACE = """
import sys, threading
import msgspec
from auditor import typed

sys.setswitchinterval(1e-6)
for number in range(600):
    inner = msgspec.defstruct("Inner", [(f"f{i}", "list[str] | None", None) for i in range(8)], frozen=True)
    outer = msgspec.defstruct("Outer", [("a", list[inner]), ("b", dict[str, inner], {})], frozen=True)
    together = threading.Barrier(4)

    def use(convert):
        together.wait()
        if convert:
            typed.convert({"a": [{"f0": ["x"]}]}, outer)
        else:
            typed.decode(b'{"a":[{"f0":["x"]}],"b":{"k":{"f7":null}}}', outer)

    threads = [threading.Thread(target=use, args=[i == 0]) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("survived")
"""


def test_threads_may_ask_for_a_new_type_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RACE], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "survived\n", "")


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        typed.decode(b'["x"]', list[int])
    with pytest.raises(msgspec.ValidationError):
        typed.convert(["1"], list[int])
    assert typed.decode("[1]", list[int]) == typed.convert([1], list[int]) == [1]

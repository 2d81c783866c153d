"""The rule in tests/conftest.py: in CI a skip is a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = {
    "by itself": "import pytest\ndef test_it(): pytest.skip('no engine here')",
    "by mark": "import pytest\n@pytest.mark.skipif(True, reason='no engine here')\ndef test_it(): pass",
    "in its fixture": "import pytest\n@pytest.fixture\ndef f(): pytest.skip('no engine here')\ndef test_it(f): pass",
    "as a module": "import pytest\npytest.skip('no engine here', allow_module_level=True)",
}
CHECKOUT = Path(__file__).parents[2]


def run_pytest(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(code)
    (folder / "conftest.py").write_bytes((CHECKOUT / "tests/conftest.py").read_bytes())
    outside_ci = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        env={**outside_ci, "PYTHONPATH": str(CHECKOUT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("how", SKIPPING)
def test_what_skips_in_ci_fails_and_tells_why(how: str, tmp_path: Path) -> None:
    done = run_pytest(tmp_path, SKIPPING[how], CI="true")
    assert done.returncode in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED}
    assert "no engine here" in done.stdout


@pytest.mark.parametrize("how", SKIPPING)
def test_what_skips_on_a_contributors_machine_does_not_fail(how: str, tmp_path: Path) -> None:
    done = run_pytest(tmp_path, SKIPPING[how])
    assert done.returncode in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
    assert "1 skipped" in done.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    code = "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_it(): assert False"
    assert run_pytest(tmp_path, code, CI="true").returncode == pytest.ExitCode.OK


def test_what_needs_pwsh_is_told_not_to_have_run(tmp_path: Path) -> None:
    code = "import pytest\n@pytest.mark.pwsh\ndef test_it(): assert False\ndef test_other(): pass"
    done = run_pytest(tmp_path, code, CI="true", PATH="/usr/bin/nowhere")
    assert done.returncode == pytest.ExitCode.OK
    assert "1 passed, 1 deselected" in done.stdout
    assert "windows.ps1 was parsed but DID NOT RUN" in done.stdout

"""OpenSSH for Windows: the same collector through a real sshd, behind which a stand-in answers for PowerShell."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import BadReply, DeadlineExceeded, LoginRefused
from auditor.host import Host
from tests.lab import sshd
from tests.lab.need import need_root
from tests.lab.wsman.powershell import recorded
from tests.transports.world import collect, host_of

pytestmark = pytest.mark.lab
CHECKOUT = Path(__file__).parents[2]
ANSWERS = """\
from tests.lab.wsman.powershell import Host, recorded
command, _, arguments = os.environ["SSH_ORIGINAL_COMMAND"].partition(" ")
answer = Host(recorded("server-2022-kept"))(command, arguments, sys.stdin.buffer.read())
sys.stdout.buffer.write(b"Microsoft Windows [Version 10.0.20348]\\r\\n" + answer.stdout)
"""
OTHERWISE = {
    "constrained": 'print("docker-host-auditor language ConstrainedLanguage")',
    "broken": 'sys.stderr.write("The shell cannot be started.\\n"); sys.exit(7)',
    "slow": "import time; time.sleep(60)",
}


def stand_in(folder: Path, code: str) -> Path:
    file = folder / "powershell"
    file.write_text(f"#!{sys.executable}\nimport os, sys\nsys.path.insert(0, {str(CHECKOUT)!r})\n{code}")
    file.chmod(0o755)
    return file


@pytest.fixture
def windows(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Host]:
    """A Windows host by SSH; a test may name another behaviour."""
    need_root(sshd.PROGRAMS)
    code = OTHERWISE.get(getattr(request, "param", ""), ANSWERS)
    with sshd.sshd(config=f"ForceCommand {stand_in(tmp_path, code)}") as running:
        yield replace(host_of(running), platform="windows", sudo=True)


def test_the_same_collector_brings_the_same_bundle(windows: Host) -> None:
    names = ("host", "engine-info", "windows-acl")
    assert collect(windows, *names).sections == {
        it: recorded("server-2022-kept").sections[it] for it in names
    }


@pytest.mark.parametrize("windows", ["constrained"], indirect=True)
def test_constrained_language_mode_is_named(windows: Host) -> None:
    with pytest.raises(LoginRefused, match="ConstrainedLanguage mode"):
        collect(windows)


@pytest.mark.parametrize("windows", ["broken"], indirect=True)
def test_a_shell_that_does_not_start_is_shown(windows: Host) -> None:
    with pytest.raises(BadReply, match=r"status 7 without a reply \(The shell cannot be started\.\)"):
        collect(windows)


@pytest.mark.parametrize("windows", ["slow"], indirect=True)
def test_the_deadline_holds(windows: Host) -> None:
    with pytest.raises(DeadlineExceeded):
        collect(replace(windows, timeouts=replace(windows.timeouts, total=2)))

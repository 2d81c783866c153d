"""The collector on this very machine."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.collect.bundle import Bundle, Section
from auditor.errors import BadReply, DeadlineExceeded
from auditor.host import Host
from auditor.transports.base import Deadline
from auditor.transports.local import Local

HERE = Host("here")


def fake_shell(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts an ``env`` of ours first on PATH: what the transport starts is then ``script``."""
    program = folder / "env"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_the_sections_that_were_asked_for_come_back() -> None:
    bundle = Local().collect(HERE, ("host", "files"), Deadline(60))
    assert [name for name in bundle.sections if "." not in name] == [
        "host",
        "files",
    ]  # and those of further daemons
    assert f"uid={os.geteuid()}\n" in bundle.text("host")


def test_the_given_socket_is_asked(tmp_path: Path) -> None:
    host = Host("here", path=tmp_path / "engine.sock")
    assert (
        f"socket {tmp_path}/engine.sock"
        in Local().collect(host, ("daemon",), Deadline(60)).section("daemon").data.decode()
    )


def wait_until(is_so: Callable[[], bool]) -> bool:
    """A killed process may take a moment to go."""
    until = time.monotonic() + 20
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)
    return is_so()


def test_what_hangs_is_killed_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_shell(tmp_path, f"sleep 1000 & echo $! > {tmp_path}/pid; wait", monkeypatch)
    with pytest.raises(DeadlineExceeded, match=r"the collector on here: no end within the 0\.5 s"):
        Local().collect(HERE, (), Deadline(0.5))
    child = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    assert wait_until(lambda: not child.exists() or child.read_text().split()[2] == "Z")


def test_garbage_is_no_reply_and_the_beginning_of_the_complaint_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_shell(tmp_path, "echo hello; echo 'no such thing' >&2; exit 3", monkeypatch)
    with pytest.raises(BadReply, match=r"ended with status 3 without a reply \(no such thing\)"):
        Local().collect(HERE, (), Deadline(30))


def test_a_reply_beyond_its_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_shell(tmp_path, "exec yes", monkeypatch)
    with pytest.raises(BadReply, match=r"MiB of reply"):
        Local(limit=100_000).collect(HERE, (), Deadline(30))


def test_a_machine_without_a_shell_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BadReply, match=r"no shell to run the collector with"):
        Local().collect(HERE, (), Deadline(30))


def test_neither_docker_nor_ssh_is_loaded_for_it() -> None:
    program = (
        "import sys; from auditor.host import Host; from auditor.transports.base import open_transport; "
        "open_transport(Host('here')); assert not {'docker', 'paramiko', 'requests', 'cryptography'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_has_begun_is_collected_and_not_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle({"host": Section(b"uid=0\n")})
    (tmp_path / "reply").write_bytes(bundle.dump())
    fake_shell(tmp_path, f"echo started >> {tmp_path}/log; cat {tmp_path}/reply", monkeypatch)
    local = Local()
    with local.begun([HERE, Host("elsewhere", "ssh", "192.0.2.1")]):
        assert local.collect(HERE, ("host",), Deadline(30)) == bundle
        assert (tmp_path / "log").read_text() == "started\n"
        assert local.collect(HERE, ("host",), Deadline(30)) == bundle
    assert (tmp_path / "log").read_text() == "started\nstarted\n"


def test_what_has_begun_and_nobody_collects_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_shell(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 1000", monkeypatch)
    pid = tmp_path / "pid"
    with Local().begun([HERE]):
        assert wait_until(lambda: pid.exists() and bool(pid.read_text()))
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()


def test_a_machine_without_a_shell_says_so_when_it_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    local = Local()
    with local.begun([HERE]), pytest.raises(BadReply, match=r"no shell to run the collector with"):
        local.collect(HERE, (), Deadline(30))

"""A secret is fetched from where it is kept, when it is needed, and shown by nothing."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from auditor.errors import AuditorError
from auditor.inventory import secrets
from auditor.inventory.secrets import (
    FromCommand,
    FromEnvironment,
    FromFile,
    FromKeyring,
    KeyringEntry,
    SecretReference,
)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    secrets._output.cache_clear()
    yield
    secrets._output.cache_clear()


def kept(path: Path, content: bytes, mode: int = 0o600) -> FromFile:
    path.write_bytes(content)
    path.chmod(mode)
    return FromFile(path)


def test_a_reference_says_where_a_secret_is_kept(tmp_path: Path) -> None:
    assert SecretReference(env="A").resolve(tmp_path) == FromEnvironment("A")
    assert SecretReference(file="b").resolve(tmp_path) == FromFile(tmp_path / "b")
    assert SecretReference(file="~/b").resolve(tmp_path) == FromFile(Path.home() / "b")
    assert SecretReference(command=("a", "b")).resolve(tmp_path) == FromCommand(("a", "b"))
    assert SecretReference(keyring=KeyringEntry("s", "u")).resolve(tmp_path) == FromKeyring("s", "u")


def test_an_environment_variable_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = FromEnvironment("AUDITOR_TEST_SECRET")
    with pytest.raises(AuditorError, match="AUDITOR_TEST_SECRET should hold a secret, but is not set"):
        secret.reveal()
    monkeypatch.setenv("AUDITOR_TEST_SECRET", "hunter2")
    assert secret.reveal() == "hunter2"


def test_a_file_is_read_without_its_last_newline(tmp_path: Path) -> None:
    assert kept(tmp_path / "a", b" hunter2 \n").reveal() == " hunter2 "
    assert kept(tmp_path / "b", b"two\nlines\r\n").reveal() == "two\nlines"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(AuditorError, match=r"chmod 600 .*/open"):
        kept(tmp_path / "open", b"hunter2", mode).reveal()


@pytest.mark.parametrize("content", [b"", b"\n", b"hunter2\xff", b"hunter2" * 20_000])
def test_a_file_without_a_usable_secret_is_refused_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(AuditorError) as caught:
        kept(tmp_path / "x", content).reveal()
    assert "hunter2" not in str(caught.value)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, says in (
        (tmp_path / "none", "no such file"),
        (tmp_path, "is a directory"),
        (Path("a\0"), "no valid name"),
    ):
        with pytest.raises(AuditorError, match=says):
            FromFile(path).reveal()


def test_the_first_line_that_a_command_prints_is_the_secret() -> None:
    assert FromCommand(("printf", "hunter2\nlogin: x\n")).reveal() == "hunter2"
    assert FromCommand(("echo", "$HOME; true")).reveal() == "$HOME; true", "no shell reads it"


def counting(folder: Path, status: int) -> FromCommand:
    return FromCommand(("sh", "-c", f"echo run >> {folder}/runs; echo hunter2; exit {status}"))


def test_a_command_runs_once_for_all_hosts(tmp_path: Path) -> None:
    assert [counting(tmp_path, 0).reveal() for _ in range(3)] == ["hunter2"] * 3
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_command_that_fails_runs_once_too_and_what_it_prints_is_not_repeated(tmp_path: Path) -> None:
    for _ in range(3):
        with pytest.raises(AuditorError, match=r"failed \(exit status 3\): run it by hand") as caught:
            counting(tmp_path, 3).reveal()
        assert "hunter2" not in str(caught.value)
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_command_that_does_not_end_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "_SECONDS", 1)
    pid = tmp_path / "pid"
    with pytest.raises(AuditorError, match="did not end within 1 s"):
        FromCommand(("sh", "-c", f"sleep 1000 & echo $! > {pid}")).reveal()
    for _ in range(200):
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", pid.read_text()], capture_output=True, text=True, check=False
        ).stdout
        if not state or state.startswith("Z"):
            return
        time.sleep(0.05)
    pytest.fail(f"still running: {state}")


def test_a_command_asks_nothing() -> None:
    with pytest.raises(AuditorError, match="it is empty"):
        FromCommand(("cat",)).reveal()


def test_a_command_that_does_not_exist_says_so() -> None:
    with pytest.raises(AuditorError, match=r"the command no-such-program, .* does not start: no such file"):
        FromCommand(("no-such-program", "hunter2")).reveal()


def test_arguments_of_a_command_are_not_shown() -> None:
    assert "hunter2" not in repr(FromCommand(("vault", "read", "hunter2")))


class Keyring(ModuleType):
    """A keyring with one entry, in place of the optional package."""

    class errors:  # noqa: N801  the name that the package has
        class KeyringError(Exception):
            pass

    def get_password(self, service: str, user: str) -> str | None:
        if service == "locked":
            raise self.errors.KeyringError("hunter2")
        return "hunter2" if (service, user) == ("web", "root") else None


def test_a_keyring_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring("keyring"))
    assert FromKeyring("web", "root").reveal() == "hunter2"
    with pytest.raises(AuditorError, match="has no secret for fred at web: keyring set web fred"):
        FromKeyring("web", "fred").reveal()
    with pytest.raises(AuditorError, match=r"does not answer \(KeyringError\)") as caught:
        FromKeyring("locked", "fred").reveal()
    assert "hunter2" not in str(caught.value)


def test_without_the_keyring_package_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(AuditorError, match=r"pip install 'docker-host-auditor\[keyring\]'"):
        FromKeyring("web", "root").reveal()

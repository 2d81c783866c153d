"""Secrets by reference: where one is kept. The value is fetched when it is needed, and held by nothing here but the one cache."""

import importlib
import os
import signal
import stat
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from auditor.errors import AuditorError
from auditor.host import Secret

_SECONDS = 30
_MOST_BYTES = 64 * 1024
_ONE_COMMAND = threading.Lock()

HOW: Final = (
    "a secret is never written here; say where it is kept: {env: NAME}, {file: PATH}, {command: [PROGRAM, ARGUMENT]} or "
    "{keyring: {service: NAME, user: NAME}}"
)

Text = Annotated[str, Meta(min_length=1, pattern=r"^[^\x00]*$")]


class KeyringEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of this machine's keyring."""

    service: Text
    user: Text


class SecretReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a secret is kept: one of the four."""

    env: Annotated[Text | None, Meta(description="The environment variable that holds it.")] = None
    file: Annotated[
        Text | None, Meta(description="A file that only its owner may read, relative to this file's folder.")
    ] = None
    command: Annotated[
        tuple[Text, ...] | None,
        Meta(
            description="A program and its arguments, run without a shell; the first line it prints is the secret."
        ),
    ] = None
    keyring: Annotated[KeyringEntry | None, Meta(description="An entry of this machine's keyring.")] = None

    def __post_init__(self) -> None:
        if sum(getattr(self, name) is not None for name in self.__struct_fields__) != 1:
            raise ValueError("one of env, file, command and keyring says where a secret is kept")
        if self.command == ():
            raise ValueError("command needs a program")

    def resolve(self, folder: Path) -> Secret:
        """The secret itself, not fetched yet; ``folder`` is what a relative file is relative to."""
        if self.env is not None:
            return FromEnvironment(self.env)
        if self.file is not None:
            return FromFile(folder / os.path.expanduser(self.file))  # noqa: PTH111  Path.expanduser raises on an unknown user
        if self.keyring is not None:
            return FromKeyring(self.keyring.service, self.keyring.user)
        return FromCommand(self.command or ())


@dataclass(frozen=True)
class FromEnvironment:
    """An environment variable."""

    name: str

    def reveal(self) -> str:
        value = os.environ.get(self.name)
        if not value:
            raise AuditorError(
                f"the environment variable {self.name} should hold a secret, but is not set: set it"
            )
        return value


@dataclass(frozen=True)
class FromFile:
    """A file that nobody but its owner may read; a newline at its end does not count."""

    path: Path

    def reveal(self) -> str:
        try:
            with self.path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & 0o077:
                    raise AuditorError(
                        f"{self.path} holds a secret, but others may read it (mode {mode:04o}): chmod 600 {self.path}"
                    )
                return _checked(file.read(_MOST_BYTES + 1), str(self.path))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it has no valid name"
            raise AuditorError(
                f"{self.path} should hold a secret, but cannot be read: {reason.lower()}"
            ) from None


@dataclass(frozen=True, repr=False)
class FromCommand:
    """What a program prints. It runs once, however many hosts share the secret."""

    argv: tuple[str, ...]

    def __repr__(self) -> str:
        return f"FromCommand({self.argv[0]!r}, …)"

    def reveal(self) -> str:
        with _ONE_COMMAND:
            value, problem = _output(self.argv)
        if problem:
            raise AuditorError(problem)
        return value


@dataclass(frozen=True)
class FromKeyring:
    """An entry of this machine's keyring; needs the keyring package."""

    service: str
    user: str

    def reveal(self) -> str:
        try:
            keyring: Any = importlib.import_module("keyring")
        except ImportError:
            raise AuditorError(
                "a secret is kept in the keyring, but the keyring package is not installed: "
                "pip install 'docker-host-auditor[keyring]'"
            ) from None
        try:
            value = keyring.get_password(self.service, self.user)
        except keyring.errors.KeyringError as error:
            raise AuditorError(
                f"the keyring does not answer ({type(error).__name__}): unlock it and try again"
            ) from None
        if not value:
            raise AuditorError(
                f"the keyring has no secret for {self.user} at {self.service}: keyring set {self.service} {self.user}"
            )
        return str(value)


@cache
def _output(argv: tuple[str, ...]) -> tuple[str, str]:
    """What the command printed, and what went wrong: a failure is remembered too, so that a fleet waits for it once."""
    try:
        return _checked(_run(argv).partition(b"\n")[0], f"the output of {argv[0]}"), ""
    except AuditorError as error:
        return "", str(error)


def _run(argv: tuple[str, ...]) -> bytes:
    what = f"the command {argv[0]}, which should print a secret,"
    null, pipe = subprocess.DEVNULL, subprocess.PIPE
    try:
        process = subprocess.Popen(argv, stdin=null, stdout=pipe, stderr=null, start_new_session=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it has no valid name"
        raise AuditorError(f"{what} does not start: {reason.lower()}") from None
    try:
        output, _ = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise AuditorError(
            f"{what} did not end within {_SECONDS} s: run it by hand; it must not ask anything"
        ) from None
    finally:
        if process.returncode is None:
            _kill(process)
    if process.returncode:
        raise AuditorError(f"{what} failed (exit status {process.returncode}): run it by hand to see why")
    return output


def _kill(process: subprocess.Popen[bytes]) -> None:
    """It and what it started, which may hold the pipe open."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()


def _checked(value: bytes, where: str) -> str:
    """The text of a secret without its last newline; the message never repeats it."""
    try:
        text = value.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise AuditorError(f"{where}: the secret is not UTF-8 text") from None
    if not text:
        raise AuditorError(f"{where}: there is no secret, it is empty")
    if len(value) > _MOST_BYTES:
        raise AuditorError(f"{where}: more than {_MOST_BYTES // 1024} KiB, which is no secret")
    return text

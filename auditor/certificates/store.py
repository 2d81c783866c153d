"""
The folder that holds authorities, certificates and the ledger; a crash at any point leaves the old state or the new one.

Files are written once and never changed, each under a name of its own, before the ledger names them. The ledger is replaced
whole, by a rename, under a lock. What a crash leaves behind is a file that the ledger does not name: harmless, and reported.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from auditor import typed
from auditor.certificates.ledger import VERSION, Ledger
from auditor.errors import AuditorError, BadFile, UsageError

LEDGER = "ledger.json"
_LOCK = "lock"
_FOLDERS = ("authorities", "servers", "clients")


class Store:
    """A folder of certificates, 0700, its files 0600."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._changed: set[Path] = set()

    @property
    def exists(self) -> bool:
        """Whether a ledger is there."""
        return (self.folder / LEDGER).exists()

    def make(self) -> None:
        """
        Make the folders, if they are not there.

        Raises:
            AuditorError: that is not possible.
        """
        for folder in (self.folder, *(self.folder / name for name in _FOLDERS)):
            with _explained(folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_open_folder()

    def load(self) -> Ledger:
        """
        Read the ledger.

        Raises:
            UsageError: there is none.
            BadFile: it cannot be used; the message says where and what to do.
        """
        path = self.folder / LEDGER
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            raise self._is_empty() from None
        except OSError as error:
            raise BadFile(path, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
        try:
            ledger = typed.decode(text, Ledger)
        except msgspec.DecodeError as error:
            raise BadFile(path, f"is no ledger of ours ({error}): restore it from a backup") from None
        if ledger.version != VERSION:
            raise BadFile(
                path,
                f"is of version {ledger.version}, and this program knows {VERSION}: use the program that wrote it",
            )
        return ledger

    @contextmanager
    def locked(self) -> Iterator[None]:
        """
        Keep others from changing the ledger; read it inside, since it may have changed before. Waits for its turn.

        Raises:
            UsageError: there is no such folder.
            AuditorError: it is not to be written to, or others may read it.
        """
        if not self.folder.exists():
            raise self._is_empty()
        self._refuse_open_folder()
        with _explained(self.folder):
            lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def add(self, name: str, content: bytes) -> str:
        """
        Write a new file for good; ``name`` is relative to the folder, and returned.

        Raises:
            AuditorError: it exists, or cannot be written.
        """
        path = self.folder / name
        with _explained(path):
            _write(path, content)
        self._changed.add(path.parent)
        return name

    def commit(self, ledger: Ledger) -> None:
        """
        Put a ledger in the place of the one before; call it under the lock.

        Raises:
            AuditorError: it cannot be written; the one before is then still in force.
        """
        path, beside = self.folder / LEDGER, self.folder / f".{LEDGER}.new"
        with _explained(path):
            for folder in self._changed:
                _sync_folder(folder)
            self._changed.clear()
            beside.unlink(missing_ok=True)
            _write(beside, msgspec.json.format(msgspec.json.encode(ledger), indent=1) + b"\n")
            os.replace(beside, path)  # noqa: PTH105  the one call that must be atomic
            _sync_folder(self.folder)

    def leftovers(self, ledger: Ledger) -> list[str]:
        """Files that the ledger does not name: what a run that was cut off left behind."""
        named = {name for each in ledger.authorities for name in (each.file, each.key)}
        named |= {each.file for each in ledger.certificates}
        found = [path for folder in _FOLDERS for path in sorted((self.folder / folder).glob("*"))]
        names = [str(path.relative_to(self.folder)) for path in found]
        return [name for name in names if name not in named]

    def _is_empty(self) -> UsageError:
        return UsageError(
            f"{self.folder} holds no certificates: make authorities with 'auditor certs init --dir {self.folder}'"
        )

    def _refuse_open_folder(self) -> None:
        with _explained(self.folder):
            mode = stat.S_IMODE(self.folder.stat().st_mode)
        if mode & 0o077:
            raise AuditorError(
                f"{self.folder} holds private keys, but others may enter it (mode {mode:04o}): chmod 700 {self.folder}"
            )


def write_new(path: Path, content: bytes, *, mode: int = 0o600, replace: bool = False) -> None:
    """
    Write a file outside the store, whole or not at all.

    Raises:
        UsageError: it exists and ``replace`` is not asked for.
        AuditorError: it cannot be written.
    """
    write_all([(path, content, mode)], replace=replace)


def write_all(files: Sequence[tuple[Path, bytes, int]], *, replace: bool = False) -> None:
    """
    Write files that belong together, with their modes: all are beside their places before the first one takes its own.

    Raises:
        UsageError: one exists and ``replace`` is not asked for.
        AuditorError: one cannot be written.
    """
    for path, _, _ in files:
        if not replace and path.exists():
            raise UsageError(f"{path} exists: choose another place, or say --force to replace it")
    staged = list[tuple[Path, Path]]()
    try:
        for path, content, mode in files:
            beside = path.with_name(f".{path.name}.new")
            with _explained(path):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                beside.unlink(missing_ok=True)
                staged.append((beside, path))
                _write(beside, content, mode)
        for beside, path in staged:
            with _explained(path):
                beside.replace(path)
    finally:
        for beside, _ in staged:
            beside.unlink(missing_ok=True)


def _write(path: Path, content: bytes, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        advice = (
            "make room there"
            if error.errno in (errno.ENOSPC, errno.EDQUOT)
            else "see that this user may write there"
        )
        raise AuditorError(
            f"{path} cannot be written: {(error.strerror or str(error)).lower()}: {advice}"
        ) from error

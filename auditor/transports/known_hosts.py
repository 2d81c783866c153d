"""
known_hosts, as OpenSSH reads it.

A line is ``[@cert-authority|@revoked] NAMES TYPE BASE64``; names are patterns, ``!`` negated, ``[host]:port`` for ports
other than 22, or one hashed name ``|1|SALT|HASH``.
"""

import base64
import fnmatch
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

Marker = Literal["", "@cert-authority", "@revoked"]
_MARKERS: dict[str, Marker] = {"@cert-authority": "@cert-authority", "@revoked": "@revoked"}
DEFAULT_FILES = (
    "~/.ssh/known_hosts",
    "~/.ssh/known_hosts2",
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssh/ssh_known_hosts2",
)


@dataclass(frozen=True)
class Entry:
    """One line: for which names which key (``blob`` in SSH's wire form), and where it stands."""

    marker: Marker
    names: tuple[str, ...]
    type: str
    blob: bytes
    where: str

    def matches(self, name: str) -> bool:
        """Whether the line speaks of ``name``; a negated pattern that matches rules it out."""
        wanted = [pattern for pattern in self.names if not pattern.startswith("!")]
        unwanted = [pattern[1:] for pattern in self.names if pattern.startswith("!")]
        return any(_same(pattern, name) for pattern in wanted) and not any(
            _same(pattern, name) for pattern in unwanted
        )


def fingerprint(blob: bytes) -> str:
    """A key's SHA-256 fingerprint as ssh-keygen prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def lookup(files: Sequence[Path], address: str, port: int, alias: str = "") -> list[Entry]:
    """
    All lines about a host. Like ssh, a port other than 22 is looked for as ``[host]:port`` first and then without.

    Args:
        files: known_hosts files; those that do not exist are skipped; empty: the user's and the system's.
        address: what is connected to.
        port: its port.
        alias: HostKeyAlias, looked up in place of both.
    """
    indexes = [_read(file) for file in files or default_files()]
    revoked: list[Entry] = []
    for name in _names(address, port, alias):
        found = [entry for index in indexes for entry in index.about(name)]
        if any(entry.marker != "@revoked" for entry in found):
            return found + revoked
        revoked += found
    return revoked


def default_files() -> list[Path]:
    """The user's and the system's."""
    return [Path(file).expanduser() for file in DEFAULT_FILES]


def _names(address: str, port: int, alias: str) -> list[str]:
    if alias:
        return [alias.lower()]
    plain = address.lower()
    return [plain] if port == 22 else [f"[{plain}]:{port}", plain]  # noqa: PLR2004  SSH's own port


@dataclass(frozen=True)
class _Index:
    """A file's lines, those with nothing but plain names by name: fleets have long files."""

    plain: dict[str, list[Entry]] = field(default_factory=dict)
    other: list[Entry] = field(default_factory=list)

    def about(self, name: str) -> list[Entry]:
        return self.plain.get(name, []) + [entry for entry in self.other if entry.matches(name)]

    def add(self, entry: Entry) -> None:
        if any(character in name for name in entry.names for character in "*?!|"):
            self.other.append(entry)
            return
        for name in {name.lower() for name in entry.names}:
            self.plain.setdefault(name, []).append(entry)


def _read(file: Path) -> _Index:
    try:
        state = file.stat()
    except OSError:
        return _Index()
    return _parsed(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _parsed(file: Path, _changed: int, _size: int) -> _Index:
    """One file's lines, read once for the whole fleet unless it changes."""
    index = _Index()
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return index
    for number, line in enumerate(lines, 1):
        if entry := _entry(line, f"{file}:{number}"):
            index.add(entry)
    return index


def _entry(line: str, where: str) -> Entry | None:
    """A line's meaning; None for comments and for what ssh too would skip."""
    fields = line.split()
    marker = _MARKERS.get(fields[0], "") if fields else ""
    fields = fields[1:] if marker else fields
    if len(fields) < 3 or fields[0].startswith(("#", "@")):  # noqa: PLR2004  names, type, key
        return None
    try:
        blob = base64.b64decode(fields[2], validate=True)
    except ValueError:
        return None
    return Entry(marker, tuple(fields[0].split(",")), fields[1], blob, where)


def _same(pattern: str, name: str) -> bool:
    if pattern.startswith("|1|"):
        return _same_hash(pattern, name)
    if "*" in pattern or "?" in pattern:
        return fnmatch.fnmatchcase(name, pattern.lower().replace("[", "[[]"))
    return pattern.lower() == name


@lru_cache(maxsize=4096)
def _hash_parts(pattern: str) -> tuple[bytes, bytes]:
    _, _, salt, digest = pattern.split("|")
    return base64.b64decode(salt), base64.b64decode(digest)


def _same_hash(pattern: str, name: str) -> bool:
    try:
        salt, digest = _hash_parts(pattern)
    except ValueError:
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest)

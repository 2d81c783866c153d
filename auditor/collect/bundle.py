"""
A bundle: everything one host answered, section by section, exactly as it answered.

The form is the collector's own output, so a file made by hand (``sh linux.sh > web1.bundle``) is a bundle::

    docker-host-auditor bundle 1 NONCE
    --NONCE begin NAME
    …any bytes…
    --NONCE end NAME STATUS MESSAGE
    --NONCE done

NONCE is drawn anew for each run, so nothing a host's containers contain can forge a frame. STATUS is the exit
status of the section's command; 66 says *there is no such thing here*, 69 *no shell to look with*, 77 *not allowed*,
124 *timed out*.
Sections of a host's second daemon have names that end in ``.2``, those of its third in ``.3``.
A bundle may be gzipped as a whole, and for Windows packed in ``armour``.
"""

import re
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from auditor.collect import armour
from auditor.errors import BadReply
from auditor.gaps import Gap, Inconclusive, crash

MAX_BYTES = 256 * 1024 * 1024
# What is the same whichever daemon of a host is asked; linux.sh says it likewise.
OF_THE_HOST = ("host", "daemons", "processes", "audit-rules", "kernel-settings", "auditor")
_GZIP = b"\x1f\x8b"
_HEADER = re.compile(rb"^docker-host-auditor bundle (\d+) ([0-9a-f]{16,64})\n", re.MULTILINE)


class Status(IntEnum):
    """Exit statuses of a section that mean something of their own; every other one is a plain failure."""

    OK = 0
    ABSENT = 66
    NO_SHELL = 69
    DENIED = 77
    TIMEOUT = 124
    TRUNCATED = 141


_MEANING: dict[int, str] = {
    Status.ABSENT: "there is none on this host",
    Status.NO_SHELL: "not to be seen through the engine's API",
    Status.DENIED: "permission denied",
    Status.TIMEOUT: "timed out",
    Status.TRUNCATED: "longer than the limit",
}


@dataclass(frozen=True)
class Section:
    """One section's bytes, exit status, and what it said on standard error (one line)."""

    data: bytes = b""
    status: int = 0
    message: str = ""

    @property
    def why(self) -> str:
        """Why there is no data, in words."""
        meaning = _MEANING.get(self.status)
        words = [meaning or f"exit status {self.status}"] if self.status else []
        return ": ".join([*words, self.message] if self.message else words)


class _Parses(Protocol):
    @classmethod
    def parse(cls, bundle: "Bundle") -> Self: ...


Parsed = TypeVar("Parsed", bound=_Parses)


@dataclass(frozen=True)
class Bundle:
    """The sections that came back. A section that was not asked for, or never arrived, is not in it."""

    sections: Mapping[str, Section] = field(default_factory=dict)
    complete: bool = True
    _facts: dict[type, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def section(self, name: str) -> Section:
        """
        The section as it came, whatever its status.

        Raises:
            Inconclusive: it is not in the bundle at all.
        """
        try:
            return self.sections[name]
        except KeyError:
            why = "was not collected" if self.complete else "did not arrive: the reply ended early"
            raise Inconclusive(f"{name} {why}") from None

    def read(self, name: str) -> bytes:
        """
        The bytes of a section that ended well.

        Raises:
            Inconclusive: it did not; the text says why.
        """
        section = self.section(name)
        if section.status:
            raise Inconclusive(f"{name}: {section.why}")
        return section.data

    def text(self, name: str) -> str:
        """Like ``read``, as text; bytes that are no UTF-8 survive as surrogates."""
        return self.read(name).decode("utf-8", "surrogateescape")

    def fact(self, kind: type[Parsed]) -> Parsed:
        """
        What the bundle tells of this kind: parsed once, whoever asks. A kind that crashes is a gap on this host.

        Raises:
            Gap: it does not tell; the same reason each time.
        """
        if kind not in self._facts:
            try:
                self._facts[kind] = kind.parse(self)
            except Gap as gap:
                self._facts[kind] = gap.bare
            except Exception as error:  # noqa: BLE001  the fence around facts
                self._facts[kind] = Inconclusive(crash(kind.__name__, error))
        known: Parsed | Gap = self._facts[kind]
        if isinstance(known, Gap):
            raise known.bare
        return known

    def adding(self, sections: Mapping[str, Section]) -> "Bundle":
        """A bundle with further sections (the live probe's, the auditor's own)."""
        return Bundle({**self.sections, **sections}, self.complete)

    def of_daemon(self, number: int) -> "Bundle":
        """The bundle as one of the host's further daemons has it: its own sections, and those that are the whole host's."""
        suffix = f".{number}"
        own = {
            name.removesuffix(suffix): section
            for name, section in self.sections.items()
            if name.endswith(suffix)
        }
        shared = {name: section for name, section in self.sections.items() if name in OF_THE_HOST}
        return Bundle({**shared, **own}, self.complete)

    def dump(self) -> bytes:
        """The bundle in its file form, not compressed."""
        nonce = secrets.token_hex(16).encode()
        parts = [b"docker-host-auditor bundle 1 %s\n" % nonce]
        for name, section in self.sections.items():
            parts.append(b"--%s begin %s\n%s" % (nonce, name.encode(), section.data))
            message = section.message.encode("utf-8", "surrogateescape")
            parts.append(b"\n--%s end %s %d %s\n" % (nonce, name.encode(), section.status, message))
        if self.complete:
            parts.append(b"--%s done\n" % nonce)
        return b"".join(parts)


def split_lines(text: str) -> list[str]:
    """The lines of a section: ``str.splitlines`` ends them at signs too that may stand in a name (U+0085, U+2028)."""
    return text.removesuffix("\n").split("\n") if text else []


def load(raw: bytes) -> Bundle:
    """
    Read a bundle from what a collector printed or a file holds.

    Raises:
        BadReply: it is none. Nothing of it is quoted: it may be any file, a key too.
    """
    plain = raw if raw.startswith(_GZIP) else armour.unpack(raw)
    text = _gunzip(plain) if plain.startswith(_GZIP) else plain
    header = _HEADER.search(text)
    if not header:
        raise BadReply("not a bundle" if text else "an empty reply")
    if header[1] != b"1":
        raise BadReply(f"a bundle of version {header[1].decode()}; this auditor reads version 1: upgrade it")
    nonce = header[2]
    return Bundle(
        dict(_sections(text, nonce, header.end())), complete=text.rstrip().endswith(b"--%s done" % nonce)
    )


def _sections(text: bytes, nonce: bytes, at: int) -> Iterator[tuple[str, Section]]:
    """The framed sections from ``at`` on. Found by plain search: one expression for a whole frame takes twenty times as long."""
    begin = re.compile(rb"^--%s begin ([a-z0-9.-]+)\n" % nonce, re.MULTILINE)
    end = re.compile(rb"(\d+) ?([^\n]*)\n")
    while frame := begin.search(text, at):
        mark = b"\n--%s end %s " % (nonce, frame[1])
        stop = text.find(mark, frame.end())
        told = end.match(text, stop + len(mark)) if stop >= 0 else None
        at = told.end() if told else frame.end()
        if told:
            message = told[2].decode("utf-8", "surrogateescape").strip()
            yield frame[1].decode(), Section(text[frame.end() : stop], int(told[1]), message)


def load_file(path: Path) -> Bundle:
    """
    Read a bundle from a file.

    Raises:
        OSError: it cannot be read.
        BadReply: it is no bundle.
    """
    with path.open("rb") as file:
        return load(file.read(MAX_BYTES))


def _gunzip(raw: bytes) -> bytes:
    """Decompress as much as there is, up to MAX_BYTES: a reply that broke off still gives its first sections."""
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(raw, MAX_BYTES)
    except zlib.error as error:
        raise BadReply(f"a damaged gzip stream: {error}") from error
    if stream.unconsumed_tail:
        raise BadReply(f"a reply larger than {MAX_BYTES // 1024**2} MiB")
    return text


def missing(bundle: Bundle, names: Iterable[str]) -> list[str]:
    """Which of ``names`` the bundle has no section for."""
    return [name for name in names if name not in bundle.sections]

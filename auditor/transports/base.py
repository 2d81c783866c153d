"""What every transport is: a host and section names in, a bundle out."""

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol

from auditor.collect.bundle import Bundle, load
from auditor.collect.scripts import script
from auditor.errors import BadReply, DeadlineExceeded, HostError, LoginRefused
from auditor.host import Host

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
_GZIP = b"\x1f\x8b\x08"
_NOISE = 64 * 1024
_MISSING = 127


class Deadline:
    """A moment that everything done for one host must end by. ``setting`` is its name under ``timeouts``."""

    def __init__(self, seconds: float, setting: str = "total") -> None:
        self.seconds = seconds
        self._setting = setting
        self._end = time.monotonic() + seconds
        self._closing: list[Callable[[], None]] = []

    def left(self, doing: str, *, at_most: float = float("inf")) -> float:
        """
        Seconds left, at most ``at_most``.

        Raises:
            DeadlineExceeded: none is; the message says during what.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.exceeded(doing)
        return min(left, at_most)

    def exceeded(self, doing: str) -> DeadlineExceeded:
        """The error that says so."""
        given = f"{self.seconds:g} s this host is given (timeouts: {self._setting})"
        return DeadlineExceeded(f"{doing}: no end within the {given}")

    @property
    def passed(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() >= self._end

    def part(self, seconds: float, setting: str) -> "Deadline":
        """A deadline for one phase: ``seconds`` from now, never later than this one."""
        left = self._end - time.monotonic()
        return Deadline(seconds, setting) if seconds < left else self

    @contextmanager
    def closing(self, close: Callable[[], None]) -> Iterator[None]:
        """When the deadline passes within this block, call ``close`` from another thread: it ends what blocks."""
        timer = threading.Timer(max(0.0, self._end - time.monotonic()), close)
        timer.daemon = True
        self._closing.append(close)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._closing.remove(close)

    def cut(self) -> None:
        """Let it pass now, and end what blocks."""
        self._end = time.monotonic()
        for close in tuple(self._closing):
            close()


class Transport(Protocol):
    """One way to reach a host. ``collect`` makes one connection, runs one script, reads one reply."""

    def collect(self, host: Host, sections: Sequence[str], deadline: Deadline) -> Bundle:
        """
        Bring back the named sections.

        Raises:
            HostError: nothing came back; a section that failed is in the bundle with its status instead.
        """
        ...


_TRANSPORTS = {"local": "local", "ssh": "ssh", "docker": "docker_api", "winrm": "winrm", "bundle": "replay"}


def open_transport(host: Host) -> Transport:
    """
    The transport that the host's entry names; its library is loaded only now.

    Raises:
        HostError: there is none of that name.
    """
    name = f"auditor.transports.{_TRANSPORTS[host.transport]}"
    try:
        transport: Transport = import_module(name).TRANSPORT
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise HostError(
            f"this version has no transport {host.transport}: use ssh, docker, local or bundle"
        ) from error
    return transport


def linux_script() -> bytes:
    """The collector for Linux hosts, as it is sent."""
    return script("linux")


def linux_command(sections: Sequence[str], *, sudo: bool, socket: str = "") -> list[str]:
    """
    The command whose standard input is the script: a POSIX shell with a clean environment, root by ``sudo -n`` if asked.

    ``socket`` is the engine's unix socket, where it is not to be found by the script itself.
    """
    options = ["-z", "-n", secrets.token_hex(16), *(["-s", socket] if socket else [])]
    return [*linux_shell(sudo=sudo), "-s", "--", *options, *sections]


def linux_shell(*, sudo: bool) -> list[str]:
    """A POSIX shell with a clean environment, root by ``sudo -n`` if asked."""
    clean = ["env", "LC_ALL=C", _PATH]
    return [*([*clean, "sudo", "-n"] if sudo else []), *clean, "sh"]


def shortened(text: bytes | str, limit: int = 200) -> str:
    """What a host said, fit for one line of a message: no control characters, not long."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    words = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return words if len(words) <= limit else words[:limit].rstrip() + "…"


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it was made of, outermost first."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        waiting += [each for each in inner if isinstance(each, BaseException)]


def read_reply(raw: bytes) -> Bundle:
    """
    The bundle in what a shell printed: whatever a login script printed before it is skipped.

    Raises:
        BadReply: there is none.
    """
    start = raw.find(_GZIP, 0, _NOISE)
    plain = re.search(rb"^docker-host-auditor bundle ", raw[:_NOISE], re.MULTILINE)
    return load(raw[start:] if start > 0 and not plain else raw)


def no_reply(host: Host, said: bytes, complaint: bytes, status: int | None, *, sudo: bool) -> HostError:
    """The error for a command that ended without a bundle: ``said`` on standard output, ``complaint`` on standard error."""
    if sudo and status:
        return _sudo_refused(host, complaint, status)
    words = shortened(complaint) or shortened(said) or "it said nothing"
    ended = "was cut off" if status is None else f"ended with status {status}"
    return BadReply(
        f"the collector on {host.name} {ended} without a reply ({words}): see that {_whose(host)} has a POSIX shell "
        f"as login shell there, and that sh works"
    )


def _sudo_refused(host: Host, complaint: bytes, status: int) -> LoginRefused:
    if status == _MISSING:
        return LoginRefused(
            f"there is no sudo on {host.name}: install it, log in as root, or set sudo: false"
        )
    return LoginRefused(
        f"sudo on {host.name} did not let {_whose(host)} run the collector ({shortened(complaint) or f'status {status}'}): "
        f"allow it without a password there ({host.user or 'USER'} ALL=(root) NOPASSWD: ALL), or set sudo: false"
    )


def _whose(host: Host) -> str:
    return f"user {host.user}" if host.user else "your user"

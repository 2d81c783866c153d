"""What every transport is: a host and section names in, a bundle out."""

import secrets
import time
from collections.abc import Sequence
from importlib import resources
from typing import Protocol

from auditor.collect.bundle import Bundle
from auditor.errors import DeadlineExceeded
from auditor.host import Host


class Deadline:
    """A moment that everything done for one host must end by."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self, doing: str, *, at_most: float = float("inf")) -> float:
        """
        Seconds left, at most ``at_most``.

        Raises:
            DeadlineExceeded: none is; the message says during what.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"{doing}: more than the {self.seconds:g} s this host is given (timeouts: total)")
        return min(left, at_most)


class Transport(Protocol):
    """One way to reach a host. ``collect`` makes one connection, runs one script, reads one reply."""

    def collect(self, host: Host, sections: Sequence[str], deadline: Deadline) -> Bundle:
        """
        Bring back the named sections.

        Raises:
            HostError: nothing came back; a section that failed is in the bundle with its status instead.
        """
        ...


def linux_script() -> bytes:
    """The collector for Linux hosts, as it is sent."""
    return resources.files("auditor.collect").joinpath("linux.sh").read_bytes()


def linux_command(sections: Sequence[str], *, sudo: bool) -> list[str]:
    """The command whose standard input is the script: a POSIX shell with a clean environment, root by ``sudo -n`` if asked."""
    shell = ["env", "LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin", "sh", "-s", "--"]
    options = ["-z", "-n", secrets.token_hex(16)]
    return [*(["sudo", "-n"] if sudo else []), *shell, *options, *sections]



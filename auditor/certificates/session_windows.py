"""Steps of an installation on a Windows host: PowerShell by WinRM, everything on its standard input."""

import base64
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources

from auditor.certificates.session import SECONDS_A_SCRIPT, Answer, ConnectionLost
from auditor.errors import HostError
from auditor.host import Host
from auditor.transports.base import Deadline
from auditor.transports.powershell import UNPACK, arguments, plain
from auditor.transports.winrm import run_powershell
from auditor.transports.winrm_connect import Link

# Four lines: the script (base64 of gzip), the step, its words, and what would be a file's content (both base64).
BOOT = (
    UNPACK
    + """\
$text = { param($line) [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String("$line")) }
$words = (& $text $lines[2]).Split("`n")
& ([ScriptBlock]::Create($script)) -Step $lines[1] -Words $words -Data (& $text $lines[3])
"""
)


def install_script() -> bytes:
    """The script for all steps on Windows."""
    return resources.files("auditor.certificates").joinpath("install.ps1").read_bytes()


def standard_input(step: str, words: Sequence[str], data: bytes) -> bytes:
    """What PowerShell is given; nothing of it stands on a command line."""
    lines = [gzip.compress(install_script(), mtime=0), "\n".join(words).encode(), data]
    script, packed_words, packed_data = map(base64.b64encode, lines)
    return b"\r\n".join([script, step.encode(), packed_words, packed_data, b""])


class WinrmSession:
    """A Windows host. Each step has a connection of its own, so that one that broke does not matter for the next."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def run(self, step: str, words: Sequence[str] = (), data: bytes = b"") -> Answer:
        """
        Run a step there.

        Raises:
            ConnectionLost: it broke off, or did not end in minutes.
        """
        link = Link(self._host, Deadline(SECONDS_A_SCRIPT), doing=f"{step} on")
        try:
            said, complaint, status = run_powershell(link, arguments(BOOT), standard_input(step, words, data))
        except HostError as error:
            raise ConnectionLost(str(error)) from error
        problem = Answer(0, said, b"").words.get("problem", "")
        return Answer(status or 0, said, problem.encode() or plain(complaint).encode())

    @contextmanager
    def way_to(self, _address: str, port: int) -> Iterator[tuple[str, int]]:
        """The port as everybody reaches it: WinRM carries no connections."""
        yield self._host.address, port

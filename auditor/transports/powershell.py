"""What every way to a Windows host shares: how the collector is sent to Windows PowerShell, and how its reply is read."""

import base64
import gzip
import html
import re
from collections.abc import Sequence

from auditor.collect import armour
from auditor.collect.bundle import Bundle, load
from auditor.collect.scripts import script
from auditor.errors import BadReply, HostError, LoginRefused
from auditor.host import Host
from auditor.transports.base import Deadline, shortened

PROGRAM = "powershell.exe"
_SHORTEST = 5
_MARGIN = 5.0
_CLIXML = "#< CLIXML"

# It reads lines; the first is a script (base64 of gzip).
UNPACK = """\
$ProgressPreference = 'SilentlyContinue'
$mode = "$($ExecutionContext.SessionState.LanguageMode)"
if ($mode -ne 'FullLanguage') { "docker-host-auditor language $mode"; exit }
$lines = @($input)
$packed = New-Object IO.MemoryStream(, [Convert]::FromBase64String($lines[0]))
$plain = New-Object IO.Compression.GZipStream($packed, [IO.Compression.CompressionMode]::Decompress)
$script = (New-Object IO.StreamReader($plain, [Text.Encoding]::UTF8)).ReadToEnd()
"""
# Two more lines: the names of sections, and the seconds that it may take.
BOOT = f"{UNPACK}& ([ScriptBlock]::Create($script)) -Sections $lines[1].Split(',') -Seconds $lines[2]\n"


def windows_script() -> bytes:
    """The collector for Windows hosts, as it is sent."""
    return script("windows")


def arguments(boot: str = BOOT) -> list[str]:
    """What follows ``powershell.exe``: the same for every host and every run."""
    command = base64.b64encode(boot.encode("utf-16-le")).decode()
    return ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "RemoteSigned", "-EncodedCommand", command]


def standard_input(sections: Sequence[str], deadline: Deadline, doing: str) -> bytes:
    """What goes to its standard input: three lines of ASCII. The script ends a little before the deadline does."""
    seconds = max(_SHORTEST, int(deadline.left(doing) - _MARGIN))
    script = base64.b64encode(gzip.compress(windows_script(), mtime=0))
    return b"\r\n".join([script, ",".join(sections).encode(), str(seconds).encode(), b""])


def read_windows_reply(host: Host, said: bytes, complaint: bytes, status: int | None) -> Bundle:
    """
    The bundle in what PowerShell printed on standard output; whatever stands around it is skipped.

    Raises:
        LoginRefused: PowerShell may not run our script there.
        BadReply: there is no bundle.
    """
    if armour.BEGIN in said:
        try:
            return load(armour.unpack(said[said.index(armour.BEGIN) :]))
        except BadReply as error:
            raise BadReply(f"the collector on {host.name}: {error}") from error
    raise _no_reply(host, said, complaint, status)


def _no_reply(host: Host, said: bytes, complaint: bytes, status: int | None) -> HostError:
    if mode := re.search(rb"docker-host-auditor language (\w+)", said):
        return LoginRefused(
            f"PowerShell on {host.name} runs in {mode[1].decode()} mode (AppLocker or Device Guard demand it for this user): "
            f"exempt the account that audits, or allow windows.ps1 and run it there by hand"
        )
    words = shortened(plain(complaint)) or shortened(said) or "it said nothing"
    ended = "was cut off" if status is None else f"ended with status {status}"
    return BadReply(
        f"the collector on {host.name} {ended} without a reply ({words}): see that Windows PowerShell 5.1 works there, and that "
        f"no security software stops it"
    )


def plain(complaint: bytes) -> str:
    """The errors in what PowerShell prints on standard error: CLIXML, in which progress is no error."""
    text = complaint.decode("utf-8", "replace")
    if not text.lstrip().startswith(_CLIXML):
        return text
    errors = "".join(re.findall(r'<S S="Error">(.*?)</S>', text, re.DOTALL))
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), html.unescape(errors))

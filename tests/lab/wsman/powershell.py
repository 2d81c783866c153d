"""What runs on the endpoint's host: takes nothing but exactly our collector, and answers from a recorded bundle."""

import base64
import gzip
from pathlib import Path

from auditor.collect import armour
from auditor.collect.bundle import Bundle, Section, load_file
from auditor.transports.powershell import BOOT, PROGRAM, windows_script
from tests.lab.wsman.service import Output

RECORDINGS = Path(__file__).parents[2] / "recordings" / "windows"
_ARGUMENTS = "-NoProfile -NonInteractive -ExecutionPolicy RemoteSigned -EncodedCommand "


def recorded(name: str) -> Bundle:
    """One of the recorded hosts, for instance ``server-2019-default``."""
    return load_file(RECORDINGS / f"{name}.bundle")


def asked_for(command: str, arguments: str, stdin: bytes) -> list[str]:
    """The sections asked for. Whatever is not exactly our collector is an error of the client's."""
    assert command == PROGRAM
    assert arguments.startswith(_ARGUMENTS)
    assert base64.b64decode(arguments.removeprefix(_ARGUMENTS)).decode("utf-16-le") == BOOT
    script, sections, seconds, end = stdin.split(b"\r\n")
    assert gzip.decompress(base64.b64decode(script)) == windows_script()
    assert int(seconds) > 0
    assert not end
    return sections.decode().split(",")


class Host:
    """A host that answers as ``bundle``; a section that was not recorded is none of Windows'."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.asked: list[str] = []

    def __call__(self, command: str, arguments: str, stdin: bytes) -> Output:
        self.asked = asked_for(command, arguments, stdin)
        nothing = Section(status=1, message="not a section of Windows hosts")
        answered = Bundle({name: self.bundle.sections.get(name, nothing) for name in self.asked})
        return Output(armour.pack(answered.dump()))

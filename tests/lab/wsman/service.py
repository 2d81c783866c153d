"""The Windows Remote Shell service: shells, commands and their streams; misbehaves on demand."""

import base64
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.lab.wsman import soap
from tests.lab.wsman.soap import Fault, Request


@dataclass(frozen=True)
class Output:
    """What a program prints, and its exit status."""

    stdout: bytes = b""
    stderr: bytes = b""
    status: int = 0


Program = Callable[[str, str, bytes], Output]
"""Command, its arguments in one string, and all of its standard input."""


@dataclass(frozen=True)
class Drop:
    """Close the connection instead of answering."""


@dataclass(frozen=True)
class Http:
    """Answer with a bare HTTP status."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Hang:
    """Never answer; until the endpoint is closed."""


@dataclass(frozen=True)
class Drip:
    """Answer for ever, a byte at a time."""


Trouble = Fault | Drop | Http | Hang | Drip


@dataclass
class _Command:
    output: Output | None = None
    stdin: bytearray = field(default_factory=bytearray)
    line: tuple[str, str] = ("", "")


@dataclass
class Service:
    """
    Runs ``program`` for everybody who is let in.

    Args:
        piece: bytes of output in one Receive.
        trouble: by operation, what happens instead of the first answers; None is an answer as usual.
    """

    program: Program
    piece: int = 110_000
    trouble: dict[str, list[Trouble | None]] = field(default_factory=dict)
    shells: dict[str, dict[str, _Command]] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_trouble(self, operation: str) -> Trouble | None:
        """Note the operation; what is to go wrong with it now."""
        with self._lock:
            self.operations.append(operation)
            waiting = self.trouble.get(operation)
            return waiting.pop(0) if waiting else None

    def answer(self, request: Request, owner: str) -> bytes | Fault:
        """Do as a client asks."""
        with self._lock:
            self.options[request.name] = request.options
            if request.name == "Create":
                shell = str(uuid.uuid4()).upper()
                self.shells[shell] = {}
                return soap.created(request, shell, owner)
            if request.shell not in self.shells:
                return soap.GONE
            return self._in_shell(request, self.shells[request.shell])

    def _in_shell(self, request: Request, commands: dict[str, _Command]) -> bytes | Fault:
        match request.name:
            case "Command":
                command = str(uuid.uuid4()).upper()
                commands[command] = _Command(line=(request.text("Command"), request.text("Arguments")))
                return soap.started(request, command)
            case "Delete":
                del self.shells[request.shell]
                return soap.deleted(request)
            case "Send":
                return self._send(request, commands)
            case "Receive":
                return self._receive(request, commands)
            case "Signal":
                del commands[request.attribute("Signal", "CommandId")]
                return soap.taken(request)
        raise AssertionError(request.action)

    def _send(self, request: Request, commands: dict[str, _Command]) -> bytes:
        command = commands[request.attribute("Stream", "CommandId")]
        command.stdin += base64.b64decode(request.text("Stream"))
        if request.attribute("Stream", "End") == "true":
            command.output = self.program(*command.line, bytes(command.stdin))
        return soap.taken(request)

    def _receive(self, request: Request, commands: dict[str, _Command]) -> bytes | Fault:
        name = request.attribute("DesiredStream", "CommandId")
        if name not in commands:
            return soap.GONE
        command = commands[name]
        if command.output is None:
            return soap.TIMED_OUT
        now, later = command.output.stdout[: self.piece], command.output.stdout[self.piece :]
        pairs = [("stdout", now), ("stderr", command.output.stderr)]
        command.output = Output(later, b"", command.output.status)
        encoded = [(stream, base64.b64encode(text).decode()) for stream, text in pairs if text]
        return soap.received(request, name, encoded, None if later else command.output.status)

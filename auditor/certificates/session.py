"""Commands on a host, for an installation: here, or by the SSH connection that audits take too."""

import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from typing import Protocol

import paramiko

from auditor.errors import HostError, UsageError
from auditor.host import Host
from auditor.transports.base import Deadline, linux_shell, shortened
from auditor.transports.ssh import connect
from auditor.transports.ssh_connect import Connection, end

_MOST_BYTES = 16 * 1024 * 1024
SECONDS_A_SCRIPT = 300
_CHUNK = 65536
_SECONDS_TO_PART = 10.0


class ConnectionLost(HostError):
    """The connection broke while a script ran; what it did is not known yet."""


@dataclass(frozen=True)
class Answer:
    """What a script printed, and its exit status."""

    status: int
    said: bytes
    complaint: bytes

    @property
    def words(self) -> dict[str, str]:
        """Lines of a word and its value."""
        lines = self.said.decode("utf-8", "replace").splitlines()
        pairs = (line.partition(" ") for line in lines if line)
        return {word: rest for word, _, rest in pairs}


class Session(Protocol):
    """A way to run our scripts on one host, as its administrator: a script for each step, or on Windows one for all."""

    def run(self, step: str, words: Sequence[str] = (), data: bytes = b"") -> Answer:
        """
        Run a step (``inspect``, ``install``, ``confirm``, ``rollback``, ``state``) with ``data`` on its standard input.

        Raises:
            ConnectionLost: it broke off.
        """
        ...

    def way_to(self, address: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """A place here that leads to a port as the host itself reaches it."""
        ...


@contextmanager
def open_session(host: Host) -> Iterator[Session]:
    """
    A session on a host.

    Raises:
        UsageError: it is one on which we cannot install.
        HostError: it cannot be reached.
    """
    if host.transport == "winrm":
        from auditor.certificates.session_windows import WinrmSession  # noqa: PLC0415  it loads all of pywinrm

        yield WinrmSession(host)
        return
    if host.platform == "windows":
        raise UsageError(
            f"{host.name}: Windows is installed on by WinRM; else 'auditor certs bundle --for daemon-windows' writes files and steps"
        )
    if host.transport == "local":
        yield LocalSession(host)
        return
    if host.transport != "ssh":
        raise UsageError(
            f"{host.name}: certificates are installed by SSH or WinRM: name it as ssh://user@{host.address or host.name}"
        )
    with ExitStack() as stack:
        connection = connect(host, Deadline(host.timeouts.connect + host.timeouts.auth), stack, _MOST_BYTES)
        stack.callback(end, connection)
        yield SshSession(host, connection)


def _command(host: Host, step: str, arguments: Sequence[str]) -> list[str]:
    # What a login script prints without an end of line must not swallow our first one.
    text = "echo\n" + resources.files("auditor.certificates").joinpath(f"{step}.sh").read_text()
    return [*linux_shell(sudo=host.sudo and host.user != "root"), "-c", text, "auditor", *arguments]


class LocalSession:
    """This machine."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def run(self, step: str, words: Sequence[str] = (), data: bytes = b"") -> Answer:
        """
        Run a step here.

        Raises:
            ConnectionLost: it did not end in minutes.
            HostError: there is no shell, or no sudo, to run it with.
        """
        command = _command(self._host, step, words)
        try:
            done = subprocess.run(
                command, input=data, capture_output=True, timeout=SECONDS_A_SCRIPT, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ConnectionLost(f"{step} did not end within {SECONDS_A_SCRIPT} s") from error
        except OSError as error:
            raise HostError(f"{command[0]} cannot be started here: {error.strerror}") from error
        return Answer(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def way_to(self, address: str, port: int) -> Iterator[tuple[str, int]]:
        """The place itself."""
        yield address, port


class SshSession:
    """A host at the other end of an SSH connection."""

    def __init__(self, host: Host, connection: Connection) -> None:
        self._host, self._connection = host, connection

    def run(self, step: str, words: Sequence[str] = (), data: bytes = b"") -> Answer:
        """
        Run a step there.

        Raises:
            ConnectionLost: the connection broke, or nothing came for minutes.
        """
        doing = f"{step} on {self._host.name}"
        try:
            channel = self._connection.open_session(timeout=self._host.timeouts.connect)
            channel.settimeout(SECONDS_A_SCRIPT)
            channel.exec_command(shlex.join(_command(self._host, step, words)))
            channel.sendall(data)
            channel.shutdown_write()
            answer = _read(channel)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ConnectionLost(
                f"{doing}: the connection broke ({shortened(str(error)) or 'it was closed'})"
            ) from error
        if answer.status < 0:
            raise ConnectionLost(f"{doing}: the connection broke before it ended")
        return answer

    @contextmanager
    def way_to(self, address: str, port: int) -> Iterator[tuple[str, int]]:
        """A port here whose connections go through SSH."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            serving = threading.Thread(
                target=_serve, args=(server, self._connection, (address, port)), daemon=True
            )
            serving.start()
            try:
                yield server.getsockname()
            finally:
                server.shutdown(socket.SHUT_RDWR)  # closing alone would not wake accept
                serving.join()


def _read(channel: paramiko.Channel) -> Answer:
    """Both outputs to their ends; the script prints little to either."""
    said, complaint = bytearray(), bytearray()
    end_by = time.monotonic() + SECONDS_A_SCRIPT
    while chunk := channel.recv(_CHUNK):
        said += chunk
        if time.monotonic() > end_by:
            raise TimeoutError("no end")
    while chunk := channel.recv_stderr(_CHUNK):
        complaint += chunk
    return Answer(channel.recv_exit_status(), bytes(said), bytes(complaint))


def _serve(server: socket.socket, connection: Connection, target: tuple[str, int]) -> None:
    """Connect every comer to the target until the server is shut down, and end with the last of them."""
    carriers = list[threading.Thread]()
    while True:
        try:
            comer, _ = server.accept()
        except OSError:
            break
        carriers.append(threading.Thread(target=_carry, args=(comer, connection, target), daemon=True))
        carriers[-1].start()
    for carrier in carriers:
        carrier.join(_SECONDS_TO_PART)


def _carry(comer: socket.socket, connection: Connection, target: tuple[str, int]) -> None:
    """Both directions of one connection, until both have ended."""
    with comer, suppress(paramiko.SSHException, OSError, EOFError):
        channel = connection.open_channel("direct-tcpip", target, ("127.0.0.1", 0), timeout=_SECONDS_TO_PART)
        with channel:
            back = threading.Thread(target=_pump, args=(channel, comer), daemon=True)
            back.start()
            _pump(comer, channel)
            back.join(_SECONDS_TO_PART)


def _pump(source: socket.socket | paramiko.Channel, target: socket.socket | paramiko.Channel) -> None:
    with suppress(OSError, EOFError, paramiko.SSHException):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with suppress(OSError, EOFError, paramiko.SSHException):
        target.shutdown(socket.SHUT_WR) if isinstance(target, socket.socket) else target.shutdown_write()


def reachable(address: str, port: int, seconds: float = 5) -> bool:
    """Whether a port takes connections from here."""
    try:
        socket.create_connection((address, port), seconds).close()
    except OSError:
        return False
    return True


def again(host: Host, seconds: float) -> Answer | None:
    """What the host says once the host can be reached and has come to rest; None if not within ``seconds``."""
    end_by = time.monotonic() + seconds
    while time.monotonic() < end_by:
        with suppress(HostError), open_session(host) as session:
            answer = session.run("state")
            if answer.words.get("state") in {"old", "new"}:
                return answer
        time.sleep(2)
    return None

"""An SSH connection to a host that has proved who it is, hop by hop; nobody is logged in on the last one yet."""

import logging
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import IO, Any

import paramiko
from paramiko.kex_curve25519 import KexCurve25519
from paramiko.packet import Packetizer

from auditor.errors import DeadlineExceeded, HostKeyRejected, Unreachable
from auditor.host import SshOptions
from auditor.transports.base import Deadline, shortened
from auditor.transports.ssh_trust import Seen, Trust

_CHUNK = 64 * 1024
_BEFORE_LOGIN = 1024 * 1024
_PATIENCE = 30.0
_PARAMIKO: Any = paramiko.Transport
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)

logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # what goes wrong is said once, by us


class Socket(socket.socket):
    """A socket that reads in large pieces, answers at once, and takes no more bytes than it is allowed."""

    allowed = _BEFORE_LOGIN
    _ahead = b""
    complaint: IO[bytes] | None = None

    def recv(self, size: int, flags: int = 0) -> bytes:
        """
        Up to ``size`` bytes.

        Raises:
            OSError: the other side sent more than it is allowed.
        """
        if not self._ahead:
            self._ahead = super().recv(_CHUNK, flags)
            self.allowed -= len(self._ahead)
            if self.allowed < 0:
                raise OSError("more bytes than expected")
            if _QUICKACK is not None and self.family != socket.AF_UNIX:
                self.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        piece, self._ahead = self._ahead[:size], self._ahead[size:]
        return piece


Stream = Socket | paramiko.Channel


class _Packets(Packetizer):
    """Without the extra thread for a time limit that our deadline sets anyway."""

    def start_handshake(self, timeout: float) -> None:
        pass


class Connection(paramiko.Transport):
    """The client side of one SSH connection."""

    _active_check_timeout = 1.0
    # paramiko knows this key exchange by its older name only.
    _kex_info = {**_PARAMIKO._kex_info, "curve25519-sha256": KexCurve25519}  # noqa: SLF001, RUF012  no public way
    _preferred_kex = tuple(
        name
        for known in _PARAMIKO._preferred_kex  # noqa: SLF001  no public way
        for name in ((known, "curve25519-sha256") if known == "curve25519-sha256@libssh.org" else (known,))
    )

    # Authenticated ciphers first: for the others paramiko compares each packet's code byte by byte.
    _preferred_ciphers = tuple(sorted(_PARAMIKO._preferred_ciphers, key=lambda name: "-gcm" not in name))  # noqa: SLF001  no public way

    def __init__(self, stream: Stream, algorithms: Iterable[str]) -> None:
        """``algorithms``: host key algorithms to ask for, in this order."""
        super().__init__(stream, packetizer_class=_Packets)
        self._algorithms = tuple(algorithms)
        self.farewell = ""
        self.offered: tuple[str, ...] = ()

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Asked by paramiko when it proposes algorithms."""
        return self._algorithms

    def _log(self, level: int, msg: object, *args: object) -> None:
        pass

    def _really_parse_kex_init(self, m: paramiko.Message, ignore_first_byte: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002  paramiko's signature
        parsed: dict[str, Any] = super()._really_parse_kex_init(m, ignore_first_byte)  # type: ignore[misc]  # the stubs leave it out
        if not ignore_first_byte:
            self.offered = tuple(parsed["server_key_algo_list"])
        return parsed

    def _parse_disconnect(self, m: paramiko.Message) -> None:
        m.get_int()
        self.farewell = shortened(m.get_text())

    def allow(self, size: int) -> None:
        """Let the other side send ``size`` bytes from now on."""
        if isinstance(self.sock, Socket):
            self.sock.allowed = size

    def seen(self) -> Seen:
        """The host key that was proved."""
        key = self.get_remote_server_key()
        certificate = getattr(key, "public_blob", None)
        return Seen(key.get_name(), key.asbytes(), certificate.key_blob if certificate else b"")


@dataclass(frozen=True)
class Hop:
    """One host on the way; the last one is the host itself."""

    name: str
    address: str
    port: int
    user: str
    ssh: SshOptions


def reach(trust: Trust, stream: Callable[[], Stream], deadline: Deadline, stack: ExitStack) -> Connection:
    """
    Shake hands on a new stream and check the host's key. ``stack`` closes what was opened.

    Raises:
        HostKeyRejected, Unreachable, DeadlineExceeded: it did not come about.
    """
    algorithms = trust.algorithms
    while True:
        connection = _shake_hands(trust, stream(), algorithms, deadline, stack)
        seen = connection.seen()
        try:
            trust.check(seen)
        except HostKeyRejected:
            # Another of the host's keys may be the pinned one.
            algorithms = tuple(name for name in algorithms if not _of_type(name, seen.type))
            if not (trust.pinned_fingerprint and _offered(connection, algorithms)):
                raise
        else:
            return connection


def open_stream(hop: Hop, through: Connection | None, deadline: Deadline, stack: ExitStack) -> Stream:
    """
    The way to a hop: through the one before it, by its ProxyCommand, or straight.

    Raises:
        Unreachable, DeadlineExceeded: there is none.
    """
    if not through:
        return (
            proxy(hop.ssh.proxy_command, stack)
            if hop.ssh.proxy_command
            else tcp(hop.name, hop.address, hop.port, deadline)
        )
    where = f"{hop.name} at {hop.address}:{hop.port}"
    try:
        return through.open_channel(
            "direct-tcpip",
            (hop.address, hop.port),
            ("127.0.0.1", 0),
            timeout=deadline.left(f"reaching {where}"),
        )
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise Unreachable(
            f"{where}: the jump host before it does not get there ({shortened(str(error)) or 'it closed the connection'}): "
            f"is it up, and does the jump host allow TCP forwarding?"
        ) from error


def tcp(name: str, address: str, port: int, deadline: Deadline) -> Socket:
    """
    Connect, trying each of the address's addresses.

    Raises:
        Unreachable, DeadlineExceeded: none answered.
    """
    where = f"{address}:{port}"
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(
            f"{name}: no address is known for {address} ({error}): correct it in the inventory, or DNS"
        ) from error
    problem: OSError | None = None
    for family, kind, protocol, _, target in found:
        sock = Socket(family, kind, protocol)
        try:
            sock.settimeout(deadline.left(f"connecting to {name} at {where}"))
            sock.connect(target)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, DeadlineExceeded) as error:
            sock.close()
            problem = error if isinstance(error, OSError) else problem or TimeoutError()
        else:
            return sock
    if isinstance(problem, TimeoutError):
        raise Unreachable(
            f"{name} at {where} did not answer within {deadline.seconds:g} s: is it up, and does a firewall let us through?"
        ) from problem
    raise Unreachable(
        f"{name} at {where}: {(problem.strerror if problem else '') or problem}: is it up, and is that the port?"
    )


def proxy(command: str, stack: ExitStack) -> Socket:
    """A ProxyCommand's standard input and output as a socket; the process group is killed when ``stack`` closes."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"],
        stdin=theirs.fileno(),
        stdout=theirs.fileno(),
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    theirs.close()
    stack.callback(_kill, process)
    sock = Socket(fileno=ours.detach())
    sock.complaint = process.stderr
    return sock


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=2)
    if process.stderr:
        process.stderr.close()


def _complaint(stream: object) -> str:
    """What a ProxyCommand printed on standard error, as far as it has."""
    pipe = stream.complaint if isinstance(stream, Socket) else None
    if not pipe or not select.select([pipe], [], [], 0.5)[0]:
        return ""
    return shortened(os.read(pipe.fileno(), 4096))


def _shake_hands(
    trust: Trust, stream: Stream, algorithms: Iterable[str], deadline: Deadline, stack: ExitStack
) -> Connection:
    connection = Connection(stream, algorithms)
    stack.callback(end, connection)
    doing = f"the SSH handshake with {trust.name} at {trust.address}:{trust.port}"
    done = threading.Event()
    # paramiko's own limits only back up ours: whoever speaks first names the reason.
    connection.banner_timeout = connection.handshake_timeout = deadline.left(doing) + _PATIENCE
    connection.start_client(event=done)
    if not done.wait(deadline.left(doing)):
        raise deadline.exceeded(doing)
    if not connection.is_active():
        raise _failed(doing, connection)
    return connection


def _failed(doing: str, connection: Connection) -> Unreachable:
    problem = connection.get_exception()
    if isinstance(problem, paramiko.ssh_exception.IncompatiblePeer):
        return Unreachable(f"{doing}: {shortened(str(problem))}: bring its SSH server up to date")
    if isinstance(problem, paramiko.SSHException) and connection.remote_version:
        return Unreachable(f"{doing}: {shortened(str(problem))}")
    said = (
        connection.farewell
        or shortened(connection.remote_version)
        or _complaint(connection.sock)
        or "it said nothing"
    )
    return Unreachable(
        f"{doing}: it closed the connection or speaks something else ({said}): is an SSH server on that port, "
        f"and does it take more connections (MaxStartups)?"
    )


def end(connection: Connection) -> None:
    """Close it in every state it may be in, and wait for its thread to be gone."""
    stream: Any = connection.sock
    with suppress(OSError, EOFError):
        stream.shutdown(socket.SHUT_RDWR)
    connection.close()
    stream.close()
    if connection.is_alive():
        connection.join(2)


def _of_type(algorithm: str, key_type: str) -> bool:
    return algorithm.startswith("rsa-" if key_type == "ssh-rsa" else key_type)


def _offered(connection: Connection, algorithms: Iterable[str]) -> bool:
    return any(name in connection.offered for name in algorithms)

"""SSH servers that do not do what they should: they hang, break off, or say too much, each at the moment asked for."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import paramiko
from paramiko import common

KEY = paramiko.ECDSAKey.generate()
PASSWORD = "let me in"


@dataclass(frozen=True)
class Liar:
    """Where it listens. ``gone`` counts the connections that the client has closed."""

    address: str
    port: int
    gone: threading.Semaphore

    @property
    def pin(self) -> str:
        return f"{KEY.get_name()} {KEY.get_base64()}"


@contextmanager
def liar(behave: Callable[[socket.socket, threading.Event], None]) -> Iterator[Liar]:
    """Serve each connection by ``behave(connection, over)``, in a thread; ``over`` is set at the end."""
    over, gone = threading.Event(), threading.Semaphore(0)
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError, EOFError, paramiko.SSHException):
            behave(connection, over)
        gone.release()

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield Liar("127.0.0.1", listener.getsockname()[1], gone)
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (accepting, *threads):
            thread.join(10)


def silent(connection: socket.socket, over: threading.Event) -> None:
    """Accept and never speak."""
    until_closed(connection, over)


def banner_only(connection: socket.socket, over: threading.Event) -> None:
    """Say hello, then nothing more."""
    connection.sendall(b"SSH-2.0-liar\r\n")
    until_closed(connection, over)


def endless_banner(connection: socket.socket, over: threading.Event) -> None:
    """A hello without an end."""
    while not over.is_set():
        connection.sendall(b"x" * 65536)


def web_server(connection: socket.socket, _over: threading.Event) -> None:
    """Something else altogether."""
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def hanging_up(_connection: socket.socket, _over: threading.Event) -> None:
    """As sshd does when MaxStartups is reached."""


def until_closed(connection: socket.socket, over: threading.Event) -> None:
    connection.settimeout(0.1)
    while not over.is_set():
        with suppress(TimeoutError):
            if not connection.recv(4096):
                return


Answer = Callable[[paramiko.Channel, threading.Event], None]


def hanging_login(connection: socket.socket, over: threading.Event) -> None:
    """Shake hands; never answer a login."""
    _ssh(connection, over, lambda: over.wait(3) and False, _nothing)


def answering(answer: Answer) -> Callable[[socket.socket, threading.Event], None]:
    """Let everybody in; ``answer`` is what happens after the command."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        _ssh(connection, over, lambda: True, answer)

    return behave


def never_starting(connection: socket.socket, over: threading.Event) -> None:
    """Let everybody in; never say whether the command was started."""
    _ssh(connection, over, lambda: True, _nothing, starts=lambda: over.wait(4) and False)


def lets_nobody_in(connection: socket.socket, over: threading.Event) -> None:
    """Refuse every key and password."""
    _ssh(connection, over, lambda: False, _nothing)


def _nothing(_channel: paramiko.Channel, _over: threading.Event) -> None:
    pass


def _ssh(
    connection: socket.socket,
    over: threading.Event,
    lets_in: Callable[[], bool],
    answer: Answer,
    starts: Callable[[], bool] = lambda: True,
) -> None:
    transport = paramiko.Transport(connection)
    transport.add_server_key(KEY)
    server = _Server(lets_in, starts)
    try:
        transport.start_server(server=server)
        while transport.is_active() and not over.is_set():
            channel = transport.accept(0.2)
            if channel is not None and server.asked.wait(5):
                answer(channel, over)
                channel.close()
    finally:
        transport.close()
        transport.join(5)


class _Server(paramiko.ServerInterface):
    def __init__(self, lets_in: Callable[[], bool], starts: Callable[[], bool]) -> None:
        self._lets_in, self._starts = lets_in, starts
        self.asked = threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_auth_password(self, username: str, password: str) -> int:
        return int(common.AUTH_SUCCESSFUL if self._lets_in() else common.AUTH_FAILED)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self.check_auth_password(username, "")

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(common.OPEN_SUCCEEDED)

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        started = self._starts()
        if started:
            self.asked.set()
        return started

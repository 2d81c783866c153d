"""The endpoint on a port: HTTP/1.1 that keeps its connections, with TLS or without, in front of a ``Service``."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.lab.wsman import soap
from tests.lab.wsman.login import Login
from tests.lab.wsman.service import Drip, Drop, Hang, Http, Service
from tests.lab.wsman.soap import Fault

SOAP = "application/soap+xml;charset=UTF-8"


@dataclass
class Endpoint:
    """
    A host's WS-Management port. ``connections`` counts those that said something, ``posts`` the requests.

    ``lies``: answers in the clear though the messages are encrypted.
    """

    service: Service
    way: str = "basic"
    encrypted: bool = False
    lies: bool = False
    port: int = 0
    connections: int = 0
    posts: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def setup(self) -> None:
        super().setup()
        self.endpoint = self.server.endpoint
        self.login = Login(self.endpoint.way)
        self.is_counted = False

    def log_message(self, *arguments: object) -> None:
        pass

    def do_POST(self) -> None:
        if not self.is_counted:
            self.endpoint.connections += 1
            self.is_counted = True
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.endpoint.posts.append(body)
        has_certificate = isinstance(self.connection, ssl.SSLSocket) and bool(self.connection.getpeercert())
        if not self.login.try_in(self.headers, has_certificate):
            self._say(401, b"", [("WWW-Authenticate", words) for words in self.login.asks])
        elif self.path != "/wsman":
            self._say(404)
        elif not body:
            self._say(200)
        else:
            self._serve(self.login.decrypt(body) if self.endpoint.encrypted else body)

    def _serve(self, body: bytes) -> None:
        request = soap.read(body)
        trouble = self.endpoint.service.next_trouble(request.name)
        match trouble:
            case None:
                answer = self.endpoint.service.answer(request, self.login.user)
                self._reply(answer, request.message_id)
            case Fault():
                self._reply(trouble, request.message_id)
            case Http(status, text, headers):
                self._say(status, text, list(headers))
            case Drop():
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            case Hang():
                self.endpoint.over.wait()
                self.close_connection = True
            case Drip():
                self._drip()

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", SOAP)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):
            while not self.endpoint.over.wait(0.05):
                self.wfile.write(b" ")

    def _reply(self, answer: bytes | Fault, message_id: str) -> None:
        status = 200
        if isinstance(answer, Fault):
            status, answer = 500, soap.refused(message_id, answer)
        kind = SOAP
        if self.endpoint.encrypted and not self.endpoint.lies:
            kind, answer = self.login.encrypt(answer)
        self._say(status, answer, [("Content-Type", kind)])

    def _say(self, status: int, body: bytes = b"", headers: list[tuple[str, str]] | None = None) -> None:
        self.send_response(status)
        for name, value in headers or ():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext | None) -> None:
        self.endpoint, self.context = endpoint, context
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        with suppress(ssl.SSLError, ConnectionError):
            secured = self.context.wrap_socket(request, server_side=True) if self.context else request
            with secured:
                super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the tests."""


def tls(cert: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """A server's context; with ``client_ca`` clients may show a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if client_ca:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(client_ca)
    return context


@contextmanager
def serving(endpoint: Endpoint, context: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    """Open the endpoint on a port of its own on 127.0.0.1, and close it."""
    server = _Server(endpoint, context)
    endpoint.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.over.set()
        server.shutdown()
        server.server_close()
        thread.join()

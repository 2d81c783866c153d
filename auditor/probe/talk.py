"""Conversations with one TCP port: each has its own connection, a time that it must end by, and a size it may reach."""

import re
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from auditor.probe.hello import Flight, client_hello, looks_like_tls, read_flight

Place = tuple[str, int]
SECONDS_EACH = 3.0
# A server of TLS 1.3 refuses a client after the handshake: it is given this long to say so before we speak.
_SECONDS_TO_REFUSE = 0.4
_MOST_BYTES = 256 * 1024
_REQUEST = (
    b"GET /version HTTP/1.1\r\nHost: docker\r\nUser-Agent: docker-host-auditor\r\nConnection: close\r\n\r\n"
)
_DOCKER = re.compile(
    rb'^(Api-Version|Docker-Experimental|Server: Docker/)|"ApiVersion"', re.MULTILINE | re.IGNORECASE
)


class Reply(StrEnum):
    """What somebody without credentials got."""

    DOCKER = "the Docker API"
    HTTP = "HTTP, but not the Docker API"
    REFUSED = "a refusal"
    NOTHING = "nothing"
    GARBAGE = "something that is neither TLS nor HTTP"


class Conversation:
    """A TCP connection that ends ``seconds`` after it began, however slowly the other side drips, or how much it says."""

    def __init__(self, place: Place, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self.socket = socket.create_connection(place, timeout=seconds)
        # OpenSSL looks at the clock when it has read all that is there; of one who never stops there is always more.
        self._line = self.socket.dup()
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._timer.start()

    def close(self) -> None:
        """End it."""
        self._timer.cancel()
        self.socket.close()
        self._line.close()

    def _hang_up(self) -> None:
        """Both ways at once, and what the other side still has to say is not waited for."""
        with suppress(OSError):
            self._line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._line.shutdown(socket.SHUT_RDWR)

    def patience(self, at_most: float = SECONDS_EACH) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return min(left, at_most)

    def receive(self, *, at_most: float = SECONDS_EACH) -> bytes:
        """What has arrived, at least one byte; empty at the end. Raises OSError."""
        self.socket.settimeout(self.patience(at_most))
        return self.socket.recv(65536)

    def send(self, data: bytes) -> None:
        """Raises OSError."""
        self.socket.settimeout(self.patience())
        self.socket.sendall(data)

    def encrypt(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Shake hands. Raises OSError (``ssl.SSLError`` is one)."""
        self.socket.settimeout(self.patience())
        try:
            encrypted = context.wrap_socket(self.socket)
        except OSError:
            self.patience()  # who was hung up on took too long
            raise
        self.socket = encrypted
        return encrypted


@contextmanager
def conversation(place: Place, seconds: float = SECONDS_EACH) -> Iterator[Conversation]:
    """Open a conversation. Raises OSError when there is nobody."""
    talk = Conversation(place, seconds)
    try:
        yield talk
    finally:
        talk.close()


def greet(talk: Conversation, version: int) -> Flight | None:
    """The server's first flight in answer to a hello of ``version``; None when it speaks no TLS or says nothing."""
    data = b""
    try:
        talk.send(client_hello(version))
        while len(data) < _MOST_BYTES and (more := talk.receive()):
            data += more
            if not looks_like_tls(data) or read_flight(data).complete:
                break
    except OSError:  # what came until then is judged
        pass
    return read_flight(data) if looks_like_tls(data) else None


def ask(talk: Conversation) -> Reply:
    """Ask for the engine's version, as HTTP on whatever the conversation has become."""
    data = b""
    try:
        talk.send(_REQUEST)
        while len(data) < _MOST_BYTES and (more := talk.receive()):
            data += more
            if _DOCKER.search(data):
                return Reply.DOCKER
    except ssl.SSLError:
        return Reply.HTTP if data.startswith(b"HTTP/") else Reply.REFUSED
    except OSError:  # judged by what came until then
        pass
    if data.startswith(b"HTTP/"):
        return Reply.HTTP
    return Reply.GARBAGE if data else Reply.NOTHING


def ask_encrypted(talk: Conversation) -> Reply:
    """Like ``ask``, once the other side has had the time to refuse us. A closed connection is a refusal."""
    try:
        talk.receive(at_most=_SECONDS_TO_REFUSE)
    except TimeoutError:
        reply = ask(talk)
        return Reply.REFUSED if reply is Reply.NOTHING else reply
    except OSError:
        return Reply.REFUSED
    return Reply.REFUSED


@cache
def client(version: ssl.TLSVersion, *, certificate: bool) -> ssl.SSLContext:
    """A TLS client of one version that takes any server (nothing secret is told it), with a throw-away certificate or none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    if certificate:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "throw-away.pem")
            path.write_bytes(_throw_away())
            context.load_cert_chain(path)
    return context


def _throw_away() -> bytes:
    """A key and a certificate that nobody signed, to see whether a server takes just any."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "docker-host-auditor probe, trusted by nobody")]
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)

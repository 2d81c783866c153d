"""What a port is, against servers that are honest, half-honest, and not at all."""

import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st

from auditor.facts.live import Port, Verdict
from auditor.probe.hello import TLS_1_2, client_hello, looks_like_tls, name_text, read_flight
from auditor.probe.port import examine
from auditor.probe.talk import conversation
from tests.lab.certificates import Authority, Pair
from tests.lab.liar import liar, silent

DOCKER = b"HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nConnection: close\r\n\r\n{}"
CLIENTS, SERVERS = Authority("probe clients"), Authority("probe servers")
BELOW = Authority("probe intermediate", parent=SERVERS)
PAIR = BELOW.issue("web1", names=["127.0.0.1"])


@contextmanager
def tls_server(
    folder: Path, answer: bytes = DOCKER, *, pair: Pair = PAIR, **settings: object
) -> Iterator[int]:
    """A TLS server; ``settings`` are attributes of its context."""
    certificate, key = pair.write(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(CLIENTS.write(folder / "ca.pem"))
    for name, value in settings.items():
        setattr(context, name, value)

    def behave(connection: socket.socket, _over: threading.Event) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(4096)
            encrypted.sendall(answer)

    with liar(behave) as server:
        yield server.port


def look(port: int, seconds: float = 12.0) -> Port:
    return examine(("127.0.0.1", port), seconds=seconds)


def test_a_server_that_demands_a_known_client(tmp_path: Path) -> None:
    with tls_server(tmp_path, verify_mode=ssl.CERT_REQUIRED) as port:
        seen = look(port)
    # OpenSSL as Python drives it names no CA; dockerd names those in its file.
    assert (seen.verdict, seen.client_cas) == (Verdict.MUTUAL_TLS, ())
    assert [pem.splitlines()[1] for pem in seen.chain] == [
        block.splitlines()[1] for block in PAIR.pem.decode().split("-----END CERTIFICATE-----\n")[:-1]
    ]
    assert seen.versions == {
        "TLS 1.0": "refused",
        "TLS 1.1": "refused",
        "TLS 1.2": "offered",
        "TLS 1.3": "offered",
    }


def test_a_server_that_lets_everybody_in(tmp_path: Path) -> None:
    with tls_server(tmp_path) as port:
        seen = look(port)
    assert (seen.verdict, seen.client_cas) == (Verdict.NO_CLIENT_AUTH, None)


def test_a_server_that_asks_and_does_not_insist(tmp_path: Path) -> None:
    with tls_server(tmp_path, verify_mode=ssl.CERT_OPTIONAL) as port:
        assert look(port).verdict is Verdict.NO_CLIENT_AUTH


def test_a_proxy_that_refuses_strangers_by_http(tmp_path: Path) -> None:
    refusal = b"HTTP/1.1 400 Bad Request\r\n\r\nNo required SSL certificate was sent"
    with tls_server(tmp_path, refusal, verify_mode=ssl.CERT_OPTIONAL) as port:
        assert look(port).verdict is Verdict.MUTUAL_TLS


def test_a_web_server_that_is_no_engine_is_left_open(tmp_path: Path) -> None:
    with tls_server(tmp_path, b"HTTP/1.1 401 Unauthorized\r\n\r\n") as port:
        seen = look(port)
    assert seen.verdict is Verdict.TLS_UNCLEAR
    assert "not asked for" in seen.detail


@pytest.mark.parametrize(
    ("verify", "verdict"), [(ssl.CERT_REQUIRED, Verdict.MUTUAL_TLS), (ssl.CERT_NONE, Verdict.NO_CLIENT_AUTH)]
)
def test_a_server_of_tls_1_3_alone(tmp_path: Path, verify: ssl.VerifyMode, verdict: Verdict) -> None:
    with tls_server(tmp_path, verify_mode=verify, minimum_version=ssl.TLSVersion.TLSv1_3) as port:
        seen = look(port)
    assert (seen.verdict, seen.client_cas, len(seen.chain)) == (verdict, None, 1)
    assert (seen.versions["TLS 1.2"], seen.versions["TLS 1.3"]) == ("refused", "offered")


def test_a_server_of_tls_1_2_alone(tmp_path: Path) -> None:
    with tls_server(tmp_path, verify_mode=ssl.CERT_REQUIRED, maximum_version=ssl.TLSVersion.TLSv1_2) as port:
        seen = look(port)
    assert (seen.verdict, seen.versions["TLS 1.3"]) == (Verdict.MUTUAL_TLS, "refused")


@contextmanager
def openssl_server(folder: Path, *options: str) -> Iterator[int]:
    """``openssl s_server`` that answers as an engine does."""
    if not shutil.which("openssl"):
        pytest.skip("not on this machine: openssl")
    certificate, key = PAIR.write(folder)
    (folder / "version").write_bytes(DOCKER)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    command = [
        "openssl",
        "s_server",
        "-accept",
        f"127.0.0.1:{port}",
        "-cert",
        str(certificate),
        "-key",
        str(key),
        "-HTTP",
        "-quiet",
        *options,
    ]
    server = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield port
    finally:
        server.kill()
        server.wait()


def test_a_server_that_takes_just_any_certificate(tmp_path: Path) -> None:
    ca = CLIENTS.write(tmp_path / "ca.pem")
    with openssl_server(tmp_path, "-Verify", "1", "-CAfile", str(ca)) as port:
        seen = look(port)
    assert seen.client_cas == ("CN=probe clients",)
    assert seen.verdict is Verdict.ANY_CERTIFICATE
    assert "nobody signed" in seen.detail


def test_a_server_that_still_speaks_tls_1_0(tmp_path: Path) -> None:
    with openssl_server(tmp_path, "-cipher", "ALL:@SECLEVEL=0") as port:
        seen = look(port)
    assert (seen.versions["TLS 1.0"], seen.versions["TLS 1.1"]) == ("offered", "offered")
    assert seen.verdict is Verdict.NO_CLIENT_AUTH


def test_a_server_without_a_suite_that_fits(tmp_path: Path) -> None:
    with openssl_server(tmp_path, "-tls1_2", "-cipher", "ADH-AES128-SHA:@SECLEVEL=0") as port:
        seen = look(port)
    assert seen.verdict is Verdict.TLS_BROKEN
    assert "handshake failure" in seen.detail


def _answering(data: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def behave(connection: socket.socket, _over: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    return behave


def _endless(connection: socket.socket, over: threading.Event) -> None:
    # Requests for a hello, all of which a client passes over; so many at once that there is always one more to read.
    records = (b"\x16\x03\x03\x40\x00" + bytes(0x4000)) * 64
    while not over.is_set():
        connection.sendall(records)


def _endless_text(connection: socket.socket, over: threading.Event) -> None:
    while not over.is_set():
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 65536)


def _dripping(connection: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.05):
        connection.sendall(b"\x16")


def _resetting(connection: socket.socket, _over: threading.Event) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _many_certificates(connection: socket.socket, _over: threading.Event) -> None:
    hello = b"\x02" + (70).to_bytes(3, "big") + b"\x03\x03" + bytes(68)
    one = PAIR.certificate.public_bytes(Encoding.DER)
    listed = (len(one).to_bytes(3, "big") + one) * 400
    body = len(listed).to_bytes(3, "big") + listed
    messages = hello + b"\x0b" + len(body).to_bytes(3, "big") + body + b"\x0e\0\0\0"
    with suppress(OSError):
        connection.recv(4096)
        for start in range(0, len(messages), 16000):
            part = messages[start : start + 16000]
            connection.sendall(b"\x16\x03\x03" + len(part).to_bytes(2, "big") + part)


LIARS = {
    "the Docker API in plain text": (_answering(DOCKER), {Verdict.PLAINTEXT}),
    "the Docker API behind a refusal": (
        _answering(b"HTTP/1.1 403 Forbidden\r\nServer: Docker/29.1.0 (linux)\r\n\r\n"),
        {Verdict.PLAINTEXT},
    ),
    "some web server": (_answering(b"HTTP/1.1 200 OK\r\n\r\nhello"), {Verdict.OTHER_HTTP}),
    "garbage": (_answering(b"\xff\x00garbage" * 100), {Verdict.NOT_TLS}),
    "a TLS record that is garbage": (
        _answering(b"\x16\x03\x03\x00\x05\x02\xff\xff\xff\xff"),
        {Verdict.TLS_BROKEN},
    ),
    "an alert": (_answering(b"\x15\x03\x03\x00\x02\x02\x28"), {Verdict.TLS_BROKEN}),
    "a hang-up": (lambda _connection, _over: None, {Verdict.TIMED_OUT, Verdict.RESET, Verdict.NOT_TLS}),
    "a reset": (_resetting, {Verdict.TIMED_OUT, Verdict.RESET}),
    "silence": (silent, {Verdict.TIMED_OUT}),
    "an endless record stream": (_endless, {Verdict.TLS_BROKEN, Verdict.TLS_UNCLEAR, Verdict.TIMED_OUT}),
    "an endless page": (_endless_text, {Verdict.OTHER_HTTP, Verdict.TIMED_OUT}),
    "one byte at a time": (_dripping, {Verdict.NOT_TLS, Verdict.TIMED_OUT, Verdict.TLS_BROKEN}),
    "a list of 400 certificates": (
        _many_certificates,
        {Verdict.TLS_UNCLEAR, Verdict.TLS_BROKEN, Verdict.TIMED_OUT},
    ),
}


@pytest.mark.parametrize("name", LIARS)
def test_a_lying_server_is_judged_and_never_believed_for_long(name: str) -> None:
    behave, expected = LIARS[name]
    with liar(behave) as server:
        seen = look(server.port, seconds=2.0)
    assert seen.verdict in expected, seen
    assert len(seen.chain) <= 16


@pytest.mark.timeout(30)
def test_whoever_never_stops_talking_is_hung_up_on() -> None:
    class Greedy(ssl.SSLContext):
        """As OpenSSL is while there is always more to read: it does not look at the clock."""

        def wrap_socket(self, sock: socket.socket, *_: object, **__: object) -> ssl.SSLSocket:
            sock.settimeout(None)
            while sock.recv(65536):
                pass
            raise ssl.SSLError("gone")

    with (
        liar(_endless) as server,
        conversation(("127.0.0.1", server.port), 0.5) as talk,
        pytest.raises(TimeoutError),
    ):
        talk.encrypt(Greedy(ssl.PROTOCOL_TLS_CLIENT))


def test_nobody_there_is_a_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert look(port).verdict is Verdict.REFUSED


def test_a_name_that_nobody_knows_is_out_of_reach() -> None:
    assert examine(("no-such-host.invalid", 1)).verdict is Verdict.UNREACHABLE


@given(st.binary())
@example(b"\x16\x03\x03\x00\x04\x0d\x00\x00\x00")
@example(b"\x16\x03\x03\x00\x07\x0b\x00\x00\x03\x00\x00\x09")
def test_no_bytes_make_the_reader_of_flights_crash(data: bytes) -> None:
    for flight in (read_flight(data), read_flight(b"\x16\x03\x03" + len(data).to_bytes(2, "big") + data)):
        assert len(flight.chain) <= 16


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_of_names_crash(data: bytes) -> None:
    assert isinstance(name_text(data), str)


def test_names_are_read_as_certificates_spell_them() -> None:
    subject = CLIENTS.pair.certificate.subject
    assert name_text(subject.public_bytes()) == subject.rfc4514_string()
    assert name_text(b"\x30\x80") == "3080"


def test_our_hello_is_a_record_of_its_own_length() -> None:
    hello = client_hello(TLS_1_2)
    assert looks_like_tls(hello)
    assert int.from_bytes(hello[3:5], "big") == len(hello) - 5

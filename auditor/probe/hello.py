"""
The clear part of a TLS handshake, up to 1.2: our hello, and what a server answers before encryption begins.

Written by hand because a TLS library neither shows the names of the accepted client CAs nor offers versions that its
system forbids. Nothing here needs a key: the conversation ends with the server's first flight.
"""

import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509

TLS_1_0, TLS_1_1, TLS_1_2 = 0x0301, 0x0302, 0x0303
_HANDSHAKE, _ALERT = 22, 21
_SERVER_HELLO, _CERTIFICATE, _CERTIFICATE_REQUEST, _DONE = 2, 11, 13, 14
_MOST_CERTIFICATES, _MOST_NAMES = 16, 1000
# ECDHE and RSA with AES (GCM, then CBC), ChaCha20, 3DES last; and the signal that renegotiation is safe.
_SUITES = (
    0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC009, 0xC013, 0xC00A, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035, 0x000A, 0x00FF,
)  # fmt: skip
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019, 0x0015)
_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)
ALERTS = {
    40: "handshake failure", 42: "bad certificate", 47: "illegal parameter", 48: "unknown CA", 70: "protocol version",
    71: "insufficient security", 80: "internal error", 86: "inappropriate fallback", 112: "unrecognised name", 116: "certificate required",
}  # fmt: skip


@dataclass(frozen=True)
class Flight:
    """
    A server's first flight. ``version`` is 0 when it sent no hello.

    ``chain`` holds certificates in DER. ``client_cas`` holds the names (RFC 4514) of the CAs that it takes
    clients from, None when it asked for no certificate. ``alert`` is the alert's number, or None.
    """

    version: int = 0
    chain: tuple[bytes, ...] = ()
    client_cas: tuple[str, ...] | None = None
    alert: int | None = None
    complete: bool = False


def client_hello(version: int) -> bytes:
    """A ClientHello for ``version`` (``TLS_1_2``…) as a record. It names no server."""
    extensions = (
        _extension(0x000A, _vector(2, b"".join(struct.pack(">H", group) for group in _GROUPS)))
        + _extension(0x000B, _vector(1, b"\0"))
        + _extension(0x000D, _vector(2, b"".join(struct.pack(">H", one) for one in _SIGNATURES)))
    )
    suites = b"".join(struct.pack(">H", suite) for suite in _SUITES)
    body = (
        struct.pack(">H", version)
        + secrets.token_bytes(32)
        + b"\0"
        + _vector(2, suites)
        + b"\1\0"
        + _vector(2, extensions)
    )
    return struct.pack(">BH", _HANDSHAKE, TLS_1_0) + _vector(2, b"\1" + _vector(3, body))


def _vector(width: int, data: bytes) -> bytes:
    """Data with its length before it, in ``width`` bytes."""
    return len(data).to_bytes(width, "big") + data


def _extension(number: int, data: bytes) -> bytes:
    return struct.pack(">H", number) + _vector(2, data)


def looks_like_tls(data: bytes) -> bool:
    """Whether an answer begins as a TLS record does."""
    return len(data) >= 2 and data[0] in (_HANDSHAKE, _ALERT) and data[1] == 3  # noqa: PLR2004  type and major version


def read_flight(data: bytes) -> Flight:
    """
    Read what has arrived so far; ``complete`` tells whether anything is still to come.

    A server that lies gets the flight up to its first lie, and that is complete.
    """
    messages, alert = _records(data)
    version, chain, names = 0, tuple[bytes, ...](), None
    try:
        for kind, body in _messages(messages):
            if kind == _SERVER_HELLO:
                version = int.from_bytes(body[:2], "big")
            elif kind == _CERTIFICATE:
                chain = tuple(_items(_take(body, 3)[0], 3, _MOST_CERTIFICATES))
            elif kind == _CERTIFICATE_REQUEST:
                names = _accepted(body, version)
            elif kind == _DONE:
                return Flight(version, chain, names, alert, complete=True)
    except ValueError:
        return Flight(version, chain, names, alert, complete=True)
    return Flight(version, chain, names, alert, complete=alert is not None)


def _records(data: bytes) -> tuple[bytes, int | None]:
    """The handshake messages in the records that are whole, and the alert that ended them."""
    messages, position = bytearray(), 0
    while position + 5 <= len(data):
        kind, _, length = struct.unpack_from(">BHH", data, position)
        body = data[position + 5 : position + 5 + length]
        if kind == _ALERT and len(body) >= 2:  # noqa: PLR2004  level and number
            return bytes(messages), body[1]
        if kind != _HANDSHAKE or len(body) < length:
            break
        messages += body
        position += 5 + length
    return bytes(messages), None


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(data):
        end = position + 4 + int.from_bytes(data[position + 1 : position + 4], "big")
        if end > len(data):
            return
        yield data[position], data[position + 4 : end]
        position = end


def _take(data: bytes, width: int) -> tuple[bytes, bytes]:
    """A vector whose length is in its first ``width`` bytes, and the rest. Raises ValueError when it is cut short."""
    length = int.from_bytes(data[:width], "big")
    if len(data) < width + length:
        raise ValueError("a vector that is longer than its message")
    return data[width : width + length], data[width + length :]


def _items(data: bytes, width: int, most: int) -> Iterator[bytes]:
    for _ in range(most):
        if not data:
            return
        item, data = _take(data, width)
        yield item


def _accepted(body: bytes, version: int) -> tuple[str, ...]:
    """The CA names in a CertificateRequest: after the kinds of certificate and, since TLS 1.2, the signatures."""
    _, rest = _take(body, 1)
    if version >= TLS_1_2:
        _, rest = _take(rest, 2)
    return tuple(name_text(name) for name in _items(_take(rest, 2)[0], 2, _MOST_NAMES))


def name_text(name: bytes) -> str:
    """A distinguished name in DER as RFC 4514 text; its hex when it is none."""
    # cryptography reads names within larger structures only: a request is the smallest, and is read lazily.
    key = _der(0x30, _der(0x30, bytes.fromhex("06032b6570")) + _der(0x03, bytes(33)))
    request = _der(0x30, _der(0x02, b"\0") + name + key + _der(0xA0, b""))
    signed = _der(0x30, request + _der(0x30, bytes.fromhex("06032b6570")) + _der(0x03, bytes(65)))
    try:
        return x509.load_der_x509_csr(signed).subject.rfc4514_string()
    except ValueError:
        return name.hex()[:200]


def _der(tag: int, body: bytes) -> bytes:
    length = len(body)
    if length < 0x80:  # noqa: PLR2004  DER's short form
        return bytes([tag, length]) + body
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body

"""How the endpoint lets clients in: Basic, a client certificate, or NTLM, which over plain HTTP encrypts every message."""

import base64
import struct
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

import spnego
import spnego.exceptions

USER, PASSWORD = "auditor", "S0me-Password"
MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_BOUNDARY = b"--Encrypted Boundary\r\n"
_END = b"--Encrypted Boundary--\r\n"
_OCTETS = b"\tContent-Type: application/octet-stream\r\n"
_PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
_SIGNATURE = 16


def credentials(folder: Path) -> Path:
    """A file for NTLM_USER_FILE, where the server side looks passwords up."""
    file = folder / "ntlm-users"
    file.write_text(f":{USER}:{PASSWORD}\n")
    return file


@dataclass
class Login:
    """Who is on a connection. ``asks`` are the answers to somebody who is not let in."""

    way: str
    user: str = ""
    asks: list[str] = field(default_factory=list)
    _context: spnego.ContextProxy | None = None

    def try_in(self, headers: Message, certificate: bool) -> bool:
        """Whether the request comes from somebody who may come in; else ``asks`` tells what to answer."""
        if self.way == "ntlm":
            return self._ntlm(headers.get("Authorization", ""))
        if self.way == "certificate":
            self.asks = ["Negotiate"]
            self.user = "mapped"
            return certificate and headers.get("Authorization") == MUTUAL
        self.asks = ['Basic realm="WSMAN"']
        self.user = USER
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return headers.get("Authorization") == f"Basic {expected}"

    def _ntlm(self, given: str) -> bool:
        kind, _, token = given.partition(" ")
        if kind != "Negotiate":
            self.asks = ["Negotiate", 'Basic realm="WSMAN"']
            return bool(self.user)
        if self._context is None or self._context.complete:
            self._context = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        try:
            challenge = self._context.step(base64.b64decode(token))
        except spnego.exceptions.SpnegoError:
            self._context, self.asks = None, ["Negotiate"]
            return False
        self.asks = [f"Negotiate {base64.b64encode(challenge or b'').decode()}"]
        if self._context.complete:
            self.user = self._context.client_principal or ""
        return self._context.complete

    def decrypt(self, body: bytes) -> bytes:
        """A message out of its two parts."""
        assert self._context is not None
        described, sealed = body.removesuffix(_END).split(_BOUNDARY)[1:]
        sealed = sealed.removeprefix(_OCTETS)
        (size,) = struct.unpack("<i", sealed[:4])
        plain = self._context.unwrap(sealed[4:]).data
        assert size == _SIGNATURE
        assert f"Length={len(plain)}".encode() in described
        return plain

    def encrypt(self, body: bytes) -> tuple[str, bytes]:
        """Content type and body."""
        assert self._context is not None
        described = f"\tContent-Type: {_PROTOCOL}\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(body)}\r\n"
        sealed = struct.pack("<i", _SIGNATURE) + self._context.wrap(body, encrypt=True).data
        parts = [_BOUNDARY, described.encode(), _BOUNDARY, _OCTETS, sealed, _END]
        return f'multipart/encrypted;protocol="{_PROTOCOL}";boundary="Encrypted Boundary"', b"".join(parts)

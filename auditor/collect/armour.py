"""
A bundle packed so that no code page, line width or redirection can change it, as windows.ps1 prints it.

The lines in between are base64 of the gzipped bundle; its SHA-256 follows, because a shell that stops half-way or a
console that drops a line must not look like a host with fewer findings. Shells of Windows write redirected output as
UTF-16 with a byte order mark: that is undone here too.
"""

import base64
import binascii
import gzip
import hashlib
import re
import textwrap

from auditor.errors import BadReply

BEGIN = b"-----BEGIN DOCKER HOST AUDITOR BUNDLE-----"
END = b"-----END DOCKER HOST AUDITOR BUNDLE-----"
_LINE = 76
_NOISE = 64 * 1024
_PACKED = re.compile(
    re.escape(BEGIN) + rb"([A-Za-z0-9+/=\s]*?)SHA-256\s+([0-9a-f\s]{64,80}?)" + re.escape(END)
)


def pack(bundle: bytes) -> bytes:
    """The armoured form of a bundle in its file form."""
    packed = gzip.compress(bundle, mtime=0)
    lines = textwrap.wrap(base64.b64encode(packed).decode(), _LINE)
    digest = hashlib.sha256(packed).hexdigest()
    return b"\r\n".join([BEGIN, *(line.encode() for line in lines), b"SHA-256 " + digest.encode(), END, b""])


def is_whole(text: bytes | bytearray) -> bool:
    """Whether ``text`` ends with the end of an armoured bundle."""
    return text.rstrip().endswith(END)


def unpack(raw: bytes) -> bytes:
    """
    The gzipped bundle within armour; whatever has no armour comes back as plain text, its encoding and lines undone.

    Raises:
        BadReply: the armour is broken: its end is missing, or the digest does not fit.
    """
    text = _without_encoding(raw)
    begin, header = text.find(BEGIN, 0, _NOISE), text.find(b"docker-host-auditor bundle ", 0, _NOISE)
    if begin < 0 or 0 <= header < begin:  # what a host's containers are called must not pass for armour
        return text
    match = _PACKED.search(text)
    if not match:
        raise BadReply("a packed bundle that broke off before its end: collect it anew")
    try:
        packed = base64.b64decode(b"".join(match[1].split()), validate=True)
    except binascii.Error as error:
        raise BadReply(f"a packed bundle that is damaged ({error}): collect it anew") from error
    if hashlib.sha256(packed).hexdigest().encode() != b"".join(match[2].split()):
        raise BadReply(
            "a packed bundle whose SHA-256 does not fit: it was changed on the way, collect it anew"
        )
    return packed


def _without_encoding(raw: bytes) -> bytes:
    """UTF-8 and, where a shell of Windows redirected it, without its byte order mark and carriage returns."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raw = raw.decode("utf-16", "replace").encode()
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    first, newline, _ = raw.partition(b"\n")
    is_dos = newline and first.endswith(b"\r") and first.startswith(b"docker-host-auditor bundle ")
    return raw.replace(b"\r\n", b"\n") if is_dos else raw

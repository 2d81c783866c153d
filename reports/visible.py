r"""
What a host calls its things may be any bytes. Here they become text that shows what it is.

A character that cannot be seen is written out: a byte that was no UTF-8 as ``\xff``, an escape as ``\x1b``, a
right-to-left override as ``\u202e``. What is left cannot move a cursor, turn a line around, or break XML.
"""

import re

# PEP 383: a byte that was no UTF-8 arrives as half a surrogate pair.
_BYTES_THAT_WERE_NO_TEXT = "".join(map(chr, range(0xDC80, 0xDD00)))
_SUSPECT = re.compile(r"[^\x20-\x7e\n]")


def visible(text: str) -> str:
    """``text`` on one line, every character visible."""
    return text if text.isprintable() else _written_out(text).replace("\n", "\\n")


def visible_lines(text: str) -> str:
    """As ``visible``, but line ends stay line ends."""
    return text if text.isprintable() else _written_out(text.replace("\r\n", "\n"))


def _written_out(text: str) -> str:
    return _SUSPECT.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character.isprintable():
        return character
    if character in _BYTES_THAT_WERE_NO_TEXT:
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()

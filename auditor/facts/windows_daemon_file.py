"""A Windows daemon's configuration file as bytes: how it is encoded, and what JSON says twice or oddly."""

import base64
import binascii
import json
from typing import Any, ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, Status
from auditor.facts.engine import decode
from auditor.gaps import Inconclusive, NotApplicable

_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_CONTROL = 0x20
# What the collector, which blanks passwords in the text, makes of bytes that are no text.
_NO_CHARACTER = "\ufffd"


class _File(msgspec.Struct, frozen=True):
    path: str
    base64: str


class WindowsDaemonFile(msgspec.Struct, frozen=True):
    r"""
    The file's ``encoding`` (``utf-8``, ``utf-16-le``, ``utf-16-be``), whether a byte order mark told it, and whether it holds.

    ``twice`` are keys that it has more than once, ``broken_paths`` those whose text has a control character: ``"C:\temp"``
    in JSON is ``C:``, a tab and ``emp``. ``problem`` says why these are not known.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-daemon-config",)

    path: str = r"C:\ProgramData\docker\config\daemon.json"
    encoding: str = "utf-8"
    marked: bool = False
    decodes: bool = True
    twice: tuple[str, ...] = ()
    broken_paths: tuple[str, ...] = ()
    problem: str = ""

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        section = bundle.section("windows-daemon-config")
        if section.status == Status.ABSENT:
            raise NotApplicable(f"there is no {section.message or 'configuration file'}")
        file: _File = decode(bundle.text("windows-daemon-config"), _File, "windows-daemon-config")
        try:
            raw = base64.b64decode(file.base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Inconclusive(f"the bytes of {file.path} did not arrive whole: {error}") from error
        mark = next((it for it in _MARKS if raw.startswith(it)), b"")
        encoding = _MARKS.get(mark, "utf-8")
        text = raw[len(mark) :].decode(encoding, "replace")
        if _NO_CHARACTER in text:
            problem = "it is not text in its encoding"
            return cls(file.path, encoding, bool(mark), decodes=False, problem=problem)
        try:
            twice, broken = _oddities(text)
        except (ValueError, RecursionError) as error:
            return cls(file.path, encoding, bool(mark), problem=str(error))
        return cls(file.path, encoding, bool(mark), twice=twice, broken_paths=broken)


def _oddities(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys that an object has twice, and those whose text has a control character."""
    twice, broken = list[str](), list[str]()

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice.extend(dict.fromkeys(name for name in names if names.count(name) > 1))
        texts = [(name, value) for name, value in pairs if isinstance(value, str)]
        broken.extend(name for name, value in texts if any(ord(it) < _CONTROL for it in value))
        return dict(pairs)

    json.loads(text or "{}", object_pairs_hook=look)
    return tuple(twice), tuple(broken)

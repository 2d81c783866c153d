"""
Decoding into structs, from any thread.

msgspec finds out what a type holds when it is first asked for it, and lets other threads run meanwhile: a second one that uses
the type then reads what is half-made, and the process dies. So all decoding goes through here, where types are made ready one
at a time.
"""

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_MAKING = threading.RLock()
_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode(text: bytes | str, kind: type[T]) -> T:
    """
    JSON as a value of a type.

    Raises:
        msgspec.MsgspecError: it is no JSON, or of another shape.
        UnicodeDecodeError, RecursionError: it is no text, or nested without end.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        with _MAKING:
            decoder = _DECODERS.setdefault(kind, msgspec.json.Decoder(kind))
    decoded: T = decoder.decode(text)
    return decoded


def convert(value: Any, kind: type[T]) -> T:
    """
    What lists, dictionaries and plain values hold as a value of a type, strictly.

    Raises:
        msgspec.ValidationError: it does not fit.
    """
    with _MAKING:
        return msgspec.convert(value, kind)

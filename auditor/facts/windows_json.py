"""The sections of Windows hosts that are JSON."""

from typing import Any

import msgspec

from auditor import typed
from auditor.collect.bundle import Bundle, Status
from auditor.gaps import Inconclusive, NotApplicable


def read_json(bundle: Bundle, section: str, kind: Any) -> Any:
    """
    A section as a msgspec type.

    Raises:
        NotApplicable: the host has no such thing.
        Inconclusive: it could not be read, or is of another shape.
    """
    found = bundle.section(section)
    if found.status == Status.ABSENT:
        raise NotApplicable(found.message or f"this host has nothing for {section}")
    try:
        return typed.decode(bundle.read(section), kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Inconclusive(f"{section} is not what the collector prints: {error}") from error

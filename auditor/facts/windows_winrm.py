"""What the host's WinRM service accepts."""

from collections.abc import Mapping
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.windows_json import read_json


class _WinRm(msgspec.Struct, frozen=True):
    unencrypted: str
    auth: dict[str, str]
    listeners: list[dict[str, str]]


class WinRm(msgspec.Struct, frozen=True):
    """Its settings, on or off; None where one was not told. ``transports`` are those of the listeners that are on."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-winrm",)

    unencrypted: bool | None = False
    auth: Mapping[str, bool | None] = msgspec.field(
        default_factory=lambda: {"Basic": False, "CredSSP": False}
    )
    transports: tuple[str, ...] = ("HTTPS",)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        told: _WinRm = read_json(bundle, "windows-winrm", _WinRm)
        on = [it for it in told.listeners if _switch(it.get("Enabled", "")) is not False]
        return cls(
            _switch(told.unencrypted),
            {name: _switch(value) for name, value in told.auth.items()},
            tuple(it.get("Transport", "").upper() for it in on),
        )


def _switch(word: str) -> bool | None:
    return {"true": True, "false": False}.get(word.lower())

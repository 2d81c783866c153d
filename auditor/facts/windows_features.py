"""Roles and features that are installed on a Windows host."""

from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import decode
from auditor.gaps import Inconclusive


class _Raw(msgspec.Struct, frozen=True):
    source: str
    installed: list[str]


class WindowsFeatures(msgspec.Struct, frozen=True):
    """Their names as Windows has them; servers (``FS-SMB1``) and clients (``SMB1Protocol``) call them differently."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-features",)

    installed: tuple[str, ...] = ("Containers", "Windows-Defender")

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        raw: _Raw = decode(bundle.text("windows-features"), _Raw, "windows-features")
        if not raw.installed:
            raise Inconclusive("Windows tells of no feature at all")
        return cls(tuple(raw.installed))

"""The drives of a Windows host: file system, room, and whether BitLocker protects them."""

from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import Engine, decode
from auditor.gaps import Inconclusive

_UNPROTECTED, _PROTECTED = 0, 1
_NO_BITLOCKER = "InvalidNamespace"


class _Volume(msgspec.Struct, frozen=True):
    drive: str
    file_system: str | None
    size: int
    free: int
    protection: int | None = None


class _Raw(msgspec.Struct, frozen=True):
    system_drive: str
    data_root: str | None
    volumes: list[_Volume]
    bitlocker_error: str | None = None
    bitlocker_code: str | None = None


class WindowsVolume(msgspec.Struct, frozen=True):
    """A drive (``D:``). Sizes are in bytes; ``encrypted`` is None where that could not be seen."""

    drive: str = "D:"
    file_system: str = "NTFS"
    size: int = 500_000_000_000
    free: int = 400_000_000_000
    encrypted: bool | None = True


class WindowsVolumes(msgspec.Struct, frozen=True):
    """The drives, and where the engine keeps its data. ``problem`` says why encryption could not be seen."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-volumes", *Engine.SECTIONS)

    data_root: str = r"D:\docker"
    system_drive: str = "C:"
    all: tuple[WindowsVolume, ...] = (WindowsVolume("C:"), WindowsVolume())
    problem: str = ""

    @property
    def data_volume(self) -> WindowsVolume:
        """
        The drive that the engine's data lies on.

        Raises:
            Inconclusive: it is none of the drives that were seen.
        """
        drive = self.data_root[:2].upper()
        for volume in self.all:
            if volume.drive.upper() == drive:
                return volume
        raise Inconclusive(f"the drive of {self.data_root or 'the data root'} is not among those of the host")

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        raw: _Raw = decode(bundle.text("windows-volumes"), _Raw, "windows-volumes")
        if not raw.system_drive:
            raise Inconclusive("which drive Windows is on was not told")
        without = raw.bitlocker_code == _NO_BITLOCKER
        volumes = (_volume(it, without=without) for it in raw.volumes)
        return cls(_data_root(bundle, raw), raw.system_drive, tuple(volumes), raw.bitlocker_error or "")


def _volume(raw: _Volume, *, without: bool) -> WindowsVolume:
    # A drive that BitLocker says nothing of may be locked, unless there is no BitLocker at all.
    known = {_UNPROTECTED: False, _PROTECTED: True, None: False if without else None}
    return WindowsVolume(raw.drive, raw.file_system or "", raw.size, raw.free, known.get(raw.protection))


def _data_root(bundle: Bundle, raw: _Raw) -> str:
    """As the engine says, else as it was configured."""
    try:
        return bundle.fact(Engine).data_root
    except Inconclusive:
        return raw.data_root or ""

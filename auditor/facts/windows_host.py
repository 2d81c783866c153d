"""Windows itself: which build, which edition, with how much installed."""

from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import decode
from auditor.facts.windows_builds import WindowsVersion
from auditor.gaps import Inconclusive


class _Raw(msgspec.Struct, frozen=True):
    build: int
    revision: int
    edition: str | None
    installation: str | None
    product: str | None = ""


_NEWEST = WindowsVersion(26100, 33650)


class WindowsHost(msgspec.Struct, frozen=True):
    """
    A Windows host, by its registry. ``installation`` is ``Server Core``, ``Server`` (with a desktop) or ``Client``.

    ``product`` is what Windows calls itself, which on Windows 11 says 10.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-host",)

    version: WindowsVersion = _NEWEST
    edition: str = "ServerDatacenter"
    installation: str = "Server Core"
    product: str = "Windows Server 2025 Datacenter"

    @property
    def client(self) -> bool:
        """Whether it is a Windows for workstations."""
        return self.installation == "Client"

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        raw: _Raw = decode(bundle.text("windows-host"), _Raw, "windows-host")
        if raw.build <= 0 or raw.revision < 0 or not raw.installation:
            raise Inconclusive("the registry does not tell which Windows this is")
        return cls(
            WindowsVersion(raw.build, raw.revision), raw.edition or "", raw.installation, raw.product or ""
        )

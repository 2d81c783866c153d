"""The services of an engine: who may change them, and which program they really start."""

from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.windows_json import read_json
from auditor.facts.windows_rights import Guarded

_SERVICE = "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
_KEYS = r"HKLM:\SYSTEM\CurrentControlSet\Services"


class _Service(msgspec.Struct, frozen=True):
    name: str
    path: str | None
    key_sddl: str | None
    service_sddl: str | None


class _Executable(msgspec.Struct, frozen=True):
    path: str
    signature: int
    signer: str | None


class _Services(msgspec.Struct, frozen=True):
    services: list[_Service]
    executable: _Executable | None


class Service(msgspec.Struct, frozen=True):
    """A service: its command line (empty where it was not told), and the rights on it and on its registry key."""

    name: str = "docker"
    command: str = r'"C:\Program Files\Docker\dockerd.exe" --run-service'
    service_sddl: str | None = _SERVICE
    key_sddl: str | None = "O:BAG:SYD:P(A;CI;KA;;;BA)(A;CI;KA;;;SY)"

    @property
    def guarded(self) -> tuple[Guarded, Guarded]:
        """The service and its key as things with rights."""
        return (
            Guarded("service", f"service {self.name}", kind="service", sddl=self.service_sddl),
            Guarded("service-key", rf"{_KEYS}\{self.name}", kind="key", sddl=self.key_sddl),
        )

    @property
    def unquoted_program(self) -> str:
        """The program's path where it has blanks and no quotes, else empty: Windows then tries each blank as its end."""
        command = self.command.strip()
        if command.startswith('"'):
            return ""
        end = command.lower().find(".exe")
        program = command[: end + 4] if end >= 0 else command.partition(" -")[0]
        return program if " " in program else ""


class ServiceRights(msgspec.Struct, frozen=True):
    """The services that run an engine or containerd; ``signature`` is Authenticode's status of the engine's program: 0 valid, None not told."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-service",)

    services: tuple[Service, ...] = (Service(),)
    program: str = r"C:\Program Files\Docker\dockerd.exe"
    signature: int | None = 0

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        told: _Services = read_json(bundle, "windows-service", _Services)
        services = tuple(
            Service(it.name, it.path or "", it.service_sddl, it.key_sddl) for it in told.services
        )
        program = told.executable
        return cls(services, program.path if program else "", program.signature if program else None)

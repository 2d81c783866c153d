"""The environment that a Windows service gives its daemon: names, and values only where they configure it."""

from collections.abc import Iterator
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import decode, read_engine


class Variable(msgspec.Struct, frozen=True):
    """A variable of ``scope`` (``service`` or ``machine``). ``userinfo``: its value has credentials in an address."""

    scope: str
    name: str
    userinfo: bool


class _Service(msgspec.Struct, frozen=True):
    engine: str | None
    environment: list[Variable]


class WindowsEnvironment(msgspec.Struct, frozen=True):
    """The variables of the engine's ``service`` and of the machine, which the service gets too."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-service",)

    service: str = "docker"
    variables: tuple[Variable, ...] = ()

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.variables)

    def key(self, variable: Variable) -> str:
        """The registry key that it stands in."""
        if variable.scope == "service":
            return rf"HKLM\SYSTEM\CurrentControlSet\Services\{self.service}\Environment"
        return r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        told: _Service = decode(read_engine(bundle, "windows-service"), _Service, "windows-service")
        return cls(told.engine or "", tuple(told.environment))

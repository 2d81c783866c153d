"""Where the engine's events go on a Windows host: its source in the application log, and that log."""

from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import decode, read_engine


class _Log(msgspec.Struct, frozen=True):
    enabled: bool
    max_bytes: int


class _Service(msgspec.Struct, frozen=True):
    name: str
    event_source: bool


class _Services(msgspec.Struct, frozen=True):
    engine: str | None
    services: list[_Service]


class WindowsEvents(msgspec.Struct, frozen=True):
    """
    The application log, and whether the engine writes to it.

    ``service`` is the engine's, empty where it runs as none; ``registered`` tells whether that service is a source of events.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-eventlog", "windows-service")

    enabled: bool = True
    max_bytes: int = 128 * 1024**2
    service: str = "docker"
    registered: bool = True

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        told: _Services = decode(read_engine(bundle, "windows-service"), _Services, "windows-service")
        log: _Log = decode(bundle.text("windows-eventlog"), _Log, "windows-eventlog")
        own = next((it for it in told.services if it.name == told.engine), None)
        return cls(log.enabled, log.max_bytes, own.name if own else "", bool(own and own.event_source))

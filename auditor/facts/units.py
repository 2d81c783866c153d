"""The engine's units: what systemd says of them."""

from collections.abc import Iterator
from posixpath import normpath
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, Status, split_lines


class Unit(msgspec.Struct, frozen=True):
    """A loaded unit: its file, its drop-ins, the environment files of a service, the unix sockets of a socket unit."""

    id: str = "docker.service"
    fragment: str = "/usr/lib/systemd/system/docker.service"
    drop_ins: tuple[str, ...] = ()
    environment_files: tuple[str, ...] = ()
    listens: tuple[str, ...] = ()


class Units(msgspec.Struct, frozen=True):
    """The units that systemd has loaded; None when no systemd runs the host."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("systemd",)

    loaded: tuple[Unit, ...] | None = (Unit(),)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        if bundle.section("systemd").status == Status.ABSENT:
            return cls(None)
        records = bundle.text("systemd").split("\n\n")
        units = (_unit(split_lines(record)) for record in records)
        return cls(tuple(unit for unit in units if unit.id and unit.fragment))

    def of_kind(self, kind: str) -> tuple[Unit, ...]:
        """The units of a kind (``service``, ``socket``), containerd's left out."""
        return tuple(
            unit
            for unit in self.loaded or ()
            if unit.id.endswith(f".{kind}") and not unit.id.startswith("containerd.")
        )


def _unit(lines: list[str]) -> Unit:
    def values(key: str) -> Iterator[str]:
        return (line.partition("=")[2] for line in lines if line.startswith(f"{key}="))

    return Unit(
        id=next(values("Id"), ""),
        fragment=next(values("FragmentPath"), ""),
        drop_ins=tuple(path for value in values("DropInPaths") for path in value.split()),
        environment_files=_paths(values("EnvironmentFiles")),
        listens=_paths(values("Listen")),
    )


def _paths(values: Iterator[str]) -> tuple[str, ...]:
    """``/etc/default/docker (ignore_errors=yes)`` or ``/run/docker.sock (Stream)`` -> the path."""
    return tuple(normpath(value.rpartition(" (")[0]) for value in values if value.startswith("/"))

"""The machine the engine runs on."""

from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, Section, split_lines
from auditor.facts.engine import Engine
from auditor.gaps import Gap
from auditor.host import Platform


def platform_of(bundle: Bundle) -> Platform | None:
    """The platform of the host that a bundle is of: the host tells it, or else its engine does, or nobody."""
    if told := bundle.sections.get("host", Section()).data:
        return "windows" if b"os.ID=windows" in told.splitlines() else "linux"
    try:
        return "windows" if bundle.fact(Engine).os_type == "windows" else "linux"
    except Gap:
        return None


class Machine(msgspec.Struct, frozen=True):
    """Distribution and kernel; ``uid`` is who the collector ran as."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("host",)

    name: str = "Debian GNU/Linux 13 (trixie)"
    kernel: str = "6.12.0"
    uid: int = 0

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        pairs = (line.partition("=") for line in split_lines(bundle.text("host")))
        values = {name: value.strip('"') for name, _, value in pairs}
        uid = values.get("uid", "")
        return cls(
            values.get("os.PRETTY_NAME", "Linux"), values.get("kernel", ""), int(uid) if uid.isdigit() else -1
        )

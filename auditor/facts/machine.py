"""The machine the engine runs on."""

from dataclasses import dataclass
from typing import ClassVar, Self

from auditor.collect.bundle import Bundle, Section
from auditor.host import Platform


def platform_of(bundle: Bundle) -> Platform | None:
    """The platform of the host that a bundle is of, as far as it tells."""
    host, engine = (bundle.sections.get(name, Section()).data for name in ("host", "engine-info"))
    if b"os.ID=windows" in host.splitlines() or (not host and b'"OSType":"windows"' in engine):
        return "windows"
    return "linux" if host or engine else None


@dataclass(frozen=True)
class Machine:
    """Distribution and kernel; ``uid`` is who the collector ran as."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("host",)

    name: str = "Debian GNU/Linux 13 (trixie)"
    kernel: str = "6.12.0"
    uid: int = 0

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        pairs = (line.partition("=") for line in bundle.text("host").splitlines())
        values = {name: value.strip('"') for name, _, value in pairs}
        uid = values.get("uid", "")
        return cls(
            values.get("os.PRETTY_NAME", "Linux"), values.get("kernel", ""), int(uid) if uid.isdigit() else -1
        )

"""How far the kernel is hardened: evidence for a person, not a judgement."""

from collections.abc import Mapping
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.gaps import Gap


class Kernel(msgspec.Struct, frozen=True):
    """The security modules that are active, and settings by name (``kernel.kptr_restrict``); empty where not told."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("host", "kernel-settings")

    modules: tuple[str, ...] = ("lockdown", "capability", "landlock", "yama", "apparmor")
    settings: Mapping[str, str] = msgspec.field(default_factory=dict)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        host = dict(line.partition("=")[::2] for line in split_lines(bundle.text("host")))
        modules = [*host.get("lsm", "").split(",")]
        if host.get("selinux") == "1":
            modules.append("selinux (enforcing)")
        return cls(tuple(filter(None, modules)), _settings(bundle))


def _settings(bundle: Bundle) -> dict[str, str]:
    """``/proc/sys/kernel/kptr_restrict:1`` -> ``{"kernel.kptr_restrict": "1"}``."""
    try:
        lines = split_lines(bundle.text("kernel-settings"))
    except Gap:
        return {}
    pairs = (line.partition(":")[::2] for line in lines)
    return {
        path.removeprefix("/proc/sys/").removeprefix("/sys/kernel/").replace("/", "."): value.strip()
        for path, value in pairs
        if path
    }

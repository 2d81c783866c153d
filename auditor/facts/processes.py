"""The processes in containers, as the host's /proc shows them."""

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts import capabilities
from auditor.facts.container import Container
from auditor.gaps import Inconclusive

_CONTAINER_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


class Process(msgspec.Struct, frozen=True):
    """A process in a container. ``uid`` is the effective one, as the host sees it."""

    pid: int = 4242
    parent: int = 4200
    name: str = "nginx"
    uid: int = 1000
    capabilities: frozenset[str] = frozenset()
    no_new_privileges: bool | None = True
    """None: the kernel (before 4.10) does not tell."""


class Processes(msgspec.Struct, frozen=True):
    """
    Processes by the id of the container they are in; one in a container within a container is in both.

    ``gap`` says why there are none to see. A container's are known only if its first process is among them.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("processes|",)

    by_container: Mapping[str, tuple[Process, ...]] = msgspec.field(default_factory=dict)
    gap: str = ""

    def of(self, container: Container) -> tuple[Process, ...]:
        """The processes of a running container; empty when they could not be seen."""
        found = self.by_container.get(container.id, ())
        return found if any(process.pid == container.pid for process in found) else ()

    def first(self, container: Container) -> Process | None:
        """The process that the container was started with."""
        return next((process for process in self.of(container) if process.pid == container.pid), None)

    def sessions(self, container: Container) -> tuple[Process, ...]:
        """
        The processes that came in by ``docker exec``: in the container, their parent outside, and not its first.

        Without a process namespace of its own a container's orphans look the same: none are told for such a one.
        """
        found = self.of(container)
        pids = {process.pid for process in found} | {container.pid}
        own = not container.pid_mode
        return tuple(
            process
            for process in found
            if own and process.parent not in pids and process.pid != container.pid
        )

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        try:
            text = bundle.text("processes")
        except Inconclusive as gap:
            return cls(gap=str(gap))
        lines = [line.removeprefix("/proc/").partition("/") for line in text.split("\n")]
        groups = [(pid, rest) for pid, _, rest in lines if rest.startswith("cgroup:")]
        status: dict[str, dict[str, str]] = {pid: {} for pid, _ in groups}
        for pid, _, rest in lines:
            if pid in status and rest.startswith("status:"):
                key, _, value = rest.removeprefix("status:").partition(":")
                status[pid][key] = value.strip()
        found: dict[str, list[Process]] = {}
        for pid, group in groups:
            for container in dict.fromkeys(_CONTAINER_ID.findall(group)):
                found.setdefault(container, []).extend(_process(pid, status[pid]))
        return cls({container: tuple(processes) for container, processes in found.items()})


def _process(pid: str, status: Mapping[str, str]) -> Iterator[Process]:
    """The process, or nothing where it ended between the two looks at it."""
    try:
        yield Process(
            pid=int(pid),
            parent=int(status["PPid"]),
            name=status["Name"],
            uid=int(status["Uid"].split()[1]),
            capabilities=capabilities.names(int(status["CapEff"], 16)),
            no_new_privileges={"0": False, "1": True}.get(status.get("NoNewPrivs", "")),
        )
    except (KeyError, ValueError, IndexError):
        return

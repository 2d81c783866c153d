"""Windows hosts for transport tests: an endpoint with everything it needs, and the host that an inventory would name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.collect.bundle import Bundle
from auditor.host import Host, Timeouts, WinrmOptions
from auditor.transports.base import Deadline, open_transport
from tests.lab.certificates import CLIENT, Authority
from tests.lab.wsman.login import PASSWORD, USER
from tests.lab.wsman.powershell import Host as Machine
from tests.lab.wsman.powershell import recorded
from tests.lab.wsman.server import Endpoint, serving, tls
from tests.lab.wsman.service import Program, Service
from tests.transports.world import Given

SECTIONS = ("host", "engine-info", "containers", "windows-service")


@dataclass(frozen=True)
class Files:
    """An authority, a server certificate for 127.0.0.1, and a client's."""

    ca: Path
    server: tuple[Path, Path]
    client: tuple[Path, Path]

    @classmethod
    def make(cls, folder: Path) -> "Files":
        authority = Authority("winrm test")
        return cls(
            authority.write(folder / "ca.pem"),
            authority.issue("host", names=["127.0.0.1"]).write(folder / "server"),
            authority.issue("auditor", usages=[CLIENT]).write(folder / "client"),
        )


@dataclass
class World:
    """An endpoint that serves, and how to reach it."""

    endpoint: Endpoint
    host: Host
    machine: Machine

    @property
    def service(self) -> Service:
        return self.endpoint.service

    def collect(self, *sections: str, seconds: float = 20) -> Bundle:
        return open_transport(self.host).collect(self.host, sections or SECTIONS, Deadline(seconds))


@contextmanager
def windows(
    files: Files,
    *,
    way: str = "basic",
    scheme: str = "https",
    program: Program | None = None,
    password: str = PASSWORD,
    name: str = "server-2019-default",
    lies: bool = False,
    winrm: dict[str, Any] | None = None,
) -> Iterator[World]:
    """A Windows host that lets us in by ``way``; ``winrm`` are options of the host that differ."""
    machine = Machine(recorded(name))
    encrypted = scheme == "http" and way == "ntlm"
    endpoint = Endpoint(Service(program or machine), way, encrypted=encrypted, lies=lies)
    context = tls(*files.server, client_ca=files.ca) if scheme == "https" else None
    chosen: dict[str, Any] = {"auth": way, "scheme": scheme, "ca_file": files.ca}
    if way == "certificate":
        chosen |= {"cert_file": files.client[0], "key_file": files.client[1]}
    with serving(endpoint, context):
        host = Host(
            "win1",
            "winrm",
            "127.0.0.1",
            endpoint.port,
            USER,
            platform="windows",
            password=Given(password),
            timeouts=Timeouts(connect=5, auth=5, total=20),
            winrm=WinrmOptions(**chosen | (winrm or {})),
        )
        yield World(endpoint, host, machine)

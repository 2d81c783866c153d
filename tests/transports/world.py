"""Hosts for transport tests."""

from dataclasses import dataclass
from typing import Any

from auditor.collect.bundle import Bundle
from auditor.host import Host, SshOptions, Timeouts
from auditor.transports.base import Deadline, open_transport
from tests.lab.sshd import Sshd

USER = "auditlab"
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Given:
    """A secret that a test gives."""

    value: str

    def reveal(self) -> str:
        return self.value


def host_of(
    server: Sshd, *, user: str = "root", sudo: bool = False, timeouts: Timeouts | None = None, **ssh: Any
) -> Host:
    """The sshd as an inventory entry; by default its key is known and ``user_key`` logs in."""
    if "known_hosts" not in ssh:
        ssh["known_hosts"] = () if "host_key" in ssh else (server.known_hosts(),)
    options = {"identity_files": (server.user_key,), "agent": False, **ssh}
    return Host(
        "web1",
        "ssh",
        server.address,
        server.port,
        user,
        sudo=sudo,
        timeouts=timeouts or Timeouts(connect=10, auth=10, total=30),
        ssh=SshOptions(**options),
    )


def collect(host: Host, *sections: str) -> Bundle:
    return open_transport(host).collect(host, sections or ("host",), Deadline(host.timeouts.total))


def words(error: BaseException | None) -> str:
    """All that an exception and those behind it say."""
    return f"{error}; {error!r}; {words(error.__cause__)} {words(error.__context__)}" if error else ""

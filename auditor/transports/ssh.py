"""Hosts by SSH: one connection, one command, the collector on its standard input, one reply."""

import getpass
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

import paramiko

from auditor.collect import armour
from auditor.collect.bundle import MAX_BYTES, Bundle
from auditor.errors import BadReply
from auditor.host import Host
from auditor.transports.base import Deadline, linux_command, linux_script, no_reply, read_reply, shortened
from auditor.transports.powershell import PROGRAM, arguments, read_windows_reply, standard_input
from auditor.transports.ssh_connect import Connection, Hop, end, open_stream, reach
from auditor.transports.ssh_login import log_in
from auditor.transports.ssh_trust import Trust

_PORT = 22
_KEEPALIVE = 15
_COMPLAINT = 4096
_WINDOW = 8 * 1024 * 1024
_OVERHEAD = 16 * 1024 * 1024
_PATIENCE = 0.5


class Ssh:
    """Logs in, by way of other hosts if need be, and runs the collector in a POSIX shell or in Windows PowerShell."""

    def __init__(self, limit: int = MAX_BYTES) -> None:
        """``limit``: bytes of reply."""
        self._limit = limit

    def collect(self, host: Host, sections: Sequence[str], deadline: Deadline) -> Bundle:
        """
        Run the script there. A reply that breaks off gives an incomplete bundle, if it began.

        Raises:
            Unreachable, HostKeyRejected, LoginRefused, DeadlineExceeded, BadReply: as they say.
        """
        with ExitStack() as stack:
            connection = connect(host, deadline, stack, self._limit + _OVERHEAD)
            with deadline.closing(partial(end, connection)):
                return self._run(host, connection, sections, deadline)

    def _run(self, host: Host, connection: Connection, sections: Sequence[str], deadline: Deadline) -> Bundle:
        if host.platform == "windows":
            return self._run_windows(host, connection, sections, deadline)
        sudo = host.sudo and host.user != "root"
        command = shlex.join(linux_command(sections, sudo=sudo, socket=str(host.path or "")))
        said, complaint, channel = self._talk(host, connection, command, linux_script(), deadline)
        try:
            return read_reply(said)
        except BadReply:
            if deadline.passed:
                raise deadline.exceeded(f"the collector on {host.name}") from None
            raise no_reply(host, said, complaint, _status(channel), sudo=sudo) from None

    def _run_windows(
        self, host: Host, connection: Connection, sections: Sequence[str], deadline: Deadline
    ) -> Bundle:
        """OpenSSH for Windows: what its login shell is does not matter, the command is the same to cmd and to PowerShell."""
        doing = f"the collector on {host.name}"
        command = " ".join([PROGRAM, *arguments()])
        script = standard_input(sections, deadline, doing)
        said, complaint, channel = self._talk(host, connection, command, script, deadline)
        if deadline.passed and not armour.is_whole(said):
            raise deadline.exceeded(doing)
        return read_windows_reply(host, said, complaint, _status(channel))

    def _talk(
        self, host: Host, connection: Connection, command: str, script: bytes, deadline: Deadline
    ) -> tuple[bytes, bytes, paramiko.Channel]:
        doing = f"the collector on {host.name}"
        try:
            channel = connection.open_session(window_size=_WINDOW, timeout=deadline.left(doing))
            channel.settimeout(deadline.left(doing))
            channel.exec_command(command)
            _send(channel, script)
            channel.settimeout(_PATIENCE)
            said, complaint = self._read(channel, deadline)
        except (paramiko.SSHException, OSError, EOFError) as error:
            if deadline.passed:
                raise deadline.exceeded(doing) from error
            raise BadReply(
                f"{doing}: the connection broke ({shortened(str(error)) or 'it was closed'}): try again"
            ) from error
        return said, complaint, channel

    def _read(self, channel: paramiko.Channel, deadline: Deadline) -> tuple[bytes, bytes]:
        """Both outputs until they end or the deadline does; of standard error the beginning."""
        said, complaint = bytearray(), bytearray()
        while not deadline.passed:
            try:
                chunk = channel.recv(65536)
                said += chunk
            except TimeoutError:
                chunk = None
            while channel.recv_stderr_ready():
                complaint += channel.recv_stderr(65536)[: _COMPLAINT - len(complaint)]
            if chunk == b"":
                break
            if len(said) > self._limit:
                raise BadReply(
                    f"more than {self._limit // 1024**2} MiB of reply: this is not our collector's"
                )
        return bytes(said), bytes(complaint)


def _status(channel: paramiko.Channel) -> int | None:
    return channel.exit_status if channel.status_event.wait(1) and channel.exit_status >= 0 else None


def _send(channel: paramiko.Channel, script: bytes) -> None:
    try:
        channel.sendall(script)
        channel.shutdown_write()
    except OSError:
        # A command that ends at once may have said why: then there is something to read.
        if not channel.closed:
            raise


def connect(host: Host, deadline: Deadline, stack: ExitStack, allowed: int) -> Connection:
    """
    Logged in on the host, by way of its jumps; each is who it should be, and may send ``allowed`` bytes.

    Raises:
        Unreachable, HostKeyRejected, LoginRefused, DeadlineExceeded: as they say.
    """
    user = host.user or getpass.getuser()
    hops = [
        Hop(f"jump host {jump.address}", jump.address, jump.port or _PORT, jump.user or user, jump.ssh)
        for jump in host.ssh.jumps
    ]
    hops.append(Hop(host.name, host.address or host.name, host.port or _PORT, user, host.ssh))
    connection: Connection | None = None
    for hop in hops:
        phase = deadline.part(host.timeouts.connect, "connect")
        trust = Trust.of(hop.name, hop.address, hop.port, hop.ssh)
        connection = reach(trust, partial(open_stream, hop, connection, phase, stack), phase, stack)
        log_in(connection, hop.name, hop.user, hop.ssh, deadline.part(host.timeouts.auth, "auth"))
        connection.set_keepalive(_KEEPALIVE)
        connection.allow(allowed)
    if connection is None:
        raise AssertionError("the host itself is always the last hop")
    return connection


TRANSPORT = Ssh()

"""The machine the auditor runs on: the same script, run by a shell here."""

import os
import selectors
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from auditor.collect.bundle import MAX_BYTES, Bundle
from auditor.errors import BadReply, DeadlineExceeded
from auditor.host import Host
from auditor.transports.base import Deadline, linux_command, linux_script, no_reply, read_reply

_COMPLAINT = 4096


class Local:
    """Runs the collector as a process group of its own, which the deadline ends as a whole."""

    def __init__(self, limit: int = MAX_BYTES) -> None:
        """``limit``: bytes of reply."""
        self._limit = limit
        self._begun: dict[str, subprocess.Popen[bytes]] = {}

    @contextmanager
    def begun(self, hosts: Iterable[Host]) -> Iterator[None]:
        """
        Within this block the script runs already, with every section, for those of the hosts that are this machine.

        It takes about as long as loading the checks does. What nobody has collected at the end is ended.
        """
        try:
            for host in hosts:
                if host.transport == "local":
                    with suppress(BadReply):  # ``collect`` will say so
                        self._begun[host.name] = _start(host, ())
            yield
        finally:
            while self._begun:
                _end(self._begun.popitem()[1])

    def collect(self, host: Host, sections: Sequence[str], deadline: Deadline) -> Bundle:
        """
        Run the script here.

        Raises:
            LoginRefused: sudo did not let us.
            DeadlineExceeded: it took too long, and nothing came.
            BadReply: what came is no bundle.
        """
        process = self._begun.pop(host.name, None) or _start(host, sections)
        try:
            return self._read(host, process, deadline)
        finally:
            _end(process)

    def _read(self, host: Host, process: subprocess.Popen[bytes], deadline: Deadline) -> Bundle:
        with deadline.closing(lambda: _kill(process)):
            said, complaint = _drain(process, deadline, self._limit)
        status = _status(process, deadline)
        try:
            return read_reply(said)
        except BadReply:
            if status is None:
                raise deadline.exceeded(f"the collector on {host.name}") from None
            raise no_reply(host, said, complaint, status, sudo=_by_sudo(host)) from None


def _by_sudo(host: Host) -> bool:
    return host.sudo and os.geteuid() != 0


def _start(host: Host, sections: Sequence[str]) -> subprocess.Popen[bytes]:
    command = linux_command(sections, sudo=_by_sudo(host), socket=str(host.path or ""))
    with tempfile.TemporaryFile() as script:
        script.write(linux_script())
        script.seek(0)
        try:
            return subprocess.Popen(
                command,
                stdin=script,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise BadReply(f"no shell to run the collector with on this machine: {error.strerror}") from error


def _drain(process: subprocess.Popen[bytes], deadline: Deadline, limit: int) -> tuple[bytes, bytes]:
    """Both outputs until they end or the deadline does; of standard error the beginning."""
    output: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}
    with selectors.DefaultSelector() as pipes:
        pipes.register(process.stdout or 1, selectors.EVENT_READ, "out")
        pipes.register(process.stderr or 2, selectors.EVENT_READ, "err")
        while pipes.get_map():
            try:
                ready = pipes.select(deadline.left("the collector"))
            except DeadlineExceeded:
                break
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                output[key.data] += chunk if key.data == "out" else chunk[: _COMPLAINT - len(output["err"])]
                if not chunk:
                    pipes.unregister(key.fileobj)
            if len(output["out"]) > limit:
                raise BadReply(f"more than {limit // 1024**2} MiB of reply: this is not our collector's")
    return bytes(output["out"]), bytes(output["err"])


def _status(process: subprocess.Popen[bytes], deadline: Deadline) -> int | None:
    """The exit status, None when the deadline came first."""
    if deadline.passed:
        return None
    try:
        return process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole group. What sudo made root's is not ours to kill; the end of its output does that."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    _kill(process)
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=2)


TRANSPORT = Local()

"""The machine the auditor runs on: the same script, run by a shell here."""

import os
import selectors
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress

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

    def collect(self, host: Host, sections: Sequence[str], deadline: Deadline) -> Bundle:
        """
        Run the script here.

        Raises:
            LoginRefused: sudo did not let us.
            DeadlineExceeded: it took too long, and nothing came.
            BadReply: what came is no bundle.
        """
        sudo = host.sudo and os.geteuid() != 0
        command = linux_command(sections, sudo=sudo, socket=str(host.path or ""))
        with tempfile.TemporaryFile() as script:
            script.write(linux_script())
            script.seek(0)
            try:
                process = subprocess.Popen(
                    command,
                    stdin=script,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as error:
                raise BadReply(
                    f"no shell to run the collector with on this machine: {error.strerror}"
                ) from error
        try:
            return self._read(host, process, deadline, sudo=sudo)
        finally:
            _end(process)

    def _read(
        self, host: Host, process: subprocess.Popen[bytes], deadline: Deadline, *, sudo: bool
    ) -> Bundle:
        with deadline.closing(lambda: _kill(process)):
            said, complaint = _drain(process, deadline, self._limit)
        status = _status(process, deadline)
        try:
            return read_reply(said)
        except BadReply:
            if status is None:
                raise deadline.exceeded(f"the collector on {host.name}") from None
            raise no_reply(host, said, complaint, status, sudo=sudo) from None


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

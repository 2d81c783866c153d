"""Windows hosts by WinRM: one connection, one shell, one command, the collector on its standard input, one reply."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

from auditor.collect import armour
from auditor.collect.bundle import Bundle
from auditor.errors import BadReply, HostError
from auditor.host import Host
from auditor.transports.base import Deadline
from auditor.transports.powershell import PROGRAM, arguments, read_windows_reply, standard_input
from auditor.transports.winrm_connect import Link
from auditor.transports.winrm_faults import BUSY

_UTF8 = 65001
_IDLE = "PT120S"
_TRIES = 3
_PAUSE = 1.0
_GRACE = 5.0
_COMPLAINT = 65536
_MOST = 64 * 1024 * 1024


class Winrm:
    """Runs the collector in Windows PowerShell through WS-Management, and leaves no shell behind."""

    def collect(self, host: Host, sections: Sequence[str], deadline: Deadline) -> Bundle:
        """
        Run the script there.

        Raises:
            Unreachable, HostKeyRejected, LoginRefused, DeadlineExceeded, BadReply: as they say.
        """
        link = Link(host, deadline)
        data = standard_input(sections, deadline, f"the collector on {host.name}")
        said, complaint, status = run_powershell(link, arguments(), data, armour.is_whole)
        return read_windows_reply(host, said, complaint, status)


def run_powershell(
    link: Link,
    words: Sequence[str],
    data: bytes,
    is_whole: Callable[[bytes | bytearray], bool] = lambda _: False,
) -> tuple[bytes, bytes, int | None]:
    """
    Run PowerShell with ``words`` as arguments and ``data`` on its standard input, in a shell that is closed again, and let the link go.

    Returns standard output, the beginning of standard error, and the exit status, None where ``is_whole`` was satisfied before.

    Raises:
        HostError: it went wrong.
    """
    try:
        with link.deadline.closing(link.cut), _shell(link) as shell:
            return _run(link, shell, words, data, is_whole)
    except WinRMOperationTimeoutError as error:
        raise BadReply(
            f"{link.where} did not begin within the time of one operation: it is overloaded, try again later"
        ) from error
    finally:
        link.close()


@contextmanager
def _shell(link: Link) -> Iterator[str]:
    """A shell, closed in every path. Should even that fail, it ends by itself after two idle minutes."""
    shell = link.ask(link.protocol.open_shell, codepage=_UTF8, noprofile=True, idle_timeout=_IDLE)
    is_healthy = False
    try:
        yield shell
        is_healthy = True
    finally:
        _close(link, shell, is_healthy=is_healthy)


def _close(link: Link, shell: str, *, is_healthy: bool) -> None:
    """Delete the shell, which ends its command. A connection that broke or was cut is of no use for it: take a new one."""
    if is_healthy:
        with suppress(HostError, WinRMOperationTimeoutError):
            link.ask(link.protocol.close_shell, shell)
            return
    link.close()
    again = Link(link.host, Deadline(_GRACE))
    with suppress(HostError, WinRMOperationTimeoutError), again.deadline.closing(again.cut):
        again.ask(again.protocol.close_shell, shell)
    again.close()


def _run(
    link: Link, shell: str, words: Sequence[str], data: bytes, is_whole: Callable[[bytes | bytearray], bool]
) -> tuple[bytes, bytes, int | None]:
    command = link.ask(
        link.protocol.run_command, shell, PROGRAM, words, console_mode_stdin=False, skip_cmd_shell=True
    )
    _send(link, shell, command, data)
    said, complaint = bytearray(), bytearray()
    while True:
        try:
            out, err, status, is_done = link.ask(link.protocol.get_command_output_raw, shell, command)
        except WinRMOperationTimeoutError:  # nothing was said for a while: it works on
            continue
        said += out
        complaint += err[: _COMPLAINT - len(complaint)]
        if len(said) > _MOST:
            raise BadReply(f"more than {_MOST // 1024**2} MiB of reply: this is not our collector's")
        if is_done or is_whole(said):
            break
    with suppress(HostError, WinRMOperationTimeoutError):
        link.ask(link.protocol.cleanup_command, shell, command)
    return bytes(said), bytes(complaint), status if is_done else None


def _send(link: Link, shell: str, command: str, script: bytes) -> None:
    """Standard input in one piece, at its end closed. A host may be busy, or take it and say so too late."""
    for left in reversed(range(_TRIES)):
        try:
            link.ask(link.protocol.send_command_input, shell, command, script, end=True)
        except WinRMOperationTimeoutError:
            return
        except HostError as error:
            is_busy = (
                isinstance(error.__cause__, WSManFaultError) and error.__cause__.wsman_fault_code == BUSY
            )
            if not (is_busy and left):
                raise
            time.sleep(link.deadline.left("waiting for a busy host", at_most=_PAUSE))
        else:
            return


TRANSPORT = Winrm()

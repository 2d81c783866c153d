"""Hosts that hang, break off or say too much cost a clear message and no more than their time."""

import threading
import time
from collections.abc import Callable
from socket import socket

import paramiko
import pytest

from auditor.collect.bundle import Bundle, Section
from auditor.errors import BadReply, DeadlineExceeded, HostError, LoginRefused, Unreachable
from auditor.host import Host, SshOptions, Timeouts
from auditor.transports.base import Deadline
from auditor.transports.ssh import Ssh
from auditor.transports.ssh_connect import Connection
from tests.lab import liar
from tests.transports.world import Given

SHORT = Timeouts(connect=1.0, auth=1.0, total=3.0)
BUNDLE = Bundle({"host": Section(b"uid=0\n"), "files": Section(b"x" * 100_000)}).dump()


def collect(server: liar.Liar, timeouts: Timeouts = SHORT, limit: int = 1_000_000) -> Bundle:
    ssh = SshOptions(host_key=server.pin, password=Given(liar.PASSWORD), agent=False)
    host = Host("web1", "ssh", server.address, server.port, "root", timeouts=timeouts, ssh=ssh)
    try:
        return Ssh(limit).collect(host, ("host", "files"), Deadline(timeouts.total))
    finally:
        assert server.gone.acquire(timeout=20), "the connection was left open"
        assert not [thread for thread in threading.enumerate() if isinstance(thread, Connection)]


@pytest.mark.parametrize(
    ("behave", "error", "message"),
    [
        (liar.silent, DeadlineExceeded, r"handshake with web1 .*timeouts: connect"),
        (liar.banner_only, DeadlineExceeded, r"handshake with web1 .*timeouts: connect"),
        (liar.endless_banner, HostError, r"handshake with web1"),
        (liar.web_server, Unreachable, r"is an SSH server on that port"),
        (liar.hanging_up, Unreachable, r"closed the connection.*MaxStartups"),
        (liar.hanging_login, DeadlineExceeded, r"logging in to web1 as root.*timeouts: auth"),
    ],
)
def test_a_server_that_never_gets_us_in_is_left_in_time(
    behave: Callable[[socket, threading.Event], None],
    error: type[HostError],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    with liar.liar(behave) as server, pytest.raises(error, match=message):
        collect(server)


def test_a_port_that_nobody_listens_on_is_unreachable() -> None:
    host = Host("web1", "ssh", "127.0.0.1", 1, timeouts=SHORT)
    with pytest.raises(Unreachable, match=r"web1 at 127\.0\.0\.1:1: Connection refused"):
        Ssh().collect(host, (), Deadline(3))


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    with pytest.raises(Unreachable, match=r"no address is known for nowhere\.invalid"):
        Ssh().collect(Host("web1", "ssh", "nowhere.invalid", timeouts=SHORT), (), Deadline(3))


def says(
    data: bytes, *, then_hang: bool = False, then_die: bool = False, complaint: bytes = b"", status: int = 0
) -> liar.Answer:
    """Print, and then end, hang, or take the whole connection down."""

    def answer(channel: paramiko.Channel, over: threading.Event) -> None:
        channel.sendall_stderr(complaint)
        channel.sendall(data)
        if then_hang:
            while not over.is_set() and not channel.closed:
                time.sleep(0.05)
        if then_die:
            time.sleep(0.2)
            if channel.transport:
                channel.transport.close()
        else:
            channel.send_exit_status(status)

    return answer


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")


def test_a_whole_reply_is_a_whole_bundle() -> None:
    with liar.liar(liar.answering(says(BUNDLE))) as server:
        assert collect(server).complete


def test_a_reply_that_never_ends_gives_what_came() -> None:
    with liar.liar(liar.answering(says(BUNDLE[:90_000], then_hang=True))) as server:
        bundle = collect(server)
    assert list(bundle.sections) == ["host"]
    assert not bundle.complete


def test_a_host_that_dies_mid_reply_gives_what_came() -> None:
    with liar.liar(liar.answering(says(BUNDLE[:90_000], then_die=True))) as server:
        bundle = collect(server)
    assert list(bundle.sections) == ["host"]
    assert not bundle.complete


def test_a_command_that_never_says_anything_exceeds_the_deadline() -> None:
    silent = liar.answering(says(b"", then_hang=True))
    with liar.liar(silent) as server, pytest.raises(DeadlineExceeded, match=r"the collector on web1.*total"):
        collect(server)


def test_a_command_that_never_starts_exceeds_the_deadline() -> None:
    with (
        liar.liar(liar.never_starting) as server,
        pytest.raises(DeadlineExceeded, match=r"the collector on web1"),
    ):
        collect(server)


def test_a_connection_that_breaks_before_the_reply_is_no_reply() -> None:
    with (
        liar.liar(liar.answering(says(b"", then_die=True))) as server,
        pytest.raises(BadReply, match=r"on web1 was cut off"),
    ):
        collect(server)


def test_a_reply_without_end_is_cut_at_its_bound() -> None:
    with (
        liar.liar(liar.answering(says(b"x" * 3_000_000))) as server,
        pytest.raises(BadReply, match=r"MiB of reply"),
    ):
        collect(server, Timeouts(connect=5, auth=5, total=20))


def test_a_flood_of_complaints_does_not_stop_the_reply() -> None:
    with liar.liar(liar.answering(says(BUNDLE, complaint=b"warning\n" * 2_000_000))) as server:
        assert collect(server, Timeouts(connect=5, auth=5, total=60)).complete


def test_what_a_host_says_cannot_write_on_our_terminal() -> None:
    with (
        liar.liar(
            liar.answering(
                says(b"", complaint=b"\x1b]0;mine\x07\x1b[31mall\nis well" + b"!" * 5000, status=3)
            )
        ) as server,
        pytest.raises(BadReply) as refused,
    ):
        collect(server)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 600
    assert "all is well!!!" in str(refused.value)


def test_a_server_that_lets_nobody_in_is_told_from_one_that_is_down() -> None:
    with liar.liar(liar.lets_nobody_in) as server, pytest.raises(LoginRefused, match=r"refused the password"):
        collect(server)

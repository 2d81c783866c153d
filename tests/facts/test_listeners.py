"""Where the engine can be reached by TCP."""

import json

import pytest

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.listeners import Endpoint, Listeners, read_held, read_host
from auditor.gaps import Inconclusive

SPELLINGS = {
    ":2375": ("localhost", 2375),
    "tcp://:2375": ("localhost", 2375),
    "tcp://": ("localhost", 2375),
    "127.0.0.1": ("127.0.0.1", 2375),
    "0.0.0.0:2375": ("0.0.0.0", 2375),  # noqa: S104  a value, not a binding
    "tcp://0.0.0.0:2376/path": ("0.0.0.0", 2376),  # noqa: S104  a value, not a binding
    "tcp://[::]:2376": ("::", 2376),
    "tcp://[::1]": ("::1", 2375),
    "tcp://[fe80::1%eth0]:2376": ("fe80::1%eth0", 2376),
    "tcp://web1.example:2376": ("web1.example", 2376),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_tcp_host_is_read_as_dockerd_reads_it(spelling: str) -> None:
    endpoint = read_host(spelling)
    assert endpoint
    assert (endpoint.address, endpoint.port) == SPELLINGS[spelling]


@pytest.mark.parametrize(
    "spelling", ["unix:///var/run/docker.sock", "npipe://", "fd://", "tcp://a:b:c", ":x"]
)
def test_what_is_no_tcp_host_is_none(spelling: str) -> None:
    assert read_host(spelling) is None


@pytest.mark.parametrize(
    ("address", "loopback", "wildcard"),
    [
        ("127.0.0.5", True, False),
        ("localhost", True, False),
        ("::1", True, False),
        ("::ffff:127.0.0.1", True, False),
        ("0.0.0.0", False, True),  # noqa: S104  a value, not a binding
        ("::", False, True),
        ("fe80::1%eth0", False, False),
        ("10.0.0.5", False, False),
        ("web1.example", False, False),
    ],
)
def test_an_address_is_known_for_what_it_is(address: str, loopback: bool, wildcard: bool) -> None:
    endpoint = Endpoint(address, 2376)
    assert (endpoint.loopback, endpoint.wildcard) == (loopback, wildcard)


def bundle(
    *flags: str, config: object = None, listeners: str | None = None, systemd: str | None = None
) -> Bundle:
    process = ["socket /run/docker.sock", "pid 1 socket", "uid 0", "cwd /", "argument dockerd"]
    daemon = "\n".join([*process, *(f"argument {flag}" for flag in flags), "environment readable"])
    absent, denied = Section(status=Status.ABSENT), Section(status=Status.DENIED)
    return Bundle(
        {
            "daemon": Section(daemon.encode()),
            "daemon-config": Section(f"/etc/docker/daemon.json\n{json.dumps(config or {})}".encode()),
            "listeners": denied if listeners is None else Section(listeners.encode()),
            "systemd": absent if systemd is None else Section(systemd.encode()),
        }
    )


HELD = """holds 11
holds 12
holds 13
listens 00000000:0948 11
listens 00000000000000000000000001000000:2384 12
listens 0100007F:0277 99
"""


def test_the_sockets_held_tell_the_real_address() -> None:
    listeners = Listeners.parse(bundle("-H", "tcp://web1:2376", listeners=HELD))
    assert [str(endpoint) for endpoint in listeners.held or ()] == ["0.0.0.0:2376", "[::1]:9092"]
    [endpoint] = listeners.api
    assert (str(endpoint), endpoint.source) == ("0.0.0.0:2376", "flag -H")


def test_without_a_view_of_the_sockets_the_configuration_speaks() -> None:
    listeners = Listeners.parse(bundle("-H=0.0.0.0:2375", "--log-opt", "syslog-address=tcp://192.0.2.1:514"))
    assert listeners.held is None
    assert [str(endpoint) for endpoint in listeners.api] == ["0.0.0.0:2375"]


def test_tls_without_any_host_listens_on_a_loopback_port() -> None:
    assert [str(each) for each in Listeners.parse(bundle(config={"tlsverify": True})).api] == [
        "localhost:2376"
    ]
    assert Listeners.parse(bundle()).api == ()


SYSTEMD = """Id=docker.service
Listen=never this one

Id=docker.socket
Listen=/run/docker.sock (Stream)
Listen=0.0.0.0:2375 (Stream)
Listen=[::]:2376 (Stream)
"""


def test_sockets_that_systemd_opens_are_the_api_too() -> None:
    listeners = Listeners.parse(bundle("-H", "fd://", systemd=SYSTEMD))
    assert [str(endpoint) for endpoint in listeners.api] == ["0.0.0.0:2375", "[::]:2376"]


def test_fd_without_systemd_or_sockets_to_look_at_is_not_known() -> None:
    with pytest.raises(Inconclusive, match="fd://"):
        Listeners.parse(bundle("-H", "fd://"))
    assert Listeners.parse(bundle("-H", "fd://", listeners=HELD)).api == ()


@pytest.mark.parametrize("address", ["zz:0947", "0100007F:", "0100:0947"])
def test_an_address_that_no_kernel_prints_is_no_answer(address: str) -> None:
    with pytest.raises(Inconclusive, match="kernel"):
        read_held(Bundle({"listeners": Section(f"holds 11\nlistens {address} 11\n".encode())}))


@pytest.mark.parametrize(
    ("engine", "listeners", "seen"),
    [
        ([4], [{"address": "::", "port": 135, "pid": 8}], True),
        ([4], [], False),
        ([], [{"address": "::", "port": 2375, "pid": 8}], False),
    ],
)
def test_windows_always_listens_somewhere_so_an_empty_list_tells_nothing(
    engine: list[int], listeners: list[object], *, seen: bool
) -> None:
    told = json.dumps({"engine": engine, "listeners": listeners}).encode()
    assert (read_held(Bundle({"windows-listeners": Section(told)})) is not None) is seen

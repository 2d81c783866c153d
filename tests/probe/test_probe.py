"""Which ports are tried, and where: a host cannot steer the auditor."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.live import LivePorts, Verdict
from auditor.host import Host, Jump, SshOptions
from auditor.probe import MOST_PORTS, probe
from auditor.transports.base import Deadline
from tests.lab.liar import liar

SSH = Host("web1", "ssh", address="127.0.0.1")


@pytest.fixture
def engine_port() -> Iterator[int]:
    """Something that answers as an engine does, in plain text, on 127.0.0.1."""

    def behave(connection: socket.socket, _over: object) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\n\r\n")

    with liar(behave) as server:
        yield server.port


def bundle(*hosts: str, listeners: str = "") -> Bundle:
    daemon = ["socket /run/docker.sock", "pid 1 socket", "uid 0", "cwd /", "argument dockerd"]
    flags = [f"argument --host={host}" for host in hosts]
    return Bundle(
        {
            "daemon": Section("\n".join([*daemon, *flags, "environment readable"]).encode()),
            "daemon-config": Section(b"/etc/docker/daemon.json\n", Status.ABSENT),
            "listeners": Section(listeners.encode()),
        }
    )


def seen(host: Host, given: Bundle) -> LivePorts:
    sections = probe(host, given, Deadline(30))
    assert set(sections) == {"tls-probe"}
    return LivePorts.parse(given.adding(sections))


def test_only_the_inventorys_address_is_connected_to_whatever_the_host_says(engine_port: int) -> None:
    live = seen(SSH, bundle(f"tcp://192.0.2.66:{engine_port}"))
    assert (live.address, [port.verdict for port in live.ports]) == ("127.0.0.1", [Verdict.PLAINTEXT])


def test_a_port_on_the_hosts_loopback_is_not_tried_from_afar(engine_port: int) -> None:
    [port] = seen(replace(SSH, address="192.0.2.1"), bundle(f"tcp://127.0.0.1:{engine_port}")).ports
    assert port.verdict is Verdict.NOT_PROBED
    assert "loopback" in port.detail


def test_a_host_behind_a_jump_host_is_not_tried(engine_port: int) -> None:
    hop = Jump("gate.example", 22, "root", SshOptions())
    behind = replace(SSH, ssh=SshOptions(jumps=(hop,)))
    [port] = seen(behind, bundle(f"tcp://0.0.0.0:{engine_port}")).ports
    assert (port.verdict, "jump host" in port.detail) == (Verdict.NOT_PROBED, True)
    [port] = seen(replace(SSH, address=""), bundle(f"tcp://0.0.0.0:{engine_port}")).ports
    assert "no address" in port.detail


@pytest.mark.parametrize("spelling", ["0.0.0.0", "127.0.0.1", "[::]", "192.0.2.66"])  # noqa: S104  what a host says
def test_this_machine_is_tried_at_its_own_addresses_only(spelling: str, engine_port: int) -> None:
    [port] = seen(Host("here"), bundle(f"tcp://{spelling}:{engine_port}")).ports
    assert port.verdict is Verdict.PLAINTEXT


def test_sockets_that_nobody_configured_are_tried_too_and_marked(engine_port: int) -> None:
    listeners = f"holds 7\nlistens 00000000:{engine_port:04X} 7\n"
    [port] = seen(SSH, bundle("unix:///run/docker.sock", listeners=listeners)).ports
    assert (port.verdict, port.configured) == (Verdict.PLAINTEXT, False)


def windows(port: int, config: bytes) -> Bundle:
    daemon = [
        r"socket \\.\pipe\docker_engine",
        "pid 4 service",
        r"cwd C:\Windows\System32",
        "argument dockerd.exe",
    ]
    listening = {
        "engine": [4],
        "listeners": [{"address": "::", "port": port, "pid": 4}, {"address": "::", "port": 5986, "pid": 9}],
    }
    return Bundle(
        {
            "daemon": Section(
                "\n".join([*daemon, f"argument -H=tcp://0.0.0.0:{port}", "environment readable"]).encode()
            ),
            "daemon-config": Section(b"C:\\ProgramData\\docker\\config\\daemon.json\n" + config),
            "windows-listeners": Section(json.dumps(listening).encode()),
        }
    )


def test_a_windows_host_is_tried_in_the_same_way(engine_port: int) -> None:
    host = Host("win1", "winrm", address="127.0.0.1", platform="windows")
    [port] = seen(host, windows(engine_port, b"{}")).ports
    assert (port.port, port.verdict, port.configured) == (engine_port, Verdict.PLAINTEXT, True)


def test_the_sockets_of_a_daemon_with_a_broken_file_are_tried_and_others_are_not_known(
    engine_port: int,
) -> None:
    live = seen(Host("win1", "winrm", address="127.0.0.1", platform="windows"), windows(engine_port, b"{,}"))
    assert [(port.verdict, port.configured) for port in live.ports] == [(Verdict.PLAINTEXT, False)]
    assert "cannot be read" in live.unknown


def test_a_host_that_names_very_many_ports_gets_a_few_of_them_tried() -> None:
    live = seen(
        replace(SSH, address="192.0.2.1"), bundle(*(f"tcp://127.0.0.1:{port}" for port in range(1, 500)))
    )
    assert len(live.ports) == MOST_PORTS


def test_one_port_on_several_addresses_is_tried_once(engine_port: int) -> None:
    assert len(seen(SSH, bundle(f"tcp://10.0.0.1:{engine_port}", f"tcp://10.0.0.2:{engine_port}")).ports) == 1


def test_the_docker_apis_own_endpoint_is_tried_and_others_are_not_known(engine_port: int) -> None:
    live = seen(Host("web1", "docker", address="127.0.0.1", port=engine_port), Bundle())
    assert [port.verdict for port in live.ports] == [Verdict.PLAINTEXT]
    assert "which other ports" in live.unknown


def test_ports_that_could_not_be_told_are_told_as_such() -> None:
    live = seen(SSH, Bundle({"daemon": Section(status=Status.DENIED)}))
    assert live.ports == ()
    assert "not known" in live.unknown


def test_a_host_without_an_engine_has_no_ports() -> None:
    live = seen(SSH, Bundle({"daemon": Section(status=Status.ABSENT)}))
    assert (live.ports, live.unknown) == ((), "")


def test_a_saved_bundle_is_not_probed() -> None:
    assert (
        probe(Host("old", "bundle", path=Path("old.bundle")), bundle("tcp://0.0.0.0:1"), Deadline(30)) == {}
    )


def test_a_host_whose_time_is_up_is_not_probed() -> None:
    section = probe(SSH, bundle("tcp://0.0.0.0:1"), Deadline(0))["tls-probe"]
    assert section.status == Status.TIMEOUT


def test_a_name_that_cannot_be_one_is_out_of_reach() -> None:
    [port] = seen(replace(SSH, address="a" * 80 + ".example"), bundle("tcp://0.0.0.0:1")).ports
    assert port.verdict is Verdict.UNREACHABLE


def test_the_section_says_which_version_it_is() -> None:
    told = json.loads(probe(SSH, bundle(), Deadline(30))["tls-probe"].data)
    assert (told["version"], told["ports"]) == (1, [])

"""What containers get when they do not say otherwise."""

import json
from typing import Any

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.surroundings import KNOWN_PIPES, Surroundings
from tests.facts.inspections import bundle

DAEMON = Section(
    b"socket /var/run/engine.sock\npid 7 socket\nuid 0\nexe /usr/bin/dockerd\nargument dockerd\n"
)


def told(config: dict[str, Any] | None = None, **more: Section) -> Surroundings:
    file = Section(b"/etc/docker/daemon.json\n" + json.dumps(config or {}).encode())
    return Surroundings.parse(bundle(daemon=DAEMON, daemon_config=file).adding(more))


def test_a_daemon_without_configuration_gives_nothing() -> None:
    surroundings = told()
    assert surroundings.configured
    assert surroundings.no_new_privileges is False
    assert (surroundings.ulimits, surroundings.cgroup_parent) == ({}, "")


def test_a_configured_daemon_gives_what_it_says() -> None:
    surroundings = told(
        {
            "no-new-privileges": True,
            "cgroup-parent": "/mine",
            "ip": "127.0.0.1",
            "hosts": ["unix:///srv/x.sock", "fd://"],
        }
    )
    assert surroundings.no_new_privileges
    assert surroundings.cgroup_parent == "/mine"
    assert {"/run/docker.sock", "/run/engine.sock", "/srv/x.sock"} <= set(surroundings.sockets)


def test_the_sockets_of_further_daemons_control_an_engine_too() -> None:
    others = b"pid 9\nsocket /var/run/second.sock\nnumber 2\npid 10\nsocket /run/inner.sock\ncontainer x\nelsewhere\n"
    for seen in (told(daemons=Section(others)), Surroundings.parse(bundle(daemons=Section(others)))):
        assert "/run/second.sock" in seen.sockets
        assert "/run/inner.sock" not in seen.sockets


def test_where_further_daemons_are_not_told_of_their_sockets_are_not_known() -> None:
    assert told(daemons=Section(b"")).others_known
    for unknown in (told(), told(daemons=Section(status=Status.TIMEOUT)), Surroundings.parse(bundle())):
        assert not unknown.others_known


def test_limits_are_read_from_the_file_and_from_flags() -> None:
    assert told({"default-ulimits": {"nofile": {"Name": "nofile", "Hard": 64, "Soft": 32}}}).ulimits == {
        "nofile": 64
    }
    flags = Section(
        DAEMON.data + b"argument --default-ulimit\nargument nproc=16:32\nargument --default-ulimit=core=0\n"
    )
    file = Section(b"/etc/docker/daemon.json\n{}")
    assert Surroundings.parse(bundle(daemon=flags, daemon_config=file)).ulimits == {"nproc": 32, "core": 0}


def test_limits_that_make_no_sense_are_not_known() -> None:
    for odd in (["nofile"], {"nofile": {"Soft": 1}}, {"nofile": "many"}, {"nofile": {"Hard": None}}):
        assert told({"default-ulimits": odd}).ulimits is None


def test_without_the_daemons_configuration_its_defaults_are_not_known() -> None:
    surroundings = Surroundings.parse(bundle())
    assert not surroundings.configured
    assert surroundings.no_new_privileges is None
    assert surroundings.ulimits is None


def test_a_newer_engine_tells_no_new_privileges_itself() -> None:
    info = {"ServerVersion": "29.0.0", "SecurityOptions": ["name=no-new-privileges"]}
    engine = Section(json.dumps(info).encode())
    assert Surroundings.parse(bundle(engine_info=engine)).no_new_privileges


def test_the_kernels_selinux_is_seen_or_not_known() -> None:
    assert told(host=Section(b"uid=0\nselinux=1\n")).selinux_in_kernel is True
    assert told(host=Section(b"uid=0\n")).selinux_in_kernel is False
    assert told(host=Section(status=Status.TIMEOUT)).selinux_in_kernel is None
    assert told().selinux_in_kernel is None


def test_on_windows_an_engine_is_controlled_by_its_pipes() -> None:
    hosts = ["npipe:////./pipe/mine", "npipe://", "tcp://10.0.0.5:2376"]
    windows = Bundle(
        {
            "engine-version": Section(b"{}"),
            "engine-info": Section(b'{"ServerVersion":"29.0.2","OSType":"windows"}'),
            "daemon": Section(
                b"socket \\\\.\\pipe\\own\npid 4 service\ncwd C:\\Windows\\System32\nargument dockerd\nenvironment readable\n"
            ),
            "daemon-config": Section(b"C:\\daemon.json\n" + json.dumps({"hosts": hosts}).encode()),
        }
    )
    assert Surroundings.parse(windows).sockets == (*KNOWN_PIPES, r"\\.\pipe\own", r"\\.\pipe\mine")
    unseen = Bundle({name: windows.sections[name] for name in ("engine-version", "engine-info")})
    assert Surroundings.parse(unseen).sockets == KNOWN_PIPES

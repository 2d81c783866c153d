"""The daemon's effective configuration, merged as dockerd merges it."""

import pytest

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.daemon import ConfigFile, DaemonConfig, Setting, read_flags
from auditor.gaps import Inconclusive, NotApplicable

PROCESS = """socket /run/docker.sock
pid 812 socket
uid 0
exe /usr/sbin/dockerd
cwd /
started 1795477133
unit docker.service
argument /usr/sbin/dockerd
argument -H
argument fd://
argument --containerd=/run/containerd/containerd.sock
environment readable
variable HOME=/root
variable DOCKER_TLS_VERIFY=1
"""


def bundle(file: str | None = None, process: str = PROCESS, path: str = "/etc/docker/daemon.json") -> Bundle:
    config = (
        Section(f"{path}\n{file}".encode())
        if file is not None
        else Section(path.encode() + b"\n", Status.ABSENT)
    )
    return Bundle({"daemon": Section(process.encode()), "daemon-config": config})


def test_without_a_file_the_flags_and_the_defaults_hold() -> None:
    config = DaemonConfig.parse(bundle())
    assert config.setting("hosts") == Setting(("fd://",), "flag -H")
    assert config.setting("icc") == Setting(True, "dockerd's default")
    assert config.setting("never-heard-of").value is None
    assert config.environment == {"HOME": "/root", "DOCKER_TLS_VERIFY": "1"}
    assert (config.uid, config.started, config.executable) == (0, 1795477133, "/usr/sbin/dockerd")


def test_the_file_beats_the_default_and_the_flag_beats_the_file() -> None:
    config = DaemonConfig.parse(bundle('{"icc": false, "hosts": ["unix:///x"], "graph": "/data"}'))
    assert config.setting("icc") == Setting(False, "/etc/docker/daemon.json:/icc")
    assert config.setting("hosts").value == ("fd://",)
    assert config.setting("data-root").value == "/data"
    assert config.is_set("icc")
    assert not config.is_set("iptables")


def test_the_file_that_was_named_is_the_one_that_counts() -> None:
    config = DaemonConfig.parse(bundle('{"debug": true}', path="/srv/docker.json"))
    assert config.setting("debug").source == "/srv/docker.json:/debug"


@pytest.mark.parametrize("file", ["{", "[1]", '"x"', "[" * 100_000])
def test_a_file_that_dockerd_could_not_read_leaves_everything_unknown(file: str) -> None:
    assert ConfigFile.parse(bundle(file)).problem
    with pytest.raises(Inconclusive, match="cannot be read as dockerd reads it"):
        DaemonConfig.parse(bundle(file))


@pytest.mark.parametrize(
    "file", ['{"icc": "false"}', '{"hosts": "tcp://"}', '{"log-opts": []}', '{"tlscacert": 1}']
)
def test_a_value_of_the_wrong_type_leaves_everything_unknown(file: str) -> None:
    with pytest.raises(Inconclusive, match="but dockerd takes a"):
        DaemonConfig.parse(bundle(file))


def test_an_empty_file_is_an_empty_configuration() -> None:
    assert ConfigFile.parse(bundle("")) == ConfigFile()
    assert not ConfigFile.parse(bundle()).exists


def test_an_unreadable_file_is_a_gap() -> None:
    denied = Bundle(
        {
            "daemon": Section(PROCESS.encode()),
            "daemon-config": Section(b"", Status.DENIED, "/etc/docker/daemon.json"),
        }
    )
    with pytest.raises(Inconclusive, match="permission denied"):
        DaemonConfig.parse(denied)


def test_several_candidates_are_a_gap() -> None:
    with pytest.raises(Inconclusive, match="2 processes could own"):
        DaemonConfig.parse(bundle(process=PROCESS + "pid 900 name\n"))


def test_no_process_is_a_gap_where_an_engine_answers_and_nothing_to_judge_where_none_does() -> None:
    absent = Section(b"socket /run/docker.sock\n", Status.ABSENT)
    with pytest.raises(Inconclusive, match="not visible"):
        DaemonConfig.parse(
            Bundle({"daemon": absent, "daemon-config": Section(), "engine-info": Section(b"{}")})
        )
    with pytest.raises(NotApplicable, match="no Docker engine"):
        DaemonConfig.parse(
            Bundle({"daemon": absent, "daemon-config": Section(), "engine-info": Section(b"", Status.ABSENT)})
        )


def test_unreadable_environment_is_not_an_empty_one() -> None:
    assert DaemonConfig.parse(bundle(process="pid 1 name\nargument dockerd\n")).environment is None


@pytest.mark.parametrize(
    ("arguments", "key", "value"),
    [
        (("-H", "tcp://:2375"), "hosts", ("tcp://:2375",)),
        (("-H=0.0.0.0:2375", "--host", "fd://"), "hosts", ("0.0.0.0:2375", "fd://")),
        (("-Hunix:///x",), "hosts", ("unix:///x",)),
        (("--tlsverify",), "tlsverify", True),
        (("--tlsverify=false", "x"), "tlsverify", False),
        (("--tls", "--icc=0"), "icc", False),
        (("--icc=False",), "icc", False),
        (("-D",), "debug", True),
        (("-l", "warn"), "log-level", "warn"),
        (("-lwarn",), "log-level", "warn"),
        (("-Dlwarn",), "debug", True),
        (("-Dl", "warn"), "log-level", "warn"),
        (("-DH=tcp://x:1",), "hosts", ("tcp://x:1",)),
        (("-D=false",), "debug", False),
        (("--insecure-registry", "a", "--insecure-registry=b"), "insecure-registries", ("a", "b")),
        (
            ("--log-opt", "syslog-address=tcp://1.2.3.4:514", "--log-opt=tag=x"),
            "log-opts",
            {"syslog-address": "tcp://1.2.3.4:514", "tag": "x"},
        ),
        (("--default-ulimit", "nofile=1024:2048"), "default-ulimits", {"nofile": "1024:2048"}),
        (("--data-root", "/d", "stray", "-", "--"), "data-root", "/d"),
        (("--userns-remap=default",), "userns-remap", "default"),
        (("--never-heard-of",), "never-heard-of", "true"),
    ],
)
def test_flags_are_read_in_every_spelling(arguments: tuple[str, ...], key: str, value: object) -> None:
    assert read_flags(arguments)[key].value == value


def test_a_relative_path_is_relative_to_the_daemons_folder() -> None:
    assert DaemonConfig(directory="/srv").resolve("tls/ca.pem") == "/srv/tls/ca.pem"
    assert DaemonConfig(directory="/srv").resolve("/etc/ca.pem") == "/etc/ca.pem"

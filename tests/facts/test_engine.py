"""What the engine says, parsed."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.base import Fact
from auditor.facts.daemon import ConfigFile, DaemonConfig
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.engine import Engine, version_tuple
from auditor.facts.listeners import Listeners
from auditor.facts.networks import Networks
from auditor.facts.releases import Build
from auditor.facts.tls import DaemonTls
from auditor.gaps import Gap, Inconclusive, NotApplicable

INFO = {
    "ServerVersion": "26.1.5+dfsg1",
    "OSType": "linux",
    "Driver": "overlay2",
    "LoggingDriver": "json-file",
    "LiveRestoreEnabled": False,
    "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
    "Plugins": {"Authorization": None},
    "RegistryConfig": {
        "InsecureRegistryCIDRs": ["127.0.0.0/8", "::1/128", "10.1.0.0/16"],
        "IndexConfigs": {"docker.io": {"Secure": True}, "old:5000": {"Secure": False}},
    },
    "Swarm": {"LocalNodeState": "inactive"},
}
VERSION = {
    "Client": {"Version": "26.1.5"},
    "Server": {"Components": [{"Name": "Engine"}, {"Name": "containerd"}]},
}


def bundle(info: object = INFO, version: object = VERSION) -> Bundle:
    return Bundle(
        {
            "engine-info": Section(json.dumps(info).encode()),
            "engine-version": Section(json.dumps(version).encode()),
        }
    )


def test_the_engine_is_what_docker_info_says() -> None:
    engine = Engine.parse(bundle())
    assert engine.version_tuple == (26, 1, 5)
    assert engine.security_options == {"apparmor": "", "seccomp": "builtin", "cgroupns": ""}
    assert not engine.rootless
    assert not engine.live_restore


def test_loopback_is_insecure_by_default_and_not_counted() -> None:
    assert Engine.parse(bundle()).insecure_registries == ("10.1.0.0/16", "old:5000")
    assert Engine.parse(bundle({**INFO, "RegistryConfig": None})).insecure_registries == ()


# What docker version 28.2.2 prints of the real service of Podman 4.3.1 (Debian 12), dates and kernel left out.
PODMAN = {
    "Client": {"Version": "28.2.2", "ApiVersion": "1.41"},
    "Server": {
        "Platform": {"Name": "linux/amd64/debian-12"},
        "Components": [
            {
                "Name": "Podman Engine",
                "Version": "4.3.1",
                "Details": {"APIVersion": "4.3.1", "MinAPIVersion": "4.0.0"},
            },
            {"Name": "Conmon", "Version": "conmon version 2.1.6, commit: unknown"},
            {"Name": "OCI Runtime (runc)", "Version": "runc version 1.1.5+ds1"},
            {
                "Name": "Engine",
                "Version": "4.3.1",
                "Details": {"ApiVersion": "1.41", "MinAPIVersion": "1.24"},
            },
        ],
        "Version": "4.3.1",
        "ApiVersion": "1.41",
    },
}


@pytest.mark.parametrize("fact", [Engine, Build, ConfigFile, DaemonConfig, DaemonPaths, DaemonTls, Listeners])
def test_podman_is_recognised_and_declined_in_one_line(fact: type[Fact]) -> None:
    """Nothing of its process is read as if it were dockerd's: with the defaults of Docker it would pass and fail at random."""
    process = Section(
        b"socket /run/podman/podman.sock\npid 9 socket\nuid 0\nexe /usr/bin/podman\nargument podman\n"
    )
    host = bundle(version=PODMAN).adding(
        {"daemon": process, "daemon-config": Section(b"/etc/docker/daemon.json\n", 66)}
    )
    with pytest.raises(
        NotApplicable, match=r"^Podman answers on this socket, not Docker; Podman hosts are not judged$"
    ):
        fact.parse(host)


@pytest.mark.parametrize(
    "info",
    [
        {"ServerErrors": ["Cannot connect"]},
        {},
        [],
        "x",
        {"ServerVersion": 5},
        {**INFO, "SecurityOptions": {}},
    ],
)
def test_an_answer_that_makes_no_sense_is_a_gap(info: object) -> None:
    with pytest.raises(Inconclusive):
        Engine.parse(bundle(info))


def test_no_docker_is_another_thing_than_a_docker_that_does_not_answer() -> None:
    absent = Section(b"", Status.ABSENT, "there is no engine's socket at /var/run/docker.sock")
    with pytest.raises(NotApplicable, match="no Docker engine on this host"):
        Engine.parse(Bundle({"engine-version": absent, "engine-info": absent}))
    with pytest.raises(NotApplicable, match=r"no Docker engine on this host$"):
        Networks.parse(Bundle({"networks": Section(b"", Status.ABSENT)}))
    denied = Section(b"", Status.DENIED, "neither root nor in its group")
    with pytest.raises(Inconclusive, match="permission denied: neither root"):
        Engine.parse(Bundle({"engine-version": denied, "engine-info": denied}))


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("20.10.24+dfsg1", (20, 10, 24)), ("v29.0.0-rc.1", (29, 0, 0)), ("library-import", ()), ("", ())],
)
def test_versions_are_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert version_tuple(version) == numbers


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda it: st.lists(it) | st.dictionaries(st.text(), it),
    max_leaves=8,
)


@given(st.sampled_from(sorted(INFO)), JSON)
def test_no_value_in_any_field_does_more_than_leave_a_gap(field: str, value: object) -> None:
    with contextlib.suppress(Gap):
        Engine.parse(bundle({**INFO, field: value}))


def test_networks_are_read_line_by_line() -> None:
    lines = b'{"Name":"bridge","Driver":"bridge","Options":{"a":"b"}}\n{"Name":"none","Driver":"null","Options":null}\n'
    networks = Networks.parse(Bundle({"networks": Section(lines)}))
    assert [network.name for network in networks] == ["bridge", "none"]
    assert networks.default_bridge is not None
    assert networks.default_bridge.options == {"a": "b"}
    assert Networks().default_bridge is None
    with pytest.raises(Inconclusive, match="docker network inspect"):
        Networks.parse(Bundle({"networks": Section(b'{"Name":"x"}')}))

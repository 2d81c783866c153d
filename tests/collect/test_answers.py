"""What the collector takes of what an engine lists: these names and nothing else, whatever the rest of the text is."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collect.answers import AWKS, answer, in_chunks, on_host

CONTAINERS, INFO, NETWORKS, VOLUMES = "/containers/json?all=1", "/info", "/networks", "/volumes"
HOSTILE = 'x","Id":"forged\\'


def told(stream: bytes, *paths: str, awk: str = "awk") -> list[str]:
    asked = "".join(f"asked {path}\n" for path in paths).encode()
    said = on_host("reduce_answers", asked + stream, awk).decode("utf-8", "surrogateescape")
    return said.split("\n")[:-1]


def as_go_writes(value: object) -> bytes:
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"
    )


def one(path: str, value: object, cuts: Sequence[int] | None = None, awk: str = "awk") -> list[Any]:
    """The objects that are told of one answer."""
    body = as_go_writes(value)
    lines = told(answer(body) if cuts is None else in_chunks(body, cuts), path, awk=awk)
    assert lines[-1] == f"answered {path}"
    return [json.loads(line.removeprefix(f"{path} ")) for line in lines[:-1]]


NETWORK = {
    "Name": HOSTILE,
    "Id": "1a",
    "Created": "2026-01-01",
    "Scope": "local",
    "Driver": "bridge",
    "EnableIPv6": False,
    "IPAM": {
        "Driver": "default",
        "Options": None,
        "Config": [{"Subnet": "10.0.0.0/8", "Name": "no"}, {"Id": "no"}],
    },
    "Internal": False,
    "Ingress": False,
    "ConfigFrom": {"Network": ""},
    "Containers": {"x": {"Name": "no", "Options": "no"}},
    "Options": {"com.docker.network.bridge.name": "docker0", "deep": {"er": [1, {"a": "}]"}]}},
    "Labels": {"Options": "hunter2", "Name": "hunter2", HOSTILE: HOSTILE},
}


@pytest.mark.parametrize("awk", AWKS)
def test_of_a_network_its_settings_are_told_and_no_label(awk: str) -> None:
    kept = ("Name", "Id", "Scope", "Driver", "Internal", "Ingress", "Options")
    assert one(NETWORKS, [NETWORK, NETWORK], awk=awk) == [{name: NETWORK[name] for name in kept}] * 2


@pytest.mark.parametrize("awk", AWKS)
def test_of_a_volume_its_place_and_what_it_stands_for_are_told_and_no_other_option(awk: str) -> None:
    place = {"Driver": "local", "Mountpoint": "/var/lib/docker/volumes/v/_data", "Name": "v"}
    options = {"type": "cifs", "device": "//nas/share", "o": "username=u,password=hunter2"}
    made = {"CreatedAt": "", **place, "Labels": {"Name": "hunter2"}, "Options": options, "Scope": "local"}
    plain = {**place, "Labels": None, "Options": None}
    answered = {"Volumes": [made, plain], "Warnings": ["hunter2"]}
    assert one(VOLUMES, answered, awk=awk) == [{**place, "Type": "cifs", "Device": "//nas/share"}, place]


def test_of_a_container_only_its_id_is_asked_for_here() -> None:
    labels = {"Labels": {"Id": "forged"}, "Names": ["/x"], "Mounts": [{"Id": "forged"}]}
    assert one(CONTAINERS, [{"Id": "1a", **labels}, {**labels, "Id": "2b"}]) == [{"Id": "1a"}, {"Id": "2b"}]


def test_what_the_engine_says_of_itself_is_told_whole_and_of_its_swarm_what_the_collector_needs() -> None:
    info = {
        "DockerRootDir": "/d",
        "Swarm": {"LocalNodeState": "active", "ControlAvailable": True, "Cluster": {"ID": "x"}},
    }
    lines = told(answer(as_go_writes(info)), INFO)
    assert lines[0] == f"/info {as_go_writes(info).decode().strip()}"
    seen = json.loads(lines[1].removeprefix("swarm "))
    assert seen == {"Root": "/d", "State": "active", "Manager": True}
    assert lines[2:] == ["answered /info"]


def test_answers_belong_to_the_paths_in_their_order_and_a_refusal_keeps_its_reason() -> None:
    denied = answer(b'{"message":"denied by plugin"}\n', "403 Forbidden")
    stream = answer(b'{"Version":"29"}\n') + denied + answer(b"[]\n") + answer(b"OK")
    assert paths_of(told(stream, "/version", INFO, NETWORKS)) == [
        '/version {"Server":{"Version":"29"}}',
        "answered /version",
        "refused /info 403 denied by plugin",
        "answered /networks",
    ]


def paths_of(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if not line.startswith(("engine ", "swarm "))]


@pytest.mark.parametrize("path", [CONTAINERS, NETWORKS, VOLUMES, INFO, "/version"])
@pytest.mark.parametrize(
    "body", [b"null\n", b'"x"\n', b"<html>", b"", b"-", b"[[]]", b"{]", b"[}", b"[null]", b'["a"]', b"[1]"]
)
def test_an_answer_of_another_shape_is_refused_and_not_quoted(path: str, body: bytes) -> None:
    lines = told(answer(body), path)
    assert f"answered {path}" not in lines
    assert lines[-1] == f"refused {path} 200 an answer of {len(body.strip())} bytes that makes no sense"


VOLUME = b'{"Name":"v","Driver":"local","Mountpoint":"/v"}'
ODD = {
    CONTAINERS: [
        b"{}",
        b'[{"Id":"1a"}',
        b'[{"Id":"1a"',
        b'[{"Id":"1a',
        b'[{"Id":"1a"}]]',
        b'[{"Id":"1a"}] x',
        b'[{"ID":"1a"}]',
    ],
    NETWORKS: [
        b'[{"Name":"x"}]',
        b'[[{"Name":"x","Driver":"y"}]]',
        b'[{"Name":"x","Driver":"y"},7]',
        b'{"message":"busy"}',
    ],
    VOLUMES: [
        b"{}",
        b'{"message":"busy"}',
        b'{"Volumes":{}}',
        b'{"Volumes":["x"]}',
        b'{"Volumes":[{"Name":"x"}]}',
        b'{"Volumes":[null]}',
        b'{"Volumes":[%s]}}' % VOLUME,
        b'{"Volumes":[[%s]]}' % VOLUME,
        b"[%s]" % VOLUME,
    ],
    INFO: [b"[]", b'{"ID":"x"', b'{"ID":"x"}}'],
    "/version": [b"{}", b'{"message":"busy"}', b'{"Version":"29"'],
}


@pytest.mark.parametrize(("path", "body"), [(path, body) for path in ODD for body in ODD[path]])
def test_what_is_no_list_of_such_things_is_refused_though_it_came_whole(path: str, body: bytes) -> None:
    assert told(answer(body), path)[-1].startswith(f"refused {path} 200 ")


@pytest.mark.parametrize(
    "body",
    [b'{"Volumes":null}', b'{"Volumes":[],"Warnings":["x",{"Name":"y"}]}', b'{"Volumes": [ %s ] }' % VOLUME],
)
def test_no_volumes_is_an_answer(body: bytes) -> None:
    assert told(answer(body), VOLUMES)[-1] == f"answered {VOLUMES}"


LIST = answer(b'[{"Id":"1a"}]')


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]",
        b"hi",
        b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n[]" + LIST,
        b"HTTP/1.1 200 OK\r\n\r\n" + LIST,
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + LIST,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]" + LIST,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n" + LIST,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[]\r\n0\r\n\r\n" + LIST,
    ],
)
def test_after_what_makes_no_sense_nothing_is_an_answer(broken: bytes) -> None:
    stream = answer(b'{"Version":"29"}') + broken
    assert paths_of(told(stream, "/version", CONTAINERS, NETWORKS))[1:] == ["answered /version"]


def test_what_comes_before_an_answer_is_none_and_what_has_no_body_is_one() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    nothing = b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"
    assert told(early + LIST + nothing + answer(b"[]"), CONTAINERS, INFO, NETWORKS) == [
        f'{CONTAINERS} {{"Id":"1a"}}',
        f"answered {CONTAINERS}",
        "refused /info 204 ",
        f"answered {NETWORKS}",
    ]


def test_more_answers_than_questions_are_told() -> None:
    ping = answer(b"OK")
    assert told(LIST + ping, CONTAINERS)[-1] == f"answered {CONTAINERS}"
    assert told(LIST + LIST + ping, CONTAINERS)[-1] == "confused"


@pytest.mark.parametrize("awk", AWKS)
@pytest.mark.parametrize("sign", ['"', "\\", "\\x", '\\"'])
def test_a_very_long_label_is_read_once(awk: str, sign: str) -> None:
    label = sign * (300_000 // len(sign))
    networks = [
        {"Labels": {"l": label, label: "x"}, "Name": "n", "Driver": "bridge", "Options": {"o": label}}
    ]
    assert one(NETWORKS, networks, awk=awk) == [{"Name": "n", "Driver": "bridge", "Options": {"o": label}}]


WORDS = st.one_of(
    st.sampled_from(["Id", "Name", "Options", '"', "\\", '\\"', "{", "}]", ",", ":", "\n"]),
    st.text(max_size=6),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(
    st.lists(st.dictionaries(WORDS, JSON, max_size=6), max_size=6),
    st.lists(st.integers(0, 10**6), max_size=6),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_list_holds_these_values_of_its_objects_are_told(
    networks: list[dict[str, Any]], cuts: list[int]
) -> None:
    kept = ("Id", "Name", "Driver", "Scope", "Internal", "Ingress", "Options")
    listed = [{"Name": "n", "Driver": "bridge"} | network for network in networks]
    wanted = [{name: value for name, value in network.items() if name in kept} for network in listed]
    assert one(NETWORKS, listed, cuts) == wanted

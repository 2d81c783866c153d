"""Reading containers: whole, in part, from old engines, and from hosts that lie."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import checks.runtime
from auditor.check import Check, Finding, Inconclusive, NotApplicable
from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.base import Knowledge
from auditor.facts.containers import Container, Containers, Mount, Port, Ulimit
from auditor.gaps import Gap
from auditor.policy import Policy
from auditor.registry import discover
from tests.facts.inspections import ID, bundle, hardened, sloppy

OTHER = "e0" * 32


def one(raw: dict[str, Any], version: str = "26.1.5") -> Container:
    (container,) = Containers.parse(bundle(raw, version=version))
    return container


def changed(**host: Any) -> dict[str, Any]:
    raw = hardened()
    raw["HostConfig"].update(host)
    return raw


def unread(raw: Any, version: str = "26.1.5") -> str:
    """The text of the gap that an inspection ends in."""
    with pytest.raises(Inconclusive) as gap:
        list(Containers.parse(bundle(raw, version=version)))
    return str(gap.value)


def test_a_hardened_container_is_read_whole() -> None:
    container = one(hardened())
    assert (container.name, container.id, container.subject, container.live) == ("web", ID, "web", True)
    assert container.capabilities == frozenset()
    assert container.healthcheck == ("CMD", "true")
    assert container.networks == ("app",)


def test_a_sloppy_one_is_too() -> None:
    container = one(sloppy())
    assert container.subject == "web (created)"
    assert container.mounts == (Mount("/", "bind", "/h", rw=True, propagation="rshared", leads_to=None),)
    assert container.device_requests == ("nvidia gpu",)
    assert container.ulimits == (Ulimit("nofile", 1, -1),)
    assert container.ports == (Port(22, 22, "", "22/tcp"),)
    assert container.healthcheck == ()
    assert container.root


def test_nulls_where_go_writes_them_for_nothing_are_nothing() -> None:
    raw = changed(CapDrop=None, SecurityOpt=None, Devices=None, Ulimits=None, PortBindings=None)
    raw.update(Mounts=None, NetworkSettings={"Ports": None, "Networks": None})
    container = one(raw)
    assert (container.cap_drop, container.security_opt, container.networks, container.ports) == (
        (),
        (),
        (),
        (),
    )


def test_no_container_is_not_applicable() -> None:
    with pytest.raises(NotApplicable, match="no containers on this host"):
        list(Containers.parse(bundle()))


def test_a_container_that_is_still_there_and_was_not_read_is_a_gap_after_the_others() -> None:
    seen = iter(Containers.parse(bundle(hardened(), listed=(ID, OTHER))))
    assert next(seen).id == ID
    with pytest.raises(Inconclusive, match=f"1 container.*{OTHER[:12]}: it was not inspected"):
        next(seen)


def test_a_container_that_went_away_meanwhile_is_none() -> None:
    assert len(list(Containers.parse(bundle(hardened(), listed=(ID, OTHER), gone=(OTHER,))))) == 1


def test_a_broken_inspection_is_one_gap_not_two() -> None:
    raw = hardened()
    del raw["HostConfig"]["Privileged"]
    containers = Containers.parse(bundle(raw, listed=(ID,)))
    assert len(containers.unseen) == 1
    assert "Privileged" in containers.unseen[0]


def test_what_the_client_said_tells_why() -> None:
    section = Section(f"listed {ID}".encode(), 0, "template parsing error")
    with pytest.raises(Inconclusive, match="template parsing error"):
        list(Containers.parse(bundle(containers=section)))


@pytest.mark.parametrize(
    ("section", "gap"),
    [
        (Section(status=Status.ABSENT, message="no engine's socket"), NotApplicable),
        (Section(status=Status.DENIED), Inconclusive),
        (Section(b"x", status=Status.TRUNCATED), Inconclusive),
    ],
)
def test_a_section_that_failed_is_a_gap(section: Section, gap: type[Gap]) -> None:
    with pytest.raises(gap):
        Containers.parse(bundle(containers=section))


def test_a_section_that_is_missing_is_a_gap() -> None:
    whole = bundle()
    with pytest.raises(Inconclusive):
        Containers.parse(
            Bundle({name: section for name, section in whole.sections.items() if name != "containers"})
        )


@pytest.mark.parametrize("line", [b"{", b"garbage", b'{"Id": 5}', b"[]", b"\xff\xfe", b"[" * 100_000])
def test_garbage_is_a_gap(line: bytes) -> None:
    with pytest.raises(Inconclusive):
        list(Containers.parse(bundle(containers=Section(line))))


def test_fields_newer_than_the_engine_may_be_missing_and_no_others() -> None:
    raw = hardened()
    del raw["HostConfig"]["CgroupnsMode"]
    assert one(raw, "19.03.15").cgroupns_mode == ""
    assert "CgroupnsMode" in unread(raw, "20.10.0")
    del raw["HostConfig"]["DeviceRequests"]
    assert one(raw, "18.09.1").device_requests == ()
    assert "DeviceRequests" in unread(raw, "19.03.0")


def test_a_running_containers_ports_are_those_in_force() -> None:
    raw = changed(PortBindings={"80/tcp": [{"HostIp": "", "HostPort": "8080"}]})
    raw["NetworkSettings"]["Ports"] = {"80/tcp": [{"HostIp": "::", "HostPort": "8080"}], "81/tcp": None}
    assert one(raw).ports == (Port(8080, 8080, "::", "80/tcp"),)


def test_a_stopped_containers_ports_are_those_it_asks_for() -> None:
    asked = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080-8090"}, {"HostIp": "", "HostPort": ""}]}
    raw = {**changed(PortBindings=asked), "Status": "exited"}
    assert one(raw).ports == (Port(8080, 8090, "127.0.0.1", "80/tcp"), Port(0, 0, "", "80/tcp"))
    for mode in ("host", "none", "container:x"):
        assert one({**changed(PortBindings=asked, NetworkMode=mode), "Status": "exited"}).ports == ()


@pytest.mark.parametrize(
    ("told", "masked"),
    [
        ({}, True),
        ({"MaskedPaths": None, "ReadonlyPaths": None}, True),
        ({"MaskedPaths": []}, False),
        ({"MaskedPaths": ["/proc/keys", "/proc/timer_list", "/sys/firmware"]}, False),
        ({"ReadonlyPaths": []}, False),
        ({"MaskedPaths": None, "ReadonlyPaths": None, "Privileged": True}, False),
    ],
)
def test_a_list_of_masked_paths_masks_what_stands_in_it(told: dict[str, Any], masked: bool) -> None:
    assert one(changed(**told)).system_paths_masked is masked


def test_masked_paths_that_were_not_told_are_not_known() -> None:
    raw = hardened()
    del raw["HostConfig"]["ReadonlyPaths"]
    assert one(raw).system_paths_masked is None


def test_one_that_publishes_all_exposed_ports_will_do_so_at_its_start() -> None:
    raw = {**changed(PublishAllPorts=True, PortBindings={"80/tcp": [{"HostIp": "::1", "HostPort": "80"}]})}
    raw["Config"]["ExposedPorts"] = {"80/tcp": {}, "90/udp": {}}
    assert one({**raw, "Status": "exited"}).ports == (Port(80, 80, "::1", "80/tcp"), Port(0, 0, "", "90/udp"))
    assert one(raw).ports == ()
    raw["Config"]["ExposedPorts"] = None
    assert len(one({**raw, "Status": "exited"}).ports) == 1
    del raw["Config"]["ExposedPorts"]
    assert "no ExposedPorts" in unread({**raw, "Status": "exited"})


@pytest.mark.parametrize(
    "binding", [{"HostIp": "", "HostPort": "http"}, {"HostIp": "nowhere", "HostPort": "80"}]
)
def test_a_port_that_makes_no_sense_is_a_gap(binding: dict[str, str]) -> None:
    raw = hardened()
    raw["NetworkSettings"]["Ports"] = {"80/tcp": [binding]}
    assert "makes no sense" in unread(raw)


def test_mounts_that_were_asked_for_count_before_the_first_start() -> None:
    raw = changed(
        Binds=["/etc:/a:ro,rshared", "/srv:/b", "named:/c", "/seen:/d"],
        Mounts=[
            {
                "Type": "bind",
                "Source": "/usr",
                "Target": "/e",
                "ReadOnly": True,
                "BindOptions": {"Propagation": "shared"},
            },
            {"Type": "bind", "Source": "/opt", "Target": "/f"},
            {"Type": "tmpfs", "Target": "/g"},
        ],
    )
    raw["Mounts"] = [
        {"Type": "bind", "Source": "/seen", "Destination": "/d", "RW": False, "Propagation": "rprivate"}
    ]
    assert {replace(mount, leads_to="") for mount in one(raw).mounts} == {
        Mount("/seen", "bind", "/d"),
        Mount("/etc", "bind", "/a", rw=False, propagation="rshared"),
        Mount("/srv", "bind", "/b", rw=True, propagation=""),
        Mount("/usr", "bind", "/e", rw=False, propagation="shared"),
        Mount("/opt", "bind", "/f", rw=True, propagation=""),
    }


def test_a_mount_tells_where_it_leads_as_far_as_that_was_seen() -> None:
    raw = hardened()
    raw["Mounts"] = [
        {"Type": kind, "Source": source, "Destination": source, "RW": False, "Propagation": ""}
        for kind, source in (
            ("bind", "/plain"),
            ("bind", "/absent"),
            ("bind", "/a link"),
            ("bind", "/denied"),
            ("bind", "/endless"),
            ("bind", "/not told"),
            ("volume", "/v/_data"),
        )
    ]
    told = b"plain /plain\nabsent /absent\ndenied /denied\nlink /a link\nresolved /the end\nlink /endless\nresolved \n"
    sections = bundle(raw).sections
    whole = Section(sections["containers"].data + b"\n" + told)
    (container,) = Containers.parse(Bundle({**sections, "containers": whole}))
    assert [mount.leads_to for mount in container.mounts] == ["", "", "/the end", None, None, None, ""]


def paths(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value of a JSON document is."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield (*above, key)
        yield from paths(value, (*above, key))


def without(document: Any, path: tuple[Any, ...]) -> Any:
    copy = json.loads(json.dumps(document))
    node = copy
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    return copy


def outcome(check: Check[...], known: Knowledge) -> str:
    found: list[Finding] = []
    try:
        found.extend(check(**{name: known.get(fact) for name, fact in check.facts.items()}))
    except Gap as gap:
        return "fail" if found else type(gap).__name__
    return "fail" if found else "pass"


def outcomes(raw: Any) -> dict[str, str]:
    known = Knowledge(bundle(raw), {Policy: Policy(allowed_ports=())})
    return {check.id: outcome(check, known) for check in discover(checks.runtime).values()}


# An element of a list, or a network's name, is something configured, not a field: without it, it is not configured.
FIELDS = [path for path in paths(sloppy()) if not any(isinstance(key, int) for key in path[-1:])]
NAMES = {("NetworkSettings", "Networks", "bridge"), ("HostConfig", "PortBindings", "22/tcp")}


@pytest.mark.parametrize(
    "path", [path for path in FIELDS if path not in NAMES], ids=lambda path: "/".join(map(str, path))
)
def test_a_field_that_is_missing_never_turns_a_failure_into_a_pass(path: tuple[Any, ...]) -> None:
    before, after = outcomes(sloppy()), outcomes(without(sloppy(), path))
    assert {
        check for check in before if before[check] == "fail" and after[check] not in ("fail", "Inconclusive")
    } == set()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(path=st.sampled_from(list(paths(sloppy()))), value=JSON)
@settings(max_examples=300, deadline=None)
def test_any_value_anywhere_is_read_or_is_a_gap(path: tuple[Any, ...], value: Any) -> None:
    raw = json.loads(json.dumps(sloppy()))
    node = raw
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    containers = Containers.parse(bundle(raw))
    assert len(containers.all) + len(containers.unseen) == 1


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_read_or_are_a_gap(data: bytes) -> None:
    containers = Containers.parse(bundle(containers=Section(data)))
    assert not containers.all


@pytest.mark.parametrize(
    ("told", "isolation"), [({}, ""), ({"Isolation": ""}, ""), ({"Isolation": "hyperv"}, "hyperv")]
)
def test_isolation_is_told_by_engines_that_have_it(told: dict[str, str], isolation: str) -> None:
    raw = hardened()
    raw["HostConfig"].update(told)
    assert Containers.parse(bundle(raw)).all[0].isolation == isolation


def windows(**host: Any) -> Container:
    raw = changed(**host)
    raw.update(Platform="windows", Status="exited")
    raw["Config"].update(Hostname="app1", Labels={"a": "b"}, Env=["DB_PASSWORD", "PATH", ""])
    return one(raw)


def test_a_stopped_windows_container_tells_what_it_will_mount() -> None:
    binds = ["C:\\data:C:\\app:ro", "//./pipe/docker_engine://./pipe/docker_engine", "named:C:\\vol"]
    asked = [
        {"Type": "npipe", "Source": "\\\\.\\pipe\\x", "Target": "\\\\.\\pipe\\x"},
        {"Type": "volume", "Target": "C:\\v"},
    ]
    assert windows(Binds=binds, Mounts=asked).mounts == (
        Mount("\\\\.\\pipe\\x", "npipe", "\\\\.\\pipe\\x", rw=True, propagation=""),
        Mount("C:\\data", "bind", "C:\\app", rw=False, propagation=""),
        Mount("//./pipe/docker_engine", "npipe", "//./pipe/docker_engine", rw=True, propagation=""),
    )


def test_a_mount_of_windows_is_told_once_however_its_place_is_written() -> None:
    raw = changed(Binds=["C:\\data:C:/App"])
    raw["Platform"] = "windows"
    raw["Mounts"] = [
        {"Type": "bind", "Source": "C:\\data", "Destination": "c:\\app", "RW": True, "Propagation": ""}
    ]
    assert len(one(raw).mounts) == 1


def test_a_windows_container_tells_cpus_name_labels_and_names_of_secrets() -> None:
    container = windows(CpuCount=2, CpuPercent=50)
    assert (container.cpu_count, container.cpu_percent, container.hostname) == (2, 50, "app1")
    assert (container.labels, container.secrets) == (("a",), ("DB_PASSWORD",))


def test_a_collector_that_brings_no_labels_does_not_tell_which_variables_have_a_value() -> None:
    raw = hardened()
    assert (one(raw).labels, one(raw).secrets) == (None, None)
    raw["Config"].update(Env=["DB_PASSWORD"])
    assert one(raw).secrets is None

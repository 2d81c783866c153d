"""Reading what a node knows of its swarm."""

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.listeners import Endpoint
from auditor.facts.swarm import Cluster, Service, Swarm, _services
from auditor.gaps import Gap, Inconclusive, NotApplicable

ROOT = """-----BEGIN CERTIFICATE-----
MIIBazCCARCgAwIBAgIUAONUCm/ZUkXH7jYc6ofj5spXbdMwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAxMIc3dhcm0tY2EwHhcNMjYxMTI0MDA0MzAwWhcNNDYxMTE5MDA0
MzAwWjATMREwDwYDVQQDEwhzd2FybS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABPzvd1lnmWtQryvYrifsW520wROXT3LajqhtTLIjMeJyqyoaLhiQFMBz8uHr
I56bO/J4TnODqVpVh5KcVjZnLQqjQjBAMA4GA1UdDwEB/wQEAwIBBjAPBgNVHRMB
Af8EBTADAQH/MB0GA1UdDgQWBBTy4Pa3H/YfmS6hZujPeRFhmDNxoTAKBggqhkjO
PQQDAgNJADBGAiEAxPJouZ+Y3SC5wyx40n63XLXYgw4lKN1Y2MI/TyyNxEwCIQDS
bBaXJpF6gNQ2MxsMqCbevUZPqhHa6SAe6sta4/3yOA==
-----END CERTIFICATE-----
"""
# What dockerd 20.10 tells of a manager; only the fields that are read.
MANAGER: dict[str, Any] = {
    "LocalNodeState": "active",
    "ControlAvailable": True,
    "Error": "",
    "NodeAddr": "10.0.0.5",
    "Nodes": 1,
    "Managers": 1,
    "Cluster": {
        "Spec": {
            "CAConfig": {"NodeCertExpiry": 7776000000000000},
            "EncryptionConfig": {"AutoLockManagers": False},
        },
        "RootRotationInProgress": False,
        "TLSInfo": {"TrustRoot": ROOT},
    },
}
WORKER = {"LocalNodeState": "active", "ControlAvailable": False, "Nodes": 0, "Managers": 0}
ADDRESSES = (
    'addresses {"ListenAddr":"0.0.0.0:2377","AdvertiseAddr":"10.0.0.5:2377","DataPathAddr":"10.1.0.5"}'
)
TOLD = f"""state active
{ADDRESSES}
manager
service {{"Name":"web","Env":["DB_PASSWORD","PLAIN",""],"Secrets":["key",""],"Restart":{{"Condition":"any","MaxAttempts":3}},"Ports":[{{"PublishedPort":80,"PublishMode":"ingress"}},{{"PublishedPort":81,"PublishMode":"host"}},{{"TargetPort":9}}]}}
secret "key"
"""
LISTENERS = Section(b"holds 7\nlistens 0500000A:0949 7\nlistens 0500000A:1F0A 7\nlistens 00000000:0949 8\n")


def bundle(swarm: dict[str, Any], told: str | None = TOLD, listeners: Section = LISTENERS) -> Bundle:
    info = {"ServerVersion": "26.1.5", "Swarm": swarm}
    sections = {
        "engine-version": Section(b'{"Server": {}}'),
        "engine-info": Section(json.dumps(info).encode()),
        "listeners": listeners,
    }
    return Bundle(sections if told is None else {**sections, "swarm": Section(told.encode())})


def test_a_manager_is_read_whole() -> None:
    swarm = Swarm.parse(bundle(MANAGER))
    cluster = swarm.cluster()
    assert (cluster.nodes, cluster.managers, cluster.auto_lock, cluster.node_certificate_days) == (
        1,
        1,
        False,
        90,
    )
    assert [(each.subject, each.not_after.year) for each in cluster.authorities] == [("CN=swarm-ca", 2046)]
    assert swarm.all_services() == (Service("web", ("DB_PASSWORD",), ("key",), "any", 3, (80, 0)),)
    assert swarm.secret_names == ("key",)


def test_the_socket_that_is_held_counts_more_than_what_was_configured() -> None:
    held = Swarm.parse(bundle(MANAGER)).own_addresses()
    assert held.listen == (Endpoint("10.0.0.5", 2377, "sockets of the daemon"),)
    assert (held.advertise, held.data_path) == ("10.0.0.5", "10.1.0.5")
    told = Swarm.parse(bundle(MANAGER, listeners=Section(b"", Status.DENIED))).own_addresses()
    assert told.listen == (Endpoint("0.0.0.0", 2377, "docker-state.json:/ListenAddr"),)  # noqa: S104  read, not bound


@pytest.mark.parametrize(
    ("advertise", "address"),
    [("[fe80::1]:2377", "fe80::1"), ("fe80::1", "fe80::1"), ("", ""), ("eth0", "eth0")],
)
def test_an_address_may_have_a_port_or_be_of_version_6(advertise: str, address: str) -> None:
    told = TOLD.replace("10.0.0.5:2377", advertise).replace("0.0.0.0:2377", "")
    found = Swarm.parse(bundle(MANAGER, told, Section())).own_addresses()
    assert (found.advertise, found.listen) == (address, ())


def test_off_manager_worker_locked_and_broken_are_five_situations() -> None:
    off = Swarm.parse(bundle({"LocalNodeState": "inactive"}, "state inactive\n"))
    worker = Swarm.parse(bundle(WORKER, f"state active\n{ADDRESSES}\n"))
    locked = Swarm.parse(
        bundle({"LocalNodeState": "locked", "Error": "Swarm is encrypted"}, "state locked\n")
    )
    broken = Swarm.parse(bundle({"LocalNodeState": "error", "Error": "no quorum"}, "state error\n"))
    with pytest.raises(NotApplicable, match="in no swarm"):
        off.own_addresses()
    with pytest.raises(NotApplicable, match="worker"):
        worker.all_services()
    assert worker.own_addresses().data_path == "10.1.0.5"
    with pytest.raises(Inconclusive, match=r"locked here .Swarm is encrypted"):
        locked.cluster()
    with pytest.raises(Inconclusive, match="no quorum"):
        broken.cluster()
    with pytest.raises(Inconclusive, match="no known state"):
        Swarm.parse(bundle({"LocalNodeState": ""}, "")).membership()


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, "swarm was not collected"),
        ("state active\ndenied /var/lib/docker/swarm/docker-state.json\n", "denied /var/lib/docker"),
        ("state active\n", "did not tell"),
    ],
)
def test_what_could_not_be_read_is_no_empty_answer(told: str | None, why: str) -> None:
    swarm = Swarm.parse(bundle(MANAGER, told))
    for ask in (swarm.own_addresses, swarm.all_services):
        with pytest.raises(Inconclusive, match=why):
            ask()


def test_of_a_windows_host_the_cluster_is_known_and_its_addresses_are_not() -> None:
    told = bundle(MANAGER, None)
    swarm = Swarm.parse(Bundle({name: it for name, it in told.sections.items() if name != "listeners"}))
    assert swarm.cluster().managers == 1
    with pytest.raises(Inconclusive, match="swarm was not collected"):
        swarm.own_addresses()


def test_a_manager_without_a_cluster_to_tell_of_leaves_the_answer_open() -> None:
    for field in ("Cluster", "Nodes", "Managers"):
        with pytest.raises(Inconclusive, match="describe the cluster"):
            Swarm.parse(bundle({**MANAGER, field: None})).cluster()


def test_an_authority_that_cannot_be_read_is_left_out() -> None:
    raw = copy.deepcopy(MANAGER)
    raw["Cluster"]["TLSInfo"]["TrustRoot"] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert Swarm.parse(bundle(raw)).cluster().authorities == ()


@pytest.mark.parametrize(
    "line", ["addresses {}", "addresses {", 'service {"Name":"x"}', "service 7", "secret x", "secret 7"]
)
def test_a_line_that_makes_no_sense_is_a_gap(line: str) -> None:
    with pytest.raises(Inconclusive):
        Swarm.parse(bundle(MANAGER, f"manager\n{line}\n"))


@pytest.mark.parametrize("section", ["CAConfig", "EncryptionConfig"])
def test_a_cluster_without_its_settings_is_a_gap(section: str) -> None:
    raw = copy.deepcopy(MANAGER)
    del raw["Cluster"]["Spec"][section]
    with pytest.raises(Inconclusive):
        Swarm.parse(bundle(raw))


def test_the_defaults_are_those_of_a_hardened_swarm() -> None:
    assert Swarm().cluster() == Cluster()
    assert Swarm().own_addresses().advertise != Swarm().own_addresses().data_path


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4),
    st.sampled_from(sorted(MANAGER)),
    st.lists(st.sampled_from(TOLD.splitlines()) | st.text(max_size=20)).map("\n".join),
)
def test_nothing_an_engine_could_say_breaks_it(value: Any, field: str, told: str) -> None:
    with contextlib.suppress(Gap):
        swarm = Swarm.parse(bundle({**MANAGER, field: value}, told.encode("utf-8", "replace").decode()))
        swarm.all_services()


@pytest.mark.parametrize(
    ("told", "restart", "attempts", "ports"),
    [
        ('{"Name":"web","Env":[],"Secrets":[],"Restart":null,"Ports":null}', "any", 0, ()),
        ('{"Name":"web","Env":[],"Secrets":[],"Restart":{"Condition":"none"},"Ports":[]}', "none", 0, ()),
        ('{"Name":"web","Env":[],"Secrets":[]}', None, None, None),
    ],
)
def test_a_service_that_does_not_say_is_restarted_without_end_and_an_old_bundle_does_not_tell(
    told: str, restart: str | None, attempts: int | None, ports: tuple[int, ...] | None
) -> None:
    (service,) = _services([f"service {told}"])
    assert (service.restart, service.attempts, service.ports) == (restart, attempts, ports)

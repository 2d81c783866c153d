"""What Windows hosts tell of themselves: host, drives, features, firewall, events."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.check import Check
from auditor.collect.bundle import Bundle, Section, Status, load
from auditor.facts.windows_builds import WindowsVersion
from auditor.facts.windows_events import WindowsEvents
from auditor.facts.windows_features import WindowsFeatures
from auditor.facts.windows_firewall import FirewallProfile, FirewallRule, WindowsFirewall
from auditor.facts.windows_host import WindowsHost
from auditor.facts.windows_volumes import WindowsVolume, WindowsVolumes
from auditor.gaps import Gap, Inconclusive, NotApplicable
from auditor.testing import Outcome, judge
from checks.windows.firewall import windows_firewall_off, windows_firewall_opens_engine
from checks.windows.host import (
    windows_data_on_system_volume,
    windows_engine_events_lost,
    windows_features_needless,
    windows_with_desktop,
)

RECORDINGS = Path(__file__).parents[1] / "recordings" / "windows"
FACTS: dict[str, Any] = {
    "windows-host": WindowsHost,
    "windows-volumes": WindowsVolumes,
    "windows-features": WindowsFeatures,
    "windows-firewall": WindowsFirewall,
    "windows-eventlog": WindowsEvents,
    "windows-service": WindowsEvents,
}
VOLUMES: dict[str, Any] = {
    "system_drive": "C:",
    "data_root": "E:\\docker",
    "volumes": [{"drive": "C:", "file_system": "NTFS", "size": 100, "free": 50, "protection": None}],
    "bitlocker_error": None,
}


def recorded(name: str = "server-2016-neglected") -> Bundle:
    return load((RECORDINGS / f"{name}.bundle").read_bytes())


def with_json(section: str, value: object, bundle: Bundle | None = None) -> Bundle:
    return (bundle or recorded()).adding({section: Section(json.dumps(value).encode())})


def test_a_recorded_host_is_read_whole() -> None:
    bundle = recorded()
    assert WindowsHost.parse(bundle).version == WindowsVersion(14393, 693)
    assert WindowsHost.parse(bundle).installation == "Server"
    assert WindowsVolumes.parse(bundle).data_root == r"C:\ProgramData\docker"
    assert "FS-SMB1" in WindowsFeatures.parse(bundle).installed
    assert WindowsEvents.parse(bundle) == WindowsEvents(max_bytes=20 * 1024**2)
    firewall = WindowsFirewall.parse(bundle)
    assert firewall.profiles[0] == FirewallProfile("Domain", enabled=False)
    assert [rule.ports for rule in firewall.opening("TCP", 2375)] == [("2375",)]


def test_a_client_is_told_from_a_server() -> None:
    assert WindowsHost.parse(recorded("desktop")).client
    assert not WindowsHost().client


@pytest.mark.parametrize(
    "told",
    [
        {"build": 0, "revision": 1, "edition": "x", "installation": "Server"},
        {"build": 20348, "revision": 1, "edition": "x", "installation": None},
        {"build": 20348, "revision": -1, "edition": "x", "installation": "Server"},
    ],
)
def test_a_registry_that_does_not_tell_is_a_gap(told: dict[str, object]) -> None:
    with pytest.raises(Inconclusive):
        WindowsHost.parse(with_json("windows-host", told))


@pytest.mark.parametrize(
    ("protection", "code", "encrypted"),
    [
        (1, None, True),
        (0, None, False),
        (2, None, None),
        (None, None, None),
        (None, "AccessDenied", None),
        (None, "InvalidNamespace", False),
    ],
)
def test_a_drive_is_encrypted_not_or_nobody_knows(
    protection: int | None, code: str | None, encrypted: bool | None
) -> None:
    volumes = [VOLUMES["volumes"][0] | {"protection": protection}]
    told = VOLUMES | {"volumes": volumes, "bitlocker_code": code, "bitlocker_error": code}
    assert WindowsVolumes.parse(with_json("windows-volumes", told)).all[0].encrypted is encrypted


def test_where_the_data_lies_is_told_by_the_engine_else_by_its_configuration() -> None:
    with pytest.raises(Inconclusive, match="which drive"):
        WindowsVolumes.parse(with_json("windows-volumes", VOLUMES | {"system_drive": ""}))
    told = with_json("windows-volumes", VOLUMES)
    assert WindowsVolumes.parse(told).data_volume == WindowsVolume("C:", "NTFS", 100, 50, encrypted=None)
    silent = told.adding({"engine-info": Section(b"", Status.TIMEOUT)})
    with pytest.raises(Inconclusive, match="the drive of E:"):
        _ = WindowsVolumes.parse(silent).data_volume
    with pytest.raises(NotApplicable):
        WindowsVolumes.parse(told.adding({"engine-version": Section(b"", Status.ABSENT)}))


def test_no_feature_at_all_is_not_believed() -> None:
    with pytest.raises(Inconclusive):
        WindowsFeatures.parse(with_json("windows-features", {"source": "server", "installed": []}))


def test_an_engine_that_runs_as_no_service_has_no_source_of_events() -> None:
    found = WindowsEvents.parse(with_json("windows-service", {"engine": None, "services": []}))
    assert (found.service, found.registered) == ("", False)
    with pytest.raises(NotApplicable):
        WindowsEvents.parse(recorded().adding({"windows-service": Section(b"", Status.ABSENT)}))


def test_a_firewall_without_profiles_is_not_believed() -> None:
    with pytest.raises(Inconclusive):
        WindowsFirewall.parse(with_json("windows-firewall", {"profiles": [], "rules": []}))


@pytest.mark.parametrize(
    ("protocol", "ports", "covers"),
    [
        ("TCP", ("2376",), True),
        ("6", ("2376",), True),
        ("Any", ("Any",), True),
        ("TCP", ("80", "2300-2400"), True),
        ("TCP", ("2376-2376",), True),
        ("UDP", ("2376",), False),
        ("17", ("2376",), False),
        ("TCP", ("23760",), False),
        ("TCP", ("RPC",), False),
        ("TCP", ("2400-",), False),
        ("TCP", (), False),
    ],
)
def test_a_rule_covers_numbers_ranges_and_any(protocol: str, ports: tuple[str, ...], covers: bool) -> None:
    assert FirewallRule(protocol=protocol, ports=ports).covers("TCP", 2376) is covers


@pytest.mark.parametrize(
    ("program", "is_for"),
    [("Any", True), ("", True), (r"C:\Program Files\Docker\DOCKERD.exe", True), (r"C:\iis.exe", False)],
)
def test_a_rule_for_another_program_is_not_the_engines(program: str, is_for: bool) -> None:
    assert FirewallRule(program=program).is_for("dockerd.exe") is is_for


@pytest.mark.parametrize(
    ("refusal", "opens"),
    [
        (FirewallRule(allows=False, remote=("Any",)), False),
        (FirewallRule(allows=False, remote=("Any",), local=("10.0.0.5",)), True),
        (FirewallRule(allows=False, remote=("Any",), program=r"C:\iis.exe"), True),
        (FirewallRule(allows=False, remote=("Any",), profiles=1), True),
        (FirewallRule(allows=False, remote=("Any",), ports=("80",)), True),
        (FirewallRule(allows=False, remote=("Any",), package="S-1-15-2-1-2"), True),
        (FirewallRule(allows=False, remote=("Any",), limited=True), True),
        (FirewallRule(allows=False), True),
        (FirewallRule(allows=False, remote=()), True),
        (FirewallRule(allows=False, remote=("Internet",)), True),
    ],
)
def test_a_refusal_of_the_whole_port_comes_before_what_allows_it(refusal: FirewallRule, opens: bool) -> None:
    rule = FirewallRule(profiles=2)
    assert bool(list(WindowsFirewall(rules=(rule, refusal)).opening("TCP", 2376))) is opens


@pytest.mark.parametrize(
    ("remote", "anywhere"),
    [
        (("Any",), True),
        ((), True),
        (("10.0.0.0/8", "Internet"), True),
        (("0.0.0.0/0",), True),
        (("0.0.0.0/0.0.0.0",), True),
        (("10.0.0.5", "0.0.0.0-255.255.255.255"), True),
        (("1.0.0.0-223.255.255.254",), True),
        (("128.0.0.0/1",), True),
        (("::/0",), True),
        (("2000::/3",), True),
        (("10.0.0.0/255.0.0.0", "fd00::/8", "10.0.0.1-10.0.0.9", "192.0.2.7"), False),
        (("LocalSubnet",), False),
    ],
)
def test_everywhere_is_written_in_several_ways(remote: tuple[str, ...], anywhere: bool) -> None:
    assert FirewallRule(remote=remote).from_anywhere is anywhere


def test_a_rule_whose_ports_windows_does_not_tell_is_named() -> None:
    raw = {"id": "x", "action": 2, "profile": 0, "protocol": "", "ports": [""], "remote": ["Any"], "local": ["Any"], "program": "", "package": "", "service": "", "interfaces": []}  # fmt: skip
    told = {
        "profiles": [{"name": "Domain", "enabled": 1, "inbound": 4}],
        "rules": [
            raw,
            raw | {"action": 4},
            raw | {"id": "icmp", "protocol": "ICMPv4"},
            raw | {"id": "y", "ports": ["2375"]},
        ],
    }
    found = WindowsFirewall.parse(with_json("windows-firewall", told))
    assert found.unread == ("x", "y")
    assert found.rules[0].profiles == 7


@pytest.mark.parametrize(
    ("more", "limited"),
    [
        ({}, False),
        ({"service": "Any", "interfaces": ["Any", "0"]}, False),
        ({"service": "docker"}, True),
        ({"interfaces": ["Any", "Wireless"]}, True),
    ],
)
def test_a_rule_for_a_service_or_some_network_cards_is_limited(
    more: dict[str, Any], *, limited: bool
) -> None:
    raw = {"id": "x", "action": 4, "profile": 0, "protocol": "TCP", "ports": ["Any"], "remote": ["Any"], "local": ["Any"], "program": "Any", "package": "", "service": "", "interfaces": []}  # fmt: skip
    told = {"profiles": [{"name": "Domain", "enabled": 1, "inbound": 4}], "rules": [raw | more]}
    (rule,) = WindowsFirewall.parse(with_json("windows-firewall", told)).rules
    assert (rule.limited, rule.package) == (limited, "Any")


def test_the_engines_ports_are_those_of_its_configuration_that_others_can_reach() -> None:
    assert WindowsFirewall.parse(recorded("server-2022-kept")).engine == (2376,)
    assert WindowsFirewall.parse(recorded("server-2019-default")).engine == ()
    assert "not known" in WindowsFirewall.parse(recorded()).gap
    none = recorded().adding(
        {"daemon": Section(status=Status.ABSENT), "engine-info": Section(status=Status.ABSENT)}
    )
    assert WindowsFirewall.parse(none).gap == ""


@pytest.mark.parametrize("section", FACTS)
@given(data=st.binary(max_size=60))
@settings(max_examples=40)
def test_any_bytes_are_read_or_are_a_gap(section: str, data: bytes) -> None:
    try:
        FACTS[section].parse(recorded().adding({section: Section(data)}))
    except Gap:
        return


JUDGED: list[tuple[str, Check[...], Callable[[Bundle], Any]]] = [
    ("windows-host", windows_with_desktop, WindowsHost.parse),
    ("windows-volumes", windows_data_on_system_volume, WindowsVolumes.parse),
    ("windows-features", windows_features_needless, WindowsFeatures.parse),
    ("windows-firewall", windows_firewall_off, WindowsFirewall.parse),
    ("windows-firewall", windows_firewall_opens_engine, WindowsFirewall.parse),
    ("windows-eventlog", windows_engine_events_lost, WindowsEvents.parse),
    ("windows-service", windows_engine_events_lost, WindowsEvents.parse),
]


@pytest.mark.parametrize(("section", "rule", "parse"), JUDGED)
@given(data=st.data())
@settings(max_examples=30)
def test_what_is_missing_never_turns_a_failure_into_a_pass(
    section: str, rule: Check[...], parse: Callable[[Bundle], Any], data: st.DataObject
) -> None:
    told = json.loads(recorded().read(section))
    assert judge(rule, parse(recorded())).outcome is Outcome.FAIL
    _remove_one(told, data)
    try:
        fact = parse(with_json(section, told))
    except Gap:
        return
    assert judge(rule, fact).outcome is not Outcome.PASS


def _remove_one(told: dict[str, Any], data: st.DataObject) -> None:
    """Remove one field, of the whole or of one of the objects in its lists."""
    objects = [told] + [it for value in told.values() if isinstance(value, list) for it in value if isinstance(it, dict)]  # fmt: skip
    chosen = data.draw(st.sampled_from(objects))
    del chosen[data.draw(st.sampled_from(sorted(chosen)))]

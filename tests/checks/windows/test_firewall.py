"""The firewall, judged."""

import pytest

from auditor.check import Inconclusive
from auditor.facts.windows_firewall import FirewallProfile, FirewallRule, WindowsFirewall
from checks.windows.firewall import windows_firewall_off, windows_firewall_opens_engine

PRIVATE = 3


def profiles(**one: bool | None) -> WindowsFirewall:
    return WindowsFirewall((FirewallProfile(), FirewallProfile("Public", **one)))


def opened(**rule: object) -> list[str]:
    firewall = WindowsFirewall(rules=(FirewallRule(**{"profiles": PRIVATE, **rule}),))  # type: ignore[arg-type]  # a test's few words
    return [found.observed for found in windows_firewall_opens_engine(firewall)]


def test_a_firewall_that_is_on_and_refuses_passes() -> None:
    assert not list(windows_firewall_off(WindowsFirewall()))
    assert not list(windows_firewall_opens_engine(WindowsFirewall()))


@pytest.mark.parametrize(
    ("one", "words"), [({"enabled": False}, "is off"), ({"refuses": False}, "is allowed")]
)
def test_a_profile_that_is_off_or_refuses_nothing_is_found(one: dict[str, bool], words: str) -> None:
    [found] = windows_firewall_off(profiles(**one))
    assert found.subject == "Public"
    assert words in found.observed
    [opening] = windows_firewall_opens_engine(profiles(**one))
    assert opening.subject == "Public"


@pytest.mark.parametrize("one", [{"enabled": None}, {"refuses": None}])
def test_a_profile_that_does_not_tell_is_not_judged(one: dict[str, None]) -> None:
    for rule in (windows_firewall_off, windows_firewall_opens_engine):
        with pytest.raises(Inconclusive, match="Public"):
            list(rule(profiles(**one)))


def test_the_port_without_tls_is_open_to_nobody() -> None:
    assert opened(ports=("2375",)) == [
        "TCP 2375 (the engine's API without TLS) is open to 10.0.0.0/255.255.255.0"
    ]
    assert "to every address" in opened(ports=("2375",), remote=("Any",))[0]


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ({}, 0),
        ({"remote": ("Any",)}, 1),
        ({"remote": ()}, 1),
        ({"profiles": 7}, 1),
        ({"ports": ("2377",), "remote": ("LocalSubnet",)}, 0),
        ({"ports": ("2370-2380",), "remote": ("Any",)}, 3),
        ({"ports": ("Any",), "protocol": "Any", "remote": ("Any",)}, 6),
        ({"ports": ("4789",), "protocol": "UDP", "remote": ("Any",), "program": "System"}, 1),
        ({"ports": ("2376",), "remote": ("Any",), "program": "System"}, 0),
        ({"ports": ("Any",), "remote": ("Any",), "program": r"C:\Windows\System32\svchost.exe"}, 0),
        ({"ports": ("Any",), "remote": ("Any",), "program": r"C:\Program Files\Docker\dockerd.exe"}, 4),
        ({"ports": ("443",), "remote": ("Any",)}, 0),
        ({"allows": False, "remote": ("Any",)}, 0),
        # An app from the store may be let in by any port; it is not the engine.
        ({"ports": ("Any",), "protocol": "Any", "remote": ("Any",), "package": "S-1-15-2-1-2"}, 0),
    ],
)
def test_the_engines_ports_are_for_named_addresses(rule: dict[str, object], count: int) -> None:
    assert len(opened(**rule)) == count


def test_a_rule_whose_ports_are_not_told_is_no_pass() -> None:
    with pytest.raises(Inconclusive, match="docker"):
        opened(ports=())


def test_a_port_of_its_own_that_the_engine_listens_on_is_one_of_its_ports() -> None:
    rule = FirewallRule(ports=("12376", "2376"), remote=("Any",))
    found = list(windows_firewall_opens_engine(WindowsFirewall(rules=(rule,), engine=(2376, 12376))))
    assert [it.observed for it in found] == [
        "TCP 2376 (the engine's API) is open to every address",
        "TCP 12376 (the engine listens there) is open to every address",
    ]


def test_ports_of_the_engine_that_are_not_known_are_no_pass() -> None:
    with pytest.raises(Inconclusive, match="not known"):
        list(windows_firewall_opens_engine(WindowsFirewall(gap="which ports it has is not known")))

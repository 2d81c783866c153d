"""What a Windows host is made of, judged."""

import pytest

from auditor.check import Inconclusive, NotApplicable
from auditor.facts.engine import Engine
from auditor.facts.windows_events import WindowsEvents
from auditor.facts.windows_features import WindowsFeatures
from auditor.facts.windows_host import WindowsHost
from auditor.facts.windows_volumes import WindowsVolume, WindowsVolumes
from checks.windows.host import (
    windows_data_on_system_volume,
    windows_data_volume_unfit,
    windows_engine_events_lost,
    windows_features_needless,
    windows_swarm_secrets_unencrypted,
    windows_with_desktop,
)

SWARM = Engine(swarm_state="active")


def on(**volume: object) -> WindowsVolumes:
    return WindowsVolumes(all=(WindowsVolume("C:"), WindowsVolume(**volume)), problem="denied")  # type: ignore[arg-type]  # a test's few words


def test_server_core_passes_and_a_desktop_is_found() -> None:
    assert not list(windows_with_desktop(WindowsHost()))
    assert not list(windows_with_desktop(WindowsHost(installation="Nano Server")))
    for kind, words in (("Server", "with a desktop"), ("Client", "for workstations")):
        [found] = windows_with_desktop(WindowsHost(installation=kind))
        assert words in found.observed
    with pytest.raises(Inconclusive, match="Azure Stack"):
        list(windows_with_desktop(WindowsHost(installation="Azure Stack")))


@pytest.mark.parametrize(
    "name",
    ["FS-SMB1", "FS-SMB1-CLIENT", "Web-Server", "RDS-RD-Server", "SMB1Protocol", "TelnetClient", "DNS"],
)
def test_a_needless_feature_is_found(name: str) -> None:
    [found] = windows_features_needless(WindowsFeatures(("Containers", name)))
    assert found.subject == name


def test_what_a_container_host_has_passes() -> None:
    needed = ("Containers", "Hyper-V", "RSAT-DNS-Server", "Web-Scripting-Tools", "PowerShell", "BitLocker")
    assert not list(windows_features_needless(WindowsFeatures(needed)))


def test_a_volume_of_ntfs_with_room_passes() -> None:
    assert not list(windows_data_volume_unfit(WindowsVolumes()))


def test_another_file_system_and_a_full_volume_are_found() -> None:
    found = list(windows_data_volume_unfit(on(file_system="ReFS", size=1000, free=99)))
    assert [it.observed for it in found] == ["D: is ReFS", "10% of D: is free"]
    assert "no known" in next(windows_data_volume_unfit(on(file_system=""))).observed
    assert not list(windows_data_volume_unfit(on(size=1000, free=100)))


def test_a_volume_without_a_size_is_not_judged() -> None:
    with pytest.raises(Inconclusive):
        list(windows_data_volume_unfit(on(size=0)))


def test_a_drive_that_was_not_seen_is_not_judged() -> None:
    for rule in (windows_data_volume_unfit, windows_data_on_system_volume):
        with pytest.raises(Inconclusive, match="E:"):
            list(rule(WindowsVolumes(data_root="E:\\docker")))


def test_data_on_windows_own_volume_are_found() -> None:
    assert not list(windows_data_on_system_volume(WindowsVolumes()))
    [found] = windows_data_on_system_volume(WindowsVolumes(data_root=r"c:\ProgramData\docker"))
    assert found.subject == r"c:\ProgramData\docker"


def test_secrets_of_a_swarm_on_a_volume_in_clear_are_found() -> None:
    assert not list(windows_swarm_secrets_unencrypted(SWARM, WindowsVolumes()))
    [found] = windows_swarm_secrets_unencrypted(SWARM, on(encrypted=False))
    assert found.subject == "D:"
    with pytest.raises(Inconclusive, match="denied"):
        list(windows_swarm_secrets_unencrypted(SWARM, on(encrypted=None)))


@pytest.mark.parametrize(
    ("state", "gap"), [("inactive", NotApplicable), ("locked", Inconclusive), ("", Inconclusive)]
)
def test_without_a_swarm_there_are_no_secrets(state: str, gap: type[Exception]) -> None:
    with pytest.raises(gap):
        list(windows_swarm_secrets_unencrypted(Engine(swarm_state=state), on(encrypted=False)))


@pytest.mark.parametrize(
    ("events", "observed"),
    [
        (WindowsEvents(), []),
        (WindowsEvents(registered=False), ["no source of events"]),
        (WindowsEvents(service="", registered=False), ["runs as no service"]),
        (WindowsEvents(enabled=False), ["the log is off"]),
        (WindowsEvents(max_bytes=20 * 1024**2), ["20 MB"]),
        (WindowsEvents(max_bytes=32 * 1024**2), []),
    ],
)
def test_events_need_a_source_and_a_log_with_room(events: WindowsEvents, observed: list[str]) -> None:
    assert [it.observed for it in windows_engine_events_lost(events)] == observed

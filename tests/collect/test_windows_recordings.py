"""The recorded Windows hosts: made of what they say they are, and read by the facts that Linux hosts share."""

import pytest

from auditor.facts.containers import Containers
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine
from auditor.facts.images import Images
from auditor.facts.networks import Networks
from tests.lab import windows_fleet, windows_hosts
from tests.lab.windows_machine import FOLDER
from tests.lab.wsman.powershell import recorded


@pytest.mark.parametrize("name", windows_fleet.HOSTS)
def test_a_recording_is_what_its_parts_make(name: str) -> None:
    made = windows_hosts.dump(name, windows_hosts.bundle(windows_fleet.HOSTS[name]()))
    assert (FOLDER / f"{name}.bundle").read_bytes() == made, "run python -m tests.lab.windows_fleet"


@pytest.mark.parametrize("name", windows_fleet.HOSTS)
def test_the_facts_of_linux_hosts_read_it(name: str) -> None:
    bundle = recorded(name)
    assert Engine.parse(bundle).os_type == "windows"
    assert not Containers.parse(bundle).unseen
    assert [network.name for network in Networks.parse(bundle)] == ["nat", "none"]
    assert Images.parse(bundle).all or name == "desktop"


def test_the_effective_configuration_is_merged_from_service_and_file() -> None:
    kept = DaemonConfig.parse(recorded("server-2022-kept"))
    assert kept.setting("tlsverify").value is True
    assert kept.setting("hosts").value == ("npipe:////./pipe/docker_engine", "tcp://10.20.0.15:2376")
    fresh = DaemonConfig.parse(recorded("server-2019-default"))
    assert not fresh.is_set("hosts")


@pytest.mark.parametrize("name", windows_fleet.HOSTS)
def test_no_secret_is_in_a_recording(name: str) -> None:
    text = (FOLDER / f"{name}.bundle").read_bytes()
    assert b"PRIVATE KEY-----" not in text
    assert b"<password>" not in text
    assert b"DB_PASSWORD=" not in text

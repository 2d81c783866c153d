"""Where the engine's data lies, judged."""

import pytest

from auditor.check import Inconclusive, Manual
from auditor.facts.storage import Mount, Storage
from checks.host.storage import layers_on_a_system_volume

ROOT = Mount("/", "254:0")


def test_a_volume_of_its_own_passes() -> None:
    assert not list(layers_on_a_system_volume(Storage()))


def test_a_daemon_that_maps_users_has_its_folder_below_the_volume_of_the_data_root() -> None:
    assert not list(layers_on_a_system_volume(Storage(("/var/lib/docker/362144.362144",))))


@pytest.mark.parametrize("point", ["/", "/var", "/var/lib"])
def test_a_volume_that_the_system_lives_on_is_found(point: str) -> None:
    [found] = layers_on_a_system_volume(
        Storage(mounts=(ROOT, Mount(point, "254:0" if point == "/" else "254:7")))
    )
    assert (found.subject, found.expected) == ("/var/lib/docker", "a volume of its own")
    assert f"volume of {point} " in found.observed


def test_containerds_folder_is_judged_by_itself() -> None:
    [found] = layers_on_a_system_volume(Storage(("/var/lib/docker", "/var/lib/containerd")))
    assert found.subject == "/var/lib/containerd"


def test_another_volume_around_the_folder_is_for_a_person_to_judge() -> None:
    with pytest.raises(Manual, match="/data"):
        list(layers_on_a_system_volume(Storage(("/data/docker",), (ROOT, Mount("/data")))))


def test_unknown_volumes_are_not_judged() -> None:
    with pytest.raises(Inconclusive):
        list(layers_on_a_system_volume(Storage(mounts=())))

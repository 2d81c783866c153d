"""What stands behind the engine's volumes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.container import Container, Mount
from auditor.facts.volumes import Volumes
from auditor.gaps import Gap, Inconclusive, NotApplicable

PLACE = "/var/lib/docker/volumes/v/_data"


def parse(text: str, status: int = 0) -> Volumes:
    return Volumes.parse(Bundle({"volumes": Section(text.encode(), status)}))


def volume(device: str) -> str:
    return f'{{"Name":"v","Mountpoint":"{PLACE}","Device":"{device}"}}\n'


@pytest.mark.parametrize(
    ("device", "behind"), [("/etc", {PLACE: "/etc"}), ("", {}), (":/export", {}), ("tmpfs", {})]
)
def test_only_what_is_of_the_host_stands_behind_a_volume(device: str, behind: dict[str, str]) -> None:
    assert parse(volume(device)).devices == behind


def test_a_volume_that_stands_for_a_folder_is_a_mount_of_it() -> None:
    other = Mount("/var/lib/docker/volumes/w/_data", "volume")
    container = Container(mounts=(Mount(f"{PLACE}/", "volume", "/data", rw=True), other, Mount("/srv")))
    assert list(parse(volume("/etc")).mounts(container)) == [
        Mount("/etc", "bind", "/data", rw=True),
        other,
        Mount("/srv"),
    ]


def test_volumes_that_could_not_be_listed_are_a_gap_where_a_container_has_one() -> None:
    container = Container(mounts=(Mount(PLACE, "volume"),))
    for unknown in (parse("", 1), Volumes.parse(Bundle())):
        unknown.explain([Container()])
        with pytest.raises(Inconclusive, match="behind the containers' volumes"):
            unknown.explain([container])
    parse(volume("/etc")).explain([container])


def test_without_an_engine_there_are_none() -> None:
    with pytest.raises(NotApplicable):
        parse("", Status.ABSENT)


@given(st.binary(max_size=60))
def test_nothing_that_a_host_says_crashes_the_parser(data: bytes) -> None:
    with contextlib.suppress(Gap):
        Volumes.parse(Bundle({"volumes": Section(data)}))

"""What stands behind the engine's volumes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.container import Container, Mount
from auditor.facts.volumes import Volumes
from auditor.gaps import Gap, Inconclusive, NotApplicable

PLACE = "/data/docker/volumes/v/_data"
MOUNTS = b"shows 1 1 254:0 / /\nshows 2 1 254:0 /usr/lib /opt/again\n"
INFO = b'{"ServerVersion":"29.0.0","OSType":"linux","DockerRootDir":"/data/docker/"}'


def parse(text: str, status: int = 0) -> Volumes:
    return Volumes.parse(engine({"volumes": Section(text.encode(), status)}))


def engine(more: dict[str, Section]) -> Bundle:
    told = {"engine-version": Section(b"{}"), "engine-info": Section(INFO), "mounts": Section(MOUNTS)}
    return Bundle({**told, **more})


def volume(device: str, kind: str = "none") -> str:
    return f'{{"Name":"v","Mountpoint":"{PLACE}","Type":"{kind}","Device":"{device}"}}\n'


@pytest.mark.parametrize(
    ("device", "behind"),
    [
        ("/etc", {PLACE: "/etc"}),
        ("/srv/a:b", {PLACE: "/srv/a:b"}),
        ("etc", {PLACE: "/etc"}),
        ("../etc/", {PLACE: "/../etc/"}),
        ("", {}),
        (":/export", {}),
        ("nas:/export", {}),
    ],
)
def test_only_what_is_of_the_host_stands_behind_a_volume(device: str, behind: dict[str, str]) -> None:
    assert parse(volume(device)).devices == behind


def test_a_volume_that_stands_for_a_folder_is_a_mount_of_it() -> None:
    other = Mount("/data/docker/volumes/w/_data", "volume")
    container = Container(mounts=(Mount(f"{PLACE}/", "volume", "/data", rw=True), other, Mount("/srv")))
    assert list(parse(volume("/etc")).mounts(container)) == [
        Mount("/etc", "bind", "/data", rw=True, leads_to=None),
        other,
        Mount("/srv"),
    ]


def test_a_volume_tells_where_its_folder_leads() -> None:
    container = Container(mounts=(Mount(PLACE, "volume"),))
    for told, leads_to in (
        ("plain /srv", ""),
        ("link /srv\nresolved /etc", "/etc"),
        ("link /srv\nresolved ", None),
        ("denied /srv", None),
    ):
        (mount,) = parse(volume("srv") + told).mounts(container)
        assert (mount.source, mount.leads_to) == ("/srv", leads_to)


def test_a_plugins_volume_is_a_mount_of_where_the_plugin_put_it() -> None:
    container = Container(mounts=(Mount("/etc", "volume", "/data", rw=True),))
    assert list(parse("").mounts(container)) == [Mount("/etc", "bind", "/data", rw=True, leads_to=None)]
    for told, leads_to in (("plain /etc\n", ""), ("link /etc\nresolved /srv\n", "/srv")):
        expected = Mount("/etc", "bind", "/data", rw=True, leads_to=leads_to)
        assert list(parse(told).mounts(container)) == [expected]


def test_a_plugins_volume_that_is_not_mounted_is_found_by_its_name() -> None:
    listed = '{"Name":"shared","Mountpoint":""}\n{"Name":"shared","Mountpoint":"/etc"}\nplain /etc\n'
    container = Container(name="web", mounts=(Mount("shared", "volume"),))
    assert list(parse(listed).mounts(container)) == [Mount("/etc", "bind", leads_to="")]
    parse(listed).explain([container])
    for untold in ('{"Name":"shared","Mountpoint":""}\n', ""):
        assert list(parse(untold).mounts(container)) == []
        with pytest.raises(
            Inconclusive, match="of web is not known: where its plugin has shared is not told"
        ):
            parse(untold).explain([container])


@pytest.mark.parametrize("device", ["overlay", "/etc"])
def test_what_an_overlay_lays_over_each_other_is_not_known(device: str) -> None:
    with pytest.raises(Inconclusive, match=r"of web is not known: .* is an overlay"):
        parse(volume(device, "overlay")).explain([Container(name="web", mounts=(Mount(PLACE, "volume"),))])


def test_volumes_that_could_not_be_listed_are_a_gap_where_a_container_has_one() -> None:
    container = Container(mounts=(Mount(PLACE, "volume"),))
    for unknown in (parse("", 1), Volumes.parse(engine({}))):
        unknown.explain([Container()])
        with pytest.raises(Inconclusive, match="behind the volumes of"):
            unknown.explain([container])
    parse(volume("/etc")).explain([container])


def test_without_an_engine_there_are_none() -> None:
    with pytest.raises(NotApplicable):
        parse("", Status.ABSENT)


@given(st.binary(max_size=60))
def test_nothing_that_a_host_says_crashes_the_parser(data: bytes) -> None:
    with contextlib.suppress(Gap):
        Volumes.parse(engine({"volumes": Section(data)}))


def test_a_bind_mount_has_every_name_of_what_it_shows() -> None:
    container = Container(mounts=(Mount("/opt/again/ssh"), Mount("/opt"), Mount("/srv")))
    assert [mount.also for mount in parse("").mounts(container)] == [("/usr/lib/ssh",), ("/usr/lib",), ()]
    linked = Container(mounts=(Mount("/link", leads_to="/opt/again"),))
    assert [mount.also for mount in parse("").mounts(linked)] == [("/usr/lib",)]


@pytest.mark.parametrize("mounts", [Section(b""), Section(b"", 1), Section(b"shows nonsense\n")])
def test_where_nobody_told_what_is_mounted_a_mounts_other_names_are_not_known(mounts: Section) -> None:
    container = Container(mounts=(Mount("/srv"), Mount("/link", leads_to="/etc")))
    unknown = Volumes.parse(engine({"volumes": Section(b""), "mounts": mounts}))
    assert [(mount.leads_to, mount.also, mount.seen_through) for mount in unknown.mounts(container)] == [
        ("", None, False),
        ("/etc", None, False),
    ]


def seen(
    volumes: str, mounts: str, *container: Mount
) -> list[tuple[str, str, tuple[str, ...] | None, str | None]]:
    told = engine({"volumes": Section(volumes.encode()), "mounts": Section(mounts.encode())})
    found = Volumes.parse(told).mounts(Container(mounts=container))
    return [(mount.type, mount.source, mount.also, mount.leads_to) for mount in found]


USED = f"shows 1 1 254:0 / /\nshows 2 1 254:0 /srv/foo {PLACE}\n"


def test_the_engines_own_mount_of_a_volume_is_no_further_name_of_what_it_stands_for() -> None:
    listed = volume("/srv/foo") + "plain /srv/foo\n"
    direct, parent = Mount("/srv/foo"), Mount("/srv")
    assert seen(listed, USED, Mount(PLACE, "volume"), direct, parent) == [
        ("bind", "/srv/foo", (), ""),
        ("bind", "/srv/foo", (), ""),
        ("bind", "/srv", (), ""),
    ]


def test_what_somebody_mounted_over_a_volume_is_what_it_shows() -> None:
    over = f"shows 1 1 254:0 / /\nshows 2 1 254:0 /etc {PLACE}\n"
    assert seen(volume(""), over, Mount(PLACE, "volume")) == [("bind", "/etc", (), "")]
    assert seen(volume(""), "shows 1 1 254:0 / /\n", Mount(PLACE, "volume")) == [("volume", PLACE, (), "")]
    other_disk = "shows 1 1 254:0 / /\nshows 2 1 8:16 / /disk\nshows 3 1 8:16 /docker /data/docker\n"
    assert seen(volume(""), other_disk, Mount(PLACE, "volume")) == [("volume", PLACE, (), "")]
    assert seen("", other_disk, Mount("/disk")) == [("bind", "/disk", ("/data/docker",), "")]


def test_a_disk_as_a_volume_is_what_else_it_is_mounted_at_and_not_known_while_it_is_not_mounted() -> None:
    mounted = Mount(PLACE, "volume")
    root = f"shows 1 1 254:0 / /\nshows 2 1 254:0 / {PLACE}\n"
    assert seen(volume("/dev/vda", "ext4"), root, mounted) == [("bind", "/", (), "")]
    own = f"shows 1 1 254:0 / /\nshows 2 1 8:16 / {PLACE}\n"
    assert seen(volume("/dev/sdb", "ext4"), own, mounted) == []
    assert seen(volume("/dev/sdb", "ext4"), "shows 1 1 254:0 / /\n", mounted) == [
        ("bind", "/dev/sdb", (), None)
    ]


def test_a_volume_that_a_managed_plugin_keeps_with_the_engine_is_the_engines_own() -> None:
    place = "/data/docker/plugins/ab/propagated-mount/v"
    listed = f'{{"Name":"shared","Mountpoint":"{place}"}}\n'
    assert seen(listed, "shows 1 1 254:0 / /\n", Mount("shared", "volume")) == []


def test_where_nobody_told_what_is_mounted_what_a_volume_shows_is_not_known() -> None:
    unknown = Volumes.parse(engine({"volumes": Section(volume("").encode()), "mounts": Section(b"", 1)}))
    with pytest.raises(Inconclusive, match=f"of web is not known: what is mounted at {PLACE} is not told"):
        unknown.explain([Container(name="web", mounts=(Mount(PLACE, "volume"),))])
    unknown.explain([Container(mounts=(Mount("/srv"),))])

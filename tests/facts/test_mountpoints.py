"""By which names a folder can be reached, as the kernel tells what is mounted where."""

import pytest

from auditor.collect.bundle import Bundle, Section
from auditor.facts.mountpoints import Mountpoints, Shown
from auditor.gaps import Inconclusive


def points(*shown: Shown) -> Mountpoints:
    return Mountpoints((Shown("/"), *shown))


@pytest.mark.parametrize(
    ("path", "also"),
    [
        ("/srv/again", ("/etc",)),
        ("/srv/again/ssh", ("/etc/ssh",)),
        ("/srv", ("/etc",)),
        ("/srv/against", ()),
        ("/etc", ("/srv/again",)),
        ("/etc/ssh", ("/srv/again/ssh",)),
        ("/", ()),
        ("/opt", ()),
    ],
)
def test_a_folder_that_is_mounted_elsewhere_has_both_names(path: str, also: tuple[str, ...]) -> None:
    assert points(Shown("/srv/again", "/etc")).also(path) == also


def test_a_folder_of_another_volume_is_known_by_where_it_is_mounted() -> None:
    known = points(Shown("/data", "/", "8:16"), Shown("/var/lib/docker", "/docker", "8:16"))
    assert known.also("/data") == ("/var/lib/docker",)
    assert known.also("/data/docker") == ("/var/lib/docker",)
    assert known.also("/data/docker/volumes") == ("/var/lib/docker/volumes",)
    assert known.also("/data/other") == ()
    assert known.also("/var/lib/docker") == ("/data/docker",)
    assert known.also("/var/lib") == ("/data/docker",)


def test_a_whole_volume_that_is_mounted_twice_is_one() -> None:
    assert points(Shown("/mnt/root")).also("/mnt/root") == ("/",)
    assert points(Shown("/mnt/root")).also("/mnt/root/etc") == ("/etc",)
    assert points(Shown("/mnt/root")).also("/mnt") == ("/",)


def test_of_several_at_one_point_the_last_is_seen_and_a_mount_on_itself_is_no_other_name() -> None:
    over = points(Shown("/srv/x", "/etc"), Shown("/srv/x", "/", "8:16"))
    assert over.also("/srv/x") == ()
    assert points(Shown("/var/lib/docker", "/var/lib/docker")).also("/var/lib/docker") == ()
    assert points(Shown("/var/lib/docker", "/var/lib/docker")).also("/var/lib") == ()


def test_parts_that_no_point_shows_have_one_name() -> None:
    subvolumes = Mountpoints((Shown("/", "/@", "0:30"), Shown("/home", "/@home", "0:30")))
    assert subvolumes.also("/home") == ()
    assert Mountpoints((Shown("/srv"),)).also("/etc") == ()


def test_lines_are_read_as_the_kernel_writes_them() -> None:
    text = b"mount 254:0 ext4 /\nshows 254:0 / /\nshows 254:0 /a\\040b /srv/c\\134d\ncontainerd-root /c\n"
    known = Mountpoints.parse(Bundle({"mounts": Section(text)}))
    assert known.shown == (Shown("/"), Shown("/srv/c\\d", "/a b"))


@pytest.mark.parametrize("text", [b"", b"mount 254:0 ext4 /\n", b"shows 254:0 ext4\n", b"shows x / /\n"])
def test_what_was_not_told_is_a_gap(text: bytes) -> None:
    with pytest.raises(Inconclusive):
        Mountpoints.parse(Bundle({"mounts": Section(text)}))

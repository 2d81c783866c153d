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


def test_a_mount_on_itself_is_no_other_name() -> None:
    assert points(Shown("/var/lib/docker", "/var/lib/docker")).also("/var/lib/docker") == ()
    assert points(Shown("/var/lib/docker", "/var/lib/docker")).also("/var/lib") == ()


def parse(*lines: str) -> Mountpoints:
    return Mountpoints.parse(
        Bundle({"mounts": Section("".join(f"shows {line}\n" for line in lines).encode())})
    )


ROOT = "1 1 254:0 / /"


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        ([], ["/"]),
        (["2 1 0:9 / /srv", "3 2 254:0 /etc /srv/x"], ["/", "/srv", "/srv/x"]),
        (["2 1 0:9 / /srv", "3 2 0:10 / /srv"], ["/", "/srv"]),
        (["2 1 0:9 / /srv/x", "3 1 254:0 /etc /srv"], ["/", "/srv"]),
        (["2 1 0:9 / /srv/x", "3 1 254:0 /etc /srv", "4 2 0:10 / /srv/x/y"], ["/", "/srv"]),
        (["2 1 0:9 / /srv", "3 2 0:10 / /srv/x", "4 2 0:11 / /srv"], ["/", "/srv"]),
        (["2 1 0:9 / /srv", "3 2 0:11 / /srv", "4 3 0:10 / /srv/x"], ["/", "/srv", "/srv/x"]),
        (["2 1 0:9 / /", "3 2 0:11 / /srv"], ["/", "/srv"]),
        (["2 7 0:9 / /srv"], ["/", "/srv"]),
    ],
)
def test_what_later_mounts_hide_is_not_seen(lines: list[str], seen: list[str]) -> None:
    known = parse(ROOT, *lines)
    assert [each.point for each in known.shown] == seen


def test_of_several_at_one_point_the_last_is_seen() -> None:
    over = parse(ROOT, "2 1 254:0 /etc /srv/x", "3 2 8:16 / /srv/x")
    assert over.also("/srv/x") == ()
    hidden = parse(ROOT, "2 1 0:9 / /srv/h/ssl", "3 1 254:0 /etc /srv/h")
    assert hidden.also("/srv/h/ssl") == ("/etc/ssl",)


def test_thousands_of_mountpoints_are_looked_up() -> None:
    pods = (Shown(f"/var/lib/kubelet/{n}/v", "/", f"0:{n}") for n in range(3000))
    parts = (Shown(f"/run/parts/{n}", f"/data/{n}") for n in range(3000))
    known = points(*pods, *parts)
    assert known.also("/var") == ()
    assert known.also("/run/parts/7/x") == ("/data/7/x",)
    assert len(known.also("/data")) == 3000


def test_parts_that_no_point_shows_have_one_name() -> None:
    subvolumes = Mountpoints((Shown("/", "/@", "0:30"), Shown("/home", "/@home", "0:30")))
    assert subvolumes.also("/home") == ()
    assert Mountpoints((Shown("/srv"),)).also("/etc") == ()


def test_lines_are_read_as_the_kernel_writes_them() -> None:
    text = "mount 254:0 ext4 /\nshows 1 1 254:0 / /\nshows 2 1 254:0 /a\\040b /srv/c\\134d\u00a0\u0085\u2028\ncontainerd-root /c\n"
    known = Mountpoints.parse(Bundle({"mounts": Section(text.encode())}))
    assert known.shown == (Shown("/"), Shown("/srv/c\\d\u00a0\u0085\u2028", "/a b"))


@pytest.mark.parametrize(
    "text", [b"", b"mount 254:0 ext4 /\n", b"shows 1 1 254:0 ext4\n", b"shows 1 1 x / /\n"]
)
def test_what_was_not_told_is_a_gap(text: bytes) -> None:
    with pytest.raises(Inconclusive):
        Mountpoints.parse(Bundle({"mounts": Section(text)}))

"""Volumes and the folders that layers lie in."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section
from auditor.facts.storage import Mount, Storage
from auditor.gaps import Inconclusive

MOUNTS = "mount 254:0 ext4 /\nmount 0:5 tmpfs /run\nmount 254:1 xfs /var/lib/docker\n"
SNAPSHOTTER = [["driver-type", "io.containerd.snapshotter.v1"]]
VERSION = {"Server": {"Components": [{"Name": "Engine"}]}}


def bundle(mounts: str = MOUNTS, **info: object) -> Bundle:
    engine = {"ServerVersion": "29.1.0", "DockerRootDir": "/var/lib/docker", **info}
    return Bundle(
        {
            "engine-version": Section(json.dumps(VERSION).encode()),
            "engine-info": Section(json.dumps(engine).encode()),
            "mounts": Section(mounts.encode()),
        }
    )


def test_layers_lie_below_the_data_root() -> None:
    storage = Storage.parse(bundle())
    assert storage.folders == ("/var/lib/docker",)
    assert storage.volume_of("/var/lib/docker") == Mount("/var/lib/docker", "254:1", "xfs")
    assert storage.volume_of("/var/lib").point == "/"


def test_with_the_containerd_image_store_they_lie_in_containerds_folder() -> None:
    assert Storage.parse(bundle(DriverStatus=SNAPSHOTTER)).folders == (
        "/var/lib/docker",
        "/var/lib/containerd",
    )
    moved = Storage.parse(bundle(MOUNTS + "containerd-root /srv/containerd\n", DriverStatus=SNAPSHOTTER))
    assert moved.folders[1] == "/srv/containerd"


@pytest.mark.parametrize(
    ("address", "folders"),
    [("/run/user/1000/docker/containerd/containerd.sock", 1), ("/run/containerd/containerd.sock", 2)],
)
def test_a_containerd_of_the_daemons_own_keeps_them_below_the_data_root(address: str, folders: int) -> None:
    storage = Storage.parse(bundle(DriverStatus=SNAPSHOTTER, Containerd={"Address": address}))
    assert len(storage.folders) == folders


def test_a_rootless_engine_that_does_not_tell_has_its_own_containerd() -> None:
    rootless = bundle(DriverStatus=SNAPSHOTTER).adding(
        {
            "daemon": Section(b"socket /run/user/1000/docker.sock\npid 7 socket\nuid 1000\n"),
            "daemon-config": Section(b"/home/anna/.config/docker/daemon.json\n", 66),
        }
    )
    assert Storage.parse(rootless).folders == ("/var/lib/docker",)


def test_containerds_folder_is_not_guessed_when_its_configuration_may_not_be_read() -> None:
    with pytest.raises(Inconclusive, match="permission denied"):
        Storage.parse(bundle(MOUNTS + "denied /etc/containerd/config.toml\n", DriverStatus=SNAPSHOTTER))


def test_a_folder_mounted_on_itself_is_on_the_volume_around_it() -> None:
    storage = Storage(mounts=(Mount("/", "254:0"), Mount("/var/lib/docker", "254:0")))
    assert storage.volume_of("/var/lib/docker").point == "/"


def test_the_last_of_two_mounts_at_one_point_counts() -> None:
    storage = Storage(mounts=(Mount("/", "0:1", "rootfs"), Mount("/", "254:0")))
    assert storage.volume_of("/var").device == "254:0"


def test_a_mount_point_with_a_blank_is_read() -> None:
    storage = Storage.parse(
        bundle("mount 1:1 ext4 /\nmount 1:2 ext4 /my\\040data\n", DockerRootDir="/my data/d")
    )
    assert storage.volume_of("/my data/d").point == "/my data"


@pytest.mark.parametrize("mounts", ["", "mount rubbish\n", "mount 1:2 ext4 relative\n"])
def test_what_the_kernel_does_not_print_is_not_known(mounts: str) -> None:
    with pytest.raises(Inconclusive):
        Storage.parse(bundle(mounts))


def test_no_mount_above_a_folder_is_not_known() -> None:
    with pytest.raises(Inconclusive, match="no volume"):
        Storage(mounts=(Mount("/srv"),)).volume_of("/var/lib/docker")


@given(st.lists(st.sampled_from(["/", "/var", "/var/lib", "/var/lib/docker", "/srv"]), min_size=1), st.data())
def test_a_volume_always_holds_the_folder(points: list[str], data: st.DataObject) -> None:
    devices = [data.draw(st.sampled_from(["1:1", "1:2"])) for _ in points]
    storage = Storage(mounts=(Mount("/", "1:1"), *(Mount(*it) for it in zip(points, devices, strict=True))))
    assert "/var/lib/docker/".startswith(storage.volume_of("/var/lib/docker").point.rstrip("/") + "/")


@given(st.text())
def test_no_text_crashes_the_parser(text: str) -> None:
    with contextlib.suppress(Inconclusive):
        Storage.parse(bundle(text))

"""Windows images, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Check, Inconclusive, Manual, NotApplicable
from auditor.facts.containers import Container
from auditor.facts.images import Image, Images
from auditor.facts.used_images import UsedImage, UsedImages
from auditor.policy import Policy
from checks.windows.image_contents import (
    large_windows_image,
    source_not_told,
    unproven_windows_base,
    windows_image_without_version,
)
from checks.windows.users import image_runs_as_administrator
from tests.checks.runtime.judging import UNSEEN, WEB, answer, containers, observed
from tests.checks.windows.runtime_hosts import IIS, IMAGE, UNSEEN_IMAGES, used

SOURCES = tuple(f"org.opencontainers.image.{name}" for name in ("source", "revision", "created"))
BASE = Image(
    id="sha256:ba",
    tags=("mcr.microsoft.com/windows/servercore:ltsc2022",),
    digests=("mcr.microsoft.com/windows/servercore@sha256:ba",),
    created="2026-01-01T00:00:00Z",
    layers=("a", "b"),
    size=5_000_000,
)
APP = replace(IMAGE, created="2026-02-01T00:00:00Z", layers=("a", "b", "c"), size=7_000_000)
CHECKS = [image_runs_as_administrator, large_windows_image, source_not_told]


def on(base: Image, image: Image = APP) -> UsedImages:
    return replace(used(image), images=Images((image, base)))


def bases(images: UsedImages, *registries: str) -> tuple[list[str], object]:
    policy = Policy(allowed_registries=registries)
    return observed(unproven_windows_base(images, policy)), answer(unproven_windows_base(images, policy))[1]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_images_that_are_not_read_or_not_of_windows(check: Check[...]) -> None:
    linux = UsedImages((UsedImage(Image(), (WEB,)),))
    assert isinstance(answer(check(UNSEEN_IMAGES))[1], Inconclusive)
    assert isinstance(answer(check(linux))[1], NotApplicable)
    assert isinstance(answer(check(UsedImages()))[1], NotApplicable)


def test_a_base_of_microsofts_registry_or_of_a_trusted_one_is_proven() -> None:
    assert bases(on(BASE)) == ([], None)
    assert bases(used(BASE)) == ([], None)
    copied = replace(BASE, digests=("registry.example/core@sha256:ba",), tags=("registry.example/core:1",))
    assert bases(on(copied), "registry.example") == ([], None)


def test_a_base_that_nothing_proves_is_left_to_a_person() -> None:
    labelled = replace(APP, labels=("org.opencontainers.image.base.name",), tags=("two:1",))
    found, gap = bases(used(APP, labelled))
    assert not found
    assert isinstance(gap, Manual)
    assert str(gap).endswith("registry.example/iis:1.4; two:1, though a label of it names one")


@pytest.mark.parametrize(
    "retired", [{"tags": ("microsoft/iis:latest",)}, {"digests": ("microsoft/iis@sha256:1",), "tags": ()}]
)
def test_microsofts_old_repositories_are_found_by_tag_and_by_digest(
    retired: dict[str, tuple[str, ...]],
) -> None:
    old = replace(BASE, **{"digests": (), **retired})  # its fields are tuples
    assert bases(used(old))[0] == [f"{old.name}: is docker.io/microsoft/iis, which gets no updates"]
    assert bases(on(old))[0] == [
        "registry.example/iis:1.4: is built on docker.io/microsoft/iis, which gets no updates"
    ]


def test_bases_that_cannot_be_read_are_no_pass() -> None:
    assert isinstance(bases(UNSEEN_IMAGES)[1], Inconclusive)


@pytest.mark.parametrize("name", ["iis", "registry.example:5000/iis", "iis:latest", ""])
def test_a_name_without_a_version_is_found(name: str) -> None:
    found = observed(windows_image_without_version(containers(replace(IIS, image=name))))
    assert found == [f"iis: Config.Image = {name or 'no name'}"]


@pytest.mark.parametrize(
    "name", ["iis:10", "iis@sha256:ab", "sha256:" + "1a" * 32, "1a2b3c4d5e6f", "registry.example:5000/iis:1"]
)
def test_a_version_or_a_digest_is_one(name: str) -> None:
    assert answer(windows_image_without_version(containers(replace(IIS, image=name)))) == ([], None)


def test_names_that_are_not_there_or_not_read() -> None:
    assert isinstance(answer(windows_image_without_version(UNSEEN))[1], Inconclusive)
    assert isinstance(answer(windows_image_without_version(containers(WEB)))[1], NotApplicable)


def test_layers_and_bytes_are_told_above_the_base() -> None:
    assert str(answer(large_windows_image(on(BASE)))[1]).endswith(
        "large? registry.example/iis:1.4: 1 layers, 2 MB above its base"
    )
    many = replace(APP, layers=tuple(map(str, range(21))))
    assert str(answer(large_windows_image(used(many)))[1]).startswith("some have many layers: must")


def test_layers_that_are_not_told_are_no_pass() -> None:
    assert isinstance(answer(large_windows_image(used(replace(APP, layers=None))))[1], Inconclusive)
    assert isinstance(answer(large_windows_image(used(replace(APP, size=None))))[1], Inconclusive)


def labelled(image: tuple[str, ...] | None, container: tuple[str, ...] | None) -> UsedImages:
    one: Container = replace(IIS, labels=container)
    return UsedImages((UsedImage(replace(APP, labels=image), (one,)),))


def test_labels_tell_the_source() -> None:
    assert answer(source_not_told(labelled(SOURCES, ("com.docker.compose.project",)))) == ([], None)
    gap = answer(source_not_told(labelled(SOURCES[:2], ())))[1]
    assert isinstance(gap, Manual)
    assert (
        "image registry.example/iis:1.4 has no label of its created; container iis was started by hand"
        in str(gap)
    )


def test_labels_that_were_not_asked_for_are_no_pass() -> None:
    for images in (labelled(None, ()), labelled(SOURCES, None)):
        assert isinstance(answer(source_not_told(images))[1], Inconclusive)


def test_an_image_that_names_no_user_runs_as_administrator() -> None:
    bare = replace(IMAGE, user="")
    assert observed(image_runs_as_administrator(used(bare, IMAGE))) == [
        "registry.example/iis:1.4: Config.User = none, which is ContainerAdministrator"
    ]


def test_a_person_looks_at_other_names_and_at_what_starts_services() -> None:
    monitor = replace(IMAGE, user="", entrypoint=("cmd", "/S", "/C", r"C:\ServiceMonitor.exe w3svc"))
    gap = answer(image_runs_as_administrator(used(monitor, replace(IMAGE, user="app"))))[1]
    assert isinstance(gap, Manual)
    assert "the service they watch" in str(gap)
    assert "app: is none" in str(gap)

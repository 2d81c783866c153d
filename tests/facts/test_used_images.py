"""Which images are in use, and what they are built on."""

import pytest
from msgspec.structs import replace

from auditor.facts.containers import Container, Containers
from auditor.facts.images import Image, Images
from auditor.facts.used_images import UsedImage, UsedImages
from auditor.gaps import Inconclusive, NotApplicable

BASE = Image("sha256:base", ("base:1",), created="2026-01-02T00:00:00Z", layers=("a", "b"))
WEB = Image("sha256:web", ("web:1",), created="2026-01-03T00:00:00Z", layers=("a", "b", "c"))
OTHER = Image("sha256:other", ("other:1",), layers=("a", "x", "c"))
RUNS_WEB = Container("web", image_id=WEB.id)


def used(*containers: Container, images: tuple[Image, ...] = (BASE, WEB, OTHER)) -> UsedImages:
    return UsedImages.of(Containers(containers), Images(images))


def test_containers_of_one_image_are_told_together() -> None:
    second = replace(RUNS_WEB, name="second")
    assert list(used(RUNS_WEB, second)) == [UsedImage(WEB, (RUNS_WEB, second))]


def test_an_image_is_also_known_by_its_digest() -> None:
    pulled = replace(WEB, digests=("registry.example/web@sha256:" + "5e" * 32,))
    by_digest = replace(RUNS_WEB, image_id="sha256:" + "5e" * 32)
    assert [each.image for each in used(by_digest, images=(pulled,))] == [pulled]


def test_without_containers_no_image_is_in_use() -> None:
    with pytest.raises(NotApplicable):
        list(used())


def test_a_container_whose_image_is_not_listed_leaves_the_answer_open() -> None:
    stray = Container("stray", image_id="sha256:gone")
    seen = list[UsedImage]()
    with pytest.raises(Inconclusive, match="stray"):
        seen.extend(used(RUNS_WEB, stray))
    assert [each.image for each in seen] == [WEB]
    with pytest.raises(Inconclusive, match="stray"):
        _ = used(RUNS_WEB, stray).unused


def test_a_container_that_could_not_be_read_leaves_the_answer_open() -> None:
    unseen = UsedImages.of(Containers((RUNS_WEB,), ("0123456789ab: gone",)), Images((WEB, OTHER)))
    with pytest.raises(Inconclusive, match="0123456789ab"):
        list(unseen)


def test_what_an_image_in_use_is_built_on_is_not_unused() -> None:
    assert used(RUNS_WEB).unused == (OTHER,)


def test_without_layers_nobody_knows_what_is_unused() -> None:
    with pytest.raises(Inconclusive, match="layers"):
        _ = used(RUNS_WEB, images=(WEB, replace(OTHER, layers=None))).unused


def test_the_nearest_base_comes_first() -> None:
    lowest = Image("sha256:lowest", ("lowest:1",), layers=("a",))
    empty = Image("sha256:empty", ("empty:1",), layers=())
    assert Images((lowest, empty, OTHER, BASE, WEB)).bases(WEB) == (BASE, lowest)
    assert Images((BASE, WEB)).bases(empty) == ()


def test_of_images_with_the_same_layers_the_older_one_is_the_base() -> None:
    renamed = replace(WEB, id="sha256:renamed", created="2026-01-04T00:00:00Z")
    images = Images((renamed, WEB, BASE))
    assert (images.bases(renamed), images.bases(WEB)) == ((WEB, BASE), (BASE,))
    assert used(RUNS_WEB, images=(renamed, WEB, BASE)).unused == (renamed,)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (WEB, "web:1"),
        (replace(WEB, tags=(), digests=("quay.io/a/web@sha256:1",)), "quay.io/a/web"),
        (Image("sha256:" + "1a" * 32, (), ()), "1a1a1a1a1a1a"),
    ],
)
def test_an_image_is_called_by_what_it_has(image: Image, name: str) -> None:
    assert image.name == name
    assert image.dangling == (not image.tags)


def test_an_origin_is_told_in_full_and_once() -> None:
    digests = ("nginx@sha256:1", "docker.io/library/nginx@sha256:2", "registry:5000/a/b@sha256:3")
    assert replace(WEB, digests=digests).origins == ("docker.io/library/nginx", "registry:5000/a/b")
    assert WEB.origins == ()

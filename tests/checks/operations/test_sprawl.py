"""Checks of what piles up."""

import pytest
from msgspec.structs import replace

from auditor.check import Inconclusive, Manual, NotApplicable
from auditor.facts.containers import Container, Containers
from auditor.facts.images import Image, Images
from auditor.facts.used_images import UsedImages
from checks.operations.sprawl import stopped_containers, unused_images
from tests.checks.runtime.judging import UNSEEN, WEB, answer, containers

USED = Image(WEB.image_id, ("web:1",), layers=("a",))
OLD = Image("sha256:old", ("web:0",), layers=("b",))
LEFT = Image("sha256:left", (), layers=("c",))


def images(*every: Image, seen: Containers | None = None) -> UsedImages:
    return UsedImages.of(seen or containers(WEB), Images(every))


def test_a_host_that_uses_all_its_images_passes() -> None:
    assert answer(unused_images(images(USED))) == ([], None)
    assert answer(unused_images(images(seen=Containers()))) == ([], None)


def test_images_without_a_name_are_left_over() -> None:
    found, gap = answer(unused_images(images(USED, LEFT, replace(LEFT, id="sha256:more"))))
    assert [finding.observed for finding in found] == ["2 without a name and without a container, 100 MB"]
    assert gap is None


def test_images_with_a_name_are_for_a_person_with_numbers() -> None:
    found, gap = answer(unused_images(images(USED, OLD)))
    assert not found
    assert isinstance(gap, Manual)
    assert "1 of 2 images kept for (50 MB)? No container uses them: web:0" in str(gap)


def test_which_images_are_in_use_is_not_known_while_a_container_is_not() -> None:
    found, gap = answer(unused_images(images(USED, LEFT, seen=UNSEEN)))
    assert not found
    assert isinstance(gap, Inconclusive)


def test_containers_that_run_are_no_sprawl() -> None:
    running = [replace(WEB, status=status) for status in ("running", "paused", "restarting")]
    assert answer(stopped_containers(containers(*running))) == ([], None)


def test_stopped_containers_are_for_a_person_with_numbers() -> None:
    seen = containers(WEB, Container("job", status="exited"), Container("new", status="created"))
    found, gap = answer(stopped_containers(seen))
    assert not found
    assert isinstance(gap, Manual)
    assert "2 of 3 containers" in str(gap)
    assert "job (exited); new (created)" in str(gap)


@pytest.mark.parametrize("status", ["dead", "removing"])
def test_a_container_that_could_not_be_removed_is_left_over(status: str) -> None:
    found, gap = answer(stopped_containers(containers(Container("half", status=status))))
    assert [(finding.subject, finding.expected) for finding in found] == [("half", "removed")]
    assert gap is None


def test_no_containers_and_unread_ones_are_no_pass() -> None:
    assert isinstance(answer(stopped_containers(Containers()))[1], NotApplicable)
    assert isinstance(answer(stopped_containers(UNSEEN))[1], Inconclusive)

"""Run with pytest: these checks, without a host."""

import pytest

from auditor.facts.containers import Container, Containers
from auditor.testing import Outcome, judge

from .naming import container_without_team, image_without_version


@pytest.mark.parametrize("image", ["nginx", "nginx:latest", "registry.example:5000/nginx"])
def test_an_image_without_a_version_is_found(image: str) -> None:
    judged = judge(image_without_version, Containers((Container(name="shop-web", image=image),)))
    assert judged.outcome is Outcome.FAIL
    assert [(finding.subject, finding.observed) for finding in judged.findings] == [("shop-web", image)]


@pytest.mark.parametrize(
    "image", ["nginx:1.29.3", "nginx@sha256:" + "1a" * 32, "registry.example:5000/nginx:1"]
)
def test_a_version_or_a_digest_is_fine(image: str) -> None:
    assert judge(image_without_version, Containers((Container(image=image),))).outcome is Outcome.PASS


def test_a_container_of_nobody_is_found() -> None:
    judged = judge(container_without_team, Containers((Container(name="shop-web"), Container(name="test1"))))
    assert [finding.subject for finding in judged.findings] == ["test1"]


def test_a_host_without_containers_is_not_judged() -> None:
    assert judge(container_without_team, Containers()).outcome is Outcome.NOT_APPLICABLE

"""Restarts, health and age of containers, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Inconclusive, Manual, NotApplicable
from auditor.facts.images import Image, Images
from auditor.facts.swarm import Service, Swarm
from auditor.testing import Outcome, judge
from checks.runtime.lifecycle import (
    endless_restart,
    health_not_checked,
    outdated_image,
    service_restarted_without_end,
)
from tests.checks.runtime.judging import WEB, answer, containers, observed

OLD = "sha256:" + "0d" * 32


@pytest.mark.parametrize(
    ("policy", "times", "seen"),
    [
        ("always", 0, "always"),
        ("unless-stopped", 0, "unless-stopped"),
        ("on-failure", 0, "on-failure:no end"),
        ("on-failure", 6, "on-failure:6"),
    ],
)
def test_restarting_without_end_or_too_often_is_found(policy: str, times: int, seen: str) -> None:
    web = replace(WEB, restart_policy=policy, maximum_retry_count=times)
    assert observed(endless_restart(containers(web))) == [f"web: HostConfig.RestartPolicy = {seen}"]


@pytest.mark.parametrize(("policy", "times"), [("no", 0), ("", 0), ("on-failure", 1), ("on-failure", 5)])
def test_no_restart_or_five_at_most_pass(policy: str, times: int) -> None:
    assert not observed(
        endless_restart(containers(replace(WEB, restart_policy=policy, maximum_retry_count=times)))
    )


def test_tasks_of_a_swarm_are_judged_by_their_service() -> None:
    task = replace(WEB, restart_policy="always", service="web")
    with pytest.raises(NotApplicable, match="tasks of a swarm"):
        list(endless_restart(containers(task)))
    assert not observed(endless_restart(containers(task, WEB)))
    with pytest.raises(Inconclusive, match="was not told"):
        list(endless_restart(containers(replace(WEB, service=None))))


@pytest.mark.parametrize(
    ("service", "outcome"),
    [
        (Service(), Outcome.PASS),
        (Service(restart="none", attempts=0), Outcome.PASS),
        (Service(restart="any", attempts=0), Outcome.MANUAL),
        (Service(restart="on-failure", attempts=6), Outcome.MANUAL),
        (Service(restart=None, attempts=None), Outcome.ERROR),
    ],
)
def test_a_service_that_restarts_without_end_is_for_a_person(service: Service, outcome: Outcome) -> None:
    assert judge(service_restarted_without_end, Swarm(services=(service,))).outcome is outcome


def test_only_a_manager_knows_of_services() -> None:
    worker = Swarm(manager=False, services=None)
    assert judge(service_restarted_without_end, worker).outcome is Outcome.NOT_APPLICABLE
    assert judge(service_restarted_without_end, Swarm(state="locked")).outcome is Outcome.ERROR


@pytest.mark.parametrize("test", [(), ("NONE",), ("CMD",), ("",), ("CMD-SHELL", "")])
def test_no_health_check_is_found(test: tuple[str, ...]) -> None:
    assert observed(health_not_checked(containers(replace(WEB, healthcheck=test))))


@pytest.mark.parametrize("test", [("CMD", "true"), ("CMD-SHELL", "true")])
def test_a_health_check_passes(test: tuple[str, ...]) -> None:
    assert not observed(health_not_checked(containers(replace(WEB, healthcheck=test))))


@pytest.mark.parametrize(
    "name", ["nginx", "docker.io/library/nginx", "index.docker.io/library/nginx:latest", "library/nginx"]
)
def test_a_container_whose_tag_moved_on_is_found(name: str) -> None:
    images = Images((Image(OLD, tags=()), Image(tags=("nginx:latest",))))
    said = observed(outdated_image(containers(replace(WEB, image=name, image_id=OLD)), images))
    assert said == [f"web: Image = 0d0d0d0d0d0d, while {name} is now 1a1a1a1a1a1a"]


@pytest.mark.parametrize(
    "name", ["nginx@sha256:" + "0d" * 32, OLD, "0d0d0d0d0d0d", "localhost/nginx", "", "me/nginx"]
)
def test_what_names_no_tag_of_this_host_is_left_to_a_person(name: str) -> None:
    images = Images((Image(tags=("nginx:latest",)),))
    found, gap = answer(outdated_image(containers(replace(WEB, image=name, image_id=OLD)), images))
    assert not found
    assert isinstance(gap, Manual)


def test_whether_the_registry_has_a_newer_one_is_for_a_person_with_the_images_age() -> None:
    _, gap = answer(outdated_image(containers(WEB), Images((Image(created="2026-01-02T03:04:05Z"),))))
    assert isinstance(gap, Manual)
    assert "web runs registry.example/web:1.4 of 2026-01-02" in str(gap)


def test_a_hundred_containers_do_not_make_a_page() -> None:
    many = [replace(WEB, name=f"web{number}") for number in range(100)]
    _, gap = answer(outdated_image(containers(*many), Images()))
    assert str(gap).endswith("; and 80 more")

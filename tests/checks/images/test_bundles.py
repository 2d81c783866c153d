"""Whatever is missing from a bundle, a failure of images, sprawl or swarm never becomes a pass."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import checks.images
import checks.operations
import checks.swarm
from auditor.collect.bundle import Bundle, Section
from auditor.facts.base import Knowledge
from auditor.gaps import Gap
from auditor.policy import Policy
from auditor.registry import discover
from tests.facts import inspections

POLICY = Policy(allowed_registries=("registry.example",))
CHECKS = [
    check
    for package in (checks.images, checks.operations, checks.swarm)
    for check in discover(package).values()
]
WEB, LEFT = inspections.hardened()["Image"], "sha256:" + "3c" * 32
IMAGE: dict[str, Any] = {
    "Id": WEB,
    "RepoTags": ["web:1"],
    "RepoDigests": ["nginx@sha256:" + "5e" * 32],
    "Created": "2026-01-01T00:00:00Z",
    "User": "",
    "Healthcheck": None,
    "Size": 5,
    "Layers": ["a"],
    "Env": ["DB_PASSWORD"],
}
SWARM: dict[str, Any] = {
    "LocalNodeState": "active",
    "ControlAvailable": True,
    "Nodes": 2,
    "Managers": 2,
    "Cluster": {
        "Spec": {"CAConfig": {"NodeCertExpiry": 10**18}, "EncryptionConfig": {"AutoLockManagers": False}},
    },
}
HISTORY = f"listed {WEB}\nimage {WEB}\nRUN\tapt-get update\t\nADD\tx /x\t\nRUN\tcurl -k _\t\n"
TOLD = """state active
addresses {"ListenAddr":"0.0.0.0:2377","AdvertiseAddr":"10.0.0.5:2377","DataPathAddr":""}
manager
service {"Name":"web","Env":["DB_PASSWORD"],"Secrets":[]}
"""
OVERLAY = {"Name": "app", "Driver": "overlay", "Options": {}}


def bundle(image: Mapping[str, Any] = IMAGE, swarm: Mapping[str, Any] = SWARM) -> Bundle:
    left = {**IMAGE, "Id": LEFT, "RepoTags": [], "Layers": ["b"]}
    dead = {**inspections.hardened(), "Id": "6e" * 32, "Name": "/dead", "Status": "dead"}
    made = inspections.bundle(inspections.hardened(), dead)
    info = {**json.loads(made.read("engine-info")), "Swarm": swarm, "SystemTime": "2026-01-31T12:00:00Z"}
    texts = {
        "engine-info": json.dumps(info),
        "images": f"{json.dumps(image)}\n{json.dumps(left)}",
        "image-history": HISTORY,
        "networks": json.dumps(OVERLAY),
        "processes": "",
        "swarm": TOLD,
        "listeners": "",
    }
    return made.adding({name: Section(text.encode()) for name, text in texts.items()})


def outcomes(given: Bundle) -> Iterator[tuple[str, str]]:
    known = Knowledge(given, {Policy: POLICY})
    for check in CHECKS:
        found: list[Any] = []
        outcome = "pass"
        try:
            found.extend(check(**{name: known.get(fact) for name, fact in check.facts.items()}))
        except Gap as gap:
            outcome = type(gap).__name__
        yield check.id, "fail" if found else outcome


FAILS = {check for check, outcome in outcomes(bundle()) if outcome == "fail"}


def without(raw: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(dict(raw))
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return changed


def paths(raw: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in raw.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from paths(value, (*above, name))


def test_on_a_bad_host_everything_fails_that_facts_decide() -> None:
    assert {check.id for check in CHECKS} - FAILS == {
        "image-not-rebuilt",
        "needless-packages-in-image",
        "setuid-programs-in-image",
        "unsigned-image-tags",
        "unverified-artifacts",
        "swarm-authority-not-rotated",
        "unlock-key-not-rotated",
    }


@pytest.mark.parametrize("path", list(paths(IMAGE)), ids=".".join)
def test_a_field_missing_from_an_image_hides_no_failure(path: tuple[str, ...]) -> None:
    said = dict(outcomes(bundle(image=without(IMAGE, path))))
    assert not [check for check in FAILS if said[check] == "pass"]


@pytest.mark.parametrize("path", list(paths(SWARM)), ids=".".join)
def test_a_field_missing_from_the_swarm_hides_no_failure(path: tuple[str, ...]) -> None:
    said = dict(outcomes(bundle(swarm=without(SWARM, path))))
    assert not [check for check in FAILS if said[check] == "pass"]


@pytest.mark.parametrize("section", list(bundle().sections))
def test_a_missing_section_hides_no_failure(section: str) -> None:
    whole = bundle()
    rest = Bundle({name: each for name, each in whole.sections.items() if name != section})
    said = dict(outcomes(rest))
    assert not [check for check in FAILS if said[check] == "pass"]


@pytest.mark.parametrize("line", TOLD.splitlines())
def test_a_missing_line_of_the_swarm_hides_no_failure_but_what_it_alone_tells(line: str) -> None:
    said = dict(outcomes(bundle().adding({"swarm": Section(TOLD.replace(line, "").encode())})))
    assert not [check for check in FAILS if said[check] == "pass"]

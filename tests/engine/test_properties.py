"""What must hold for any bundle: what is left out is never a pass, and nothing that a host says crashes a check."""

import copy
import json
import logging
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.catalogue import everything
from auditor.collect.bundle import Bundle, Section, load
from auditor.evaluate import compare, judge
from auditor.host import Host, Platform
from auditor.plan import Plan
from auditor.results import Outcome

FOLDER = Path(__file__).parents[1] / "recordings"
RECORDINGS = [*sorted(FOLDER.glob("*.bundle.gz")), *sorted(FOLDER.glob("windows/*.bundle"))]
# Their keys are a user's own or names of things, not fields: without one, the setting is not made, the port not published.
_USERS_OWN = {"daemon-config", "Ports"}
_FIELDS_EACH, _GARBLED_EACH = 60, 50


@cache
def plan(platform: Platform) -> Plan:
    return everything().on(platform)


def outcomes(bundle: Bundle, platform: Platform = "linux") -> dict[str, Outcome]:
    asked = plan(platform)
    (report,) = compare([judge(asked, Host("web1", platform=platform), bundle)])
    assert len(report.results) == len(asked.items)
    return {result.check: result.outcome for result in report.results}


def platform_of(path: Path) -> Platform:
    return "windows" if path.parent.name == "windows" else "linux"


def passed_since(before: dict[str, Outcome], bundle: Bundle, platform: Platform) -> list[str]:
    now = outcomes(bundle, platform)
    return [check for check, outcome in before.items() if outcome is not now[check] is Outcome.PASS]


def fields(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every key below a value."""
    if isinstance(value, dict):
        for key in value:
            if not _USERS_OWN & {*above}:
                yield (*above, key)
            yield from fields(value[key], (*above, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from fields(each, (*above, index))


def without(value: Any, way: tuple[Any, ...]) -> Any:
    changed = inner = copy.deepcopy(value)
    for key in way[:-1]:
        inner = inner[key]
    del inner[way[-1]]
    return changed


def read_json(line: str) -> tuple[Any, str]:
    """The JSON at the end of a line and the word before it; None where there is none: systemd prints braces too."""
    start = min((line.find(mark) for mark in "{[" if mark in line), default=-1)
    try:
        return json.loads(line[start:]) if start >= 0 else None, line[: max(start, 0)]
    except ValueError:
        return None, line


def lacking_a_field(bundle: Bundle) -> Iterator[tuple[str, Bundle]]:
    """The bundle without each of the fields of its JSON, one at a time."""
    for name, section in bundle.sections.items():
        lines = section.data.decode().split("\n") if name not in _USERS_OWN else []
        for index, line in enumerate(lines):
            told, word = read_json(line)
            for way in fields(told):
                changed = [*lines[:index], word + json.dumps(without(told, way)), *lines[index + 1 :]]
                yield f"{name} {way}", bundle.adding({name: Section("\n".join(changed).encode())})


def garbled(bundle: Bundle, dice: random.Random) -> Bundle:
    """One section cut off, mixed up, or with values of other kinds in its JSON."""
    name = dice.choice([name for name, section in bundle.sections.items() if section.data])
    data = bytearray(bundle.sections[name].data)
    match dice.randrange(4):
        case 0:
            del data[dice.randrange(len(data)) :]
        case 1:
            for _ in range(8):
                data[dice.randrange(len(data))] = dice.randrange(256)
        case 2:
            lines = data.split(b"\n")
            dice.shuffle(lines)
            data = bytearray(b"\n".join(lines))
        case _:
            odd = dice.choice([b"null", b"-1", b"[]", b"{}", b'"x"', b"1e999", b"[[null]]"])
            place = data.find(b":", dice.randrange(len(data))) + 1
            end = data.find(b",", place)
            data[place : end if end > 0 else len(data)] = odd
    return bundle.adding({name: Section(bytes(data), bundle.sections[name].status)})


def with_nothing(bundle: Bundle) -> Iterator[tuple[str, Bundle]]:
    """The bundle of a Windows host with null for each field of its own sections, and without each entry of what was looked at."""
    for name, section in bundle.sections.items():
        if not name.startswith("windows-") or name == "windows-image-history" or not section.data.strip():
            continue
        told = json.loads(section.data)
        for way in fields(told):
            changed = inner = copy.deepcopy(told)
            for key in way[:-1]:
                inner = inner[key]
            inner[way[-1]] = None
            yield f"{name} {way} null", bundle.adding({name: Section(json.dumps(changed).encode())})
        for index in range(len(told) if name == "windows-acl" else 0):
            rest = [*told[:index], *told[index + 1 :]]
            yield (
                f"{name} without {told[index]['role']}",
                bundle.adding({name: Section(json.dumps(rest).encode())}),
            )


def dice_for(path: Path) -> random.Random:
    """The same throws in every run."""
    return random.Random(path.name)  # noqa: S311  no secret comes of it


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_no_section_that_is_left_out_and_none_that_failed_makes_a_pass(path: Path) -> None:
    bundle, platform = load(path.read_bytes()), platform_of(path)
    before = outcomes(bundle, platform)
    for name in bundle.sections:
        rest = {other: section for other, section in bundle.sections.items() if other != name}
        assert passed_since(before, Bundle(rest), platform) == [], name
        for status in (1, 77, 124):
            failed = bundle.adding({name: Section(b"", status)})
            assert passed_since(before, failed, platform) == [], (name, status)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_no_field_that_is_left_out_makes_a_pass(path: Path) -> None:
    bundle = load(path.read_bytes())
    platform = platform_of(path)
    before, lacking = outcomes(bundle, platform), list(lacking_a_field(bundle))
    for what, changed in dice_for(path).sample(lacking, min(_FIELDS_EACH, len(lacking))):
        assert passed_since(before, changed, platform) == [], what


@pytest.mark.parametrize(
    "path", [it for it in RECORDINGS if platform_of(it) == "windows"], ids=lambda path: path.name
)
def test_nothing_in_the_place_of_a_value_makes_a_pass_of_what_was_none(path: Path) -> None:
    bundle = load(path.read_bytes())
    before = outcomes(bundle, "windows")
    for what, changed in with_nothing(bundle):
        assert passed_since(before, changed, "windows") == [], what


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_nothing_that_a_host_says_crashes_a_check(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bundle, dice = load(path.read_bytes()), dice_for(path)
    with caplog.at_level(logging.ERROR, "auditor"):
        for _ in range(_GARBLED_EACH):
            outcomes(garbled(bundle, dice), platform_of(path))
    assert caplog.text == ""

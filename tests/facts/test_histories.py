"""Reading how images were built."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section
from auditor.facts.histories import Histories, Instruction, Written
from auditor.facts.images import Image
from auditor.gaps import Gap, Inconclusive, NotApplicable
from tests.facts import inspections

BASE, WEB = "sha256:" + "2b" * 32, inspections.hardened()["Image"]


def image(name: str, identity: str, *layers: str) -> dict[str, Any]:
    return {
        "Id": identity,
        "RepoTags": [name],
        "RepoDigests": [],
        "Created": f"2026-01-0{len(layers)}T00:00:00Z",
        "User": "1000",
        "Healthcheck": None,
        "Size": 5,
        "Layers": list(layers),
        "Env": ["PATH", "DB_PASSWORD", ""],
    }


IMAGES = (image("base:1", BASE, "a"), image("web:1", WEB, "a", "b"))
HISTORY = f"""listed {WEB}
listed {BASE}
image {WEB}
RUN\tapt-get update ; apt-get install _\tTOKEN,password
ADD\tfile:1 in /\t
image {BASE}
ADD\tfile:1 in /\t
"""


READ = Section(HISTORY.encode())


def bundle(history: Section | None = READ, **changes: Any) -> Bundle:
    images = Section("\n".join(map(json.dumps, IMAGES)).encode())
    made = inspections.bundle({**inspections.hardened(), **changes}, images=images)
    return made.adding({"image-history": history}) if history else made


def test_an_instruction_belongs_to_the_image_that_brought_it() -> None:
    told = list(Histories.parse(bundle()))
    assert [(each.image.name, str(each.instruction), each.first) for each in told] == [
        ("base:1", "ADD file:1 in /", True),
        ("web:1", "RUN apt-get update ; apt-get install _", False),
    ]
    assert told[1].instruction.secrets == ("TOKEN", "password")
    assert told[1].image.secrets == ("DB_PASSWORD",)


def test_windows_hosts_tell_it_in_their_own_section_and_with_sizes() -> None:
    history = HISTORY.replace(
        "RUN\tapt-get update ; apt-get install _\tTOKEN,password", "RUN\tdism _\tTOKEN\t4096"
    )
    windows = bundle(None).adding({"windows-image-history": Section(history.encode())})
    last = list(Histories.parse(windows))[1].instruction
    assert (last.words, last.secrets, last.size) == (("dism", "_"), ("TOKEN",), 4096)


def test_a_base_whose_history_differs_is_none() -> None:
    other = HISTORY.replace(f"image {BASE}\nADD\tfile:1", f"image {BASE}\nADD\tfile:2")
    told = list(Histories.parse(bundle(Section(other.encode()))))
    assert [(each.image.name, each.first) for each in told] == [("web:1", True), ("web:1", False)]


def test_what_two_images_share_is_told_once() -> None:
    second = {**inspections.hardened(), "Id": "6e" * 32, "Name": "/base", "Image": BASE}
    images = Section("\n".join(map(json.dumps, IMAGES)).encode())
    both = inspections.bundle(
        inspections.hardened(), second, images=images, image_history=Section(HISTORY.encode())
    )
    assert len(list(Histories.parse(both))) == 2


@pytest.mark.parametrize(
    ("history", "why"),
    [
        (None, "was not collected"),
        (Section(b"", 77, "no"), "permission denied"),
        (Section(f"listed {WEB}\n".encode(), 0, "unknown command: docker system dial-stdio"), "dial-stdio"),
        (Section(f"listed {WEB}\n".encode()), "the engine did not answer"),
        (Section(f"listed {WEB}\nrefused 500 {WEB}\n".encode()), "the engine answered 500"),
        (Section(b""), "did not arrive"),
    ],
)
def test_a_history_that_is_not_there_leaves_the_answer_open(history: Section | None, why: str) -> None:
    with pytest.raises(Inconclusive, match=rf"web:1: .*{why}"):
        list(Histories.parse(bundle(history)))


def test_an_engine_that_has_no_history_of_an_image_says_so() -> None:
    assert list(Histories.parse(bundle(Section(f"listed {WEB}\nimage {WEB}\n".encode())))) == []


def test_without_containers_there_is_nothing_to_tell() -> None:
    with pytest.raises(NotApplicable):
        list(Histories.parse(inspections.bundle(images=Section(b""), image_history=Section(b""))))


@pytest.mark.parametrize(
    "line", ["RUN\tx", "RUN\ta\tb\tc", "hello", "RUN\tbefore any image\t\nimage x", "image"]
)
def test_a_line_that_makes_no_sense_is_a_gap(line: str) -> None:
    before = f"image {WEB}\n" if line.count("\t") in (1, 3) else ""
    with contextlib.suppress(Inconclusive):
        told = list(Histories.parse(bundle(Section((before + line).encode()))))
        pytest.fail(f"{told} came of it")


def run(words: str) -> Instruction:
    return Instruction("RUN", tuple(words.split()))


def test_a_command_begins_with_its_program() -> None:
    assert run("sudo apt-get update ; = if ! apt-get install _ | sh ; ;").commands == (
        ("apt-get", "update"),
        ("apt-get", "install", "_"),
        ("sh",),
    )
    assert Instruction("COPY", ("apt-get", "update")).commands == ()


def test_a_pipe_leads_from_one_program_to_the_next() -> None:
    assert run("apt-get update ; curl _ | sudo bash ; wget _ | _ | sh").pipes == (
        ("curl", "bash"),
        ("wget", "_"),
        ("_", "sh"),
    )
    assert run("| |").pipes == (("", ""), ("", ""))
    assert Instruction("COPY", ("a", "|", "b")).pipes == ()


def test_of_an_image_that_is_not_known_nothing_is_told() -> None:
    assert Histories().of(Image()) == ()
    assert Written() == Written(Image(), Instruction())


@given(st.binary(), st.lists(st.sampled_from(HISTORY.splitlines())).map("\n".join))
def test_nothing_an_engine_could_say_breaks_it(noise: bytes, lines: str) -> None:
    for data in (noise, lines.encode() + noise, lines.encode()):
        with contextlib.suppress(Gap):
            list(Histories.parse(bundle(Section(data))))

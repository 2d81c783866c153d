"""How the images of a host were built: the instructions in their histories, as far as they may leave the host."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.engine import read_engine
from auditor.facts.images import Image
from auditor.facts.used_images import UsedImages
from auditor.gaps import Gap, Inconclusive

_SECTIONS = ("image-history", "windows-image-history")
_FIELDS = (3, 4)
_PREFIXES = frozenset(("=", "sudo", "env", "exec", "if", "then", "do", "else", "time", "!", "{"))


class Instruction(msgspec.Struct, frozen=True, dict=True):
    """
    One instruction of a build. ``words`` are a command's known words (``_`` for others) or the files of ADD and COPY.

    ``secrets`` are names of values written into it that should be secret, never the values. ``size`` is what it added,
    in bytes; None where the collector does not tell. Words of Windows images are in lower case.
    """

    keyword: str = "COPY"
    words: tuple[str, ...] = ("app", "/app")
    secrets: tuple[str, ...] = ()
    size: int | None = None

    @cached_property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """The commands that RUN gives a shell, each from its program's name on; ``|`` before one that reads a pipe."""
        if self.keyword != "RUN":
            return ()
        found, words = list[tuple[str, ...]](), list[str]()
        for word in (*self.words, ";"):
            if word not in (";", "|"):
                words.append(word)
                continue
            while words and words[0] in _PREFIXES:
                words.pop(0)
            found.append(tuple(words))
            words = []
        return tuple(filter(None, found))

    @property
    def pipes(self) -> tuple[tuple[str, str], ...]:
        """The programs of each two commands of which one's output is the other's input."""
        words = self.words if self.keyword == "RUN" else ()
        return tuple(
            (_program(words[:at]), _first(words[at + 1 :])) for at, w in enumerate(words) if w == "|"
        )

    def __str__(self) -> str:
        return " ".join((self.keyword, *self.words))


def _program(words: tuple[str, ...]) -> str:
    """The program of the last command."""
    commands = Instruction("RUN", words).commands
    return commands[-1][0] if commands else ""


def _first(words: tuple[str, ...]) -> str:
    """The program of the first command."""
    commands = Instruction("RUN", words).commands
    return commands[0][0] if commands else ""


class Written(msgspec.Struct, frozen=True):
    """An instruction and the image that brought it: the base, where that is on the host, not those built on it."""

    image: Image = msgspec.field(default_factory=Image)
    instruction: Instruction = msgspec.field(default_factory=Instruction)
    first: bool = False
    """Whether it is where an image without a base began."""


class Histories(msgspec.Struct, frozen=True, dict=True):
    """
    The instructions of all images in use, each told once.

    ``by_image`` has the oldest first. ``unseen`` says what could not be read.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = (*UsedImages.SECTIONS, "|".join(_SECTIONS))

    images: UsedImages = msgspec.field(default_factory=UsedImages)
    by_image: Mapping[str, tuple[Instruction, ...]] = msgspec.field(default_factory=dict)
    refused: Mapping[str, str] = msgspec.field(default_factory=dict)

    def __iter__(self) -> Iterator[Written]:
        """
        Every instruction, then the gap if there is one.

        Raises:
            Inconclusive: some containers, images or histories could not be read.
            NotApplicable: there is no container.
        """
        yield from self.told()
        unseen = [
            f"{used.image.name}: {self.refused.get(used.image.id, 'did not arrive')}"
            for used in self.images.used
            if used.image.id not in self.by_image
        ]
        if unseen:
            raise Inconclusive(f"the history of some images could not be read: {'; '.join(unseen[:5])}")
        list(self.images)  # raises what it has to say

    def told(self) -> Iterator[Written]:
        """Every instruction that is known; no gap."""
        yield from self._told

    @cached_property
    def _told(self) -> tuple[Written, ...]:
        return tuple(
            {
                (written.image.id, index): written
                for used in self.images.used
                for index, written in enumerate(self.of(used.image))
            }.values()
        )

    def of(self, image: Image) -> tuple[Written, ...]:
        """The instructions of one image, the oldest first, each with the image that brought it."""
        own = self.by_image.get(image.id, ())
        for base in self.images.images.bases(image):
            below = self.by_image.get(base.id, ())
            if below and own[: len(below)] == below:
                rest = tuple(Written(image, instruction) for instruction in own[len(below) :])
                return self.of(base) + rest
        return tuple(Written(image, instruction, first=not at) for at, instruction in enumerate(own))

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        images = bundle.fact(UsedImages)
        section = next((name for name in _SECTIONS if name in bundle.sections), _SECTIONS[0])
        try:
            text = read_engine(bundle, section)
        except Gap as gap:
            return cls(images, refused={each.image.id: str(gap) for each in images.used})
        found: dict[str, list[Instruction]] = {}
        why = bundle.section(section).message
        refused = dict[str, str]()
        current: list[Instruction] | None = None
        for line in text.split("\n"):
            kind, _, rest = line.partition(" ")
            if "\t" in line and current is not None:
                current.append(_instruction(line))
            elif kind == "listed":
                refused[rest] = why or "the engine did not answer"
            elif kind == "image":
                current = found[rest] = []
            elif kind == "refused":
                status, _, image = rest.partition(" ")
                refused[image], current = f"the engine answered {status}", None
            elif line:
                raise Inconclusive(f"image-history has a line that makes no sense: {line[:80]!r}")
        return cls(images, {image: tuple(reversed(its)) for image, its in found.items()}, refused)


def _instruction(line: str) -> Instruction:
    fields = line.split("\t")
    if len(fields) not in _FIELDS or not re.fullmatch("[0-9]*", fields[3] if fields[3:] else ""):
        raise Inconclusive(f"image-history has a line that makes no sense: {line[:80]!r}")
    keyword, words, secrets, *size = fields
    added = int(size[0]) if size and size[0] else None
    return Instruction(keyword, tuple(words.split()), tuple(filter(None, secrets.split(","))), added)

"""Benchmarks: which checks answer which numbered control, at which level. Numbers live in YAML, because they move between versions."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from auditor.errors import BadFile, UsageError
from auditor.host import Platform
from auditor.yamlfile import read


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    One numbered item of a benchmark.

    ``title`` is ours. ``checks`` are the ids of the checks that answer it; none: a person has to.
    ``assessment`` is what the benchmark says of itself. ``adapted_from`` are the numbers of the controls that it
    is adapted from, in the benchmark that the file names as ``adapted_from``.
    """

    number: str
    level: Literal[1, 2]
    title: str
    assessment: Literal["automated", "manual"] = "manual"
    checks: tuple[str, ...] = ()
    adapted_from: tuple[str, ...] = ()


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chapter: ``name`` is the folder of its checks."""

    name: str
    title: str


class BenchmarkFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    A benchmark as it is written down.

    Either all its controls, or ``based_on`` another one: then ``renumbered`` maps the other's numbers to this
    one's, and ``without`` lists the numbers that this one lacks. ``platform`` is that of the hosts it is about.
    ``closed`` says that of our checks only those are asked that it names: the others are about another platform.
    """

    title: str
    platform: Platform = "linux"
    adapted_from: str = ""
    closed: bool = False
    sections: dict[str, Section] = {}
    controls: tuple[Control, ...] = ()
    based_on: str = ""
    renumbered: dict[str, str] = {}
    without: tuple[str, ...] = ()


class Benchmark(msgspec.Struct, frozen=True):
    """A published document of numbered controls, for instance ``cis-docker-1.8.0``."""

    id: str
    title: str
    sections: Mapping[str, Section]
    controls: tuple[Control, ...]
    platform: Platform = "linux"
    adapted_from: str = ""
    closed: bool = False

    def section_of(self, control: Control) -> str:
        """The name of the chapter a control stands in."""
        return self.sections[control.number.partition(".")[0]].name

    def controls_of(self, check: str) -> tuple[Control, ...]:
        """The controls that a check answers."""
        return tuple(control for control in self.controls if check in control.checks)


def load_benchmark(folder: Path, name: str) -> Benchmark:
    """
    Read ``NAME.yaml`` of a folder of benchmarks.

    Raises:
        UsageError: there is none of that name; the text lists those there are.
        BadFile: it is not well-formed; two controls have one number.
    """
    path = folder / f"{name}.yaml"
    if name not in available(folder):
        raise UsageError(f"no benchmark {name!r}; there are: {', '.join(available(folder))}")
    file = read(path, BenchmarkFile)
    if file.based_on:
        base = load_benchmark(folder, file.based_on)
        controls = _renumber(base.controls, file)
        return msgspec.structs.replace(base, id=name, title=file.title, controls=controls)
    numbers = [control.number for control in file.controls]
    twice = {number for number in numbers if numbers.count(number) > 1}
    lost = {number for number in numbers if number.partition(".")[0] not in file.sections}
    if twice or lost:
        raise BadFile(path, f"controls that stand twice: {sorted(twice)}, or in no section: {sorted(lost)}")
    return Benchmark(
        name, file.title, file.sections, file.controls, file.platform, file.adapted_from, file.closed
    )


def available(folder: Path) -> list[str]:
    """The names of the benchmarks in a folder, newest version first."""
    names = sorted((path.stem for path in folder.glob("*.yaml")), reverse=True)
    return sorted(names, key=lambda name: name.rpartition("-")[0])


def _renumber(controls: Iterable[Control], file: BenchmarkFile) -> tuple[Control, ...]:
    return tuple(
        msgspec.structs.replace(control, number=file.renumbered.get(control.number, control.number))
        for control in controls
        if control.number not in file.without
    )

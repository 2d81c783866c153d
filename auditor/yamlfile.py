"""A YAML file read into a typed struct, strictly; whatever is wrong with it is a BadFile with its line."""

import difflib
import re
import typing
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
import yaml

from auditor import typed
from auditor.errors import BadFile

T = TypeVar("T")
Keys = tuple[Hashable, ...]
Pairs = dict[Hashable, tuple[yaml.Node, int]]
"""A mapping's keys, their value nodes, and the keys' lines."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_BYTES = 32_000_000
_MOST_VALUES = 300_000
_DEEPEST = 60
_MOST_NAMES = 40
_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Tagged:
    """A value under a tag that plain YAML does not know, for instance Ansible's ``!vault``. It fits no type but ``Any``."""

    tag: str = field(repr=False)


@dataclass(frozen=True)
class Document:
    """What a YAML file says, and on which line it says what: ``lines`` maps the keys that lead to a value to its line."""

    path: Path
    value: Any
    lines: dict[Keys, int] = field(repr=False)

    def line(self, *keys: Hashable) -> int:
        """The line, counted from 1, of the value below these keys; of the nearest one around it when there is none."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 0)

    def bad(self, problem: str, *keys: Hashable) -> BadFile:
        """An error to raise about the value below these keys."""
        where = "".join(f"[{key}]" if type(key) is int else f".{key}" for key in keys).removeprefix(".")
        return BadFile(self.path, f"{where}: {problem}" if where else problem, line=self.line(*keys))

    def into(self, type_: type[T]) -> T:
        """
        Convert the whole, strictly: no number becomes text, no text a number.

        Raises:
            BadFile: a value does not fit, a key is unknown or missing.
        """
        try:
            return typed.convert(self.value, type_)
        except msgspec.ValidationError:
            keys, problem = _locate(self.value, type_, ())
            raise self.bad(problem, *keys) from None


def read(path: Path, type_: type[T]) -> T:
    """
    Read a YAML file (UTF-8, one document) into a type.

    Raises:
        BadFile: it cannot be read, is no YAML, names a key twice, or does not fit the type; with the line.
    """
    return document(path).into(type_)


def document(path: Path) -> Document:
    """
    Read a YAML file without judging its content.

    Raises:
        BadFile: it cannot be read, is no YAML, names a key twice, or is unreasonably large.
    """
    return _Reader(path).document()


def suggest(unknown: object, known: Iterable[str]) -> str:
    """Say which name was probably meant, or which there are."""
    known = sorted(known)
    close = difflib.get_close_matches(str(unknown), known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    names = [*known[:_MOST_NAMES], *(["…"] if len(known) > _MOST_NAMES else [])]
    return f"there {'are' if len(known) > 1 else 'is'} {', '.join(names) or 'none'}"


class _Reader:
    """Turns one file into plain values; remembers the line of each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Keys, int] = {}
        self.pairs: dict[yaml.Node, Pairs] = {}
        self.scalars = _LOADER("")

    def document(self) -> Document:
        text = self._text()
        try:
            node = self._node(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._bad(_syntax(error.problem or error.context or ""), mark) from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise BadFile(
                self.path, "holds a control character that YAML does not allow", line=line
            ) from None
        if not node:
            raise BadFile(self.path, "is empty")
        value = self._value(node, ())
        return Document(self.path, value, self.lines)

    def _text(self) -> str:
        try:
            with self.path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise BadFile(self.path, f"cannot be read: {reason.lower()}") from None
        if len(data) > _MOST_BYTES:
            raise BadFile(self.path, f"is larger than {_MOST_BYTES // 1_000_000} MB")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise BadFile(self.path, "is not UTF-8 text; save it as UTF-8", line=line) from None

    def _node(self, text: str) -> yaml.Node | None:
        """The node tree; depth is checked first, since the composer's recursion would end the process."""
        depth = 0
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _DEEPEST:
                    raise self._bad(f"is nested deeper than {_DEEPEST} levels", event.start_mark)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
        return node

    def _value(self, node: yaml.Node, keys: Keys, line: int = 0) -> Any:
        is_collection = isinstance(node, yaml.CollectionNode)
        self.lines[keys] = line if is_collection and line else node.start_mark.line + 1
        if len(self.lines) > _MOST_VALUES or len(keys) > _DEEPEST:
            raise self._bad("aliases (*name) make this file unreasonably large", node.start_mark)
        if isinstance(node, yaml.MappingNode) and node.tag == _CORE + "map":
            return {
                key: self._value(value, (*keys, key), at)
                for key, (value, at) in self._pairs(node, ()).items()
            }
        if isinstance(node, yaml.SequenceNode) and node.tag == _CORE + "seq":
            return [self._value(item, (*keys, index)) for index, item in enumerate(node.value)]
        return Tagged(node.tag) if is_collection else self._scalar(node)

    def _pairs(self, node: yaml.MappingNode, outer: tuple[yaml.Node, ...]) -> Pairs:
        """The pairs of a mapping, merge keys followed; a key of its own beats a merged one."""
        if node in outer or len(outer) > _DEEPEST:
            raise self._bad("merges itself", node.start_mark)
        if node not in self.pairs:
            merged: Pairs = {}
            for key, value in node.value:
                for source in self._merged(value) if key.tag == _CORE + "merge" else ():
                    merged = self._pairs(source, (*outer, node)) | merged
            self.pairs[node] = merged | self._own_pairs(node)
        return self.pairs[node]

    def _own_pairs(self, node: yaml.MappingNode) -> Pairs:
        own: Pairs = {}
        for key_node, value in node.value:
            if key_node.tag == _CORE + "merge":
                continue
            key, line = self._key(key_node), key_node.start_mark.line + 1
            if key in own:
                raise self._bad(
                    f"key {key!r} is there twice; the first is on line {own[key][1]}", key_node.start_mark
                )
            own[key] = (value, line)
        return own

    def _merged(self, node: yaml.Node) -> list[yaml.MappingNode]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                raise self._bad("'<<' merges mappings only", source.start_mark)
        return list(sources)

    def _key(self, node: yaml.Node) -> Hashable:
        key = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if isinstance(key, bool):
            return str(node.value)  # YAML 1.1 would read the key 'on' as true
        if key is None or isinstance(key, Tagged):
            raise self._bad("a key must be plain text", node.start_mark)
        return typing.cast("Hashable", key)

    def _scalar(self, node: yaml.Node) -> Any:
        kind = node.tag.removeprefix(_CORE)
        if kind in {"value", "merge"} or (kind in {"int", "float"} and ":" in node.value):
            return node.value  # '=', '<<' and 22:22 are text here, whatever YAML 1.1 makes of them
        if kind not in {"str", "int", "float", "bool", "null", "timestamp", "binary"}:
            return Tagged(node.tag)
        try:
            return self.scalars.construct_object(node)
        except (ValueError, ArithmeticError, LookupError, AttributeError, yaml.YAMLError):
            raise self._bad(
                f"this is no valid {kind}; write it in quotes if it is text", node.start_mark
            ) from None

    def _bad(self, problem: str, mark: Any) -> BadFile:
        return BadFile(self.path, problem, line=mark.line + 1 if mark else 0)


def _syntax(problem: str) -> str:
    """The parser's complaint; what follows a star or an exclamation mark may be a password and is not repeated."""
    if "alias" in problem:
        return "'*' begins an alias that is not defined; write a value that begins with '*' in quotes"
    if "tag" in problem:
        return "'!' begins a tag that YAML does not understand; write a value that begins with '!' in quotes"
    return f"is not valid YAML: {problem}"


def _locate(value: Any, type_: Any, keys: Keys) -> tuple[Keys, str]:
    """The innermost value that does not fit, and why: msgspec's own path leaves out the keys of mappings."""
    for key, problem, child, child_type in _children(value, type_):
        if problem:
            return (*keys, key), problem
        if _complaint(child, child_type):
            return _locate(child, child_type, (*keys, key))
    return keys, _plain(_complaint(value, type_), value, type_)


def _complaint(value: Any, type_: Any) -> str:
    try:
        typed.convert(value, type_)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _children(value: Any, type_: Any) -> Iterator[tuple[Hashable, str, Any, Any]]:
    """What is in a value: key, what is wrong with the key, child, the child's type."""
    for option in _options(type_):
        if isinstance(value, dict) and isinstance(option, type) and issubclass(option, msgspec.Struct):
            types = {field.encode_name: field.type for field in msgspec.structs.fields(option)}
            for key, child in value.items():
                problem = "" if key in types else f"unknown key; {suggest(key, types)}"
                yield key, problem, child, types.get(typing.cast("str", key), Any)
        elif isinstance(value, dict) and get_origin(option) is dict:
            key_type, child_type = get_args(option)
            for key, child in value.items():
                yield key, _plain(_complaint(key, key_type), key), child, child_type
        elif isinstance(value, list) and get_origin(option) in {list, tuple}:
            for index, child in enumerate(value):
                yield index, "", child, get_args(option)[0]


def _options(type_: Any) -> tuple[Any, ...]:
    """The types that a type allows: those of a union, or itself."""
    if get_origin(type_) is Annotated:
        return _options(get_args(type_)[0])
    return get_args(type_) if get_origin(type_) in {Union, UnionType} else (type_,)


_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "null": "nothing",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date",
    "datetime": "a date with a time",
    "Tagged": "a value under a YAML tag (!…)",
}


def _plain(complaint: str, value: Any, type_: Any = Any) -> str:
    """A complaint of msgspec in the words of a YAML file, and what to do about a value that YAML took for something else."""
    complaint = complaint.partition(" - at `")[0]
    if complaint.startswith("Invalid enum value"):
        return f"{value!r} is none of its values; {suggest(value, _choices(type_))}"
    missing = re.fullmatch(r"Object missing required field `(.*)`", complaint)
    if missing:
        return f"the key {missing[1]!r} is missing"
    words = re.sub(r"`([^`]*)`", lambda match: _name(match[1]), complaint)
    in_quotes = "Expected `str" in complaint and isinstance(value, bool | int | float | date)
    return words[:1].lower() + words[1:] + ("; write it in quotes" if in_quotes else "")


def _choices(type_: Any) -> list[str]:
    """The words that a type allows."""
    choices: list[str] = []
    for option in _options(type_):
        enum = isinstance(option, type) and issubclass(option, Enum)
        choices += map(str, option if enum else get_args(option))
    return choices


def _name(types: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types.split(" | "))

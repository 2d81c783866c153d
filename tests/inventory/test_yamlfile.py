"""A YAML file is read strictly; what is wrong with it is said with its line."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import AuditorError, BadFile
from auditor.results import Severity
from auditor.yamlfile import document, read, suggest


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 22
    number: str = ""
    expires: date | None = None
    tags: tuple[str, ...] = ()
    kind: Literal["ssh", "local"] | None = None
    grade: Severity | None = None


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hosts: dict[str, Entry | None]
    title: str = ""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problem(folder: Path, text: str | bytes) -> BadFile:
    with pytest.raises(BadFile) as caught:
        read(written(folder, text), File)
    return caught.value


def test_a_file_that_fits_is_read(tmp_path: Path) -> None:
    text = "hosts:\n  web1: {port: 2222, expires: 2027-01-31, tags: [a, b]}\n  web2:\n"
    entry = Entry(port=2222, expires=date(2027, 1, 31), tags=("a", "b"))
    assert read(written(tmp_path, text), File) == File(hosts={"web1": entry, "web2": None})


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (
            "hosts:\n  a:\n    number: 1.10\n",
            3,
            "hosts.a.number: expected text, got a number; write it in quotes",
        ),
        ("hosts:\n  a:\n    number: 2027-01-31\n", 3, "expected text, got a date; write it in quotes"),
        ("hosts:\n  a:\n    number: no\n", 3, "expected text, got true or false; write it in quotes"),
        ("hosts:\n  a: {}\n  b:\n    tags:\n    - x\n    - 7\n", 6, "hosts.b.tags[1]: expected text"),
        ("hosts:\n  a:\n    prot: 22\n", 3, "hosts.a.prot: unknown key; did you mean 'port'?"),
        ("hosts: {a: {kind: shh}}", 1, "hosts.a.kind: 'shh' is none of its values; did you mean 'ssh'?"),
        ("hosts: {a: {grade: 9.8}}", 1, "hosts.a.grade: "),
        (
            "hosts: {a: {grade: worst}}",
            1,
            "hosts.a.grade: 'worst' is none of its values; there are critical, high, low, medium",
        ),
        ("hosts: {}\nzzz: 1\n", 2, "zzz: unknown key; there are hosts, title"),
        ("hosts:\n  a:\n    port: 0\n", 3, "hosts.a.port: expected a whole number >= 1"),
        (
            "hosts:\n  'a.b \"c.port': {}\n  d.e:\n    port: x\n",
            4,
            "hosts.d.e.port: expected a whole number, got text",
        ),
        ("hosts:\n  a: {}\n  7: {}\n", 3, "hosts[7]: expected text, got a whole number; write it in quotes"),
        ("hosts:\n- a\n", 1, "hosts: expected a mapping, got a list"),
        ("title: x\n", 1, "the key 'hosts' is missing"),
        ("hosts:\n  a:\n    expires: 2027-02-30\n", 3, "no valid timestamp"),
        ("hosts:\n  a: {}\n  b: {}\n  a: {}\n", 4, "key 'a' is there twice; the first is on line 2"),
        ("hosts:\n  a: {port: 1, port: 2}\n", 2, "key 'port' is there twice"),
        ("hosts:\n  ? [a]\n  : b\n", 2, "a key must be plain text"),
        ("hosts: {}\ntitle: 'x\n", 3, "is not valid YAML"),
        ("hosts:\n\ta: 1\n", 2, "is not valid YAML"),
        ("hosts: {}\n---\nhosts: {}\n", 2, "is not valid YAML"),
        ("hosts: {}\ntitle: \x07\n", 2, "control character"),
        (b"hosts: {}\ntitle: M\xfcller\n", 2, "is not UTF-8"),
        ("hosts: {}\ntitle: !thing x\n", 2, "title: expected text, got a value under a YAML tag"),
        ("hosts: {}\ntitle: !!int x\n", 2, "no valid int"),
        ("hosts: {}\ntitle: !!timestamp x\n", 2, "no valid timestamp"),
        ("hosts: &a\n  <<: *a\n", 1, "merges itself"),
        ("hosts: {<<: 7}\n", 1, "'<<' merges mappings only"),
        ("hosts: &a [*a]\n", 1, "unreasonably large"),
        ("[" * 100_000, 1, "nested deeper"),
        ("- " * 100_000, 1, "nested deeper"),
        ("", 0, "is empty"),
        ("# nothing\n", 0, "is empty"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str | bytes, line: int, says: str) -> None:
    bad = problem(tmp_path, text)
    assert says in bad.problem
    assert bad.line == line


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    assert "unreasonably large" in problem(tmp_path, "\n".join(lines)).problem


def test_a_chain_of_merges_costs_nothing(tmp_path: Path) -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 100)]
    assert document(written(tmp_path, "\n".join(lines))).value["a99"] == {"x": 1}


def test_a_key_of_its_own_beats_a_merged_one_and_the_first_merged_beats_the_second(tmp_path: Path) -> None:
    text = "x: &x {a: 1, b: 1, c: 1}\ny: &y {b: 2, c: 2, d: 2}\nz:\n  <<: [*x, *y]\n  a: 3\n"
    found = document(written(tmp_path, text))
    assert found.value["z"] == {"a": 3, "b": 1, "c": 1, "d": 2}
    assert (found.line("z", "a"), found.line("z", "d")) == (5, 2)


def test_a_pair_of_ports_is_text_and_no_number_to_the_base_of_60(tmp_path: Path) -> None:
    assert document(written(tmp_path, "ports: [22:22, 80]")).value == {"ports": ["22:22", 80]}


@pytest.mark.parametrize("start", ["*", "!", "&"])
def test_a_password_without_quotes_is_not_repeated(tmp_path: Path, start: str) -> None:
    assert "hunter2" not in str(problem(tmp_path, f"title: {start}hunter2\n"))


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    for path, says in (
        (tmp_path, "is a directory"),
        (tmp_path / "none", "no such file"),
        (Path("a\0b"), "null byte"),
    ):
        with pytest.raises(BadFile, match=says):
            read(path, File)


def test_a_pipe_is_read(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"hosts: {}\n")
    os.close(writing)
    assert read(Path(f"/dev/fd/{reading}"), File) == File(hosts={})
    os.close(reading)


def test_a_line_is_that_of_the_nearest_value_around(tmp_path: Path) -> None:
    found = document(written(tmp_path, "hosts:\n\n  web1:\n    port: 1\n"))
    assert [found.line("hosts", "web1", "none"), found.line("none"), found.line("hosts", "web1", "port")] == [
        3,
        1,
        4,
    ]


def test_a_suggestion_is_close_or_a_list() -> None:
    assert suggest("wbe1", ["web1", "db1"]) == "did you mean 'web1'?"
    assert suggest("x", ["web1", "db1"]) == "there are db1, web1"
    assert suggest("x", ["web1"]) == "there is web1"
    assert suggest("x", []) == "there is none"
    assert suggest("?", [f"web{n:03}" for n in range(1000)]).endswith("web039, …")


def test_a_key_is_text_even_where_yaml_takes_the_word_for_true_or_false(tmp_path: Path) -> None:
    assert document(written(tmp_path, "on: on\nNo: 1\n")).value == {"on": True, "No": 1}


YAML_TEXT = st.text(st.sampled_from("ab:- \n\t{}[],&*!|>'\"#%@`?0123.<~\\é=")) | st.text()


@settings(deadline=None)
@given(text=YAML_TEXT)
def test_no_text_raises_anything_but_a_bad_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        read(path, File)
    except AuditorError as error:
        assert isinstance(error, BadFile)  # noqa: PT017  either outcome is right

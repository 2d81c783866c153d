"""Paths of Windows, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.windows_paths import is_pipe, is_within, pipe_of, plain_windows_path, split_bind


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("C:\\", "c:"),
        ("C:/Windows/", "c:\\windows"),
        (r"C:\Users\..\Windows\\System32", r"c:\windows\system32"),
        (r"\\?\C:\Windows", r"c:\windows"),
        (r"\\.\D:\x", r"d:\x"),
        (r"C:\Windows.\System32 ", r"c:\windows\system32"),
        ("//./pipe/Docker_Engine", r"\\.\pipe\docker_engine"),
        (r"\\?\pipe\docker_engine", r"\\.\pipe\docker_engine"),
        (r"\\.\PhysicalDrive0", r"\\.\physicaldrive0"),
        (r"\\HOST\C$\x", r"\\host\c$\x"),
        ("\\", "\\"),
    ],
)
def test_a_path_is_made_plain(path: str, plain: str) -> None:
    assert plain_windows_path(path) == plain


@pytest.mark.parametrize(
    ("host", "pipe"),
    [
        ("npipe:////./pipe/Build", r"\\.\pipe\build"),
        ("npipe://", r"\\.\pipe\docker_engine"),
        ("tcp://0.0.0.0:2375", ""),
        ("npipe", ""),
        ("", ""),
    ],
)
def test_the_pipe_of_a_host(host: str, pipe: str) -> None:
    assert pipe_of(host) == pipe


@given(st.text(st.sampled_from("aA.:\\/?$ ")) | st.text())
def test_a_plain_path_has_neither_case_nor_the_other_slash(path: str) -> None:
    plain = plain_windows_path(path)
    assert "/" not in plain
    assert plain == plain.lower()
    is_pipe(plain)
    split_bind(path)


def test_a_folder_holds_itself_and_what_is_below() -> None:
    assert is_within(r"c:\a", r"c:\a")
    assert is_within(r"c:\a\b", r"c:\a")
    assert is_within(r"c:\a", "c:")
    assert not is_within(r"c:\ab", r"c:\a")


@pytest.mark.parametrize(
    ("bind", "parts"),
    [
        (r"C:\data:C:\app:ro", (r"C:\data", r"C:\app", "ro")),
        ("c:/data:c:/app", ("c:/data", "c:/app", "")),
        (r"C:\data:D:", (r"C:\data", "D:", "")),
        (r"\\.\pipe\a:\\.\pipe\b", (r"\\.\pipe\a", r"\\.\pipe\b", "")),
        ("//./pipe/a://./pipe/a", ("//./pipe/a", "//./pipe/a", "")),
        (r"\\?\C:\data:C:\app:rw", (r"\\?\C:\data", r"C:\app", "rw")),
        (r"data:C:\app", None),
        ("", None),
    ],
)
def test_a_bind_comes_apart(bind: str, parts: tuple[str, str, str] | None) -> None:
    assert split_bind(bind) == parts


@pytest.mark.parametrize(
    ("path", "pipe"),
    [(r"\\.\pipe\x", True), (r"\\host\pipe", True), (r"c:\pipe\x", False), (r"\\host\pipes\x", False)],
)
def test_a_pipe_is_known_by_its_path(path: str, pipe: bool) -> None:
    assert is_pipe(path) is pipe

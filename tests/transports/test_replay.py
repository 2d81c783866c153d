"""Saved bundles in place of hosts."""

import gzip
import json
from pathlib import Path

import pytest

from auditor.collect.bundle import Bundle, Section
from auditor.errors import BadReply, HostError, Unreachable
from auditor.host import Host
from auditor.transports.base import Deadline, open_transport

SAVED = Bundle({"host": Section(b"uid=0\n"), "keys": Section(status=77, message="no")})


def replay(path: Path | None) -> Bundle:
    host = Host("web1", "bundle", path=path)
    return open_transport(host).collect(host, ("host",), Deadline(10))


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    (tmp_path / "a.bundle").write_bytes(SAVED.dump())
    assert {**replay(tmp_path / "a.bundle").sections, "auditor": None} == {**SAVED.sections, "auditor": None}


@pytest.mark.parametrize("name", ["web7.bundle", "web7.bundle.gz", "web7"])
def test_a_bundle_made_by_hand_is_named_after_its_file(tmp_path: Path, name: str) -> None:
    data = SAVED.dump()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert json.loads(replay(tmp_path / name).read("auditor"))["name"] == "web7"


def test_a_bundle_that_knows_whose_it_is_keeps_that(tmp_path: Path) -> None:
    about = Section(b'{"name":"db1"}')
    (tmp_path / "a.bundle").write_bytes(SAVED.adding({"auditor": about}).dump())
    assert replay(tmp_path / "a.bundle").sections["auditor"] == about


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"nowhere: No such file"):
        replay(tmp_path / "nowhere")


def test_a_file_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(BadReply, match=r"a\.txt: not a bundle.*collect it anew"):
        replay(tmp_path / "a.txt")


def test_a_host_without_a_file_says_what_is_missing() -> None:
    with pytest.raises(HostError, match=r"add path: FILE"):
        replay(None)

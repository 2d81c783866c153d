"""Where reports go on the command line."""

import json
import os
import threading
from pathlib import Path

import pytest

from auditor.cli.auditing import write_whole
from auditor.errors import AuditorError
from tests.cli.test_people import BUNDLE, run

ONE = ("run", BUNDLE, "--check", "privileged-container")


def test_what_is_no_file_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe, said = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: said.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, [b"whole", b" report"])
    reader.join()
    assert said == [b"whole report"]
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "today.json").write_text("old")
    (tmp_path / "latest.json").symlink_to("today.json")
    write_whole(tmp_path / "latest.json", [b"new"])
    assert (tmp_path / "latest.json").is_symlink()
    assert (tmp_path / "today.json").read_text() == "new"


def test_a_full_device_is_one_error() -> None:
    with pytest.raises(AuditorError, match="/dev/full: No space left"):
        write_whole(Path("/dev/full"), [b"x" * 100_000])
    assert Path("/dev/full").is_char_device()


def test_two_reports_in_one_file_are_a_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    twice = ("--report", f"json={tmp_path}/a", "--report", f"junit={tmp_path}/../{tmp_path.name}/a")
    assert run(monkeypatch, *ONE, *twice) == 2
    assert "two reports cannot both go to" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    nowhere = ("--report", "json=/dev/null", "--report", "junit=/dev/null")
    assert run(monkeypatch, *ONE, *nowhere) == 0
    assert Path("/dev/null").is_char_device()


def test_a_place_where_nothing_may_be_written_is_told_before_any_host_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert run(monkeypatch, *ONE, "--report", f"json={tmp_path}/a") == 2
    assert "you may not write there" in capsys.readouterr().err


def test_quiet_leaves_out_the_console_report_beside_others_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(monkeypatch, *ONE, "--quiet", "--report", f"json={tmp_path}/a")
    assert capsys.readouterr().out == ""
    assert json.loads((tmp_path / "a").read_text())["schema_version"] == 1
    run(monkeypatch, *ONE, "--quiet")
    assert "1 passed" in capsys.readouterr().out

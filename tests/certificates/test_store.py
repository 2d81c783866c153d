"""Two who issue at once lose nothing, and whoever is killed leaves the old state or the new one."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.certificates.authority import Making, Opening, init, read_certificates
from auditor.certificates.issue import Request, issue
from auditor.certificates.keys import read_key, same_key
from auditor.certificates.names import Names
from auditor.certificates.profile import Purpose
from auditor.certificates.store import Store, write_new
from auditor.errors import AuditorError, BadFile, UsageError
from tests.certificates.pki import NO_PASSPHRASE, client, new_store, server

ROOT = Path(__file__).parents[2]

ISSUE = """
import sys
from pathlib import Path
from tests.certificates.pki import server
from auditor.certificates.store import Store
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    server(Store(Path(sys.argv[1])), f"web{number}", f"web{number}.example.org")
"""

# Ends at once, as kill -9 does, at the given call of those that reach the disk; what was not synced is half lost.
KILL = """
import os, sys
calls = int(sys.argv[4])
def deadly(name):
    real = getattr(os, name)
    def call(*arguments, **named):
        global calls
        calls -= 1
        if calls == 0:
            if name == "fsync":
                size = os.fstat(arguments[0]).st_size
                try: os.ftruncate(arguments[0], size // 2)
                except OSError: pass
            os._exit(9)
        return real(*arguments, **named)
    setattr(os, name, call)
for name in ("open", "fsync", "replace", "fchmod", "mkdir", "unlink"):
    deadly(name)
"""


def run(script: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def holds(store: Store) -> None:
    """Everything that the ledger names is there, whole, and each key belongs to its certificate."""
    for each in store.load().current():
        file = store.folder / each.file
        certificate = read_certificates(file)[0]
        assert f"{certificate.serial_number:x}" == each.serial
        assert same_key(read_key(file).public_key(), certificate.public_key())


def test_those_who_issue_at_once_lose_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    issuing = [run(ISSUE, store.folder, start, start + 10) for start in (0, 10, 20)]
    for process in issuing:
        _, complaint = process.communicate(timeout=120)
        assert process.returncode == 0, complaint.decode()
    assert {each.name for each in store.load().current()} == {f"web{number}" for number in range(30)}
    assert store.leftovers(store.load()) == []
    holds(store)


def test_a_kill_at_any_write_leaves_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    server(store, "web0")
    for call in range(1, 100):
        name = f"web{call}"
        process = run(KILL + ISSUE, store.folder, call, call + 1, call)
        _, complaint = process.communicate(timeout=60)
        assert process.returncode in {0, 9}, complaint.decode()
        names = {each.name for each in store.load().current()}
        assert "web0" in names
        holds(store)
        if process.returncode == 0:
            assert name in names
            break
        if name not in names:
            server(store, name)
    else:
        pytest.fail("no run came to its end")
    assert call > 8, "the run must have been killed at every one of its writes"
    assert len(store.load().current()) == call + 1
    holds(store)


def test_a_kill_while_authorities_are_made_leaves_none_or_all(tmp_path: Path) -> None:
    script = KILL + (
        "from pathlib import Path\nfrom auditor.certificates.authority import *\nfrom auditor.certificates.store import Store\n"
        "init(Store(Path(sys.argv[1])), 'E', [], Making(), '')\n"
    )
    for call in range(1, 100):
        store = Store(tmp_path / f"pki{call}")
        process = run(script, store.folder, 0, 0, call)
        _, complaint = process.communicate(timeout=60)
        assert process.returncode in {0, 9}, complaint.decode()
        if not store.exists:
            init(store, "E", [], Making(), "")
        assert len(store.load().authorities) == 2
        server(store)
        holds(store)
        if process.returncode == 0:
            break
    assert call > 10


def test_what_a_kill_left_behind_is_named(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    (store.folder / "servers" / "web9-0.pem").write_text("half")
    assert store.leftovers(store.load()) == ["servers/web9-0.pem"]


def test_only_the_owner_may_read_any_of_it(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    server(store)
    client(store)
    for path in (store.folder, *store.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.folder.chmod(0o750)
    with pytest.raises(AuditorError, match="chmod 700"):
        server(store)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 1, "more": 2}', b'{"version": 99}', b"\xff\xfe"]
)
def test_a_spoilt_ledger_is_named_and_never_written_over(tmp_path: Path, content: bytes) -> None:
    store = new_store(tmp_path)
    ledger = store.folder / "ledger.json"
    ledger.write_bytes(content)
    with pytest.raises(BadFile, match=r"ledger\.json"):
        server(store)
    assert ledger.read_bytes() == content


def test_a_name_in_force_is_not_taken_twice_without_being_asked_for(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    first = server(store)
    with pytest.raises(UsageError, match="renew web1"):
        server(store)
    request = Request(Purpose.SERVER, "web1", Names.of(["web1"]), replacing=True)
    second = issue(store, [request], NO_PASSPHRASE)[0].certificate
    assert [each.serial for each in store.load().current()] == [second.serial]
    assert store.load().certificates[0].replaced == second.serial
    assert (store.folder / first.file).exists()


def test_one_bad_request_among_many_issues_none(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    requests = [Request(Purpose.SERVER, "web1", Names.of(["web1"])), Request(Purpose.SERVER, "web2")]
    with pytest.raises(UsageError, match="web2"):
        issue(store, requests, NO_PASSPHRASE)
    assert store.load().current() == []


def test_a_passphrase_protects_authorities_and_stands_in_no_message(tmp_path: Path) -> None:
    store = new_store(tmp_path, passphrase="correct horse")
    keys = [store.folder / each.key for each in store.load().authorities]
    assert all(b"BEGIN ENCRYPTED PRIVATE KEY" in key.read_bytes() for key in keys)
    request = [Request(Purpose.CLIENT, "ann")]
    with pytest.raises(AuditorError, match="does not open") as error:
        issue(store, request, Opening(lambda: "wrong battery"))
    assert "battery" not in str(error.value)
    assert "battery" not in repr(error.value.__context__)
    asked = list[str]()

    def ask() -> str:
        asked.append("once")
        return "correct horse"

    issue(
        store,
        [*request, Request(Purpose.SERVER, "web1", Names.of(["web1"]))],
        Opening(ask),
    )
    assert asked == ["once"]


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 8"):
        new_store(tmp_path, passphrase="short")
    assert not (tmp_path / "pki").exists()


def test_authorities_are_not_made_twice_and_force_retires_and_loses_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    one = server(store)
    with pytest.raises(UsageError, match="already"):
        new_store(tmp_path)
    init(store, "Example", [], Making(), "", anew=True)
    ledger = store.load()
    assert [each.role for each in ledger.authorities] == ["retired", "retired", "active", "active"]
    assert ledger.find(Purpose.SERVER, "web1") == one


def test_a_file_outside_is_not_written_over_unless_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file"
    write_new(file, b"one", mode=0o600)
    with pytest.raises(UsageError, match="--force"):
        write_new(file, b"two")
    write_new(file, b"two", mode=0o400, replace=True)
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"two", 0o400)

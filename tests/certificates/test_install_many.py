"""Twenty hosts in one command: each is treated for itself, whatever the others do, and a table tells how each one ended."""

import base64
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from auditor.certificates import session as sessions
from auditor.certificates.issue import Request, issue
from auditor.certificates.names import Names
from auditor.certificates.plan import look
from auditor.certificates.profile import Purpose
from auditor.certificates.session import Answer, ConnectionLost, Session
from auditor.certificates.store import Store
from auditor.cli.certs import installing
from auditor.cli.certs.commands import app
from auditor.errors import AuditorError, Unreachable
from auditor.host import Host
from tests.certificates.daemon import Daemon
from tests.certificates.pki import NO_PASSPHRASE, client, new_store
from tests.lab.sshd import free_port

UNIT = b"[Service]\nExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock\n"
CONFIG = "/etc/docker/daemon.json"
NEW, OLD, UNKNOWN = "new state, proved", "old state", "state not known"


class Simulated:
    """A Linux host: files, a daemon that speaks TLS, and one thing that is wrong with it."""

    def __init__(self, folder: Path, address: str, port: int, fault: str) -> None:
        self.folder, self.address, self.port, self.fault = folder, address, port, fault
        self.files = {CONFIG: b'{"debug": true}\n'}
        self.saved: dict[str, bytes] | None = None
        self.new, self.last = "", "state new\nfolder /etc/docker/tls/auditor-of-an-earlier-time\n"
        self.daemon: Daemon | None = None
        folder.mkdir()

    def run(self, step: str, words: Sequence[str] = (), data: bytes = b"") -> Answer:
        said = getattr(self, step)(words, data)
        return Answer(0, said.encode(), b"")

    @contextmanager
    def way_to(self, _address: str, port: int) -> Iterator[tuple[str, int]]:
        yield self.address, port

    def inspect(self, _words: Sequence[str], _data: bytes) -> str:
        told = {"unit": b"" if self.fault == "no systemd" else UNIT, "path": CONFIG.encode()}
        told |= {"config": b"{" if self.fault == "garbage" else self.files[CONFIG]}
        lines = [f"{word} {base64.b64encode(value).decode()}" for word, value in told.items()]
        greeting = ["Welcome to web1"] if self.fault == "greets" else []
        return "\n".join([*greeting, *lines, "" if self.fault == "breaks off" else "end", ""])

    def install(self, words: Sequence[str], data: bytes) -> str:
        if self.fault == "lost before it began":
            raise ConnectionLost("install: the connection broke")
        if self.fault == "disk full":
            return "state old\nreason No space left on device\n"
        sent = {name: base64.b64decode(rest.rpartition(" ")[2]) for name, _, rest in parted(data)}
        self.saved, self.new = dict(self.files), words[0]
        for name in ("ca.pem", "server-cert.pem", "server-key.pem"):
            self.files[f"{words[0]}/{name}"] = sent[name]
        self.files[CONFIG] = sent["daemon.json"]
        if self.fault == "does not start":
            return self.rollback(["the daemon does not start: address in use"])
        config = json.loads(sent["daemon.json"])
        config["tlsverify"] = self.fault != "lets strangers in"
        self.daemon = Daemon(self.port, json.dumps(config), self.files, self.folder, self.address)
        if self.fault in ("lost", "lost for good"):
            raise ConnectionLost("install: the connection broke")
        if self.fault == "our fault":
            raise ZeroDivisionError("in the midst of it")
        return "state unconfirmed\n"

    def rollback(self, words: Sequence[str], _data: bytes = b"") -> str:
        if self.saved is not None:
            self.files, self.saved = self.saved, None
            self.last = f"state old\nreason {words[0]}\ndaemon runs as before\n"
        if self.daemon:
            self.daemon.stop()
            self.daemon = None
        return self.last

    def confirm(self, _words: Sequence[str], _data: bytes) -> str:
        if self.fault == "timer first":
            self.rollback(["nobody confirmed"])
            return "state rolling\n"
        self.saved, self.last = None, f"state new\nfolder {self.new}\n"
        return self.last

    def state(self, _words: Sequence[str], _data: bytes) -> str:
        return self.rollback(["nobody confirmed"])


def parted(data: bytes) -> Iterator[tuple[str, str, str]]:
    for line in data.decode().splitlines():
        if line != "end":
            yield line.partition(" ")


class Fleet:
    """Hosts of an inventory, the sessions on them, and how many were open at the same time."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.port = folder, free_port()
        self.hosts: dict[str, Simulated] = {}
        self.store: Store = new_store(folder)
        client(self.store, "ann")
        self.open, self.most, self.lock = 0, 0, threading.Lock()
        monkeypatch.chdir(folder)
        monkeypatch.setattr(installing, "open_session", self.counted)
        monkeypatch.setattr(sessions, "open_session", self.session)

    def add(self, name: str, fault: str = "") -> None:
        address = f"127.0.1.{len(self.hosts) + 1}"
        self.hosts[name] = Simulated(self.folder / name, address, self.port, fault)
        if fault != "no certificate":
            request = Request(Purpose.SERVER, name, Names.of([f"{name}.example", address]))
            issue(self.store, [request], NO_PASSPHRASE)

    @contextmanager
    def session(self, host: Host) -> Iterator[Session]:
        machine = self.hosts[host.name]
        if machine.fault == "unreachable" or (machine.fault == "lost for good" and machine.daemon):
            raise Unreachable(f"{host.name}: no connection")
        yield machine

    @contextmanager
    def counted(self, host: Host) -> Iterator[Session]:
        with self.lock:
            self.open += 1
            self.most = max(self.most, self.open)
        try:
            with self.session(host) as session:
                yield session
        finally:
            with self.lock:
                self.open -= 1

    def install(self, *options: str) -> Result:
        lines = [
            f"  {name}: {{transport: ssh, address: {host.address}}}\n" for name, host in self.hosts.items()
        ]
        (self.folder / "inventory.yaml").write_text(f"hosts:\n{''.join(lines)}")
        listen = f"--listen=tcp://0.0.0.0:{self.port}"
        return CliRunner().invoke(app, ["install", "-i", "inventory.yaml", listen, "--patience=10", *options])

    def stop(self) -> None:
        for host in self.hosts.values():
            host.rollback(["the end"])


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    made = Fleet(tmp_path, monkeypatch)
    yield made
    made.stop()


FAULTS = {
    "disk full": OLD, "does not start": OLD, "lets strangers in": OLD, "garbage": OLD, "no systemd": OLD, "breaks off": OLD,
    "no certificate": OLD, "unreachable": OLD, "lost": OLD, "lost before it began": OLD, "timer first": OLD, "lost for good": UNKNOWN, "our fault": UNKNOWN, "greets": NEW,
}  # fmt: skip


def table(result: Result) -> dict[str, str]:
    """What the table at the end says of each host."""
    text = result.stdout.rsplit("\n\n", 1)[1]
    return {
        found[1]: found[2]
        for found in re.finditer(rf"(?m)^(\w+) +({NEW}|{OLD}|{UNKNOWN}|planned only)", text)
    }


@pytest.mark.parametrize("workers", [1, 8])
def test_of_twenty_hosts_each_is_treated_for_itself(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr("auditor.certificates.install.SECONDS_AFTER", -8)
    wanted = dict[str, str]()
    for number, (fault, state) in enumerate(FAULTS.items()):
        fleet.add(f"bad{number}", fault)
        wanted[f"bad{number}"] = state
    for number in range(20 - len(FAULTS)):
        fleet.add(f"web{number}")
        wanted[f"web{number}"] = NEW
    result = fleet.install("--yes", f"--workers={workers}")
    assert table(result) == wanted
    assert result.exit_code == 1
    assert (
        result.stdout.rstrip()
        .splitlines()[-1]
        .startswith("20 hosts: 7 new state, proved, 11 old state, 2 state not known")
    )
    assert "incomplete" in result.stdout
    assert (fleet.most > 1) is (workers > 1)
    assert fleet.most <= workers
    delivered = {label.removeprefix("server ") for label in fleet.store.load().deliveries}
    assert delivered == {name for name, state in wanted.items() if state == NEW}
    for name, host in fleet.hosts.items():
        served = json.loads(host.files[CONFIG]) if wanted[name] != UNKNOWN else {}
        assert bool(served.get("tlsverify")) is (wanted[name] == NEW), name


def test_a_hosts_lines_stay_together_where_several_are_under_way(fleet: Fleet) -> None:
    for number in range(6):
        fleet.add(f"web{number}")
    result = fleet.install("--yes", "--workers=6")
    assert result.exit_code == 0, result.output
    blocks = re.split(r"\n\[\d/6\] ", result.stdout)[1:]
    assert len(blocks) == 6
    for block in blocks:
        name = block.split("\n", 1)[0]
        assert block.count("  yes ") == 5
        assert set(re.findall(r"(?m)^(\w+): ", block)) == {name}


@pytest.mark.parametrize(
    ("faults", "code"),
    [([""], 0), (["unreachable"], 1), (["lost for good"], 3), (["lost for good", "unreachable"], 1), (["", "lost for good"], 3)],
)  # fmt: skip
def test_a_host_in_its_old_state_counts_more_than_one_not_known(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, faults: list[str], code: int
) -> None:
    monkeypatch.setattr("auditor.certificates.install.SECONDS_AFTER", -8)
    for number, fault in enumerate(faults):
        fleet.add(f"web{number}", fault)
    assert fleet.install("--yes").exit_code == code


def test_a_dry_run_of_many_plans_each_and_changes_none(fleet: Fleet) -> None:
    for number in range(5):
        fleet.add(f"web{number}", "greets")
    before = {name: dict(host.files) for name, host in fleet.hosts.items()}
    result = fleet.install("--dry-run", "--workers=4")
    assert result.exit_code == 0, result.output
    assert set(table(result).values()) == {"planned only"}
    assert {name: host.files for name, host in fleet.hosts.items()} == before
    assert "PRIVATE" not in result.output


def test_several_at_once_cannot_be_asked_for_and_that_is_said(fleet: Fleet) -> None:
    fleet.add("web1")
    assert "--yes or --dry-run" in str(fleet.install("--workers=2").exception)


def test_an_interruption_in_the_midst_of_the_proof_puts_back_at_once(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(installing, "_tell", interrupt)
    fleet.add("web1")
    result = fleet.install("--yes")
    assert result.exit_code != 0
    assert "interrupted" in result.stderr
    assert fleet.hosts["web1"].last.startswith("state old\nreason the proof was interrupted")
    assert "tlsverify" not in fleet.hosts["web1"].files[CONFIG].decode()


def test_a_host_that_no_inventory_knows_is_answered_with_how_to_name_it(fleet: Fleet) -> None:
    fleet.add("web1")
    error = CliRunner().invoke(app, ["install", "web1", "--yes"]).exception
    assert "ssh://user@web1" in str(error)


def test_one_key_for_several_hosts_is_cautioned_against(fleet: Fleet) -> None:
    fleet.add("web1")
    fleet.add("web2")
    assert "share one key" in fleet.install("--dry-run", "--certificate=web1").stderr
    assert "share one key" not in fleet.install("--dry-run").stderr


def test_nothing_due_is_said(fleet: Fleet) -> None:
    fleet.add("web1")
    fleet.add("web2")
    assert fleet.install("--yes", "--due").exit_code == 0
    again = fleet.install("--yes", "--due")
    assert (again.exit_code, again.stdout.count("nothing to install")) == (0, 1)


def test_what_a_login_script_prints_is_no_fact(fleet: Fleet) -> None:
    fleet.add("web1", "greets")
    assert look(fleet.hosts["web1"], "web1").path == CONFIG


def test_a_new_state_that_cannot_be_written_down_is_told_as_new(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("web1")

    def full(*_: object) -> None:
        raise AuditorError("ledger.json cannot be written: no space left")

    monkeypatch.setattr(Store, "commit", full)
    result = fleet.install("--yes")
    assert result.exit_code == 3
    assert "web1: is in the new state, proved" in result.stdout
    assert "no space left" in result.stderr

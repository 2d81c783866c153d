"""Installation by WinRM, against the project's own WS-Management endpoint: a host in Python that acts the script's steps out."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.certificates.install import Job, Outcome, State, apply, certificate_for, prepare
from auditor.certificates.session import open_session
from auditor.certificates.session_windows import BOOT, install_script
from auditor.certificates.store import Store
from auditor.errors import AuditorError
from auditor.transports.powershell import PROGRAM
from tests.certificates.daemon import Daemon
from tests.certificates.pki import client, new_store, server
from tests.lab.sshd import free_port
from tests.lab.wsman.service import Drop, Output
from tests.transports.windows_world import Files, World, windows

CONFIG = r"C:\ProgramData\docker\config\daemon.json"


class Windows:
    """Files, a service and a task; takes nothing but exactly our script, and does what its steps say."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.image = r'"C:\Program Files\docker\dockerd.exe" --run-service'
        self.files = {CONFIG: b'{\n  "log-opts": {"max-size": "10m"}\n}\n'}
        self.saved: dict[str, bytes] | None = None
        self.new = ""
        self.last = "state old"
        self.fails_to_start = False
        self.daemon: Daemon | None = None
        self.steps: list[str] = []
        self.lines: list[str] = []

    def __call__(self, command: str, arguments: str, stdin: bytes) -> Output:
        assert command == PROGRAM
        assert base64.b64decode(arguments.rpartition(" ")[2]).decode("utf-16-le") == BOOT
        script, step, words, data, end = stdin.split(b"\r\n")
        assert gzip.decompress(base64.b64decode(script)) == install_script()
        assert not end
        self.lines.append(arguments)
        self.steps.append(step.decode())
        told = getattr(self, step.decode())(
            base64.b64decode(words).decode().split("\n"), base64.b64decode(data).decode()
        )
        return Output(told.replace("\n", "\r\n").encode())

    def inspect(self, _words: list[str], _data: str) -> str:
        root = r"C:\ProgramData\docker\tls"
        told = {
            "service": b"docker",
            "image": self.image.encode(),
            "path": CONFIG.encode(),
            "root": root.encode(),
        }
        told |= {"version": b"20.10.9", **({"config": self.files[CONFIG]} if CONFIG in self.files else {})}
        return (
            "\n".join(f"{word} {base64.b64encode(value).decode()}" for word, value in told.items())
            + "\nend\n"
        )

    def install(self, words: list[str], data: str) -> str:
        new, config, service, seconds, validates = words
        assert (config, service, int(seconds) > 0, validates) == (CONFIG, "docker", True, "no")
        sent = dict[str, bytes]()
        for line in data.splitlines():
            name, _, rest = line.partition(" ")
            sent[name] = base64.b64decode(rest.partition(" ")[2])
        assert sent["install.ps1"] == install_script()
        assert sent.get("before") == self.files.get(config)
        self.saved, self.new = dict(self.files), new
        for name in ("ca.pem", "server-cert.pem", "server-key.pem"):
            self.files[f"{new}\\{name}"] = sent[name]
        self.files[config] = sent["daemon.json"]
        if self.fails_to_start:
            return self.rollback(["the daemon does not start: address in use"], "")
        self.daemon = Daemon(self.port, sent["daemon.json"].decode(), self.files, self.folder)
        return "state unconfirmed\n"

    def rollback(self, words: list[str], _data: str) -> str:
        if self.saved is not None:
            self.files, self.saved = self.saved, None
            if self.daemon:
                self.daemon.stop()
                self.daemon = None
            self.last = f"state old\nreason {words[0]}\ndaemon runs as before"
        return self.last

    def confirm(self, _words: list[str], _data: str) -> str:
        if self.saved is not None:
            self.saved, self.last = None, f"state new\nfolder {self.new}"
        return self.last

    def state(self, _words: list[str], _data: str) -> str:
        """The task's time is over when somebody asks."""
        return self.rollback(["nobody confirmed"], "")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.make(tmp_path / "winrm")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Windows]:
    made = Windows(tmp_path, free_port("127.0.0.1"))
    yield made
    if made.daemon:
        made.daemon.stop()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = new_store(tmp_path)
    server(made, "win1", "win1.example", "127.0.0.1")
    client(made, "ann")
    return made


def install(world: World, store: Store, machine: Windows) -> Outcome:
    certificate = certificate_for(store.load(), world.host)
    job = Job(world.host, certificate, f"tcp://127.0.0.1:{machine.port}", seconds=5)
    with open_session(world.host) as session:
        return apply(store, session, prepare(store, session, job), lambda _: None)


def test_a_windows_host_is_brought_to_mutual_tls_and_no_key_of_daemon_json_is_lost(
    files: Files, machine: Windows, store: Store
) -> None:
    with windows(files, program=machine) as world:
        assert install(world, store, machine) == Outcome(State.NEW)
    config = json.loads(machine.files[CONFIG])
    assert config["log-opts"] == {"max-size": "10m"}
    assert config["hosts"] == ["npipe://", f"tcp://127.0.0.1:{machine.port}"]
    assert config["tlskey"].startswith(r"C:\ProgramData\docker\tls\auditor-")
    assert machine.steps == ["inspect", "install", "confirm"]
    assert len(set(machine.lines)) == 1, "nothing that differs from host to host stands on a command line"


def test_a_daemon_that_does_not_start_is_in_the_old_state(
    files: Files, machine: Windows, store: Store
) -> None:
    machine.fails_to_start = True
    before = dict(machine.files)
    with windows(files, program=machine) as world:
        outcome = install(world, store, machine)
    assert outcome.state is State.OLD
    assert "address in use" in outcome.reason
    assert machine.files == before


def test_a_connection_lost_before_the_proof_ends_in_the_old_state_which_is_said(
    files: Files, machine: Windows, store: Store
) -> None:
    before = dict(machine.files)
    with windows(files, program=machine) as world:
        world.service.trouble["Receive"] = [None, Drop()]
        outcome = install(world, store, machine)
    assert outcome.state is State.OLD
    assert "nobody confirmed" in outcome.reason
    assert machine.files == before


def test_a_service_with_listeners_on_its_command_line_is_refused_with_what_to_do(
    files: Files, machine: Windows, store: Store
) -> None:
    machine.image += " -H npipe://"
    with (
        windows(files, program=machine) as world,
        pytest.raises(AuditorError, match=r"sc\.exe config docker"),
    ):
        install(world, store, machine)

"""Installation over SSH: after each of them the host is in the old state or in the new one, and we know in which."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auditor.audit import audit
from auditor.certificates.install import Job, Outcome, Ready, State, apply, certificate_for, prepare
from auditor.certificates.issue import renew
from auditor.certificates.prove import Attempt, prove
from auditor.certificates.session import Answer, ConnectionLost, Session, open_session
from auditor.certificates.status import State as Standing
from auditor.certificates.status import standings
from auditor.certificates.store import Store
from auditor.cli.catalogue import all_checks, benchmark_named, plan_of
from auditor.cli.certs.commands import app
from auditor.errors import AuditorError, BadFile
from auditor.host import Host, SshOptions, Timeouts
from auditor.plan import pick
from tests.certificates.pki import NO_PASSPHRASE, client, new_store, server
from tests.lab.need import need_root
from tests.lab.small_host import PROGRAMS, SmallHost, small_host
from tests.lab.sshd import free_port

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

_DROP_IN = "/etc/systemd/system/docker.service.d"
# Cuts the connection when the daemon is about to be restarted, once.
_CUT = """
[ ! -e {folder}/cut ] || exit 0
: > {folder}/cut
for each in /proc/[0-9]*; do
    if [ "$(sed -n 's/^PPid:\t//p' $each/status 2>/dev/null)" = {sshd} ]; then kill -9 ${{each#/proc/}}; fi
done
"""


@dataclass
class World:
    """A host, authorities, and a certificate for the host."""

    lab: SmallHost
    store: Store
    host: Host
    port: int

    def job(self, seconds: int = 120) -> Job:
        certificate = certificate_for(self.store.load(), self.host, "lab")
        return Job(self.host, certificate, f"tcp://127.0.0.2:{self.port}", seconds=seconds)

    @contextmanager
    def ready(self, seconds: int = 120) -> Iterator[tuple[Session, Ready]]:
        with open_session(self.host) as session:
            yield session, prepare(self.store, session, self.job(seconds))

    def install(self, seconds: int = 120) -> tuple[Outcome, list[Attempt]]:
        told = list[Attempt]()
        with self.ready(seconds) as (session, ready):
            return apply(self.store, session, ready, told.append), told

    def install_is_refused(self) -> str:
        """The state that an installation ends in which does not begin."""
        with self.ready() as (session, ready):
            return session.run("install", ready.plan.words(30), ready.plan.data()).words["state"]

    def write(self, path: str, text: str) -> None:
        self.lab.says(f"mkdir -p {Path(path).parent} && cat > {path}", text)

    @property
    def config(self) -> str:
        return self.lab.says("cat /etc/docker/daemon.json")

    def is_as_it_was(self) -> None:
        """The daemon answers, listens on no port, and nothing of ours is left but the word on how it ended."""
        self.lab.says(self.lab.answers)
        assert self.lab.sh(f"ls {_DROP_IN}").returncode != 0
        assert f":{self.port}" not in self.lab.says("ss -Hltn")
        assert self.lab.says("ls -A /etc/docker/tls 2>/dev/null || true") in {"", "last"}
        assert self.lab.sh("systemctl --quiet is-active docker-host-auditor-rollback.timer").returncode != 0


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    need_root(PROGRAMS)
    store = new_store(tmp_path)
    server(store, "lab", "lab.example", "127.0.0.2")
    client(store, "ann")
    with small_host(monkeypatch) as lab:
        options = SshOptions(
            identity_files=(lab.door.user_key,),
            identities_only=True,
            known_hosts=(lab.door.known_hosts(),),
            agent=False,
        )
        patient = Timeouts(connect=60, auth=60)
        host = Host("lab", "ssh", lab.door.address, lab.door.port, "root", timeouts=patient, ssh=options)
        yield World(lab, store, host, free_port("127.0.0.2"))


def test_a_host_without_daemon_json_is_brought_to_mutual_tls_and_renewed(world: World) -> None:
    outcome, told = world.install()
    assert outcome == Outcome(State.NEW)
    assert len(told) == 5
    assert not [each for each in told if each.problem]
    config = json.loads(world.config)
    assert config["hosts"] == [f"unix://{world.lab.folder}/docker.sock", f"tcp://127.0.0.2:{world.port}"]
    modes = world.lab.says(
        f"stat -c '%a %U' {config['tlskey']} {config['tlscert']} {config['tlscacert']}"
    ).splitlines()
    assert modes == ["400 root", "444 root", "444 root"]
    world.lab.says(world.lab.answers)
    with world.ready() as (session, ready):
        assert ready.plan.nothing
        assert apply(world.store, session, ready, lambda _: None) == Outcome(State.NEW)
    renew(world.store, [world.job().certificate], NO_PASSPHRASE)
    assert world.install()[0] == Outcome(State.NEW)
    folders = world.lab.says("ls -d /etc/docker/tls/auditor-*").split()
    assert len(folders) == 1
    assert folders[0] in world.config
    assert world.store.load().deliveries["server lab"].serial == world.job().certificate.serial
    assert {each.state for each in standings(world.store.load())} == {Standing.FINE}


def test_our_own_audit_agrees_with_what_was_installed(world: World) -> None:
    rooms = ("checks.daemon.tls", "checks.daemon.tls_live", "checks.files.tls", "checks.certificates.")
    ids = [each.id for each in all_checks().values() if each.rule.__module__.startswith(rooms)]
    plan = pick(plan_of(benchmark_named("cis-docker")), only=ids)
    assert world.install()[0] == Outcome(State.NEW)
    audited = replace(world.host, path=world.lab.folder / "docker.sock")
    (report,) = audit(plan, [audited], workers=1).hosts
    found = {
        each.check: each.reason or str(each.findings)
        for each in report.results
        if each.outcome in {"fail", "error"}
    }
    assert found == {}
    assert len([each for each in report.results if each.outcome == "pass"]) > 20


def test_tls_in_five_minutes_works_as_the_how_to_has_it(world: World, tmp_path: Path) -> None:
    """The commands of docs/tls.md, with this lab's address, port and key."""
    url = f"ssh://root@127.0.0.2:{world.lab.door.port}"
    login = [f"--identity={world.lab.door.user_key}", f"--known-hosts={world.lab.door.known_hosts()}"]
    place = ["--certificate=web1", f"--listen=tcp://127.0.0.2:{world.port}", "--yes"]
    for command in (
        ["init", "--organisation", "Example", "--no-passphrase"],
        ["server", "web1=web1.example,127.0.0.2"],
        ["client", "ann"],
        ["install", url, *login, *place],
        ["bundle", "ann", "--output", f"{tmp_path}/ann"],
        ["status"],
    ):
        said = CliRunner().invoke(app, command, env={"AUDITOR_CERTS_DIR": f"{tmp_path}/new"})
        assert said.exit_code == 0, said.output
    docker = ["docker", "--tlsverify", "-H", f"tcp://127.0.0.2:{world.port}", "version"]
    environment = {**os.environ, "DOCKER_CERT_PATH": f"{tmp_path}/ann"}
    done = subprocess.run(docker, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_where_a_firewall_is_in_between_the_proof_goes_through_ssh(world: World) -> None:
    assert world.install()[0] == Outcome(State.NEW)
    with world.ready() as (session, ready), session.way_to("127.0.0.2", world.port) as place:
        assert place[1] != world.port
        attempts = list(prove(place, "lab.example", ready.held))
    assert len(attempts) == 5
    assert not [each for each in attempts if each.problem]


def test_every_other_key_of_daemon_json_stays_in_its_order(world: World) -> None:
    old = '{\n\t"log-driver": "json-file",\n\t"labels": ["town=Zürich"],\n\t"log-opts": {"max-size": "10m"},\n\t"debug": true\n}\n'
    world.write("/etc/docker/daemon.json", old)
    world.lab.says("chmod 600 /etc/docker/daemon.json; systemctl restart docker.service")
    assert world.install()[0] == Outcome(State.NEW)
    new = world.config
    assert list(json.loads(new))[:4] == list(json.loads(old))
    assert json.loads(new).items() >= json.loads(old).items()
    assert '\n\t"labels"' in new
    assert "Zürich" in new
    assert world.lab.says("stat -c %a /etc/docker/daemon.json") == "600"
    assert world.lab.says("cat /etc/docker/tls/backup/daemon.json") == old.strip()


@pytest.mark.parametrize(
    "garbage",
    ['{\n  // TLS\n  "debug": false\n}\n', "[]", '{"debug": true,\n "debug": false}', '{"hosts": "x"}', "{"],
)
def test_a_daemon_json_that_is_none_is_refused_and_nothing_is_touched(world: World, garbage: str) -> None:
    world.write("/etc/docker/daemon.json", garbage)
    with pytest.raises(BadFile, match=r"daemon\.json.* nothing was changed"), world.ready():
        pass
    assert world.config == garbage.strip()
    assert world.lab.sh("ls /etc/docker/tls").returncode != 0


def test_flags_from_an_environment_file_are_refused_with_where_they_come_from(world: World) -> None:
    (world.lab.folder / "environment").write_text(f'DOCKER_OPTS="-H tcp://127.0.0.1:{free_port()}"\n')
    world.lab.says("systemctl restart docker.service")
    with pytest.raises(AuditorError, match="/etc/default/docker"), world.ready():
        pass


def test_a_dry_run_prints_what_would_change_and_changes_nothing(world: World) -> None:
    options = [
        f"--identity={world.lab.door.user_key}",
        f"--known-hosts={world.lab.door.known_hosts()}",
        "--certificate=lab",
    ]
    place = [f"--listen=tcp://127.0.0.2:{world.port}", f"--dir={world.store.folder}", "--dry-run"]
    said = CliRunner().invoke(
        app, ["install", f"ssh://root@127.0.0.2:{world.lab.door.port}", *options, *place]
    )
    assert said.exit_code == 0, said.output
    for line in (
        "--- /dev/null",
        "+++ /etc/docker/daemon.json",
        '+  "tlsverify": true,',
        "+ExecStart=",
        "new  0400 root",
    ):
        assert line in said.stdout
    assert "PRIVATE" not in said.output
    world.is_as_it_was()
    assert world.lab.sh("ls /etc/docker/tls").returncode != 0


def test_one_host_that_fails_stops_no_other_and_each_ones_state_is_told(world: World) -> None:
    options = [
        f"--identity={world.lab.door.user_key}",
        f"--known-hosts={world.lab.door.known_hosts()}",
        "--certificate=lab",
        f"--listen=tcp://127.0.0.2:{world.port}",
        f"--dir={world.store.folder}",
        "--dry-run",
    ]
    gone, here = f"127.0.0.3:{free_port()}", f"127.0.0.2:{world.lab.door.port}"
    said = CliRunner().invoke(app, ["install", f"ssh://root@{gone}", f"ssh://root@{here}", *options])
    assert said.exit_code == 1, said.output
    assert "nothing was changed" in said.stderr
    first, second, counted = said.stdout.rstrip().splitlines()[-3:]
    assert first.startswith(f"{gone}  old state ")
    assert second.split("  ") == [here, "planned only"]
    assert counted == "2 hosts: 1 planned only, 1 old state"
    world.is_as_it_was()


def test_a_key_that_dockerd_does_not_know_ends_in_the_old_state(world: World) -> None:
    world.write("/etc/docker/daemon.json", '{"no-such-key": 1}\n')
    outcome, _ = world.install()
    assert outcome.state is State.OLD
    assert "no-such-key" in outcome.reason
    assert outcome.daemon.startswith("does not run"), "it would not have come back before us either"
    assert world.config == '{"no-such-key": 1}'
    world.lab.says("rm /etc/docker/daemon.json; systemctl restart docker.service")
    world.is_as_it_was()


def test_a_full_disk_leaves_the_old_state(world: World) -> None:
    world.lab.says("mount -t tmpfs -o size=8k tmpfs /etc/docker")
    outcome, _ = world.install()
    assert outcome.state is State.OLD
    assert "No space left" in outcome.reason
    world.is_as_it_was()


def test_a_disk_that_is_full_only_for_the_drop_in_leaves_the_old_state(world: World) -> None:
    world.lab.says(
        "mount -t tmpfs -o size=4k tmpfs /etc/systemd/system && head -c 4096 /dev/zero > /etc/systemd/system/full || true"
    )
    outcome, _ = world.install()
    assert outcome.state is State.OLD
    assert "cannot write below /etc/systemd/system" in outcome.reason
    world.lab.says("umount /etc/systemd/system")
    world.is_as_it_was()


def test_a_drop_in_that_cannot_be_written_puts_everything_back(world: World) -> None:
    world.write(_DROP_IN, "in the way")
    outcome, _ = world.install()
    assert outcome.state is State.OLD
    assert "cannot write" in outcome.reason
    assert outcome.daemon == "runs as before"
    world.lab.says(f"rm {_DROP_IN}")
    world.is_as_it_was()


def unconfirmed(world: World) -> None:
    """Everything up to the proof, which never comes."""
    with world.ready() as (session, ready):
        answer = session.run("install", ready.plan.words(600), ready.plan.data())
        assert answer.words == {"state": "unconfirmed"}


def test_a_host_that_restarts_before_the_proof_puts_itself_back_and_then_starts_the_daemon(
    world: World,
) -> None:
    world.write("/etc/docker/daemon.json", '{"debug": true}\n')
    unconfirmed(world)
    assert "tlsverify" in world.config
    world.lab.reboot()
    assert world.config == '{"debug": true}'
    world.is_as_it_was()
    assert "restarted before the proof" in world.lab.says("cat /etc/docker/tls/last")
    assert world.install()[0] == Outcome(State.NEW)


def test_a_host_that_restarts_while_it_puts_back_goes_on_with_it(world: World) -> None:
    world.write("/etc/docker/daemon.json", '{"debug": true}\n')
    unconfirmed(world)
    work = "/etc/docker/tls/.work"
    world.lab.says(f"mv {work}/armed {work}/rolling && mv {work}/backup/daemon.json /etc/docker/daemon.json")
    assert world.install_is_refused() == "busy"
    world.lab.reboot()
    assert world.config == '{"debug": true}'
    world.is_as_it_was()


def test_a_host_that_restarts_after_the_proof_stays_in_the_new_state(world: World) -> None:
    assert world.install()[0] == Outcome(State.NEW)
    units = world.lab.says("ls -R /etc/systemd/system")
    assert "docker-host-auditor-reboot" not in units
    world.lab.reboot()
    assert f":{world.port}" in world.lab.says("ss -Hltn")


def test_what_an_installation_left_that_nobody_ends_is_put_back_by_the_next(world: World) -> None:
    unconfirmed(world)
    world.lab.says("systemctl stop x.timer")
    assert world.install_is_refused() == "old"
    world.is_as_it_was()
    assert world.install()[0] == Outcome(State.NEW)


def test_a_daemon_that_does_not_come_back_is_put_back(world: World) -> None:
    with socket.create_server(("127.0.0.2", world.port)):
        outcome, _ = world.install()
    assert outcome.state is State.OLD
    assert "address already in use" in outcome.reason
    assert outcome.daemon == "runs as before"
    world.is_as_it_was()


def test_a_proof_that_fails_puts_everything_back(world: World) -> None:
    world.write("/etc/docker/daemon.json", '{"debug": true}\n')
    with world.ready() as (session, ready):
        wrong = replace(ready, held=replace(ready.held, fingerprint="0" * 64))
        outcome = apply(world.store, session, wrong, lambda _: None)
    assert outcome.state is State.OLD
    assert "it serves another one" in outcome.reason
    assert outcome.daemon == "runs as before"
    assert "server lab" not in world.store.load().deliveries
    assert world.config == '{"debug": true}'
    world.is_as_it_was()


def test_a_connection_lost_between_copy_and_restart_ends_in_the_old_state_which_is_said(world: World) -> None:
    cut = _CUT.format(folder=world.lab.folder, sshd=world.lab.door.pid)
    (world.lab.folder / "before-restart").write_text(cut)
    outcome, told = world.install(seconds=15)
    assert (world.lab.folder / "cut").exists()
    assert told == []
    assert outcome.state is State.OLD
    assert "connection broke" in outcome.reason
    assert "nobody confirmed" in outcome.reason
    assert outcome.daemon == "runs as before"
    world.is_as_it_was()


def test_a_stream_that_breaks_off_while_it_is_copied_changes_nothing(world: World) -> None:
    with world.ready() as (session, ready):
        answer = session.run("install", ready.plan.words(30), ready.plan.data()[:-100])
    assert answer.words["state"] == "old"
    assert "connection ended" in answer.words["reason"]
    world.is_as_it_was()


def test_a_configuration_that_changes_after_the_plan_is_not_written_over(world: World) -> None:
    with world.ready() as (session, ready):
        world.write("/etc/docker/daemon.json", "{}")
        outcome = apply(world.store, session, ready, lambda _: None)
    assert outcome.state is State.OLD
    assert "since the plan was made" in outcome.reason
    assert world.config == "{}"


class Lost:
    """A session whose connection breaks before a step has begun."""

    def __init__(self, session: Session, step: str) -> None:
        self.session, self.step = session, step

    def run(self, step: str, words: Sequence[str] = (), data: bytes = b"") -> Answer:
        if step == self.step:
            raise ConnectionLost(f"{step}: the connection broke")
        return self.session.run(step, words, data)

    def way_to(self, address: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        return self.session.way_to(address, port)


def test_what_an_earlier_installation_ended_in_is_not_taken_for_this_ones(world: World) -> None:
    assert world.install()[0] == Outcome(State.NEW)
    before = world.config
    renew(world.store, [world.job().certificate], NO_PASSPHRASE)
    with world.ready() as (session, ready):
        outcome = apply(world.store, Lost(session, "install"), ready, lambda _: None)
    assert outcome.state is State.OLD
    assert "never began" in outcome.reason
    assert world.config == before
    assert world.store.load().deliveries["server lab"].serial != world.job().certificate.serial


def test_a_host_that_puts_itself_back_while_we_prove_is_not_told_as_new(world: World) -> None:
    assert world.install()[0] == Outcome(State.NEW)
    before = world.config
    renew(world.store, [world.job().certificate], NO_PASSPHRASE)
    with world.ready() as (session, ready):
        answer = session.run("install", ready.plan.words(600), ready.plan.data())
        assert answer.words["state"] == "unconfirmed"
        world.lab.says("mv /etc/docker/tls/.work/armed /etc/docker/tls/.work/rolling")
        for step in ("confirm", "rollback", "state"):
            assert session.run(step).words["state"] == "rolling", step
        world.lab.says(
            "sh /etc/docker/tls/.work/rollback.sh 'nobody confirmed' boot; systemctl restart docker.service"
        )
    assert world.config == before


def test_what_cannot_be_put_back_is_kept_and_said(world: World) -> None:
    world.lab.says("mkdir -p /etc/docker/elsewhere && mount -t tmpfs tmpfs /etc/docker/elsewhere")
    world.write("/etc/docker/elsewhere/daemon.json", '{"debug": true}\n')
    world.lab.says("ln -s elsewhere/daemon.json /etc/docker/daemon.json; systemctl restart docker.service")
    (world.lab.folder / "before-restart").write_text("mount -o remount,ro /etc/docker/elsewhere\n")
    with socket.create_server(("127.0.0.2", world.port)):
        outcome, _ = world.install()
    assert outcome.state is State.UNKNOWN
    assert "cannot put back /etc/docker/elsewhere/daemon.json" in outcome.reason
    assert '"debug": true' in world.lab.says("cat /etc/docker/tls/.work/backup/daemon.json")
    (world.lab.folder / "before-restart").unlink()
    world.lab.says("mount -o remount,rw /etc/docker/elsewhere")
    world.lab.says("sh /etc/docker/tls/.work/rollback.sh again boot; systemctl restart docker.service")
    assert world.config == '{"debug": true}'
    world.is_as_it_was()


def test_the_number_of_a_process_that_ended_is_not_taken_for_an_installation(world: World) -> None:
    world.lab.says(f"mkdir -p /etc/docker/tls/.work && echo {os.getpid()} > /etc/docker/tls/.work/pid")
    assert world.install()[0] == Outcome(State.NEW)


def test_what_is_in_use_is_never_taken_away_where_only_the_configuration_is_mended(world: World) -> None:
    assert world.install()[0] == Outcome(State.NEW)
    config = json.loads(world.config)
    world.write("/etc/docker/daemon.json", json.dumps({**config, "tlsverify": False}))
    world.lab.says("systemctl restart docker.service")
    assert world.install()[0] == Outcome(State.NEW)
    mended = json.loads(world.config)
    assert mended["tlsverify"] is True
    world.lab.says(f"ls {mended['tlskey']} && systemctl restart docker.service && {world.lab.answers}")


def test_a_dry_run_names_the_very_folder(world: World) -> None:
    with world.ready() as (_, first), world.ready() as (session, second):
        assert list(first.plan.text()) == list(second.plan.text())
        assert apply(world.store, session, second, lambda _: None) == Outcome(State.NEW)


def test_of_two_installations_that_begin_at_once_one_is_refused(world: World) -> None:
    def begin(number: int) -> str:
        with world.ready() as (session, ready):
            start.wait()
            return session.run("install", ready.plan.words(600 + number), ready.plan.data()).words["state"]

    start = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(begin, range(4)))
    assert sorted(states) == ["busy", "busy", "busy", "unconfirmed"]
    world.lab.says("sh /etc/docker/tls/.work/rollback.sh enough")
    world.is_as_it_was()

"""
Installation on a whole host with systemd and Docker 26.1: what the small host of test_certs_install.py cannot show.

Socket activation, ``dockerd --validate``, sudo, a timer of systemd that puts things back. Each test begins with the host as Debian left it.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from auditor.certificates import bundles
from auditor.certificates.explain import explain
from auditor.certificates.install import Job, Outcome, Ready, State, apply, certificate_for, prepare
from auditor.certificates.issue import renew
from auditor.certificates.prove import Attempt
from auditor.certificates.session import Session, open_session
from auditor.certificates.store import Store
from auditor.host import Host, SshOptions, Timeouts
from tests.certificates.pki import NO_PASSPHRASE, client, new_store, server
from tests.lab import vm
from tests.lab.need import need_root
from tests.lab.test_certs_engine import docker_py

pytestmark = [pytest.mark.lab, pytest.mark.vm, pytest.mark.timeout(1500)]

_ADDRESS = "127.0.0.76"
_DROP_IN = "/etc/systemd/system/docker.service.d"
_RESET = f"""
umount /etc/docker 2>/dev/null || true
rm -rf /etc/docker {_DROP_IN} /usr/local/sbin/systemctl
echo > /etc/default/docker
systemctl stop docker-host-auditor-rollback.timer 2>/dev/null || true
systemctl daemon-reload
systemctl reset-failed docker.service docker.socket
systemctl restart docker.socket docker.service
"""
_ANSWERS = "docker version --format '{{.Server.Version}}'"
_BY_TCP = "docker --tlsverify -H tcp://127.0.0.1:2376 version --format '{{.Server.Version}}'"
_BY_TCP_WITHOUT = (
    "docker --tlsverify --tlscacert=/run/none/ca.pem --tlscert= --tlskey= -H tcp://127.0.0.1:2376 version"
)
# A systemctl that cuts every SSH connection when the daemon is to be restarted, once.
_CUTS = """#!/bin/sh
case "$*" in *"restart docker.service"*)
    if [ ! -e /run/cut ]; then
        : > /run/cut
        for each in /proc/[0-9]*; do
            case $(tr '\\0' ' ' < $each/cmdline 2>/dev/null) in sshd-session:*|"sshd: root"*) kill -9 ${each#/proc/} ;; esac
        done
    fi ;;
esac
exec /usr/bin/systemctl "$@"
"""


@dataclass
class World:
    """A host, authorities, and a certificate for the host."""

    lab: vm.LabHost
    store: Store
    host: Host

    def job(self, seconds: int = 600) -> Job:
        return Job(self.host, certificate_for(self.store.load(), self.host, "lab"), seconds=seconds)

    @contextmanager
    def ready(self, seconds: int = 600) -> Iterator[tuple[Session, Ready]]:
        with open_session(self.host) as session:
            yield session, prepare(self.store, session, self.job(seconds))

    def install(self, seconds: int = 600) -> tuple[Outcome, list[Attempt]]:
        told = list[Attempt]()
        with self.ready(seconds) as (session, ready):
            return apply(self.store, session, ready, told.append), told

    def reset(self) -> None:
        self.lab.says(_RESET, seconds=600)

    def write(self, path: str, text: str) -> None:
        self.lab.says(f"mkdir -p {Path(path).parent} && cat > {path}", data=text.encode())

    def is_as_it_was(self) -> None:
        """The daemon runs, listens on no port, and nothing of ours configures it."""
        self.lab.says(_ANSWERS)
        assert self.lab.ssh(f"ls {_DROP_IN}").returncode != 0
        assert "2376" not in self.lab.says("ss -Hltn")
        assert self.lab.says("ls -A /etc/docker/tls 2>/dev/null || true") in {"", "last"}


@pytest.fixture(scope="module")
def lab() -> Iterator[vm.LabHost]:
    """A host of our own, since daemons are restarted and broken here."""
    need_root(vm.PROGRAMS)
    with vm.lab_host(address=_ADDRESS, ports=[2376]) as host:
        yield host


@pytest.fixture
def world(lab: vm.LabHost, tmp_path: Path) -> World:
    store = new_store(tmp_path)
    server(store, "lab", "lab", "127.0.0.1", _ADDRESS)
    client(store, "ann")
    options = SshOptions(
        identity_files=(lab.key,), identities_only=True, known_hosts=(lab.known_hosts,), agent=False
    )
    patient = Timeouts(connect=90, auth=90)  # it is emulated, beside whatever else this machine does
    host = Host("lab", "ssh", "127.0.0.1", lab.port, "root", timeouts=patient, ssh=options)
    made = World(lab, store, host)
    made.reset()
    return made


def test_a_host_without_daemon_json_is_brought_to_mutual_tls_and_renewed(world: World) -> None:
    outcome, told = world.install()
    assert outcome == Outcome(State.NEW)
    assert len(told) == 5
    assert not [each for each in told if each.problem]
    config = json.loads(world.lab.says("cat /etc/docker/daemon.json"))
    assert config["hosts"] == ["fd://", "tcp://0.0.0.0:2376"]
    modes = world.lab.says(f"stat -c '%a %U %n' {config['tlskey']} {config['tlscert']}").split()
    assert modes[:2] + modes[3:5] == ["400", "root", "444", "root"]
    assert "-H" not in world.lab.says("cat /proc/$(pidof dockerd)/cmdline | tr '\\0' ' '")
    world.lab.says(_ANSWERS)
    the_docker_command_is_let_in_and_strangers_are_not(world)
    with world.ready() as (session, ready):
        assert ready.plan.nothing
        assert apply(world.store, session, ready, lambda _: None) == Outcome(State.NEW)
    renew(world.store, [world.job().certificate], NO_PASSPHRASE)
    outcome, _ = world.install()
    assert outcome == Outcome(State.NEW)
    folders = world.lab.says("ls -d /etc/docker/tls/auditor-*").split()
    assert len(folders) == 1
    assert folders[0] in world.lab.says("cat /etc/docker/daemon.json")
    assert world.store.load().deliveries["server lab"].serial == world.job().certificate.serial


def the_docker_command_is_let_in_and_strangers_are_not(world: World) -> None:
    """This machine's docker over TCP, and the host's own, which is as new as its daemon."""
    folder = world.store.folder.parent
    for name, store in (("ann", world.store), ("stranger", new_store(folder / "elsewhere"))):
        certificate = bundles.find(store.load(), "dir", "ann") if name == "ann" else client(store, name)
        bundles.write(store, "dir", certificate, folder / name, "", replace=False)
    trusted = folder / "ann/ca.pem"
    (folder / "stranger/ca.pem").write_bytes(trusted.read_bytes())
    version = world.lab.says(_ANSWERS)
    let_in = docker("--tlsverify", f"--tlscacert={trusted}", at=_ADDRESS, folder=folder / "ann")
    assert let_in.stdout.strip() == version, let_in.stderr
    assert docker_py(folder / "ann", 2376, _ADDRESS) == version
    wrong_name = docker("--tlsverify", at="localhost", folder=folder / "ann")
    assert wrong_name.returncode != 0
    refused = docker("--tlsverify", at=_ADDRESS, folder=folder / "stranger")
    assert refused.returncode != 0
    assert explain(refused.stderr), refused.stderr
    packed = subprocess.run(["tar", "-C", folder, "-c", "ann"], capture_output=True, check=True).stdout
    there = f"rm -rf /run/ann && tar -x -C /run && DOCKER_CERT_PATH=/run/ann {_BY_TCP}"
    assert world.lab.says(there, data=packed) == version
    without = world.lab.ssh(f"mkdir -p /run/none && cp /run/ann/ca.pem /run/none && {_BY_TCP_WITHOUT}")
    assert without.returncode != 0
    assert explain(without.stderr.decode()), without.stderr


def docker(*options: str, at: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["docker", *options, "-H", f"tcp://{at}:2376", "version", "--format", "{{.Server.Version}}"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "DOCKER_CERT_PATH": str(folder)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_host_that_restarts_before_the_proof_puts_itself_back_and_then_starts_the_daemon(
    world: World,
) -> None:
    """Everything that a restart ends is ended; then systemd starts what a boot starts."""
    world.write("/etc/docker/daemon.json", '{"debug": true}\n')
    with world.ready() as (session, ready):
        answer = session.run("install", ready.plan.words(600), ready.plan.data())
    assert answer.words == {"state": "unconfirmed"}
    world.lab.says(
        "systemctl stop docker-host-auditor-rollback.timer docker.socket docker.service", seconds=300
    )
    world.lab.says("rm /run/docker-host-auditor-rollback && systemctl start multi-user.target", seconds=600)
    assert world.lab.says("cat /etc/docker/daemon.json") == '{"debug": true}'
    assert "restarted before the proof" in world.lab.says("cat /etc/docker/tls/last")
    assert "-H fd://" in world.lab.says("cat /proc/$(pidof dockerd)/cmdline | tr '\\0' ' '")
    assert "reboot" not in world.lab.says("ls -R /etc/systemd/system")
    world.is_as_it_was()


def test_by_sudo_every_other_key_of_daemon_json_stays_in_its_order(world: World) -> None:
    world.host = replace(world.host, user="audit", sudo=True)
    old = '{\n\t"log-driver": "json-file",\n\t"labels": ["town=Zürich"],\n\t"log-opts": {"max-size": "10m"},\n\t"live-restore": true\n}\n'
    world.write("/etc/docker/daemon.json", old)
    world.lab.says("chmod 600 /etc/docker/daemon.json")
    outcome, _ = world.install()
    assert outcome == Outcome(State.NEW)
    new = world.lab.says("cat /etc/docker/daemon.json")
    assert list(json.loads(new))[:4] == list(json.loads(old))
    assert json.loads(new).items() >= json.loads(old).items()
    assert '\n\t"labels"' in new
    assert "Zürich" in new
    assert world.lab.says("stat -c %a /etc/docker/daemon.json") == "600"
    assert world.lab.says("cat /etc/docker/tls/backup/daemon.json") == old.strip()


def test_a_key_that_dockerd_does_not_know_stops_it_before_the_restart(world: World) -> None:
    world.lab.says(
        "date +%s > /run/started; cat /proc/$(pidof dockerd)/stat | cut -d ' ' -f 22 > /run/before"
    )
    world.write("/etc/docker/daemon.json", '{"no-such-key": 1}\n')
    outcome, _ = world.install()
    assert outcome.state is State.OLD
    assert "no-such-key" in outcome.reason
    assert world.lab.says("cat /proc/$(pidof dockerd)/stat | cut -d ' ' -f 22") == world.lab.says(
        "cat /run/before"
    ), "not restarted"
    assert world.lab.says("cat /etc/docker/daemon.json") == '{"no-such-key": 1}'


def test_a_connection_lost_between_copy_and_restart_ends_in_the_old_state_which_is_said(world: World) -> None:
    world.lab.says("rm -f /run/cut")
    world.write("/usr/local/sbin/systemctl", _CUTS)
    world.lab.says("chmod 755 /usr/local/sbin/systemctl")
    outcome, told = world.install(seconds=60)
    assert world.lab.ssh("test -e /run/cut").returncode == 0
    assert told == []
    assert outcome.state is State.OLD
    assert "connection broke" in outcome.reason
    assert "nobody confirmed" in outcome.reason
    assert outcome.daemon == "runs as before"
    world.lab.says("rm /usr/local/sbin/systemctl")
    world.is_as_it_was()

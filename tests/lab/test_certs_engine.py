"""A real dockerd with our certificates: our clients work, everybody else is refused, and what is wrong is seen."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
import requests
from docker.tls import TLSConfig

from auditor.certificates import bundles
from auditor.certificates.authority import add_team, drop_team, trust_pem
from auditor.certificates.explain import explain
from auditor.certificates.ledger import Certificate
from auditor.certificates.profile import Purpose
from auditor.certificates.prove import Attempt, Credentials, credentials, prove
from auditor.certificates.store import Store
from auditor.certificates.words import show_port
from auditor.facts.live import Verdict
from auditor.probe.port import examine
from tests.certificates.pki import MAKING, NO_PASSPHRASE, client, new_store, server
from tests.lab import certificates as lab
from tests.lab.engine import PROGRAMS, Engine, engine
from tests.lab.need import need_root
from tests.lab.sshd import free_port

pytestmark = pytest.mark.lab


class World:
    """Authorities, a daemon's certificate for 127.0.0.1, a client, and the folders that they use."""

    def __init__(self, folder: Path, *teams: str) -> None:
        need_root(PROGRAMS)
        self.folder = folder
        self.store: Store = new_store(folder, *teams)
        self.server: Certificate = server(self.store, "web1", "127.0.0.1")
        self.client: Certificate = client(self.store, "ann", team=teams[0] if teams else "")
        self.write("daemon-linux", "web1")
        self.write("dir", "ann")

    def write(self, layout: str, name: str) -> None:
        certificate = bundles.find(self.store.load(), layout, name)
        bundles.write(self.store, layout, certificate, self.folder / name, "", replace=True)

    def config(self, **changes: object) -> dict[str, object]:
        """A daemon.json, with keys left out where ``changes`` says None."""
        place = self.folder / "web1"
        keys: dict[str, object] = {
            "tlsverify": True,
            "tlscacert": f"{place}/ca.pem",
            "tlscert": f"{place}/server-cert.pem",
            "tlskey": f"{place}/server-key.pem",
        }
        return {key: value for key, value in {**keys, **changes}.items() if value is not None}

    def held(self) -> Credentials:
        ledger = self.store.load()
        return credentials(self.store, ledger, self.server, "", trust_pem(self.store, ledger, Purpose.SERVER))

    def problems(self, port: int) -> list[Attempt]:
        return [each for each in prove(("127.0.0.1", port), "127.0.0.1", self.held()) if each.problem]


@contextmanager
def daemon(config: dict[str, object]) -> Iterator[tuple[Engine, int]]:
    port = free_port()
    with engine(config=config, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        yield running, port


def docker_says(folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(folder),
    }
    command = ["docker", "-H", url, "version", "--format", "{{.Server.Version}}"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def docker_py(folder: Path, port: int, address: str = "127.0.0.1") -> str:
    pair = (str(folder / "cert.pem"), str(folder / "key.pem"))
    tls = TLSConfig(pair, str(folder / "ca.pem"), verify=True)
    api = docker.APIClient(f"https://{address}:{port}", tls=tls, timeout=20, version="1.40")
    api.trust_env = False  # REQUESTS_CA_BUNDLE would win over our ca.pem
    try:
        return str(api.version()["Version"])
    finally:
        api.close()


def test_our_clients_work_and_all_others_are_refused(tmp_path: Path) -> None:
    world = World(tmp_path / "a")
    stranger = World(tmp_path / "b")
    with daemon(world.config()) as (_, port):
        assert world.problems(port) == []
        url = f"tcp://127.0.0.1:{port}"
        said = docker_says(tmp_path / "a/ann", url)
        assert said.returncode == 0, said.stderr
        assert docker_py(tmp_path / "a/ann", port) == said.stdout.strip()
        (tmp_path / "b/ann/ca.pem").write_bytes((tmp_path / "a/ann/ca.pem").read_bytes())
        for folder in (tmp_path / "b/ann", tmp_path / "b"):
            (folder / "ca.pem").write_bytes((tmp_path / "a/ann/ca.pem").read_bytes())
        refused = docker_says(tmp_path / "b/ann", url)
        assert refused.returncode != 0
        assert explain(refused.stderr), refused.stderr
        with pytest.raises(requests.exceptions.ConnectionError):
            docker_py(tmp_path / "b/ann", port)
        wrong_name = docker_says(tmp_path / "a/ann", f"tcp://localhost:{port}")
        assert wrong_name.returncode != 0
        assert "does not carry the name" in explain(wrong_name.stderr)[0].cause
        as_client = impostor(world)
        refused = docker_says(as_client, url)
        assert refused.returncode != 0
        assert world.server.fingerprint in "".join(show_port("127.0.0.1", port))
    assert stranger.server.fingerprint != world.server.fingerprint


def impostor(world: World) -> Path:
    """A client that uses the server's certificate."""
    folder = world.folder / "impostor"
    folder.mkdir()
    place = world.folder / "web1"
    for source, target in (
        (world.folder / "ann/ca.pem", "ca.pem"),
        (place / "server-cert.pem", "cert.pem"),
        (place / "server-key.pem", "key.pem"),
    ):
        (folder / target).write_bytes(source.read_bytes())
    return folder


def test_a_team_that_is_dropped_is_refused_by_the_daemon(tmp_path: Path) -> None:
    world = World(tmp_path, "payments")
    add_team(world.store, "search", MAKING, NO_PASSPHRASE)
    client(world.store, "bob", team="search")
    world.write("dir", "bob")
    world.write("daemon-linux", "web1")
    with daemon(world.config()) as (_, port):
        assert docker_says(tmp_path / "ann", f"tcp://127.0.0.1:{port}").returncode == 0
        assert docker_says(tmp_path / "bob", f"tcp://127.0.0.1:{port}").returncode == 0
        assert docker_py(tmp_path / "bob", port)
    drop_team(world.store, "search")
    world.write("daemon-linux", "web1")
    with daemon(world.config()) as (_, port):
        assert docker_says(tmp_path / "ann", f"tcp://127.0.0.1:{port}").returncode == 0
        assert docker_says(tmp_path / "bob", f"tcp://127.0.0.1:{port}").returncode != 0


def test_clients_of_the_operating_systems_authorities_are_seen_and_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    with daemon(world.config(tlscacert=None)) as (_, port):
        assert [each.what for each in world.problems(port)] == ["lets our client in"]
        assert examine(("127.0.0.1", port)).client_cas == ()
        assert "set tlscacert" in "\n".join(show_port("127.0.0.1", port))


def test_a_daemon_that_asks_for_no_certificate_is_seen(tmp_path: Path) -> None:
    world = World(tmp_path)
    with daemon(world.config(tlsverify=False)) as (_, port):
        seen = {each.what for each in world.problems(port)}
        assert "refuses a client without a certificate" in seen
        assert examine(("127.0.0.1", port)).verdict is Verdict.NO_CLIENT_AUTH


def test_paths_of_certificates_without_tls_are_seen(tmp_path: Path) -> None:
    world = World(tmp_path)
    with daemon(world.config(tlsverify=None)) as (_, port):
        assert len(world.problems(port)) >= 2
        assert examine(("127.0.0.1", port)).verdict is Verdict.PLAINTEXT
        said = docker_says(tmp_path / "ann", f"tcp://127.0.0.1:{port}")
        assert "without TLS" in explain(said.stderr)[0].cause


def test_a_daemon_that_was_not_restarted_serves_the_certificate_before(tmp_path: Path) -> None:
    world = World(tmp_path)
    with daemon(world.config()) as (_, port):
        new = server(Store(tmp_path / "pki"), "web2", "127.0.0.1")
        world.server = new
        assert world.problems(port)[0].problem == "it serves another one"


def test_a_servers_certificate_that_is_a_clients_too_is_seen(tmp_path: Path) -> None:
    """As dockertls and docker:dind make them: one authority, no purpose."""
    world = World(tmp_path)
    authority = lab.Authority("everything")
    pair = authority.issue("web1", names=["127.0.0.1"], usages=[])
    place = tmp_path / "loose"
    certificate, key = pair.write(place)
    ca = authority.write(place / "ca.pem")
    (place / "both.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    person = authority.issue("ann", usages=[lab.CLIENT])
    (place / "ann.pem").write_bytes(person.pem + person.key_pem())
    fingerprint = lab_fingerprint(pair)
    held = Credentials(place / "both.pem", place / "ann.pem", fingerprint, ca.read_text())
    with daemon(world.config(tlscacert=str(ca), tlscert=str(certificate), tlskey=str(key))) as (_, port):
        found = [each.what for each in prove(("127.0.0.1", port), "127.0.0.1", held) if each.problem]
    assert found == ["refuses its own certificate as a client's"]


def lab_fingerprint(pair: lab.Pair) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415  this test alone

    return pair.certificate.fingerprint(SHA256()).hex()


def test_the_daemon_takes_the_keys_that_a_bundle_writes(tmp_path: Path) -> None:
    """Only the paths differ, since nothing is installed below /etc here."""
    world = World(tmp_path)
    keys = json.loads((tmp_path / "web1/daemon.json").read_text())
    assert set(keys) - {"hosts"} == set(world.config())

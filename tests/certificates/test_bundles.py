"""Bundles are what docker, pipelines, Java and daemons read."""

import hashlib
import json
import os
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from docker.tls import TLSConfig

from auditor.certificates import bundles
from auditor.certificates.authority import read_certificates
from auditor.certificates.daemonfiles import start_command, without_flags
from auditor.certificates.issue import renew
from auditor.certificates.keys import read_key
from auditor.certificates.profile import Purpose
from auditor.certificates.store import Store
from auditor.errors import AuditorError, UsageError
from tests.certificates.pki import NO_PASSPHRASE, client, new_store, server
from tests.lab.need import need

URL = "tcp://web1:2376"


def write(store: Store, layout: str, output: Path, name: str = "ann", url: str = "") -> list[Path]:
    certificate = bundles.find(store.load(), layout, name)
    return bundles.write(store, layout, certificate, output, url, replace=False)


def test_a_folder_is_what_docker_cert_path_wants(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    one = client(store)
    output = tmp_path / "ann"
    assert [path.name for path in write(store, "dir", output)] == ["ca.pem", "cert.pem", "key.pem"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in output.iterdir())
    assert f"{read_certificates(output / 'cert.pem')[0].serial_number:x}" == one.serial
    assert b"PRIVATE" not in (output / "cert.pem").read_bytes()
    assert b"CERTIFICATE" not in (output / "key.pem").read_bytes()
    TLSConfig((str(output / "cert.pem"), str(output / "key.pem")), str(output / "ca.pem"), verify=True)


def test_a_client_trusts_the_servers_authority_and_a_daemon_the_clients(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    client(store)
    server(store)
    write(store, "dir", tmp_path / "ann")
    write(store, "daemon-linux", tmp_path / "web1", "web1")
    for folder, purpose in (("ann", Purpose.SERVER), ("web1", Purpose.CLIENT)):
        trusted = [store.folder / each.file for each in store.load().trusted(purpose)]
        assert (tmp_path / folder / "ca.pem").read_bytes() == trusted[0].read_bytes()


def test_docker_imports_the_context(tmp_path: Path) -> None:
    need("docker")
    store = new_store(tmp_path)
    client(store)
    (file,) = write(store, "context", tmp_path / "ann.dockercontext", url=URL)
    environment = {"PATH": os.environ["PATH"], "DOCKER_CONFIG": str(tmp_path / "config")}
    subprocess.run(
        ["docker", "context", "import", "web1", file], env=environment, check=True, capture_output=True
    )
    said = subprocess.run(
        ["docker", "context", "inspect", "web1"], env=environment, check=True, capture_output=True
    )
    (context,) = json.loads(said.stdout)
    assert context["Endpoints"]["docker"] == {"Host": URL, "SkipTLSVerify": False}
    assert context["TLSMaterial"] == {"docker": ["ca.pem", "cert.pem", "key.pem"]}
    kept = tmp_path / "config/contexts/tls" / hashlib.sha256(b"web1").hexdigest() / "docker"
    assert b"PRIVATE KEY" in (kept / "key.pem").read_bytes()


def test_a_context_archive_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    client(store)
    (file,) = write(store, "context", tmp_path / "ann.dockercontext", url=URL)
    with tarfile.open(file) as archive:
        assert {entry.mode for entry in archive} == {0o600}


def test_azure_devops_gets_the_body_of_a_docker_host_connection(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    client(store, "ci")
    (file,) = write(store, "azure-devops", tmp_path / "ci.json", "ci", URL)
    body = json.loads(file.read_text())
    assert (body["type"], body["url"]) == ("dockerhost", URL)
    assert set(body["authorization"]["parameters"]) == {"cacert", "cert", "key"}
    assert all(pem.endswith("-----\n") for pem in body["authorization"]["parameters"].values())


@pytest.mark.parametrize("layout", ["context", "azure-devops"])
def test_an_address_that_is_not_tcp_is_refused(tmp_path: Path, layout: str) -> None:
    store = new_store(tmp_path)
    client(store)
    with pytest.raises(UsageError, match="tcp"):
        write(store, layout, tmp_path / "out", url="https://web1:2376")


def test_pkcs12_opens_with_its_password_and_holds_the_chain(tmp_path: Path) -> None:
    store = new_store(tmp_path, "payments")
    one = client(store, team="payments")
    file, password = write(store, "pkcs12", tmp_path / "ann.p12")
    content = load_pkcs12(file.read_bytes(), password.read_text().strip().encode())
    assert content.cert
    assert f"{content.cert.certificate.serial_number:x}" == one.serial
    assert len(content.additional_certs) == 2
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (file, password))
    assert len(password.read_text().strip()) >= 20


@pytest.mark.parametrize(("layout", "separator"), [("daemon-linux", "/"), ("daemon-windows", "\\")])
def test_a_daemons_bundle_names_the_files_that_it_brings(tmp_path: Path, layout: str, separator: str) -> None:
    store = new_store(tmp_path)
    server(store)
    written = write(store, layout, tmp_path / "web1", "web1")
    keys = json.loads((tmp_path / "web1/daemon.json").read_text())
    assert keys["tlsverify"] is True
    brought = {path.name for path in written}
    assert {keys[key].rpartition(separator)[2] for key in ("tlscacert", "tlscert", "tlskey")} <= brought
    assert stat.S_IMODE((tmp_path / "web1/server-key.pem").stat().st_mode) == 0o400


def test_the_drop_in_starts_the_daemon_without_listeners(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    server(store)
    write(store, "daemon-linux", tmp_path / "web1", "web1")
    unit = next((tmp_path / "web1").glob("*.conf")).read_text()
    command = start_command(unit)
    assert command.startswith("/usr/bin/dockerd ")
    assert without_flags(command) == (command, [])


def test_nothing_is_written_over_and_a_name_that_there_is_not_is_said(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    client(store)
    write(store, "dir", tmp_path / "ann")
    with pytest.raises(UsageError, match="--force"):
        write(store, "dir", tmp_path / "ann")
    with pytest.raises(UsageError, match="there are: ann"):
        write(store, "dir", tmp_path / "bob", "bob")
    read_key(tmp_path / "ann/key.pem")


def test_a_delivery_is_written_down(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    one = client(store)
    write(store, "dir", tmp_path / "ann")
    delivery = store.load().deliveries["client ann"]
    assert (delivery.serial, delivery.place) == (one.serial, str(tmp_path / "ann"))


def test_a_bundle_that_cannot_be_written_whole_is_not_written_at_all(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    one = client(store)
    write(store, "dir", tmp_path / "ann")
    before = {path.name: path.read_bytes() for path in (tmp_path / "ann").iterdir()}
    renew(store, [one], NO_PASSPHRASE)
    (tmp_path / "ann/.key.pem.new").mkdir()
    certificate = bundles.find(store.load(), "dir", "ann")
    with pytest.raises(AuditorError, match=r"key\.pem"):
        bundles.write(store, "dir", certificate, tmp_path / "ann", "", replace=True)
    (tmp_path / "ann/.key.pem.new").rmdir()
    assert {path.name: path.read_bytes() for path in (tmp_path / "ann").iterdir()} == before
    assert store.load().deliveries["client ann"].serial == one.serial

"""Real engines in every TLS mode: the collector is run, the ports are probed, and the checks say what is so."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor.cli.catalogue import all_checks, benchmark_named, plan_of
from auditor.collect.bundle import Bundle, load
from auditor.evaluate import judge
from auditor.facts.keys import Keys
from auditor.fleet import describe
from auditor.host import Host
from auditor.plan import pick
from auditor.policy import Policy
from auditor.probe import probe
from auditor.results import Outcome, Result
from auditor.transports.base import Deadline
from tests.lab.certificates import CLIENT, Authority, Pair, kinds
from tests.lab.engine import PROGRAMS, Engine, engine
from tests.lab.need import need_root

pytestmark = pytest.mark.lab
SCRIPT = Path(__file__).parents[2] / "auditor/collect/linux.sh"
SECTIONS = "host engine-version engine-info daemon daemon-config systemd listeners files certificates keys"
CHECKS = sorted(
    check.id
    for check in all_checks().values()
    if check.rule.__module__ in ("checks.daemon.tls", "checks.daemon.tls_live", "checks.files.tls")
    or check.rule.__module__.startswith("checks.certificates.")
)
PASS, FAIL, ABSENT, MANUAL, ERROR = (
    Outcome.PASS,
    Outcome.FAIL,
    Outcome.NOT_APPLICABLE,
    Outcome.MANUAL,
    Outcome.ERROR,
)


@pytest.fixture(autouse=True)
def _needs() -> None:
    need_root([*PROGRAMS, "openssl"])


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
    return number


class Files:
    """The TLS files of a hardened host, in a folder; a test spoils what it is about."""

    def __init__(self, folder: Path, pair: Pair | None = None, ca: Authority | None = None) -> None:
        self.clients = ca or Authority("lab clients")
        self.folder = folder / "tls"
        self.servers = Authority("lab servers")
        self.ca = self.clients.write(self.folder / "ca.pem")
        self.put(pair or self.servers.issue("web1", names=["127.0.0.1", "web1"]))
        self.ca.chmod(0o444)

    def put(self, pair: Pair) -> None:
        self.certificate, self.key = pair.write(self.folder, "server-cert.pem", "server-key.pem", mode=0o400)
        self.certificate.chmod(0o444)

    @property
    def settings(self) -> dict[str, object]:
        return {
            "tlsverify": True,
            "tlscacert": str(self.ca),
            "tlscert": str(self.certificate),
            "tlskey": str(self.key),
        }

    @property
    def flags(self) -> list[str]:
        return [f"--tlscacert={self.ca}", f"--tlscert={self.certificate}", f"--tlskey={self.key}"]


def collect(running: Engine, *shell: str) -> Bundle:
    command = [*(shell or ("sh",)), str(SCRIPT), "-s", str(running.socket), *SECTIONS.split()]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=True, env=dict(os.environ)
    )
    assert b"PRIVATE KEY" not in done.stdout
    return load(done.stdout)


def audit(running: Engine, host: Host | None = None) -> dict[str, Result]:
    """Every check of ours on a running engine, by id."""
    host = host or Host("web1", policy=Policy(engine_port=2376))
    bundle = describe(host, collect(running), datetime.now(UTC))
    bundle = bundle.adding(probe(host, bundle, Deadline(60)))
    plan = pick(plan_of(benchmark_named("cis-docker")), only=CHECKS)
    results = judge(plan, host, load(bundle.dump())).report.results
    return {result.check: result for result in results}


def failures(results: Mapping[str, Result]) -> set[str]:
    return {name for name, result in results.items() if result.outcome is FAIL}


def errors(results: Mapping[str, Result]) -> dict[str, str]:
    return {name: result.reason for name, result in results.items() if result.outcome is ERROR}


# A port that a test picked is never the one agreed on, and these hosts compare with no other.
ALWAYS = {"unexpected-engine-port"}


def test_a_hardened_engine_has_no_finding_and_nothing_unknown(tmp_path: Path, port: int) -> None:
    with engine(config=Files(tmp_path).settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        results = audit(running)
    assert failures(results) == ALWAYS
    assert errors(results) == {"server-key-shared": "not compared with the other hosts"}
    passed = {name for name, result in results.items() if result.outcome is PASS}
    assert passed >= {
        "tcp-without-tls",
        "tls-without-client-authentication",
        "client-ca-is-system-store",
        "plaintext-api-answers",
        "untrusted-client-answered",
        "wide-client-ca-announced",
        "old-tls-version-offered",
        "ports-differ-from-configuration",
        "served-certificate-differs",
        "key-does-not-match-certificate",
        "ca-key-on-host",
        "certificate-expired",
        "tls-ca-owner",
        "tls-key-mode",
        "tls-folder-writable-by-others",
    }


def test_an_engine_on_its_unix_socket_only_has_nothing_to_judge(lab_engine: Engine) -> None:
    results = audit(lab_engine)
    assert failures(results) == set()
    for name in ("tcp-without-tls", "plaintext-api-answers", "certificate-expired", "unexpected-engine-port"):
        assert results[name].outcome is ABSENT, results[name]
    assert "no TCP port" in results["tcp-without-tls"].reason


Case = tuple[Callable[[Files], tuple[dict[str, object], list[str]]], set[str], set[str]]
CASES: dict[str, Case] = {
    "plain text": (
        lambda files: ({}, []),
        {"tcp-without-tls", "plaintext-api-answers"},
        {"ports-differ-from-configuration"},
    ),
    "paths of certificates, but no tls": (
        lambda files: ({}, files.flags),
        {"tcp-without-tls", "plaintext-api-answers", "tls-settings-without-effect"},
        {"ports-differ-from-configuration", "tls-key-mode"},
    ),
    "--tls alone, which verifies since 20.10": (
        lambda files: ({}, ["--tls", *files.flags]),
        {"tlsverify-not-explicit"},
        {"untrusted-client-answered", "ports-differ-from-configuration", "tls-without-client-authentication"},
    ),
    "tls in the file without tlscacert": (
        lambda files: (
            {"tls": True, "tlscert": str(files.certificate), "tlskey": str(files.key)},
            [],
        ),
        {"client-ca-is-system-store", "wide-client-ca-announced", "tlsverify-not-explicit"},
        {"untrusted-client-answered", "ports-differ-from-configuration"},
    ),
    "tlsverify in the file, tlscacert as a flag that is dropped": (
        lambda files: (
            {"tlsverify": True, "tlscert": str(files.certificate), "tlskey": str(files.key)},
            [f"--tlscacert={files.ca}"],
        ),
        {"client-ca-is-system-store", "wide-client-ca-announced", "tls-settings-without-effect"},
        {"ports-differ-from-configuration"},
    ),
    "tlsverify set to false": (
        lambda files: ({**files.settings, "tlsverify": False}, []),
        {"tls-without-client-authentication", "untrusted-client-answered"},
        {"ports-differ-from-configuration", "tcp-without-tls"},
    ),
    "tls and tlsverify both false, which is TLS for everybody": (
        lambda files: ({**files.settings, "tls": False, "tlsverify": False}, []),
        {"tls-without-client-authentication", "untrusted-client-answered"},
        {"ports-differ-from-configuration", "tcp-without-tls"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mode_is_found_by_configuration_and_by_probe(case: str, tmp_path: Path, port: int) -> None:
    make, failed, passed = CASES[case]
    config, flags = make(Files(tmp_path))
    with engine(*flags, config=config, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        results = audit(running)
    assert failures(results) == failed | ALWAYS
    assert {name: results[name].outcome for name in passed} == dict.fromkeys(passed, PASS)


SERVERS = Authority("lab servers of kinds")
KINDS = {
    "expired": {"certificate-expired"},
    "not yet valid": {"certificate-not-yet-valid"},
    "expires in 5 days": {"certificate-expires-in-days"},
    "no alternative name": {"certificate-without-names"},
    "client only": {"server-certificate-not-for-servers"},
    "an authority itself": {"server-certificate-is-ca", "certificate-refused-by-strict-verifiers"},
    "rsa 1024": {"certificate-key-weak"},
    "self-signed": {"server-certificate-self-signed"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_certificate_that_dockerd_serves_without_a_word_is_found(
    kind: str, tmp_path: Path, port: int
) -> None:
    files = Files(tmp_path, kinds(SERVERS, "127.0.0.1")[kind])
    with engine(config=files.settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        results = audit(running)
    assert failures(results) == KINDS[kind] | ALWAYS
    for name in KINDS[kind]:
        assert results[name].findings[0].subject.startswith(str(files.certificate))


@pytest.mark.parametrize("kind", ["no extended key usage", "server and client"])
def test_a_server_certificate_that_opens_other_engines_is_found(kind: str, tmp_path: Path, port: int) -> None:
    one_for_all = Authority("lab of one CA")
    files = Files(tmp_path, kinds(one_for_all, "127.0.0.1")[kind], ca=one_for_all)
    with engine(config=files.settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        results = audit(running)
    assert failures(results) == ALWAYS | {"server-certificate-is-client-certificate"}


def test_the_wrong_address_in_a_certificate_is_told_for_a_remote_host(tmp_path: Path, port: int) -> None:
    with engine(config=Files(tmp_path).settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        results = audit(running, Host("db1", "ssh", address="192.0.2.7"))
    assert results["certificate-for-other-address"].outcome is FAIL
    assert results["untrusted-client-answered"].outcome is ABSENT
    assert "loopback" in results["untrusted-client-answered"].reason


def test_a_certificate_renewed_without_a_restart_is_found(tmp_path: Path, port: int) -> None:
    files = Files(tmp_path)
    with engine(config=files.settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        files.put(files.servers.issue("web1", names=["127.0.0.1"]))
        results = audit(running)
    assert failures(results) == ALWAYS | {"served-certificate-differs"}
    assert results["served-certificate-differs"].findings[0].subject.startswith(f"port {port}: ")


def test_a_client_ca_replaced_without_a_restart_is_found(tmp_path: Path, port: int) -> None:
    files = Files(tmp_path)
    with engine(config=files.settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        Authority("lab new clients").write(files.ca)
        results = audit(running)
    assert failures(results) == ALWAYS | {"served-certificate-differs"}
    assert "CN=lab new clients" in results["served-certificate-differs"].findings[0].expected


def test_a_pair_that_the_next_restart_will_refuse_is_found(tmp_path: Path, port: int) -> None:
    files = Files(tmp_path)
    with engine(config=files.settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        bad = kinds(files.servers, "127.0.0.1")["key mismatch"]
        files.key.unlink()
        bad.write(tmp_path / "elsewhere", key="key.pem", mode=0o400)
        shutil.copy(tmp_path / "elsewhere/key.pem", files.key)
        results = audit(running)
    assert failures(results) == ALWAYS | {"key-does-not-match-certificate"}


def test_keys_that_do_not_belong_on_a_host_are_found_by_their_public_halves(
    tmp_path: Path, port: int
) -> None:
    files = Files(tmp_path)
    files.clients.issue("anna", usages=[CLIENT]).write(files.folder, "anna.pem", "anna-key.pem")
    (files.folder / "holiday photos.pem").write_bytes(files.clients.pair.key_pem())
    with engine(config=files.settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        results = audit(running)
    assert failures(results) == ALWAYS | {"ca-key-on-host", "client-key-on-host"}
    [found] = results["ca-key-on-host"].findings
    assert found.subject == str(files.folder / "holiday photos.pem")


def test_an_encrypted_key_is_left_to_a_person(tmp_path: Path, port: int) -> None:
    files = Files(tmp_path)
    (files.folder / "ca-key.pem").write_bytes(files.clients.pair.key_pem(b"not told"))
    with engine(config=files.settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        results = audit(running)
    assert (results["ca-key-on-host"].outcome, failures(results)) == (MANUAL, ALWAYS)
    assert "ca-key.pem" in results["ca-key-on-host"].reason


def test_owners_and_modes_of_the_files_behind_links_are_judged(tmp_path: Path, port: int) -> None:
    files = Files(tmp_path)
    real = files.folder / "real" / "key.pem"
    real.parent.mkdir()
    files.key.rename(real)
    files.key.symlink_to(real)
    real.chmod(0o440)
    real.parent.chmod(0o777)
    os.chown(files.ca, 1000, 1000)
    with engine(config=files.settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        results = audit(running)
    assert failures(results) == ALWAYS | {"tls-key-mode", "tls-ca-owner", "tls-folder-writable-by-others"}
    assert results["tls-key-mode"].findings[0].observed == "0440"
    assert [found.subject for found in results["tls-folder-writable-by-others"].findings] == [
        str(real.parent)
    ]


def test_a_ca_of_version_1_is_told_to_break_strict_clients(tmp_path: Path, port: int) -> None:
    files = Files(tmp_path, ca=Authority.version_1("lab of old"))
    with engine(config=files.settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        results = audit(running)
    assert failures(results) == ALWAYS | {"certificate-refused-by-strict-verifiers"}


@pytest.mark.parametrize("shell", [("dash",), ("busybox", "sh")], ids=["dash", "busybox"])
def test_odd_paths_and_hostile_files_do_not_mislead_the_collector(
    shell: tuple[str, ...], tmp_path: Path, port: int
) -> None:
    files = Files(tmp_path / "a [b] *  c")
    files.clients.issue("anna", usages=[CLIENT]).write(files.folder, "it's $(id).pem", "it's $(id).key")
    os.mkfifo(files.folder / "pipe.pem")
    (files.folder / "line\nfile .pem").write_bytes(files.clients.pem)
    half = files.clients.pem.split(b"-----END")[0] + files.clients.pair.key_pem()
    (files.folder / "half.pem").write_bytes(half)
    with engine(config=files.settings, hosts=[f"tcp://127.0.0.1:{port}"]) as running:
        bundle = collect(running, *shell)
    key_lines = files.clients.pair.key_pem().splitlines()[1:-1]
    assert not any(line in bundle.read("certificates") for line in key_lines)
    certificates = bundle.text("certificates")
    assert f"file {files.folder}/it's $(id).pem\n-----BEGIN" in certificates
    assert f"file {files.ca}\n-----BEGIN" in certificates
    assert "file .pem" not in certificates.replace(str(files.folder), "")
    assert f" {files.folder}/it's $(id).key\n" in bundle.text("keys")


def test_a_user_who_is_not_root_is_told_what_could_not_be_seen() -> None:
    command = ["su", "-s", "/bin/sh", "nobody", "-c", "sh -s -- files certificates keys"]
    done = subprocess.run(
        command, input=SCRIPT.read_bytes(), capture_output=True, timeout=60, check=True, cwd="/"
    )
    bundle = load(done.stdout)
    lines = bundle.text("keys").splitlines()
    assert "denied /root/.docker/" in lines
    assert {line.partition(" ")[0] for line in lines} == {"denied"}
    assert "denied /root/.docker" in bundle.text("files").splitlines()
    assert Keys.parse(bundle).unread[0] == "/root/.docker/: permission denied"

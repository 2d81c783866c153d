"""``auditor certs`` as people and cron call it."""

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner, Result

from auditor.cli.certs.commands import app
from auditor.errors import AuditorError, BadFile, UsageError
from tests.lab.certificates import Authority

ROOT = Path(__file__).parents[2]


class Certs:
    """The command, with a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        monkeypatch.chdir(folder)
        monkeypatch.delenv("AUDITOR_CERTS_PASSPHRASE", raising=False)
        monkeypatch.delenv("AUDITOR_CERTS_DIR", raising=False)

    def __call__(self, *arguments: str, given: str | None = None) -> Result:
        result = CliRunner().invoke(app, list(arguments), input=given)
        if isinstance(result.exception, AuditorError):
            raise result.exception
        return result

    def said(self, *arguments: str, code: int = 0) -> str:
        result = self(*arguments)
        assert result.exit_code == code, result.output
        return result.output


@pytest.fixture
def certs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certs:
    return Certs(tmp_path, monkeypatch)


def test_authorities_are_not_left_unprotected_by_oversight(certs: Certs) -> None:
    with pytest.raises(UsageError, match="--no-passphrase"):
        certs("init")
    assert not (certs.folder / "pki").exists()


@pytest.mark.parametrize("how", ["environment", "variable", "file"])
def test_a_passphrase_comes_by_reference(certs: Certs, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    reference = []
    if how == "file":
        (certs.folder / "secret").write_text("correct horse\n")
        (certs.folder / "secret").chmod(0o600)
        reference = ["--passphrase-file", "secret"]
    elif how == "variable":
        monkeypatch.setenv("PKI_PASSPHRASE", "correct horse")
        reference = ["--passphrase-env", "PKI_PASSPHRASE"]
    else:
        monkeypatch.setenv("AUDITOR_CERTS_PASSPHRASE", "correct horse")
    certs.said("init", *reference)
    assert "issued server web1" in certs.said("server", "web1", *reference)
    monkeypatch.delenv("AUDITOR_CERTS_PASSPHRASE", raising=False)
    monkeypatch.setenv("WRONG", "battery staple")
    with pytest.raises(AuditorError, match="does not open") as error:
        certs("client", "ann", "--passphrase-env", "WRONG")
    assert "battery" not in str(error.value)


def test_a_file_with_a_passphrase_that_others_may_read_is_refused(certs: Certs) -> None:
    (certs.folder / "secret").write_text("correct horse")
    (certs.folder / "secret").chmod(0o644)
    with pytest.raises(AuditorError, match="chmod 600"):
        certs("init", "--passphrase-file", "secret")


def test_names_come_from_the_command_line_or_the_inventory(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    assert "for a.example, 10.0.0.5" in certs.said("server", "web1=a.example,10.0.0.5")
    (certs.folder / "inventory.yaml").write_text(
        "hosts:\n  db1: {transport: ssh, address: 10.0.0.9}\n  web1: {transport: ssh, address: 10.0.0.7}\n"
    )
    assert "server db1 for db1, 10.0.0.9" in certs.said("server", "db1")
    lacking = certs("server", "--force", "web1=a.example")
    assert "reached at 10.0.0.7" in lacking.stderr
    everything = certs.said("server", "--force", "--inventory", "inventory.yaml")
    assert "issued server db1" in everything
    assert "issued server web1" in everything


def test_of_a_whole_inventory_those_that_lack_a_certificate_get_one(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    inventory = certs.folder / "inventory.yaml"
    inventory.write_text("hosts:\n  db1: {transport: ssh, address: 10.0.0.9}\n")
    assert "issued server db1" in certs.said("server", "--inventory", "inventory.yaml")
    inventory.write_text(
        "hosts:\n  db1: {transport: ssh, address: 10.0.0.9}\n  web1: {transport: ssh, address: 10.0.0.7}\n"
    )
    second = certs.said("server", "--inventory", "inventory.yaml")
    assert "db1 has a certificate, valid to" in second
    assert "issued server web1" in second
    assert "issued server db1" not in second
    assert "nothing to issue" in certs.said("server", "--inventory", "inventory.yaml")
    inventory.write_text("hosts:\n  db1: {transport: ssh, address: 10.0.0.11}\n")
    moved = certs.said("server", "--inventory", "inventory.yaml")
    assert "db1 has a certificate that lacks 10.0.0.11" in moved
    assert "issued server db1" in moved


def test_names_beside_the_inventorys_stay_and_a_certificate_that_has_ended_is_issued_anew(
    certs: Certs, monkeypatch: pytest.MonkeyPatch
) -> None:
    certs.said("init", "--no-passphrase")
    certs.said("server", "web1=web1.example,10.0.0.5")
    inventory = certs.folder / "inventory.yaml"
    inventory.write_text("hosts:\n  web1: {transport: ssh, address: 10.0.0.5}\n")
    first = certs.said("server", "--inventory", "inventory.yaml")
    assert "web1 has a certificate that lacks web1" in first
    assert "web1.example" in first.partition("issued server web1")[2]
    assert "nothing to issue" in certs.said("server", "--inventory", "inventory.yaml")
    later = datetime.now(UTC) + timedelta(days=398)
    monkeypatch.setattr("auditor.cli.certs.making.now", lambda: later)
    assert "web1 has a certificate that holds no longer" in certs.said(
        "server", "--inventory", "inventory.yaml"
    )


def test_shared_names_and_odd_keys_are_cautioned_against(certs: Certs) -> None:
    assert "Python's cryptography takes no" in certs("init", "--no-passphrase", "--key", "ed25519").stderr
    assert "a name of its own" in certs("client", "docker").stderr
    assert "Windows" in certs("server", "web1", "--key", "ed25519").stderr


def request(folder: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, *names: str) -> Path:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "web1")])
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    file = folder / "web1.csr"
    file.write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return file


def test_of_a_request_only_key_and_names_are_taken(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    key = ec.generate_private_key(ec.SECP256R1())
    file = request(certs.folder, key, "web1.example")
    certs.said("sign", str(file), "--output", "web1.pem")
    signed = x509.load_pem_x509_certificate((certs.folder / "web1.pem").read_bytes())
    assert signed.public_key() == key.public_key()
    assert not signed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert b"PRIVATE" not in (certs.folder / "web1.pem").read_bytes()
    again = certs.said("renew", "web1")
    assert "issued server web1 for web1.example" in again
    with pytest.raises(UsageError, match="never was here"):
        certs("install", "ssh://root@web1")


def test_weak_and_spoilt_requests_are_refused(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    weak = request(certs.folder, rsa.generate_private_key(65537, 1024))  # noqa: S505  refused here
    with pytest.raises(UsageError, match="1024 bits"):
        certs("sign", str(weak))
    with pytest.raises(UsageError, match="secp224r1"):
        certs("sign", str(request(certs.folder, ec.generate_private_key(ec.SECP224R1()))))
    spoilt = request(certs.folder, ec.generate_private_key(ec.SECP256R1()))
    text = spoilt.read_text()
    spoilt.write_text(text.replace(text[200:204], "AAAA", 1))
    with pytest.raises(BadFile, match=r"web1\.csr"):
        certs("sign", str(spoilt))
    assert "no certificate issued yet" in certs.said("status")


def test_show_tells_what_files_and_folders_hold_and_never_a_key(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    certs.said("server", "web1=web1.example,10.0.0.5")
    said = certs.said("show", "web1")
    assert "for servers" in said
    assert "for web1.example, 10.0.0.5" in said
    assert "private key, not encrypted" in said
    everything = certs.said("show")
    assert everything.count("authority") >= 2
    key_lines = [
        line
        for file in (certs.folder / "pki").rglob("*")
        if file.is_file()
        for line in file.read_text().splitlines()
        if len(line) == 64
    ]
    assert not [line for line in key_lines if line in everything]


def test_show_points_at_what_is_wrong_with_the_certificates_of_others(certs: Certs) -> None:
    authority = Authority("old", plain=True)
    authority.write(certs.folder / "other/ca.pem")
    authority.issue("web1", usages=[]).write(certs.folder / "other")
    said = certs.said("show", "other")
    assert "strict verifiers refuse it: no key usage" in said
    assert "serves as a server's and as a client's" in said
    assert "names no host" in said


@pytest.mark.parametrize("what", ["nowhere", "/no/such/file", "web1:99999"])
def test_what_cannot_be_shown_is_said(certs: Certs, what: str) -> None:
    with pytest.raises(UsageError):
        certs("show", what)


def test_status_is_for_people_and_for_programs(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    certs.said("client", "ann")
    assert re.search("(89|90) days left", certs.said("status"))
    (row,) = json.loads(certs.said("status", "--json"))
    assert (row["name"], row["state"], row["purpose"]) == ("ann", "fine", "client")


def test_programs_are_told_of_authorities_too(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    certs.said("client", "ann")
    certs.said("bundle", "ann")
    certs.said("rotate-ca", "server", code=1)
    result = certs("status", "--json")
    assert result.exit_code == 1
    assert "go on with auditor certs rotate-ca server" in result.stderr
    json.loads(result.stdout)


def test_renewal_says_what_is_left_to_deliver(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    certs.said("client", "ann")
    assert "renewed 1" in certs.said("renew", "ann")
    certs.said("bundle", "ann", "--output", "out")
    again = certs.said("renew", "ann", code=1)
    assert f"to deliver: client ann, to {certs.folder / 'out'} (auditor certs bundle ann --force)" in again
    assert "due" in certs.said("status", code=1)
    certs.said("bundle", "ann", "--output", "out", "--force")
    certs.said("status")
    assert "nothing is due" in certs.said("renew", "--due")
    for wrong in ((), ("ann", "--due"), ("bob",)):
        with pytest.raises(UsageError):
            certs("renew", *wrong)


def test_who_is_forgotten_is_watched_no_more_and_what_that_does_not_do_is_said(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    certs.said("client", "ann")
    result = certs("forget", "ann")
    assert "forgot client ann" in result.stdout
    assert "still opens every daemon" in result.stderr
    assert "no certificate issued yet" in certs.said("status")
    with pytest.raises(UsageError, match="no certificate ann"):
        certs("forget", "ann")


def test_a_rotation_is_called_until_it_is_done(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    certs.said("server", "web1")
    certs.said("client", "ann")
    certs.said("bundle", "ann", "--output", "out")
    assert "to deliver: client ann" in certs.said("rotate-ca", "server", code=1)
    certs.said("bundle", "ann", "--output", "out", "--force")
    assert "is retired" in certs.said("rotate-ca", "server", code=1)
    certs.said("bundle", "ann", "--output", "out", "--force")
    certs.said("status")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (
            "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
            "name or address",
        ),
        ("x509: certificate is valid for 10.9.9.9, not 127.0.0.1", "name or address"),
        ("x509: certificate relies on legacy Common Name field, use SANs instead", "common name"),
        ("x509: certificate signed by unknown authority", "does not trust"),
        (
            'crypto/rsa: verification error" while trying to verify candidate authority certificate "."',
            "does not trust",
        ),
        ("remote error: tls: bad certificate", "wants a client's"),
        ("remote error: tls: certificate required", "wants a client's"),
        ("x509: certificate specifies an incompatible key usage", "wrong side"),
        ("certificate has expired or is not yet valid: current time 2026 is after 2025", "out of its time"),
        ("http: server gave HTTP response to HTTPS client", "without TLS"),
        ("Client sent an HTTP request to an HTTPS server.", "client does not"),
        ("remote error: tls: handshake failure", "no common way"),
        (
            "unable to configure the Docker daemon: the following directives are specified both as a flag and in the configuration file: hosts",
            "daemon.json",
        ),
        ("invalid bind address format: https://0.0.0.0:2376", "listener"),
        ("private key is encrypted - support for encrypted private keys has been removed", "passphrase"),
        ("tls: private key does not match public key", "does not belong"),
        ("CERTIFICATE_VERIFY_FAILED: CA cert does not include key usage extension", "old recipe"),
        ("Missing Authority Key Identifier", "old recipe"),
        ("a root or intermediate certificate is not authorized to sign for this name", "limited to"),
        ("x509: SAN dNSName is malformed", "well-formed"),
        (
            'net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x15\\x03\\x01"',
            "client does not",
        ),
        ("The server probably has client authentication (--tlsverify) enabled", "wants a client's"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "wants a client's"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "wants a client's"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "no common way"),
        ("TLSV1_ALERT_UNKNOWN_CA", "does not trust"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "out of its time"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "no common way"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "without TLS"),
        ("failed to parse private key. Make sure the key is not encrypted", "passphrase"),
        ("could not read CA certificate /root/.docker/ca.pem", "not there"),
        ("EE certificate key too weak", "weaker than"),
        ("unable to get local issuer certificate", "does not trust"),
    ],
)
def test_errors_that_people_meet_are_explained_most_particular_first(
    certs: Certs, text: str, word: str
) -> None:
    said = certs.said("explain", text)
    assert word in said.split("What to do:")[0]


def test_an_error_that_is_not_known_is_no_success(certs: Certs) -> None:
    assert "not known" in certs.said("explain", "the moon is full", code=1)


def test_a_host_without_a_certificate_stops_no_other(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    certs.said("server", "web1=web1.example")
    hosts = "".join(
        f"  {name}: {{transport: ssh, address: 127.0.0.3, port: 1}}\n" for name in ("db1", "web1")
    )
    (certs.folder / "inventory.yaml").write_text(f"hosts:\n{hosts}")
    result = certs("install", "--inventory", "inventory.yaml", "--yes")
    assert result.exit_code == 1
    assert "db1: is in the old state (nothing was changed: there is no certificate for db1" in result.stderr
    assert "web1: is in the old state (nothing was changed: " in result.stderr
    first, second, counted = result.stdout.rstrip().splitlines()[-3:]
    assert first.startswith("db1   old state          nothing was changed: there is no certificate")
    assert second.startswith("web1  old state          nothing was changed: ")
    assert counted == "2 hosts: 2 old state"
    with pytest.raises(UsageError, match="no certificate for db1"):
        certs("install", "--inventory", "inventory.yaml", "--limit", "db1")


def test_windows_by_ssh_is_not_installed_on_and_that_is_said(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    certs.said("server", "win1")
    certs.said("client", "ann")
    (certs.folder / "inventory.yaml").write_text(
        "hosts:\n  win1: {transport: ssh, platform: windows, address: win1}\n"
    )
    result = certs("install", "win1", "--yes")
    assert result.exit_code == 1
    assert "daemon-windows" in result.stderr


def test_a_passphrase_is_asked_for_twice_at_a_terminal_and_never_shown(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "auditor", "certs", "init", "--dir", str(tmp_path / "pki")]
    assert at_a_terminal(command, "correct horse", "battery staple")[0] == 2
    assert not (tmp_path / "pki").exists()
    status, shown = at_a_terminal(command, "correct horse", "correct horse")
    assert status == 0, shown
    assert "Once more" in shown
    assert "correct horse" not in shown
    keys = list((tmp_path / "pki/authorities").glob("*.key"))
    assert len(keys) == 2
    assert all("ENCRYPTED" in key.read_text() for key in keys)
    server = [*command[:4], "server", "web1", *command[5:]]
    assert at_a_terminal(server, "battery staple")[0] != 0
    assert at_a_terminal(server, "correct horse")[0] == 0


def at_a_terminal(command: list[str], *answers: str) -> tuple[int, str]:
    """The exit status and what the terminal showed, each prompt answered in turn."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.execv(command[0], command)  # noqa: S606  there is no shell
    shown, waiting = b"", list(answers)
    with suppress(OSError):  # so Linux says that the other side is closed
        while part := os.read(terminal, 4096):
            shown += part
            if waiting and part.rstrip().endswith((b":", b"authorities:")):
                os.write(terminal, f"{waiting.pop(0)}\n".encode())
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown.decode()


def test_a_usage_error_ends_with_2_and_help_comes_without_the_cryptography(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "auditor", "certs", "server", "--dir", str(tmp_path / "pki"), "web1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "auditor certs init" in done.stderr
    script = "import sys, auditor.cli.app; print([m for m in ('cryptography', 'paramiko', 'msgspec', 'rich') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_request_of_odd_make_is_refused(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), bytes.fromhex("3002a300"))
    builder = (
        x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(odd, critical=False)
    )
    key = ec.generate_private_key(ec.SECP256R1())
    (certs.folder / "odd.csr").write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    with pytest.raises(BadFile, match=r"odd\.csr"):
        certs("sign", "odd.csr", "--as", "web1")


def run(folder: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """As cron does it: without a terminal."""
    command = [sys.executable, "-m", "auditor", "certs", *words]
    environment = {"PATH": os.environ["PATH"], "AUDITOR_CERTS_DIR": str(folder / "pki")}
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=given, capture_output=True, check=False, start_new_session=True
    )  # fmt: skip


def test_without_a_terminal_a_passphrase_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("correct horse\n")
    (tmp_path / "word").chmod(0o600)
    assert run(tmp_path, "init", "--passphrase-file", str(tmp_path / "word")).returncode == 0
    done = run(tmp_path, "client", "ann")
    assert done.returncode == 2, done.stderr
    assert b"--passphrase-file" in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_error_text_that_is_not_utf8_is_explained_too(tmp_path: Path) -> None:
    done = run(tmp_path, "explain", "-", given=b"\xffx509: certificate signed by unknown authority")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", [["init", "--no-passphrase"], ["client", "ann"], ["server", "web1"]])
def test_a_life_beyond_all_time_is_refused(tmp_path: Path, command: list[str]) -> None:
    if command[0] != "init":
        run(tmp_path, "init", "--no-passphrase")
    done = run(tmp_path, *command, "--days", "99999999")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_recorded_answers_get_no_certificate(certs: Certs) -> None:
    certs.said("init", "--no-passphrase")
    (certs.folder / "old.bundle").write_bytes(b"")
    (certs.folder / "inventory.yaml").write_text(
        "hosts:\n  web1: {transport: ssh, address: 10.0.0.7}\n  old: {transport: bundle, path: old.bundle}\n"
    )
    said = certs.said("server", "--inventory", "inventory.yaml")
    assert "issued server web1" in said
    assert "issued server old" not in said

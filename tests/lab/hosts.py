"""
The real hosts that the matrix tells of: a lab host, changed by a script of tests/recordings/hosts, and what it answers.

The hardened one is made by the steps of docs/hardening.md themselves, read from that page.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from auditor.audit import see_from_here
from auditor.collect.bundle import Bundle
from auditor.fleet import audit_all
from auditor.host import Host, SshOptions, Timeouts
from tests.lab.certificates import Authority, Pair
from tests.lab.vm import LabHost, lab_host

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "tests" / "recordings"
ADDRESSES = {
    "default": "127.77.0.10",
    "hardened": "127.77.0.11",
    "bad": "127.77.0.12",
    "swarm": "127.77.0.13",
    "rootless": "127.77.0.14",
}
SOCKETS = {"rootless": Path("/run/user/1003/docker.sock")}
CLIENT_PORT = 2376
_PATIENT = Timeouts(60, 60, 900)  # an emulated host is slow


class StepFailed(Exception):
    """A command of the how-to ended badly; the text is what it said."""


def record(name: str) -> Bundle:
    """Make the host, collect from it over SSH as root, look at its ports from here; nothing of it stays."""
    with real_host(name) as host:
        return collected(host)


def collected(host: Host) -> Bundle:
    """All that the auditor sees of a host, as ``auditor collect`` does it."""
    (outcome,) = audit_all([host], lambda _host: (), lambda _host, bundle: bundle, enrich=see_from_here)
    if outcome.value is None:
        raise StepFailed(f"{host.name}: {outcome.error}{outcome.traceback}")
    return outcome.value


@contextmanager
def real_host(name: str) -> Iterator[Host]:
    """The host as the auditor reaches it, for as long as the block lasts."""
    address = ADDRESSES[name]
    with lab_host(changes="".join(_changes(name)), address=address, ports=[CLIENT_PORT]) as lab:
        if name == "hardened":
            _switch_tls_on(lab, address)
        ssh = SshOptions(identity_files=(lab.key,), known_hosts=(lab.known_hosts,), agent=False)
        yield Host(name, "ssh", address, 22, "root", ssh=ssh, timeouts=_PATIENT, path=SOCKETS.get(name))


def _changes(name: str) -> Iterator[str]:
    """Shell that makes a lab host the one that is called so."""
    if name == "bad":
        yield from _bad_certificates()
    yield (RECORDINGS / "hosts" / f"{name}.sh").read_text()
    if name == "hardened":
        yield from blocks("sh")


def blocks(language: str) -> list[str]:
    """The how-to's blocks of one language, in order."""
    page = (ROOT / "docs" / "hardening.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def _switch_tls_on(lab: LabHost, address: str) -> None:
    """The how-to's commands on the administrator's own machine, as they stand there."""
    login = {
        "address": address,
        "user": "root",
        "identity_files": [str(lab.key)],
        "known_hosts": [str(lab.known_hosts)],
        "agent": False,
        "timeouts": {"connect": _PATIENT.connect, "auth": _PATIENT.auth},
    }
    with TemporaryDirectory(prefix="lab-admin-") as folder:
        (Path(folder) / "inventory.yaml").write_text(json.dumps({"hosts": {"docker1": login}}))
        commands = "".join(blocks("console")).replace(
            "192.0.2.20", "10.0.2.15"
        )  # what the lab host calls itself
        for command in re.findall(r"^\$ auditor (certs .*)$", commands, re.MULTILINE):
            _administer(shlex.split(command), Path(folder))


def _administer(words: list[str], folder: Path) -> None:
    unasked = ["--yes"] if "install" in words else []
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *words, *unasked],
        cwd=folder,
        env=os.environ | {"AUDITOR_CERTS_PASSPHRASE": "lab passphrase", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise StepFailed(f"auditor {shlex.join(words)}: {done.stdout}{done.stderr}")


def _bad_certificates() -> Iterator[str]:
    authority = Authority("CA", plain=True, days=365)
    server = authority.issue("docker", names=["docker.local"], usages=[], since=-400, days=-3)
    client = authority.issue("client", usages=[], days=5)
    yield from _written("/etc/docker/certs", {"ca.pem": authority.pem, "cert.pem": server.pem}, "0664")
    yield from _written("/etc/docker/certs", _keys({"key.pem": server, "ca-key.pem": authority.pair}), "0644")
    yield from _written(
        "/root/.docker", {"ca.pem": authority.pem, "cert.pem": client.pem, "key.pem": client.key_pem()}
    )


def _keys(pairs: dict[str, Pair]) -> dict[str, bytes]:
    return {name: pair.key_pem() for name, pair in pairs.items()}


def _written(folder: str, files: dict[str, bytes], mode: str = "0444") -> Iterator[str]:
    yield f"mkdir -p {folder}\n"
    for name, content in files.items():
        yield f"cat > {folder}/{name} <<'END'\n{content.decode()}END\nchmod {mode} {folder}/{name}\n"

"""
Record the bundles of the worked example: ``python tests/recordings/record.py`` (as root; needs what tests/lab/vm.py needs).

Each host is a whole Debian trixie in a virtual machine, changed by a script beside this one, then collected over SSH and
probed from outside, as ``auditor collect`` does it. Nothing in a recording is written by hand.
"""

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from auditor.audit import see_from_here  # noqa: E402  the checkout is no installed package
from auditor.collect.bundle import Bundle  # noqa: E402
from auditor.fleet import audit_all  # noqa: E402
from auditor.host import Host, SshOptions, Timeouts  # noqa: E402
from tests.lab.certificates import SERVER, Authority, Pair  # noqa: E402
from tests.lab.vm import LabHost, lab_host  # noqa: E402

HERE = Path(__file__).parent
ADDRESSES = {"default": "127.77.0.10", "hardened": "127.77.0.11", "bad": "127.77.0.12"}
CLIENT_PORT = 2376


def main() -> None:
    """Record all hosts, or those named on the command line."""
    for name in sys.argv[1:] or ADDRESSES:
        address = ADDRESSES[name]
        changes = "".join([*_files(name, address), (HERE / "hosts" / f"{name}.sh").read_text()])
        with lab_host(changes=changes, address=address, ports=[CLIENT_PORT]) as lab:
            bundle = _collected(name, address, lab)
        path = HERE / f"{name}.bundle.gz"
        path.write_bytes(gzip.compress(bundle.dump(), mtime=0))
        print(f"{path.name}: {path.stat().st_size} bytes, {len(bundle.sections)} sections")


def _collected(name: str, address: str, lab: LabHost) -> Bundle:
    ssh = SshOptions(identity_files=(lab.key,), known_hosts=(lab.known_hosts,), agent=False)
    host = Host(
        name, "ssh", address, 22, "root", ssh=ssh, timeouts=Timeouts(60, 60, 900)
    )  # an emulated host is slow
    (outcome,) = audit_all([host], lambda _host: (), lambda _host, bundle: bundle, enrich=see_from_here)
    if outcome.value is None:
        sys.exit(f"{name}: {outcome.error}{outcome.traceback}")
    return outcome.value


def _files(name: str, address: str) -> Iterator[str]:
    """Shell that puts the host's certificates in place before its script runs."""
    if name == "hardened":
        servers, clients = Authority("Example server CA 5c1f"), Authority("Example client CA 9e07")
        server = servers.issue(
            "docker1.example", names=["docker1.example", address], usages=[SERVER], days=397
        )
        yield from _written("/etc/docker/tls", {"ca.pem": clients.pem, "server-cert.pem": server.pem})
        yield from _written("/etc/docker/tls", {"server-key.pem": server.key_pem()}, "0400")
    if name == "bad":
        authority = Authority("CA", plain=True, days=365)
        server = authority.issue("docker", names=["docker.local"], usages=[], since=-400, days=-3)
        client = authority.issue("client", usages=[], days=5)
        yield from _written("/etc/docker/certs", {"ca.pem": authority.pem, "cert.pem": server.pem}, "0664")
        yield from _written(
            "/etc/docker/certs", _keys({"key.pem": server, "ca-key.pem": authority.pair}), "0644"
        )
        yield from _written(
            "/root/.docker", {"ca.pem": authority.pem, "cert.pem": client.pem, "key.pem": client.key_pem()}
        )


def _keys(pairs: dict[str, Pair]) -> dict[str, bytes]:
    return {name: pair.key_pem() for name, pair in pairs.items()}


def _written(folder: str, files: dict[str, bytes], mode: str = "0444") -> Iterator[str]:
    yield f"mkdir -p {folder}\n"
    for name, content in files.items():
        yield f"cat > {folder}/{name} <<'END'\n{content.decode()}END\nchmod {mode} {folder}/{name}\n"


if __name__ == "__main__":
    main()

"""
Server certificates for 100 hosts: ours, the openssl recipe of Docker's documentation, and a run as dockertls-windows makes it.

    python benchmarks/certificates.py [--hosts 100] [--rounds 3] [--recipes 6]

Ours is measured whole: the interpreter's start, authorities opened, 100 keys and certificates, files synced, ledger written.
The recipes make one or two RSA-4096 keys a host and so take minutes; they are run for a few hosts (--recipes) and scaled.
Most of the difference is the kind of key, so ours and the recipe are also measured with the same kinds. All figures are of one
run on one machine: believe the ratios, not the seconds.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
_EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
_RSA = ["-newkey", "rsa:4096"]


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        few = options.recipes
        rows = [
            ("ours, P-256", options.hosts, lambda: _ours(place, "p256", options.hosts)),
            ("openssl recipe, RSA-4096 (Docker's documentation)", few, lambda: _recipe(place, _RSA, few)),
            ("as dockertls: server and client, RSA-4096", few, lambda: _dockertls(place, few)),
            ("same key: openssl recipe, P-256", options.hosts, lambda: _recipe(place, _EC, options.hosts)),
            ("same key: ours, RSA-4096", few, lambda: _ours(place, "rsa4096", few)),
        ]
        seconds = _measure(rows, options.rounds, options.hosts)
    ours = seconds["ours, P-256"]
    print(f"\n{'':<52} {'s per ' + str(options.hosts):>12} {'ratio':>8}")
    for name, made, _ in rows:
        scaled = "" if made == options.hosts else f"   {made} hosts were run, scaled"
        print(f"{name:<52} {seconds[name]:>12.2f} {seconds[name] / ours:>7.0f}x{scaled}")


Row = tuple[str, int, Callable[[], None]]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recipes", type=int, default=6)
    return parser.parse_args()


def _measure(rows: list[Row], rounds: int, hosts: int) -> dict[str, float]:
    """Median seconds for all hosts; the rows take turns, so that a busy moment hits each of them."""
    taken: dict[str, list[float]] = {name: [] for name, _, _ in rows}
    for number in range(rounds):
        for name, made, work in rows:
            began = time.perf_counter()
            work()
            taken[name].append((time.perf_counter() - began) * hosts / made)
            print(f"round {number + 1}: {name}: {taken[name][-1]:.2f} s", file=sys.stderr)
    return {name: statistics.median(each) for name, each in taken.items()}


def _ours(place: Path, kind: str, hosts: int) -> None:
    """One call of the command for all hosts; the authorities are there already, as for the recipes."""
    pki = place / f"pki-{kind}"
    command = [sys.executable, "-m", "auditor", "certs"]
    if not pki.exists():
        _run([*command, "init", "--dir", str(pki), "--no-passphrase"])
    names = [f"web{number}=web{number}.example.org,10.0.0.{number % 250}" for number in range(hosts)]
    _run([*command, "server", "--dir", str(pki), "--force", "--key", kind, *names])


def _recipe(place: Path, key: list[str], hosts: int) -> None:
    """Key and request, then the signature with names: two processes a host."""
    for _ in range(hosts):
        _leaf(
            place, key, "subjectAltName = DNS:web1.example.org,IP:10.0.0.1\nextendedKeyUsage = serverAuth\n"
        )


def _dockertls(place: Path, hosts: int) -> None:
    """A server's and a client's for every host; neither the container nor PowerShell is counted."""
    for _ in range(hosts):
        _leaf(place, _RSA, "subjectAltName = IP:10.0.0.1,DNS:web1.example.org\n")
        _leaf(place, _RSA, "extendedKeyUsage = clientAuth\n")


def _leaf(place: Path, key: list[str], extensions: str) -> None:
    authority = place / "ca.pem"
    if not authority.exists():
        out = ["-keyout", str(place / "ca-key.pem"), "-out", str(authority)]
        _run(
            [
                "openssl",
                "req",
                "-x509",
                "-nodes",
                "-sha256",
                "-days",
                "365",
                "-subj",
                "/CN=recipe",
                *_RSA,
                *out,
            ]
        )
    (place / "extensions").write_text(extensions)
    _run(
        [
            "openssl",
            "req",
            "-new",
            "-nodes",
            "-sha256",
            "-subj",
            "/CN=web1",
            *key,
            "-keyout",
            str(place / "key.pem"),
            "-out",
            str(place / "csr"),
        ]
    )
    signer = [
        "-CA",
        str(authority),
        "-CAkey",
        str(place / "ca-key.pem"),
        "-CAcreateserial",
        "-extfile",
        str(place / "extensions"),
    ]
    _run(
        [
            "openssl",
            "x509",
            "-req",
            "-days",
            "365",
            "-sha256",
            "-in",
            str(place / "csr"),
            *signer,
            "-out",
            str(place / "cert.pem"),
        ]
    )


def _run(command: list[str]) -> None:
    subprocess.run(
        command, cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
    )


if __name__ == "__main__":
    main()

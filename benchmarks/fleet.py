"""
Many SSH hosts on loopback: the fleet beside raw paramiko doing the same job in the same run.

    python benchmarks/fleet.py [--hosts 200] [--many 1000] [--rounds 3] [--workers 16]

Two jobs: ``canned`` sends a script that prints a saved bundle of 20 containers (what the client costs), ``collector``
sends the real collector (what a run costs; the hosts are this machine, so their work counts too). Each variant runs in
a process of its own. Ratios and CPU are the solid figures. At the end whole audits: hosts of tests/recordings with 20
containers each, judged by every check, written as HTML.
"""

import argparse
import gzip
import json
import os
import random
import resource
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import paramiko

from auditor.collect.bundle import Bundle, Section, load, load_file
from auditor.fleet import audit_all
from auditor.host import Host, SshOptions, Timeouts
from auditor.transports import ssh
from auditor.transports.base import linux_command
from benchmarks.evaluate import RECORDING, ROOT, multiplied
from tests.lab.sshd import Sshd, sshd

DEFAULT = ROOT / "tests/recordings/default.bundle.gz"
SECTIONS = ("host", "files", "systemd")
USER = "auditbench"
QUICKACK = getattr(socket, "TCP_QUICKACK", None)


def canned_bundle() -> bytes:
    """About what a host with 20 containers answers: 188 KB before compression."""
    words = random.Random(7)  # noqa: S311  the same bytes each time, not a secret
    lines = (
        json.dumps({"Id": words.randbytes(32).hex(), "HostConfig": {f"Key{n}": n for n in range(300)}})
        for _ in range(20)
    )
    sections = {
        "host": Section(b"uid=0\n"),
        "containers": Section("\n".join(lines).encode()),
        "files": Section(b"x" * 90_000),
    }
    return gzip.compress(Bundle(sections).dump(), 1)


@contextmanager
def lab(count: int) -> Iterator[tuple[Sshd, list[str]]]:
    """One sshd that answers on ``count`` loopback addresses."""
    config = f"AllowUsers {USER}@127.0.0.0/8\nMaxStartups 2000:30:4000\nLogLevel ERROR"
    # A user of its own, whose login shell reads no start-up files of this machine's owner.
    subprocess.run(["useradd", "--create-home", "--password", "*", "--shell", "/bin/sh", USER], check=True)
    try:
        with sshd(everywhere=True, config=config, users=(USER,)) as server:
            yield server, [f"127.9.{number // 250}.{number % 250 + 1}" for number in range(count)]
    finally:
        subprocess.run(["userdel", "-r", USER], check=True, capture_output=True)


def seconds_to_all(
    addresses: Sequence[str], port: int, key: Path, pin: str, workers: int, *, dead: bool
) -> float:
    """Seconds until all have answered; ``dead``: with a third as many between them that take connections and never speak."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as silent:
        never = Host("dead", "ssh", "127.0.0.1", silent.getsockname()[1], timeouts=Timeouts(10, 15, 120))
        hosts: list[Host] = []
        for number, host in enumerate(hosts_of(addresses, port, key, pin)):
            hosts += [host] if number % 3 or not dead else [host, never]
        start, left = time.perf_counter(), len(addresses)
        stream = audit_all(hosts, lambda _: SECTIONS, lambda _, bundle: len(bundle.sections), workers=workers)
        while left:
            left -= 1 if next(stream).value else 0
        seconds = time.perf_counter() - start
        stream.close()
        return seconds


def hosts_of(addresses: Sequence[str], port: int, key: Path, pin: str) -> list[Host]:
    options = SshOptions(identity_files=(key,), host_key=pin, agent=False)
    timeouts = Timeouts(30, 30, 300)
    return [
        Host(address, "ssh", address, port, USER, timeouts=timeouts, ssh=options) for address in addresses
    ]


def ours(addresses: Sequence[str], port: int, key: Path, pin: str, workers: int) -> int:
    """Through the fleet; each host's key is pinned."""
    hosts = hosts_of(addresses, port, key, pin)
    outcomes = audit_all(hosts, lambda _: SECTIONS, lambda _, bundle: len(bundle.sections), workers=workers)
    return sum(1 for outcome in outcomes if outcome.value)


def audited(addresses: Sequence[str], port: int, key: Path, pin: str, workers: int) -> int:
    """The whole run: every check, and the HTML report."""
    from auditor.audit import audit  # noqa: PLC0415  the other variants do not pay for it
    from auditor.cli.selection import Selection  # noqa: PLC0415
    from reports import html  # noqa: PLC0415

    hosts = hosts_of(addresses, port, key, pin)
    report = audit(Selection(platforms=frozenset({"linux"})).plan, hosts, workers=workers)
    with tempfile.TemporaryFile("w") as page:
        page.writelines(html.render(report))
    return sum(1 for host in report.hosts if not host.error)


def raw(addresses: Sequence[str], port: int, key: Path, _pin: str, workers: int, *, tuned: bool) -> int:
    """As one would write it by hand: a pool of threads, SSHClient, exec_command. ``tuned``: with a socket that does not wait."""

    class Quick(socket.socket):
        def recv(self, size: int, flags: int = 0) -> bytes:
            data = super().recv(size, flags)
            if QUICKACK is not None:
                self.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
            return data

    private = paramiko.PKey.from_path(key)

    def one(address: str) -> bool:
        sock = None
        if tuned:
            sock = Quick(fileno=socket.create_connection((address, port)).detach())
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with paramiko.SSHClient() as client:
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            client.connect(
                address, port, USER, pkey=private, sock=sock, allow_agent=False, look_for_keys=False
            )
            stdin, stdout, _ = client.exec_command(shlex.join(linux_command(SECTIONS, sudo=False)))
            stdin.write(vars(ssh)["linux_script"]())
            stdin.channel.shutdown_write()
            return load(stdout.read()).complete

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(one, addresses))


VARIANTS: dict[str, Callable[..., int]] = {
    "the fleet": ours,
    "paramiko, tuned socket": partial(raw, tuned=True),
    "paramiko, as it comes": partial(raw, tuned=False),
}
PEERS = tuple(VARIANTS)
VARIANTS["whole audit"] = audited


def measure(job: dict[str, Any]) -> None:
    """In a process of its own: run one variant, print what it cost."""
    if job["script"]:
        vars(ssh)["linux_script"] = job["script"].encode
    start, cpu = time.perf_counter(), time.process_time()
    done = VARIANTS[job["variant"]](
        job["addresses"], job["port"], Path(job["key"]), job["pin"], job["workers"]
    )
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert done == len(job["addresses"]), f"{done} of {len(job['addresses'])} hosts answered"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": wall, "cpu": 1000 * cpu / done, "memory": memory}))


def run(job: dict[str, object]) -> dict[str, float]:
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, __file__, "--measure"],
        input=json.dumps(job).encode(),
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        check=True,
        cwd=root,
    )
    cost: dict[str, float] = json.loads(done.stdout)
    return cost


def table(title: str, job: dict[str, object], rounds: int) -> None:
    """Run the variants in turns, print medians and ratios to the tuned peer."""
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in PEERS}
    for _ in range(rounds):
        for name in PEERS:
            costs[name].append(run({**job, "variant": name}))
    middle = {
        name: {key: statistics.median(cost[key] for cost in each) for key in each[0]}
        for name, each in costs.items()
    }
    peer = middle["paramiko, tuned socket"]
    print(f"\n{title}\n{'':26}{'wall s':>8}{'ratio':>7}{'CPU ms/host':>13}{'ratio':>7}{'MB':>6}")
    for name, cost in middle.items():
        ratios = cost["wall"] / peer["wall"], cost["cpu"] / peer["cpu"]
        print(
            f"{name:26}{cost['wall']:8.2f}{ratios[0]:7.2f}{cost['cpu']:13.2f}{ratios[1]:7.2f}{cost['memory']:6.0f}"
        )


def _canned(job: dict[str, Any], addresses: Sequence[str], variant: Callable[..., float]) -> float:
    vars(ssh)["linux_script"] = job["script"].encode
    return variant(addresses, job["port"], Path(job["key"]), job["pin"], job["workers"])


@contextmanager
def _saved(bundle: bytes) -> Iterator[str]:
    """A file that the hosts' user can read."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(bundle)
        file.flush()
        Path(file.name).chmod(0o644)
        yield file.name


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(json.load(sys.stdin))
        return
    with (
        lab(max(options.hosts, options.many)) as (server, addresses),
        _saved(canned_bundle()) as saved,
        _saved(gzip.compress(multiplied(load_file(DEFAULT), 20, 10).dump(), 1)) as default,
        _saved(gzip.compress(multiplied(load_file(RECORDING), 20, 10).dump(), 1)) as bad,
    ):
        job: dict[str, object] = {
            "port": server.port,
            "key": str(server.user_key),
            "pin": server.public(),
            "workers": options.workers,
            "addresses": addresses[: options.hosts],
            "script": f"cat {saved}\n",
        }
        table(f"{options.hosts} hosts, canned", job, options.rounds)
        table(f"{options.hosts} hosts, collector", {**job, "script": ""}, 1)
        alive = partial(_canned, job, addresses[: options.hosts * 3 // 4])
        alone, beside = (
            min(alive(partial(seconds_to_all, dead=dead)) for _ in range(3)) for dead in (False, True)
        )
        print(
            f"\n{options.hosts * 3 // 4} hosts alone {alone:.2f} s; beside {options.hosts // 4} dead ones {beside:.2f} s"
        )
        print()
        for many in filter(None, (options.hosts, options.many)):
            for what, script in (("collected", saved), ("audited", default), ("audited, badly kept", bad)):
                variant = "the fleet" if script == saved else "whole audit"
                asked = {"variant": variant, "script": f"cat {script}\n", "addresses": addresses[:many]}
                cost = run({**job, **asked})
                print(
                    f"{many:5} hosts {what:20}{cost['wall']:6.1f} s {cost['cpu']:6.2f} ms/host {cost['memory']:5.0f} MB"
                )


if __name__ == "__main__":
    main()

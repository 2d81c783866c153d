"""A real sshd of a test's own: own address and port, own host keys, own authorised keys, gone when the test ends."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("sshd", "ssh-keygen")
_SECONDS_TO_START = 20
_CONFIG = """
AuthorizedKeysFile {folder}/authorized/%u
PidFile {folder}/sshd.pid
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PrintMotd no
MaxStartups 500:30:1000
MaxSessions 100
UseDNS no
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class Sshd:
    """An sshd that answers on ``addresses`` at ``port``; ``user_key`` is allowed to log in as root."""

    folder: Path
    port: int
    addresses: tuple[str, ...]
    pid: int

    @property
    def address(self) -> str:
        return self.addresses[0]

    @property
    def user_key(self) -> Path:
        return self.folder / "user_ed25519"

    @property
    def log(self) -> str:
        return (self.folder / "sshd.log").read_text(errors="replace")

    def host_key(self, kind: str = "ed25519") -> Path:
        return self.folder / f"host_{kind}"

    def public(self, kind: str = "ed25519") -> str:
        """A host key as ``TYPE BASE64``."""
        return public(self.host_key(kind))

    def known_hosts(self, *kinds: str, hashed: bool = False) -> Path:
        """A new known_hosts file with the host's keys of these kinds, for its first address."""
        file = Path(tempfile.mkstemp(prefix="known_hosts-", dir=self.folder)[1])
        file.write_text(
            "".join(
                f"[{address}]:{self.port} {self.public(kind)}\n"
                for kind in kinds or ("ed25519",)
                for address in self.addresses
            )
        )
        if hashed:
            subprocess.run(["ssh-keygen", "-H", "-f", file], check=True, capture_output=True)
        return file

    def allow(self, line: str, user: str = "root") -> None:
        """Add a line to the user's authorized_keys."""
        with (self.folder / "authorized" / user).open("a") as file:
            file.write(line + "\n")


def public(key: Path) -> str:
    """A key's public half as ``TYPE BASE64``."""
    return " ".join(Path(f"{key}.pub").read_text().split()[:2])


def keygen(file: Path, *options: str, passphrase: str = "") -> Path:
    """A new key pair in ``file`` and ``file``.pub."""
    subprocess.run(
        ["ssh-keygen", "-q", "-N", passphrase, "-f", file, *options], check=True, capture_output=True
    )
    return file


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as sock:
        sock.bind((address, 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def sshd(
    *,
    addresses: Sequence[str] = ("127.0.0.2",),
    kinds: Sequence[str] = ("ed25519",),
    config: str = "",
    users: Sequence[str] = ("root",),
    everywhere: bool = False,
) -> Iterator[Sshd]:
    """
    Start one, stop it at the end.

    Args:
        addresses: loopback addresses to listen on.
        kinds: host keys to make: ed25519, rsa, ecdsa.
        config: further lines of sshd_config, which win over ours; ``{folder}`` is the instance's.
        users: who may log in with ``user_key``.
        everywhere: listen on every address there is; sshd itself takes only sixteen by name. Let ``config`` say who may come.
    """
    folder = Path(tempfile.mkdtemp(prefix="sshd-"))
    folder.chmod(0o755)
    (folder / "authorized").mkdir()
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port = free_port(addresses[0])
    listen = ["0.0.0.0"] if everywhere else list(addresses)  # noqa: S104  config says who may come
    for kind in kinds:
        keygen(folder / f"host_{kind}", "-t", kind)
    keygen(folder / "user_ed25519", "-t", "ed25519")
    lines = [
        *(f"ListenAddress {address}:{port}" for address in listen),
        *(f"HostKey {folder}/host_{kind}" for kind in kinds),
    ]
    (folder / "sshd_config").write_text(
        "\n".join([config.format(folder=folder), *lines, _CONFIG.format(folder=folder)])
    )
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    process = subprocess.Popen([program, "-D", "-f", folder / "sshd_config", "-E", folder / "sshd.log"])
    instance = Sshd(folder, port, tuple(addresses), process.pid)
    for user in users:
        instance.allow(public(instance.user_key), user)
    try:
        _wait_for(instance, process)
        yield instance
    finally:
        process.terminate()
        process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(instance: Sshd, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end:
        try:
            socket.create_connection((instance.address, instance.port), 1).close()
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"sshd did not come up: {instance.log}")


@contextmanager
def ssh_agent(*keys: Path) -> Iterator[Path]:
    """An ssh-agent that holds ``keys``; its socket."""
    folder = Path(tempfile.mkdtemp(prefix="agent-"))
    path = folder / "agent.sock"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        while not path.exists():
            time.sleep(0.02)
        for key in keys:
            subprocess.run(
                ["ssh-add", "-q", key],
                check=True,
                capture_output=True,
                env={**os.environ, "SSH_AUTH_SOCK": str(path)},
            )
        yield path
    finally:
        process.terminate()
        process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)

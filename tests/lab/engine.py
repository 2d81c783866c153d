"""A real dockerd of a test's own: own folders, own socket, own configuration, gone when the test ends."""

import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("dockerd", "docker", "containerd", "busybox")
IMAGE = "busybox:lab"
APPLETS = ("sh", "sleep", "true", "cat", "echo", "ls", "id")
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 20


class EngineDied(Exception):
    """A dockerd did not come up; the text is the end of its log."""


@dataclass(frozen=True)
class Engine:
    """A dockerd that answers."""

    folder: Path
    pid: int

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    @property
    def config_file(self) -> Path:
        return self.folder / "daemon.json"

    @property
    def environment(self) -> dict[str, str]:
        """What the docker client and docker-py need to find this engine; nothing of the caller's own settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
        return {**kept, "DOCKER_HOST": f"unix://{self.socket}", "DOCKER_CONFIG": str(self.folder / "client")}

    @property
    def log(self) -> str:
        return (self.folder / "dockerd.log").read_text(errors="replace")

    def docker(self, *arguments: str, data: bytes | None = None) -> str:
        """Run the docker client; its standard output, stripped. Raises AssertionError with what it said."""
        done = subprocess.run(
            ["docker", *arguments],
            env=self.environment,
            input=data,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode().strip()

    def create(self, name: str, *options: str, command: Sequence[str] = ("sleep", "100000")) -> str:
        """Create a container that is not started; its id."""
        self._need_image()
        return self.docker("create", "--name", name, "--network", "none", *options, IMAGE, *command)

    def run(self, name: str, *options: str, command: Sequence[str] = ("sleep", "100000")) -> str:
        """Start a container in the background; its id."""
        self._need_image()
        return self.docker("run", "--detach", "--name", name, "--network", "none", *options, IMAGE, *command)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Stop the engine in its tracks: its socket takes connections and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def _need_image(self) -> None:
        if not self.docker("image", "ls", "--quiet", IMAGE):
            self.docker("import", "-", IMAGE, data=busybox_image())


def busybox_image() -> bytes:
    """A root file system for ``docker import``: a static busybox and links to it."""
    busybox = shutil.which("busybox")
    assert busybox, "busybox is not installed (Debian: busybox-static)"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(Path(busybox).resolve(), "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return buffer.getvalue()


@contextmanager
def engine(
    *flags: str, config: Mapping[str, object] | None = None, hosts: Sequence[str] = ()
) -> Iterator[Engine]:
    """
    Start a dockerd and stop it at the end, whatever happens.

    ``config`` becomes its daemon.json. ``hosts`` are listeners beside its unix socket (``tcp://127.0.0.9:2375``); they
    are given as flags, so ``config`` must not name ``hosts``.

    Raises:
        EngineDied: it did not answer within a minute, or ended by itself.
    """
    folder = Path(tempfile.mkdtemp(prefix="lab-"))  # short: a unix socket's path has at most 107 bytes
    (folder / "daemon.json").write_text(json.dumps(config or {}))
    with (folder / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(
            _arguments(folder, flags, hosts), cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    running = Engine(folder, process.pid)
    try:
        _wait_until_it_answers(running, process)
        yield running
    finally:
        _stop(running, process)
        _unmount_below(folder)
        shutil.rmtree(folder)


def _arguments(folder: Path, flags: Sequence[str], hosts: Sequence[str]) -> list[str]:
    namespace = folder.name.replace("_", "x")  # containerd takes no name that ends in _
    return [
        "dockerd",
        f"--data-root={folder}/data",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/dockerd.pid",
        f"--config-file={folder}/daemon.json",
        f"--containerd-namespace={namespace}",  # a system's containerd, if there is one, is shared
        f"--containerd-plugins-namespace={namespace}-plugins",
        f"--host=unix://{folder}/docker.sock",
        *(f"--host={host}" for host in hosts),
        "--bridge=none",
        "--iptables=false",
        *flags,
    ]


def _wait_until_it_answers(running: Engine, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    asking = ["docker", "version", "--format", "{{.Server.Version}}"]
    while time.monotonic() < end and process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            said = subprocess.run(
                asking, env=running.environment, capture_output=True, timeout=10, check=False
            )
            if said.returncode == 0:
                return
        time.sleep(0.05)
    how = "did not answer" if process.poll() is None else f"ended with status {process.returncode}"
    raise EngineDied(f"dockerd {how}; the end of its log:\n{running.log[-2000:]}")


def _stop(running: Engine, process: subprocess.Popen[bytes]) -> None:
    """Kill the containers first: an engine waits ten seconds for each one's sleep to heed SIGTERM."""
    if process.poll() is None:
        with suppress(AssertionError, subprocess.TimeoutExpired):
            if containers := running.docker("ps", "--quiet").split():
                running.docker("kill", *containers)
        process.terminate()
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _kill_pid_in(running.folder / "exec/containerd/containerd.pid")


def _kill_pid_in(path: Path) -> None:
    """A dockerd that was killed leaves its containerd behind; one that ended well removes this file."""
    with suppress(FileNotFoundError, ProcessLookupError, ValueError):
        pid = int(path.read_text())
        if "containerd" in Path(f"/proc/{pid}/comm").read_text():
            os.kill(pid, signal.SIGKILL)


def _unmount_below(folder: Path) -> None:
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for place in reversed([place for place in mounted if place.startswith(f"{folder}/")]):
        subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)

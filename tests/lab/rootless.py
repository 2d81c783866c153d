"""A real rootless dockerd, started by dockerd-rootless.sh in a mount namespace that knows its user."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("dockerd", "docker", "rootlesskit", "newuidmap", "unshare", "nsenter", "setpriv")
SCRIPT = Path("/usr/share/docker.io/contrib/dockerd-rootless.sh")
UID, NAME = 4711, "lab-anna"
SOCKET = f"/run/user/{UID}/docker.sock"
_SECONDS_TO_START = 90

_PLACE = """
set -e
for name in passwd group; do cp /etc/$name {folder}/$name; done
echo '{name}:x:{uid}:{uid}::{folder}/home:/bin/sh' >> {folder}/passwd
echo '{name}:x:{uid}:' >> {folder}/group
echo '{name}:700000:65536' > {folder}/subids
mkdir {folder}/home {folder}/runtime
chown {uid}:{uid} {folder}/home {folder}/runtime
mount -t tmpfs tmpfs /run
mkdir -p /run/user/{uid}
mount --bind {folder}/runtime /run/user/{uid}
mount --bind {folder}/passwd /etc/passwd
mount --bind {folder}/group /etc/group
for name in subuid subgid; do mount --bind {folder}/subids /etc/$name; done
echo up
exec sleep 100000
"""
# In a network namespace of its own, as slirp4netns would give it one: its socket is in no list of the host's.
_START = """
exec unshare --net setpriv --reuid {uid} --regid {uid} --clear-groups env -i HOME={folder}/home XDG_RUNTIME_DIR=/run/user/{uid} \\
    PATH=/usr/sbin:/usr/bin:/sbin:/bin DOCKERD_ROOTLESS_ROOTLESSKIT_NET=host DOCKERD_ROOTLESS_ROOTLESSKIT_PORT_DRIVER=none \\
    sh {script} --iptables=false --bridge=none --storage-driver=vfs
"""


@dataclass(frozen=True)
class Rootless:
    """A running one: its user's home is below ``folder``, ``keeper`` is a process in the place where its socket is seen."""

    folder: Path
    keeper: int

    def sh(self, *arguments: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
        """Run a script as root where the socket is seen, as on the host."""
        command = ["nsenter", "--target", str(self.keeper), "--mount", "sh", "-s", "--", *arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
        return subprocess.run(
            command, input=data, env=environment, capture_output=True, timeout=120, check=False
        )


@contextmanager
def rootless() -> Iterator[Rootless]:
    """Start one, and stop it at the end, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="rootless-"))
    folder.chmod(0o755)
    words = {"folder": folder, "uid": UID, "name": NAME, "script": SCRIPT}
    place = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _PLACE.format(**words)]
    keeper = subprocess.Popen(place, stdout=subprocess.PIPE, text=True)
    daemon: subprocess.Popen[bytes] | None = None
    try:
        assert keeper.stdout
        assert keeper.stdout.readline() == "up\n"
        inside = ["nsenter", "--target", str(keeper.pid), "--mount", "sh", "-c", _START.format(**words)]
        with (folder / "log").open("wb") as log:
            daemon = subprocess.Popen(inside, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)
        running = Rootless(folder, keeper.pid)
        _wait(running, daemon)
        yield running
    finally:
        if daemon is not None:
            _stop(daemon)
        keeper.kill()
        keeper.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(running: Rootless, daemon: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end and daemon.poll() is None:
        if running.sh(data=f"docker -H unix://{SOCKET} version".encode()).returncode == 0:
            return
        time.sleep(0.2)
    raise AssertionError((running.folder / "log").read_text(errors="replace")[-2000:])


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(30)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()

"""
A whole host of another version in a virtual machine: Debian trixie, systemd, Docker 26.1, AppArmor, audit, cgroup v2.

Built once by host_image.sh (a few minutes), booted once, settled by host_settle.sh, and then kept as a disk and the state of
its memory. Every use after that resumes that state on an overlay of the disk, which takes seconds.
"""

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

PROGRAMS = ("debootstrap", "qemu-system-x86_64", "qemu-img", "ssh", "ssh-keygen", "mkfs.ext4", "unshare")
USERS = ("root", "audit", "nosudo", "member", "plain")
SUDO_PASSWORD_OF_NOSUDO = "lab"
_HERE = Path(__file__).parent
_SECONDS_TO_BUILD = 900
_SECONDS_TO_BOOT = 600
SECONDS_FOR_ALL = _SECONDS_TO_BUILD + 2 * _SECONDS_TO_BOOT


class LabHostFailed(Exception):
    """The lab host could not be built or did not come up; the text is the end of what it printed."""


@dataclass(frozen=True)
class LabHost:
    """A running lab host, reached by SSH on 127.0.0.1."""

    port: int
    key: Path
    known_hosts: Path
    console: Path

    def ssh(
        self, command: str, *, user: str = "root", data: bytes = b"", seconds: float = 120
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a shell command there, ``data`` on its standard input; never raises for its exit status."""
        return subprocess.run(
            [*self.ssh_arguments(user), command],
            input=data,
            capture_output=True,
            timeout=seconds,
            check=False,
        )

    def says(self, command: str, *, user: str = "root", data: bytes = b"", seconds: float = 120) -> str:
        """What a command that must succeed prints, stripped."""
        done = self.ssh(command, user=user, data=data, seconds=seconds)
        assert done.returncode == 0, f"{command}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode().strip()

    def ssh_arguments(self, user: str) -> list[str]:
        """An ssh command line up to and including the host."""
        options = [
            "StrictHostKeyChecking=yes",
            f"UserKnownHostsFile={self.known_hosts}",
            "GlobalKnownHostsFile=/dev/null",
            "IdentitiesOnly=yes",
            "BatchMode=yes",
            "ConnectTimeout=30",
            "LogLevel=ERROR",
        ]
        flags = [word for option in options for word in ("-o", option)]
        return ["ssh", "-F", "none", *flags, "-i", str(self.key), "-p", str(self.port), f"{user}@127.0.0.1"]


@contextmanager
def lab_host(*, changes: str = "", address: str = "", ports: Sequence[int] = ()) -> Iterator[LabHost]:
    """
    Resume a lab host for as long as the block lasts. ``changes`` is a shell script that root runs there first.

    With ``address`` (any of 127.0.0.0/8) the host answers there too: SSH on port 22, and on each of ``ports``.

    Raises:
        LabHostFailed: it could not be built, did not come up, or ``changes`` failed.
    """
    image = built_image()
    folder = Path(tempfile.mkdtemp(prefix="lab-host-"))
    try:
        _run(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(image / "disk.img"), "disk"],
            folder,
        )
        resume = ["-incoming", f"exec:cat '{image}/memory'"]
        forwards = [f"hostfwd=tcp:{address}:{port}-:{port}" for port in (22, *ports)] if address else []
        with _machine(image, folder, folder / "disk", "qcow2", resume, forwards=forwards) as host:
            if address:
                with host.known_hosts.open("a") as known:
                    known.write(f"{address} {(image / 'host_key.pub').read_text()}")
            host.says(f"date -u -s @{time.time():.0f}")
            if changes:
                _change(host, changes)
            yield host
    finally:
        shutil.rmtree(folder)


def _change(host: LabHost, script: str) -> None:
    done = host.ssh("sh -eu -s", data=script.encode(), seconds=300)
    if done.returncode:
        raise LabHostFailed(f"changing the lab host failed: {done.stderr.decode(errors='replace')[-2000:]}")


def built_image() -> Path:
    """The folder with disk, memory, kernel, keys; made now if this recipe was never built here."""
    cache = cache_folder()
    image = cache / _recipe_key()
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not image.exists():
            _forget_all_in(cache)
            _build(image)
    return image


def _forget_all_in(cache: Path) -> None:
    """What an older recipe left, or a build that was cut off."""
    for entry in cache.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)


def _build(image: Path) -> None:
    building = Path(tempfile.mkdtemp(prefix="building-", dir=image.parent))
    # In namespaces of its own: a build that is cut off leaves neither processes nor mounts behind.
    alone = ["unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"]
    recipe = ["bash", str(_HERE / "host_image.sh"), str(building), mirror()]
    _run([*alone, *recipe], building, seconds=_SECONDS_TO_BUILD)
    with _machine(building, building, building / "disk.img", "raw", []) as host:
        _change(host, (_HERE / "host_settle.sh").read_text())
        _save_memory(building)
    building.rename(image)


def cache_folder() -> Path:
    """Where built images are kept: $XDG_CACHE_HOME/docker-host-auditor-lab, else below /var/tmp; ours alone."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "/var/tmp") / "docker-host-auditor-lab"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise LabHostFailed(f"{folder} belongs to another user: set XDG_CACHE_HOME to a folder of your own")
    return folder


def mirror() -> str:
    """The address this machine's own apt takes Debian's packages from."""
    form = "$(REPO_URI) $(ORIGIN) $(LABEL) $(COMPONENT)"
    lines = _run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], _HERE).splitlines()
    for words in map(str.split, lines):
        if words[1:] == ["Debian", "Debian", "main"]:
            return words[0]
    raise LabHostFailed("apt knows no Debian archive on this machine: run apt-get update first")


def _recipe_key() -> str:
    """Changes with the recipe and with the program that must read the saved memory."""
    version = _run(["qemu-system-x86_64", "--version"], _HERE)
    scripts = [(_HERE / name).read_text() for name in ("host_image.sh", "host_settle.sh")]
    text = "\n".join([*scripts, *_qemu(Path(), Path(), Path(), "", 0), version])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def _machine(
    image: Path, folder: Path, disk: Path, form: str, extra: Sequence[str], *, forwards: Sequence[str] = ()
) -> Iterator[LabHost]:
    """qemu from its start to its end; inside, SSH answers."""
    port = _free_port()
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(f"[127.0.0.1]:{port} {(image / 'host_key.pub').read_text()}")
    host = LabHost(port, image / "id", known_hosts, folder / "console.log")
    with (folder / "qemu.log").open("wb") as log:
        command = [*_qemu(image, folder, disk, form, port, forwards=forwards), *extra]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for_ssh(host, process, folder)
        yield host
    finally:
        process.kill()
        process.wait()


def _qemu(
    image: Path, folder: Path, disk: Path, form: str, port: int, *, forwards: Sequence[str] = ()
) -> list[str]:
    forward = ",".join([f"hostfwd=tcp:127.0.0.1:{port}-:22", *forwards])
    return [
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536"),
        *("-display", "none", "-monitor", "none", "-serial", f"file:{folder}/console.log"),
        *("-qmp", f"unix:{folder}/qmp,server=on,wait=off"),
        *("-kernel", str(image / "kernel"), "-initrd", str(image / "initrd")),
        *("-append", "root=/dev/vda rw console=ttyS0 quiet audit=1 apparmor=1 mitigations=off"),
        *("-drive", f"file={disk},format={form},if=virtio,cache=unsafe"),
        *("-netdev", f"user,id=net,restrict=on,{forward}", "-device", "virtio-net-pci,netdev=net"),
        *("-device", "virtio-rng-pci"),
    ]


def _wait_for_ssh(host: LabHost, process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + _SECONDS_TO_BOOT
    while time.monotonic() < end and process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            if host.ssh("true", seconds=60).returncode == 0:
                return
        time.sleep(0.5)
    logs = "\n".join(
        (folder / name).read_text(errors="replace")[-2000:] for name in ("qemu.log", "console.log")
    )
    raise LabHostFailed(
        f"no SSH on 127.0.0.1:{host.port} (qemu's status: {process.poll()}); its console ends:\n{logs}"
    )


def _save_memory(folder: Path) -> None:
    """Write the running machine's memory beside its disk. It stands still from then on."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(120)
        connection.connect(str(folder / "qmp"))
        with connection.makefile("rw", encoding="utf-8") as stream:
            _ask(stream, "qmp_capabilities")
            _ask(stream, "migrate", uri=f"exec:cat > '{folder}/memory'")
            while (status := _ask(stream, "query-migrate")["status"]) not in {
                "completed",
                "failed",
                "cancelled",
            }:
                time.sleep(0.2)
            if status != "completed":
                raise LabHostFailed(f"saving the lab host's memory: {status}")
            _ask(stream, "quit")


def _ask(stream: TextIO, command: str, **arguments: str) -> dict[str, Any]:
    """One QMP command; its answer, events skipped."""
    stream.write(json.dumps({"execute": command, "arguments": arguments}))
    stream.flush()
    for line in stream:
        said = json.loads(line)
        if "error" in said:
            raise LabHostFailed(f"qemu refused {command}: {said['error']['desc']}")
        if "return" in said:
            answer: dict[str, Any] = said["return"]
            return answer
    raise LabHostFailed(f"qemu went away during {command}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(command: Sequence[str], folder: Path, *, seconds: float = 60) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=seconds, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")[-2000:]
        raise LabHostFailed(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout.decode()


if __name__ == "__main__":
    print(built_image())

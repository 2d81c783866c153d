"""
A host within this machine: own mounts, an sshd, a real dockerd, and a stand-in for systemd that knows one unit and one timer.

It starts in a second, where a whole virtual machine takes minutes on a busy machine. What depends on systemd itself
(socket activation, drop-ins as systemd merges them, transient timers) is tried on the virtual machine.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.sshd import Sshd, sshd

PROGRAMS = ("dockerd", "docker", "sshd", "unshare", "nsenter", "busybox")

_UNIT = """[Service]
Type=notify
EnvironmentFile=-{folder}/environment
ExecStart=/usr/sbin/dockerd -H unix://{folder}/docker.sock --data-root={folder}/data --exec-root={folder}/exec \\
    --pidfile={folder}/pid --bridge=none --iptables=false --containerd-namespace={name} \\
    --containerd-plugins-namespace={name}-plugins $DOCKER_OPTS
"""

_SYSTEMCTL = """#!/bin/sh
folder={folder}
stop() {{
    pid=$(cat $folder/pid 2>/dev/null) || return 0
    kill $pid 2>/dev/null
    while kill -0 $pid 2>/dev/null; do sleep 0.1; done
}}
start() {{
    DOCKER_OPTS=
    [ ! -e $folder/environment ] || . $folder/environment
    command=$($0 cat | sed -e ':a' -e '/\\\\$/N; s/\\\\\\n *//; ta' | sed -n 's/^ExecStart=//p' | tail -n 1)
    (eval "exec setsid $command") > $folder/log 2>&1 < /dev/null &
    starting=$!
    while kill -0 $starting 2>/dev/null; do
        docker -H unix://$folder/docker.sock version > /dev/null 2>&1 && return 0
        sleep 0.2
    done
    return 1
}}
[ "$1" != --quiet ] || shift
case "$1 $2" in
"cat "*) cat $folder/unit /etc/systemd/system/docker.service.d/*.conf 2>/dev/null; true ;;
"show "*) echo "MainPID=$(cat $folder/pid 2>/dev/null || echo 0)" ;;
"restart docker.service") [ ! -e $folder/before-restart ] || sh $folder/before-restart; stop; start ;;
"stop docker.service") stop ;;
"stop "*.timer) [ ! -e $folder/timer ] || {{ kill $(cat $folder/timer) 2>/dev/null; rm -f $folder/timer; }} ;;
"is-active "*.timer) [ -e $folder/timer ] && kill -0 $(cat $folder/timer) 2>/dev/null ;;
esac
"""

_BOOT = """
for unit in /etc/systemd/system/docker.service.wants/*.service; do
    [ -e "$unit" ] || continue
    meets=
    for path in $(sed -n 's/^ConditionPathExists=|//p' "$unit"); do [ ! -e "$path" ] || meets=yes; done
    for path in $(sed -n 's/^ConditionPathExists=!//p' "$unit"); do [ ! -e "$path" ] || meets=; done
    [ -z "$meets" ] || eval "$(sed -n 's/^ExecStart=//p' "$unit")" || exit
done
systemctl restart docker.service
"""

_SYSTEMD_RUN = """#!/bin/sh
while :; do
    case $1 in
    --on-active=*) seconds=${{1#*=}} ;;
    --*) ;;
    *) break ;;
    esac
    shift
done
(exec setsid sh -c 'sleep "$0"; rm -f {folder}/timer; exec "$@"' "$seconds" "$@") > {folder}/timer-log 2>&1 < /dev/null &
echo $! > {folder}/timer
"""

_JOURNALCTL = """#!/bin/sh
tail -n 30 {folder}/log
"""


@dataclass(frozen=True)
class SmallHost:
    """A running one. ``folder`` is seen from inside and outside."""

    folder: Path
    pid: int
    door: Sshd

    def sh(self, script: str, data: str = "") -> subprocess.CompletedProcess[str]:
        """Run a shell script inside as root."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        command = ["nsenter", "--target", str(self.pid), "--mount", "env", f"PATH={path}", "sh", "-c", script]
        return subprocess.run(command, input=data, capture_output=True, text=True, timeout=120, check=False)

    def says(self, script: str, data: str = "") -> str:
        """What a script that must succeed prints, stripped."""
        done = self.sh(script, data)
        assert done.returncode == 0, f"{script}: {done.stderr}"
        return done.stdout.strip()

    def reboot(self) -> None:
        """
        Lose what a restart loses (the timer, /run, every process), then start what the daemon waits for, and the daemon.

        Of a unit's conditions it knows those on paths: one of the triggering ones, and each that is negated.
        """
        self.says(
            "systemctl stop x.timer; systemctl stop docker.service; rm -f /run/docker-host-auditor-rollback"
        )
        self.says(_BOOT)

    @property
    def answers(self) -> str:
        """A command that shows that the daemon answers on its socket."""
        return f"docker -H unix://{self.folder}/docker.sock version --format '{{{{.Server.Version}}}}'"


@contextmanager
def small_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHost]:
    """Start one, with a dockerd that has no configuration of its own; stop everything at the end."""
    folder = Path(tempfile.mkdtemp(prefix="small-"))
    tools = folder / "tools"
    tools.mkdir()
    for name, text in (("systemctl", _SYSTEMCTL), ("systemd-run", _SYSTEMD_RUN), ("journalctl", _JOURNALCTL)):
        (tools / name).write_text(text.format(folder=folder))
        (tools / name).chmod(0o755)
    (folder / "unit").write_text(_UNIT.format(folder=folder, name=folder.name))
    mounts = (
        f"mount --bind {tools} /usr/local/sbin && mkdir -p /etc/docker /etc/systemd/system && "
        "mount -t tmpfs tmpfs /etc/docker && mount -t tmpfs tmpfs /etc/systemd/system && echo up && exec sleep 100000"
    )
    keeper = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", mounts],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert keeper.stdout
        assert keeper.stdout.readline() == "up\n"
        _wrap_sshd(folder, keeper.pid, monkeypatch)
        with sshd() as door:
            host = SmallHost(folder, keeper.pid, door)
            host.says("systemctl restart docker.service")
            yield host
            host.says("systemctl stop x.timer; systemctl stop docker.service")
    finally:
        _kill(folder)
        keeper.kill()
        keeper.communicate()
        subprocess.run(["rm", "-rf", folder], check=False)


def _wrap_sshd(folder: Path, pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's sshd shall run inside."""
    wrapper = folder / "bin/sshd"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec nsenter --target {pid} --mount /usr/sbin/sshd "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")


def _kill(folder: Path) -> None:
    """What a test that failed left running: its timer, its dockerd and that one's containerd."""
    for name in ("timer", "pid", "exec/containerd/containerd.pid"):
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int((folder / name).read_text())
            os.kill(pid, signal.SIGTERM)
            for _ in range(100):
                os.kill(pid, 0)
                time.sleep(0.1)
            os.kill(pid, signal.SIGKILL)

"""Containers of a real engine, each wrong in one way: the collector sees it, the right check finds it, no other does."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import checks.runtime
from auditor.check import Finding
from auditor.collect.bundle import Bundle, load
from auditor.facts.base import Knowledge
from auditor.gaps import Gap
from auditor.policy import Policy
from auditor.registry import discover
from auditor.transports.base import linux_script
from tests.lab.engine import IMAGE, PROGRAMS, Engine, engine
from tests.lab.need import need_root
from tests.lab.vm import LabHost
from tests.lab.volume_plugin import volume_plugin

pytestmark = pytest.mark.lab
SLEEP = ("sleep", "100000")
HARDENED = {
    "network": "--network=app",
    "user": "--user=1000",
    "read-only": "--read-only",
    "capabilities": "--cap-drop=ALL",
    "privileges": "--security-opt=no-new-privileges",
    "memory": "--memory=64m",
    "cpu": "--cpus=0.5",
    "pids": "--pids-limit=50",
    "restart": "--restart=on-failure:5",
    "health": "--health-cmd=true",
}
# A container's name: the hardened option it lacks, the options it has instead, and the checks that find it.
CASES: dict[str, tuple[str, tuple[str, ...], set[str]]] = {
    "hardened": ("", (), set()),
    "privileged": (
        "",
        ("--privileged",),
        {
            "privileged-container",
            "added-capability",
            "net-raw-capability",
            "host-device",
            "seccomp-unconfined",
            "system-paths-unmasked",
        },
    ),
    "admin": ("", ("--cap-add=SYS_ADMIN",), {"added-capability"}),
    "raw": ("capabilities", ("--cap-drop=CHOWN",), {"net-raw-capability"}),
    "gains": ("privileges", (), {"new-privileges-allowed"}),
    "gains-false": ("privileges", ("--security-opt=no-new-privileges:false",), {"new-privileges-allowed"}),
    "network": ("network", ("--network=host",), {"host-network"}),
    "joined": ("network", ("--network=container:network",), {"host-network"}),
    "bridge": ("network", ("--network=bridge",), {"default-bridge"}),
    "nowhere": ("network", (), {"default-bridge"}),
    "pid": ("", ("--pid=host",), {"host-pid-namespace"}),
    "ipc": ("", ("--ipc=host",), {"host-ipc-namespace"}),
    "uts": ("", ("--uts=host",), {"host-uts-namespace"}),
    "users": ("", ("--userns=host",), {"user-namespace-opt-out"}),
    "etc": ("", ("--volume=/etc:/h:ro",), {"sensitive-mount"}),
    "var": ("", ("--mount=type=bind,source=/var,target=/h,readonly",), {"sensitive-mount"}),
    "run": ("", ("--volume=/var/run:/h",), {"engine-socket-mounted", "sensitive-mount"}),
    "volume": ("", ("--volume=data:/data", "--tmpfs=/tmp", "--volume=/srv:/srv"), set()),
    "disguised": (
        "",
        (
            "--mount=type=volume,source=disguised,target=/h,volume-driver=local,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/etc",
        ),
        {"sensitive-mount"},
    ),
    "relative": (
        "",
        (
            "--mount=type=volume,source=relative,target=/h,volume-driver=local,volume-opt=type=tmpfs,volume-opt=o=bind,volume-opt=device=etc",
        ),
        {"sensitive-mount"},
    ),
    "shared": ("", ("--volume=/srv:/h:shared",), {"shared-mount-propagation"}),
    "device": ("", ("--device=/dev/null",), {"host-device"}),
    "rule": ("", ("--device-cgroup-rule=c 1:3 r",), {"host-device"}),
    "low-port": ("", ("--publish=127.0.0.1:80:80",), {"privileged-port", "port-not-needed"}),
    "wide-port": ("", ("--publish=8080:80",), {"port-on-every-address", "port-not-needed"}),
    "six-port": ("", ("--publish=[::]:8443:80",), {"port-on-every-address"}),
    "mapped-port": ("", ("--publish=[::ffff:0.0.0.0]:8443:80",), {"port-on-every-address"}),
    "narrow-port": ("network", ("--network=narrow", "--publish=8443:80"), set()),
    "allowed-port": ("", ("--publish=127.0.0.1:8443:443",), set()),
    "all-ports": ("", ("--publish-all",), {"port-not-needed"}),
    "all-exposed": (
        "",
        ("--publish-all", "--expose=80"),
        {"port-not-needed", "port-on-every-address"},
    ),
    "memory": ("memory", (), {"memory-unlimited"}),
    "cpu": ("cpu", (), {"cpu-unlimited"}),
    "pids": ("pids", ("--pids-limit=-1",), {"pids-unlimited"}),
    "writable": ("read-only", (), {"writable-root-filesystem"}),
    "always": ("restart", ("--restart=always",), {"endless-restart"}),
    "no-end": ("restart", ("--restart=on-failure",), {"endless-restart"}),
    "once": ("restart", (), set()),
    "ill": ("health", ("--no-healthcheck",), {"health-not-checked"}),
    "group": ("", ("--cgroup-parent=/mine",), {"own-cgroup-parent"}),
    "paths": ("", ("--security-opt=systempaths=unconfined",), {"system-paths-unmasked"}),
    "calls": ("", ("--security-opt=seccomp=unconfined",), {"seccomp-unconfined"}),
}


# Links in the engine's folder, each mounted into a container of that name.
LINKED = {
    "to-etc": "/etc",
    "to-below": "to-etc/ssh",
    "to-socket": "docker.sock",
    "to-data": "/srv",
    "to-later": "/etc/later",
}


def options(lacks: str, has: tuple[str, ...]) -> list[str]:
    return [option for name, option in HARDENED.items() if name != lacks] + list(has)


def collect(running: Engine) -> Bundle:
    done = subprocess.run(
        ["sh", "-s", "--", "-s", str(running.socket)],
        input=linux_script(),
        capture_output=True,
        timeout=120,
        check=True,
    )
    return load(done.stdout)


class Audit:
    """Findings and gaps of every container check on one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        self.findings: dict[str, list[Finding]] = {}
        self.gaps: dict[str, str] = {}
        known = Knowledge(bundle, {Policy: Policy(allowed_ports=(8443,))})
        for check in discover(checks.runtime).values():
            self.findings[check.id] = []
            try:
                facts: dict[str, Any] = {name: known.get(fact) for name, fact in check.facts.items()}
                self.findings[check.id].extend(check(**facts))
            except Gap as gap:
                self.gaps[check.id] = f"{type(gap).__name__}: {gap}"

    def against(self, container: str) -> set[str]:
        """The checks that found something about a container."""
        return {
            check
            for check, findings in self.findings.items()
            if any(finding.subject.partition(" (")[0] == container for finding in findings)
        }


@pytest.fixture(scope="module")
def lab() -> Iterator[Engine]:
    need_root(PROGRAMS)
    with engine() as running:
        running.run("first")  # so that there is an image
        running.docker("rm", "--force", "first")
        running.docker("network", "create", "app")
        running.docker(
            "network", "create", "--opt=com.docker.network.bridge.host_binding_ipv4=127.0.0.1", "narrow"
        )
        yield running
        running.docker("network", "rm", "app", "narrow")  # their bridges are the machine's, and would stay


@pytest.fixture(scope="module")
def audit(lab: Engine) -> Audit:
    """All cases created, none started."""
    for name, (lacks, has, _) in CASES.items():
        lab.docker("create", "--name", name, *options(lacks, has), IMAGE, *SLEEP)
    lab.docker("create", "--name", "ssh", *options("", ()), IMAGE, "/usr/sbin/sshd", "-D")
    lab.docker(
        "create", "--name", "ssh-within", *options("", ()), IMAGE, "sh", "-c", "exec /usr/sbin/sshd -D"
    )
    lab.docker("create", "--name", "socket", *options("", (f"--volume={lab.socket}:/s:ro",)), IMAGE, *SLEEP)
    for name, leads_to in LINKED.items():
        (lab.folder / name).symlink_to(leads_to)
        linked = f"--volume={lab.folder}/{name}:/h"
        lab.docker("create", "--name", name, *options("", (linked,)), IMAGE, *SLEEP)
    (lab.folder / "all.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    profile = f"--security-opt=seccomp={lab.folder}/all.json"
    lab.docker("create", "--name", "all-calls", *options("", (profile,)), IMAGE, *SLEEP)
    lab.docker("create", "--name", "limits", *options("", ("--ulimit=nofile=9:9",)), IMAGE, *SLEEP)
    made = Audit(collect(lab))
    lab.docker("rm", "--force", "--volumes", *lab.docker("ps", "--all", "--quiet").split())
    return made


@pytest.mark.parametrize("name", CASES)
def test_the_right_checks_find_a_container(audit: Audit, name: str) -> None:
    assert audit.against(name) == CASES[name][2]


def test_its_state_is_told(audit: Audit) -> None:
    (finding,) = audit.findings["privileged-container"]
    assert (finding.subject, "(created)" in finding.source) == ("privileged", True)


def test_a_socket_at_a_place_of_the_daemons_own_is_found(audit: Audit) -> None:
    assert "engine-socket-mounted" in audit.against("socket")


def test_a_plugins_volume_is_judged_by_where_the_plugin_has_it() -> None:
    need_root(PROGRAMS)
    # An engine of its own, which ends before the plugin does: engines wait long for a plugin that has gone.
    with (
        tempfile.TemporaryDirectory() as folder,
        volume_plugin("lab-plugin", f"{folder}/link"),
        engine() as lab,
    ):
        Path(folder, "link").symlink_to("/etc")
        lab.run("first")
        lab.docker("volume", "create", "--driver=lab-plugin", "of-a-plugin")
        volume = "--mount=type=volume,source=of-a-plugin,target=/h,volume-nocopy"
        lab.docker(
            "create", "--name", "plugged", *options("network", ("--network=none", volume)), IMAGE, *SLEEP
        )
        found = Audit(collect(lab))
        assert found.against("plugged") == {"sensitive-mount"}
        assert not set(found.gaps) & {"sensitive-mount", "engine-socket-mounted"}


def test_a_folder_that_is_mounted_elsewhere_too_is_found_by_that_name(lab: Engine) -> None:
    shown, around = lab.folder / "around/shown", lab.folder / "around"
    shown.mkdir(parents=True)
    subprocess.run(["mount", "--bind", "/etc", shown], check=True)
    try:
        for name, path in (("shown", shown), ("around", around)):
            lab.docker("create", "--name", name, *options("", (f"--volume={path}:/h",)), IMAGE, *SLEEP)
        found = Audit(collect(lab))
    finally:
        lab.docker("rm", "--force", "shown", "around")
        subprocess.run(["umount", shown], check=True)
    assert found.against("shown") == found.against("around") == {"sensitive-mount"}
    observed = [finding.observed for finding in found.findings["sensitive-mount"]]
    assert all("mounted at /etc too" in each for each in observed)


def test_volumes_in_use_are_what_is_mounted_at_their_places(lab: Engine) -> None:
    ordinary, over = lab.folder / "ordinary", lab.folder / "data/volumes/over/_data"
    ordinary.mkdir()
    bound = ("--opt=type=none", "--opt=o=bind", f"--opt=device={ordinary}")
    lab.docker("volume", "create", *bound, "used")
    lab.docker("volume", "create", "over")
    subprocess.run(["mount", "--bind", "/etc", over], check=True)
    mounts = {"uses": "used:/h", "direct": f"{ordinary}:/h", "covered": "over:/h"}
    try:
        for name, volume in mounts.items():
            lab.docker(
                "run", "--detach", "--name", name, "--network=none", f"--volume={volume}", IMAGE, *SLEEP
            )
        found = Audit(collect(lab))
    finally:
        lab.docker("rm", "--force", *mounts)
        subprocess.run(["umount", over], check=True)
        lab.docker("volume", "rm", "used", "over")
    assert {name for name in mounts if "sensitive-mount" in found.against(name)} == {"covered"}
    assert "sensitive-mount" not in found.gaps


def test_a_link_is_found_by_what_it_leads_to(audit: Audit) -> None:
    assert {name: audit.against(name) for name in LINKED} == {
        "to-etc": {"sensitive-mount"},
        "to-below": {"sensitive-mount"},
        "to-socket": {"engine-socket-mounted"},
        "to-data": set(),
        "to-later": {"sensitive-mount"},
    }
    told = {finding.observed for finding in audit.findings["sensitive-mount"]}
    assert any(observed.endswith("/to-etc -> /etc (read-write) at /h: is /etc") for observed in told)


def test_a_seccomp_profile_that_allows_everything_is_found(audit: Audit) -> None:
    assert audit.against("all-calls") == {"seccomp-unconfined"}


def test_an_ssh_server_is_found_in_the_command_and_in_its_arguments(audit: Audit) -> None:
    assert audit.against("ssh") == audit.against("ssh-within") == {"ssh-server-in-container"}


def test_what_facts_cannot_decide_is_left_to_a_person_with_evidence(audit: Audit) -> None:
    assert "limits (created): nofile=9:9, the daemon's is not set" in audit.gaps["ulimit-overridden"]
    for check in ("outdated-image", "privileged-exec", "root-exec"):
        assert audit.gaps[check].startswith("Manual: ")


def test_nothing_here_was_unseen(audit: Audit) -> None:
    assert not [gap for gap in audit.gaps.values() if gap.startswith("Inconclusive")]


def eventually(lab: Engine, check: str) -> set[str]:
    """The containers a check finds, asked again until there is one: a process takes a moment to show."""
    for _ in range(50):
        if found := {finding.subject for finding in Audit(collect(lab)).findings[check]}:
            return found
        time.sleep(0.1)
    return set()


@pytest.fixture
def running(lab: Engine) -> Iterator[Engine]:
    """The engine with one hardened container that runs."""
    alone = [
        option for option in options("network", ("--network=none",)) if not option.startswith("--health")
    ]
    lab.docker("run", "--detach", "--name", "live", *alone, IMAGE, "sh", "-c", "while true; do sleep 1; done")
    yield lab
    lab.docker("rm", "--force", *lab.docker("ps", "--all", "--quiet").split())


def test_a_hardened_container_that_runs_passes(running: Engine) -> None:
    audit = Audit(collect(running))
    assert audit.against("live") == {"health-not-checked"}
    assert not [gap for gap in audit.gaps.values() if gap.startswith("Inconclusive")]


def test_an_ssh_server_that_runs_is_found_by_its_process(running: Engine) -> None:
    pretending = "echo sshd > /proc/$$/comm; while true; do sleep 1; done"
    running.docker("run", "--detach", "--name", "hidden", "--network", "none", IMAGE, "sh", "-c", pretending)
    assert eventually(running, "ssh-server-in-container") == {"hidden"}


def test_an_exec_session_as_root_is_found_while_it_lasts(running: Engine) -> None:
    running.docker("exec", "--detach", "live", *SLEEP)
    running.docker("exec", "--detach", "--user=0", "live", *SLEEP)
    assert eventually(running, "root-exec") == {"live"}
    assert "The engine knows of sessions in live (2)" in Audit(collect(running)).gaps["root-exec"]


def test_the_process_tells_that_privileges_can_be_gained(running: Engine) -> None:
    running.docker("run", "--detach", "--name", "gainer", "--network", "none", IMAGE, *SLEEP)
    assert "new-privileges-allowed" in Audit(collect(running)).against("gainer")


def test_a_tag_that_moved_on_is_found(lab: Engine, running: Engine) -> None:
    running.docker("tag", IMAGE, "moving:1")
    running.docker("create", "--name", "old", "moving:1", *SLEEP)
    root = running.docker("create", "--name", "other", "--label", "new=yes", IMAGE, *SLEEP)
    running.docker("commit", root, "moving:1")
    assert Audit(collect(running)).against("old") >= {"outdated-image"}
    assert "outdated-image" not in Audit(collect(running)).against("live")


def test_names_of_variables_come_along_and_values_stay(running: Engine) -> None:
    running.docker(
        "create", "--name", "secretive", "--env", "PASSWORD=kept-here", IMAGE, "run", "--token=kept-here-too"
    )
    data = collect(running).read("containers")
    assert b'"PASSWORD"' in data
    assert b"kept-here" not in data


@pytest.mark.vm
def test_apparmor_and_privileged_sessions_on_a_host_that_has_them(lab_host: LabHost) -> None:
    made = (
        "docker run -d --name bare --network none --security-opt apparmor=unconfined --cgroupns host busybox:lab sleep 100000; "
        "docker create --name fresh --network none busybox:lab sleep 1; "
        "docker exec -d --privileged ordinary sleep 100000"
    )
    try:
        lab_host.says(made)
        audit = Audit(load(lab_host.ssh("sh -s", data=linux_script()).stdout))
    finally:
        lab_host.says("docker rm -f bare fresh; docker restart -t 0 ordinary")
    assert {finding.subject for finding in audit.findings["apparmor-unconfined"]} == {
        "bare",
        "privileged",
    }
    assert {finding.subject for finding in audit.findings["host-cgroup-namespace"]} == {"bare"}
    assert {finding.subject for finding in audit.findings["privileged-exec"]} == {"ordinary"}
    assert not [gap for gap in audit.gaps.values() if gap.startswith("Inconclusive")]

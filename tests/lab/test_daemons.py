"""Hosts with several daemons, with rootless ones, and with one whose file was changed after its start: real ones."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from auditor.check import Inconclusive
from auditor.collect.bundle import Bundle, load
from auditor.facts.daemon import DaemonConfig
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.daemons import Daemons, further
from auditor.facts.engine import Engine
from auditor.facts.files import Files
from auditor.transports.base import linux_script
from checks.daemon.drift import daemon_config_changed_since_start
from checks.files.engine import modes, owners
from tests.lab import rootless
from tests.lab.engine import PROGRAMS, engine
from tests.lab.need import need_root
from tests.lab.rootless import Rootless

pytestmark = pytest.mark.lab
# Other tests' engines run beside these.
SCRIPT = linux_script().replace(b"DAEMONS_AT_MOST=8", b"DAEMONS_AT_MOST=1000")
SECTIONS = ("daemons", "daemon", "daemon-config", "engine-version", "engine-info")


def collect(*arguments: str) -> Bundle:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
    done = subprocess.run(
        ["sh", "-s", "--", *arguments],
        input=SCRIPT,
        env=environment,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return load(done.stdout)


def configurations(bundle: Bundle) -> dict[str, DaemonConfig]:
    """Of every daemon that was looked at, by the socket it was asked at."""
    configs = [
        DaemonConfig.parse(each) for each in (bundle, *(own for _, _, own in further(bundle))) if _there(each)
    ]
    return {config.socket: config for config in configs}


def _there(bundle: Bundle) -> bool:
    try:
        DaemonConfig.parse(bundle)
    except Inconclusive:  # another test's engine, gone meanwhile
        return False
    return True


def test_every_engine_of_a_host_is_looked_at_with_its_own_file_and_flags() -> None:
    need_root(PROGRAMS)
    with (
        engine(config={"log-level": "warn"}) as one,
        engine("--log-level=error", config={"live-restore": True}) as two,
    ):
        found = configurations(collect(*SECTIONS))
        first, second = found[str(one.socket)], found[str(two.socket)]
    assert (first.setting("log-level").value, first.config_path) == ("warn", str(one.config_file))
    assert second.setting("log-level").source == "flag --log-level"
    assert second.setting("live-restore").value is True


def test_where_a_socket_is_named_the_others_are_told_and_left_to_their_own_entries() -> None:
    need_root(PROGRAMS)
    with engine() as one, engine() as two:
        bundle = collect("-s", str(one.socket), *SECTIONS)
    (left,) = [it for it in Daemons.parse(bundle).others if str(two.socket) in it.sockets]
    assert (left.number, left.elsewhere, left.pid) == (0, False, two.pid)
    assert list(bundle.sections) == list(SECTIONS)


def test_a_file_that_was_changed_since_the_start_is_told_and_so_is_the_value_in_force() -> None:
    need_root(PROGRAMS)
    with engine() as running:
        running.config_file.write_text('{"icc": false, "live-restore": true}')
        before = DaemonConfig.parse(collect("-s", str(running.socket), *SECTIONS))
        os.utime(running.config_file, (before.started + 60, before.started + 60))
        bundle = collect("-s", str(running.socket), *SECTIONS, "files")
    paths = replace(DaemonPaths.parse(bundle), service=(), environment_files=(), sysconfig_files=())
    later = replace(
        Engine.parse(bundle), system_time="2100-01-01T00:00:00Z"
    )  # than the date the file was given
    facts = later, DaemonConfig.parse(bundle), Files.parse(bundle), paths
    value, file = daemon_config_changed_since_start(*facts)
    assert value.observed == "live-restore = False in force"
    assert file.subject == str(running.config_file)
    assert file.observed.endswith("taken at a start only: icc")


@pytest.fixture(scope="module")
def daemon_of_a_user() -> Iterator[Rootless]:
    need_root([*rootless.PROGRAMS, str(rootless.SCRIPT)])
    with rootless.rootless() as running:
        yield running


def of_the_user(running: Rootless, *arguments: str) -> Bundle:
    done = running.sh(*arguments, data=SCRIPT)
    assert (done.returncode, done.stderr) == (0, b"")
    return load(done.stdout)


def test_a_rootless_daemon_in_a_network_namespace_of_its_own_is_found_with_all_its_files(
    daemon_of_a_user: Rootless,
) -> None:
    bundle = of_the_user(daemon_of_a_user, "-s", rootless.SOCKET)
    home = daemon_of_a_user.folder / "home"
    config, paths, files = DaemonConfig.parse(bundle), DaemonPaths.parse(bundle), Files.parse(bundle)
    assert (config.uid, config.config_path) == (rootless.UID, f"{home}/.config/docker/daemon.json")
    assert Engine.parse(bundle).rootless
    assert paths.data_root == config.data_root == f"{home}/.local/share/docker"
    assert files.find(paths.data_root).uid == rootless.UID
    assert paths.containerd_sockets == (f"/run/user/{rootless.UID}/docker/containerd/containerd.sock",)
    assert files.find(paths.containerd_sockets[0]).kind == "socket"
    assert f"{home}/.config/systemd/user/docker.service" in files.absent


@pytest.mark.parametrize("kind", ["engine-socket", "containerd-socket"])
def test_a_rootless_daemons_sockets_are_as_they_should_be(daemon_of_a_user: Rootless, kind: str) -> None:
    bundle = of_the_user(daemon_of_a_user, "-s", rootless.SOCKET)
    for rule in (*owners, *modes):
        if rule.id.startswith(f"{kind}-"):
            assert not list(rule(Files.parse(bundle), DaemonPaths.parse(bundle)))


def test_where_no_socket_is_named_a_rootless_daemon_is_looked_at_too(daemon_of_a_user: Rootless) -> None:
    found = configurations(of_the_user(daemon_of_a_user, *SECTIONS))
    assert found[rootless.SOCKET].uid == rootless.UID


def test_a_user_without_rights_takes_no_other_daemon_for_the_one_at_the_socket(
    daemon_of_a_user: Rootless,
) -> None:
    """Who holds which socket cannot be seen then: the flags that everybody may read tell."""
    script = SCRIPT.replace(b"xargs ls -l /dev/null", b"cat > /dev/null")
    assert script != SCRIPT
    done = daemon_of_a_user.sh("-s", rootless.SOCKET, "daemon", data=script)
    pids = re.findall(r"^pid (\d+) (\w+)$", load(done.stdout).text("daemon"), re.MULTILINE)
    assert len(pids) == 1
    assert pids[0][1] == "name"
    assert Path(f"/proc/{pids[0][0]}").stat().st_uid in (0, rootless.UID)

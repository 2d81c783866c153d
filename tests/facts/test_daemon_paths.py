"""Where a daemon has its files: units as systemd tells them, sockets and folders as the daemon was told."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.files import File, Files
from auditor.facts.units import Unit, Units
from auditor.gaps import Inconclusive, NotApplicable

SHOWN = """Id=docker.service
FragmentPath=/usr/lib/systemd/system/docker.service
DropInPaths=/etc/systemd/system/docker.service.d/a.conf /run/systemd/system/docker.service.d/b.conf
EnvironmentFiles=/etc/sysconfig/docker (ignore_errors=yes)
EnvironmentFiles=/etc/docker/env (ignore_errors=no)

Id=docker.socket
FragmentPath=/usr/lib/systemd/system/docker.socket
Listen=/run/docker.sock (Stream)
Listen=/srv/two.sock (Stream)
Listen=[::]:2376 (Stream)

Id=containerd.service
FragmentPath=/usr/lib/systemd/system/containerd.service

Id=gone.service
FragmentPath=
"""
ROOTLESS = "uid 1000\nenvironment readable\nvariable XDG_RUNTIME_DIR=/run/user/1000\n"


def bundle(
    arguments: str = "", config: str | None = None, process: str = "uid 0\n", systemd: str | None = SHOWN
) -> Bundle:
    lines = "".join(f"argument {word}\n" for word in ["/usr/bin/dockerd", *arguments.split()])
    daemon = (
        f"socket /var/run/docker.sock\npid 7 socket\n{process}exe /usr/bin/dockerd (deleted)\ncwd /\n{lines}"
    )
    file = b"/etc/docker/daemon.json\n" + (config or "").encode()
    return Bundle(
        {
            "daemon": Section(daemon.encode()),
            "daemon-config": Section(file, 0 if config else 66),
            "systemd": Section((systemd or "").encode(), 0 if systemd else 66),
        }
    )


def test_units_are_told_with_their_drop_ins_and_containerds_is_not_the_engines() -> None:
    units = Units.parse(bundle())
    [service] = units.of_kind("service")
    assert service.drop_ins == (
        "/etc/systemd/system/docker.service.d/a.conf",
        "/run/systemd/system/docker.service.d/b.conf",
    )
    assert service.environment_files == ("/etc/sysconfig/docker", "/etc/docker/env")
    assert units.of_kind("socket") == (
        Unit(
            "docker.socket",
            "/usr/lib/systemd/system/docker.socket",
            listens=("/run/docker.sock", "/srv/two.sock"),
        ),
    )


def test_a_host_without_systemd_is_told_from_one_where_it_does_not_answer() -> None:
    assert Units.parse(bundle(systemd=None)) == Units(None)
    with pytest.raises(Inconclusive):
        Units.parse(Bundle({"systemd": Section(b"", 1)}))


def test_the_unit_and_its_files_are_the_loaded_ones() -> None:
    paths = DaemonPaths.parse(bundle())
    assert paths.service is not None
    assert paths.service[0] == "/usr/lib/systemd/system/docker.service"
    assert len(paths.service) == 3
    assert paths.sysconfig_files == ("/etc/sysconfig/docker",)
    assert paths.environment_files == ("/etc/default/docker", "/etc/docker/env")


def test_a_program_that_was_replaced_since_is_looked_for_at_its_place() -> None:
    paths = DaemonPaths.parse(bundle())
    assert paths.program == "/usr/bin/dockerd"
    assert paths.programs("runc")[0] == "/usr/bin/runc"


def test_a_program_that_this_user_may_not_see_may_be_in_any_usual_place() -> None:
    hidden = DaemonPaths(program="")
    assert hidden.engine_program == hidden.programs("dockerd")
    assert "/usr/sbin/dockerd" in hidden.engine_program
    assert DaemonPaths().engine_program == ("/usr/bin/dockerd",)


def test_sockets_are_those_that_it_was_told_and_those_that_systemd_opens_for_it() -> None:
    told = DaemonPaths.parse(bundle("-H fd:// --host=unix:///srv/three.sock -H tcp://127.0.0.1:2376"))
    assert told.sockets == ("/run/docker.sock", "/srv/three.sock", "/srv/two.sock")
    assert DaemonPaths.parse(bundle(config='{"hosts": ["unix:///run/docker.sock"]}')).sockets == (
        "/run/docker.sock",
    )


def test_containerd_is_the_one_that_it_was_told_of_or_one_of_two_usual_ones() -> None:
    told = DaemonPaths.parse(bundle("--containerd=/run/containerd/containerd.sock"))
    assert told.containerd_sockets == ("/run/containerd/containerd.sock",)
    own = DaemonPaths.parse(bundle(config='{"exec-root": "/srv/exec"}'))
    assert own.containerd_sockets == (
        "/run/containerd/containerd.sock",
        "/srv/exec/containerd/containerd.sock",
    )


def test_a_rootless_engine_has_all_at_its_users() -> None:
    home = bundle(process=ROOTLESS)
    config = Section(b"/home/anna/.config/docker/daemon.json\n", 66)
    paths = DaemonPaths.parse(home.adding({"daemon-config": config}))
    assert paths.rootless
    assert paths.certificate_folder == "/home/anna/.config/docker/certs.d"
    assert paths.containerd_sockets == ("/run/user/1000/docker/containerd/containerd.sock",)


def test_another_configuration_file_does_not_move_the_registries_certificates() -> None:
    moved = bundle().adding({"daemon-config": Section(b"/srv/daemon.json\n{}")})
    paths = DaemonPaths.parse(moved)
    assert (paths.config_file, paths.certificate_folder) == ("/srv/daemon.json", "/etc/docker/certs.d")


def test_the_data_root_is_the_engines_own_word_before_its_configuration() -> None:
    configured = bundle(config='{"data-root": "/srv/docker"}')
    assert DaemonPaths.parse(configured).data_root == "/srv/docker"
    answered = configured.adding(
        {
            "engine-version": Section(json.dumps({"Server": {"Version": "29.1.0"}}).encode()),
            "engine-info": Section(
                json.dumps({"ServerVersion": "29.1.0", "DockerRootDir": "/data"}).encode()
            ),
        }
    )
    assert DaemonPaths.parse(answered).data_root == "/data"


def test_where_systemd_cannot_be_asked_the_disk_is() -> None:
    paths = DaemonPaths.parse(bundle(systemd=None))
    drop_in = "/etc/systemd/system/docker.socket.d/a.conf"
    files = Files.of(File(drop_in), File("/etc/systemd/system/docker.service.d/b.conf"))
    assert paths.unit_files("socket", files)[-1] == drop_in
    assert "/lib/systemd/system/docker.socket" in paths.unit_files("socket", files)
    assert DaemonPaths.parse(bundle()).unit_files("service", files)[0].startswith("/usr/lib")


def test_a_linked_folder_of_units_is_not_looked_at_twice() -> None:
    files = Files.of(File("/lib", kind="folder", resolved="/usr/lib"))
    places = DaemonPaths(service=None).unit_files("service", files)
    assert "/usr/lib/systemd/system/docker.service" in places
    assert "/lib/systemd/system/docker.service" not in places


@given(st.text(), st.text())
def test_no_text_crashes_the_parser(systemd: str, arguments: str) -> None:
    with contextlib.suppress(Inconclusive, NotApplicable):
        DaemonPaths.parse(bundle(arguments, systemd=systemd))


def test_a_rootless_engines_units_and_data_are_its_users_whatever_the_systems_systemd_has() -> None:
    home = ROOTLESS + "variable HOME=/home/anna\n"
    paths = DaemonPaths.parse(bundle("--config-file=/srv/x.json", process=home))
    assert paths.data_root == "/home/anna/.local/share/docker"
    assert paths.certificate_folder == "/home/anna/.config/docker/certs.d"
    assert paths.service is None
    assert paths.unit_files("service", Files())[0] == "/home/anna/.config/systemd/user/docker.service"
    moved = DaemonPaths.parse(
        bundle(process=home + "variable XDG_DATA_HOME=/srv\nvariable XDG_CONFIG_HOME=/etc/anna\n")
    )
    assert (moved.data_root, moved.config_folder) == ("/srv/docker", "/etc/anna/docker")


def test_of_several_services_the_daemons_own_is_the_one_that_it_runs_in() -> None:
    snap = "Id=snap.docker.dockerd.service\nFragmentPath=/etc/systemd/system/snap.docker.dockerd.service\n\n"
    paths = DaemonPaths.parse(
        bundle(process="uid 0\nunit snap.docker.dockerd.service\n", systemd=snap + SHOWN)
    )
    assert paths.service == ("/etc/systemd/system/snap.docker.dockerd.service",)
    assert (
        DaemonPaths.parse(bundle(process="uid 0\nunit docker.service\n")).service
        == DaemonPaths.parse(bundle()).service
    )

"""The collector on a whole host of another version: systemd, Docker 26.1, AppArmor, cgroup v2, sudo, by SSH."""

import json
from pathlib import Path

import pytest

from auditor.collect.bundle import Bundle, Status, load
from tests.lab import vm
from tests.lab.vm import LabHost

pytestmark = [pytest.mark.lab, pytest.mark.vm]
SCRIPT = (Path(__file__).parents[2] / "auditor/collect/linux.sh").read_bytes()


def collect(host: LabHost, user: str, shell: str = "sh -s") -> Bundle:
    done = host.ssh(shell, user=user, data=SCRIPT)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    return load(done.stdout)


@pytest.fixture(scope="module")
def as_root(lab_host: LabHost) -> Bundle:
    return collect(lab_host, "root")


@pytest.fixture(scope="module")
def as_member(lab_host: LabHost) -> Bundle:
    return collect(lab_host, "member")


@pytest.fixture(scope="module")
def as_plain(lab_host: LabHost) -> Bundle:
    return collect(lab_host, "plain")


def test_the_lab_host_is_a_trixie_that_came_up_whole(lab_host: LabHost) -> None:
    assert "trixie" in lab_host.says("cat /etc/os-release")
    assert lab_host.says("systemctl is-system-running") == "running"
    assert lab_host.says("systemctl is-active docker.service docker.socket auditd").split() == ["active"] * 3


def test_its_engine_is_26_1_with_cgroup_v2_and_apparmor(lab_host: LabHost) -> None:
    info = json.loads(lab_host.says("docker info --format '{{json .}}'"))
    assert info["ServerVersion"].startswith("26.1.5")
    assert info["CgroupVersion"] == "2"
    assert "name=apparmor" in info["SecurityOptions"]
    assert lab_host.says("cat /sys/module/apparmor/parameters/enabled") == "Y"


def test_its_users_may_do_what_their_names_say(lab_host: LabHost) -> None:
    assert lab_host.says("sudo -n id -u", user="audit") == "0"
    assert b"password is required" in lab_host.ssh("sudo -n id -u", user="nosudo").stderr
    assert lab_host.says("sudo -S -p '' id -u", user="nosudo", data=b"lab\n") == "0"
    assert lab_host.says("docker ps --quiet", user="member")
    assert lab_host.ssh("docker ps", user="plain").returncode != 0


def test_root_sees_every_section_that_there_is(as_root: Bundle) -> None:
    assert as_root.complete
    statuses = {name: section.status for name, section in as_root.sections.items()}
    absent = {name for name, status in statuses.items() if status == Status.ABSENT}
    assert absent <= {"daemon-config", "certificates", "keys"}  # none of these was made on that host
    assert set(statuses.values()) <= {Status.OK, Status.ABSENT}


def test_the_daemon_behind_systemds_socket_is_found_with_its_unit(as_root: Bundle) -> None:
    lines = as_root.text("daemon").splitlines()
    assert "unit docker.service" in lines
    assert "argument fd://" in lines
    assert sum(line.startswith("pid ") for line in lines) == 1
    assert "FragmentPath=/usr/lib/systemd/system/docker.socket" in as_root.text("systemd").splitlines()


def test_each_container_comes_back_with_names_of_its_environment_and_no_values(as_root: Bundle) -> None:
    text = as_root.text("containers")
    containers = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert {container["Name"] for container in containers} == {"/ordinary", "/privileged"}
    ordinary, privileged = sorted(containers, key=lambda each: str(each["Name"]))
    assert ordinary["AppArmorProfile"] == "docker-default"
    assert privileged["HostConfig"]["Privileged"]
    assert "TOKEN" in privileged["Config"]["Env"]
    assert "lab-secret-value" not in text


def test_sudo_without_a_password_sees_as_much_as_root(lab_host: LabHost, as_root: Bundle) -> None:
    by_sudo = collect(lab_host, "audit", "sudo -n sh -s")
    assert {name: section.status for name, section in by_sudo.sections.items()} == {
        name: section.status for name, section in as_root.sections.items()
    }


def test_a_member_of_the_docker_group_is_told_what_only_root_may_see(as_member: Bundle) -> None:
    assert as_member.section("engine-info").status == Status.OK
    assert as_member.section("containers").status == Status.OK
    assert as_member.section("listeners").status == Status.DENIED
    assert "descriptors of process" in as_member.section("listeners").why
    assert "environment readable" not in as_member.text("daemon")


def test_a_user_without_the_docker_group_is_denied_the_engine(as_plain: Bundle) -> None:
    for name in ("engine-version", "engine-info", "containers", "images", "networks"):
        assert as_plain.section(name).status == Status.DENIED, name
        assert as_plain.section(name).data == b""
    assert as_plain.section("host").status == Status.OK


def test_a_lab_host_can_be_changed_for_one_test() -> None:
    with vm.lab_host(changes="docker rm -f ordinary\nauditctl -w /etc/docker -p wa -k docker") as host:
        assert host.says("docker ps --quiet") == ""
        assert "-w /etc/docker -p wa -k docker" in host.says("auditctl -l")

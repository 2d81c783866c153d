"""What containers see of the host's files and devices, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Inconclusive, Manual
from auditor.facts.containers import Container, Containers, Mount
from auditor.facts.engine import Engine
from auditor.facts.links import Links
from auditor.facts.mountpoints import Mountpoints, Shown
from auditor.facts.surroundings import KNOWN_SOCKETS, Surroundings
from auditor.facts.volumes import Volumes
from auditor.policy import Policy
from auditor.testing import Outcome, judge
from checks.runtime.mounts import (
    engine_socket_mounted,
    host_device,
    sensitive_mount,
    shared_mount_propagation,
)
from tests.checks.runtime.judging import WEB, answer, containers, observed


def mounting(*mounts: Mount) -> Containers:
    return containers(replace(WEB, mounts=mounts))


def sensitive(mount: Mount, data_root: str = "/var/lib/docker", policy: Policy | None = None) -> list[str]:
    return observed(
        sensitive_mount(mounting(mount), Engine(data_root=data_root), Volumes(), policy or Policy())
    )


@pytest.mark.parametrize(
    "source",
    [
        "/",
        "/etc",
        "/etc/",
        "//etc",
        "/srv/../etc",
        "/usr",
        "/lib",
        "/proc",
        "/sys",
        "/boot",
        "/dev",
        "/root",
        "/var",
        "/var/lib",
        "/var/lib/docker",
    ],
)
def test_a_sensitive_folder_or_one_above_it_is_found_even_read_only(source: str) -> None:
    (found,) = sensitive(Mount(source, destination="/h"))
    assert found.startswith(f"web: Mounts = {source} (read-only) at /h: ")


@pytest.mark.parametrize(
    "source", ["/etc/cron.d", "/usr/local/bin", "/dev/shm", "/sys/fs/cgroup", "/lib/modules"]
)
def test_what_lies_below_one_is_found_when_it_is_writable(source: str) -> None:
    assert "(read-write)" in sensitive(Mount(source, rw=True))[0]
    assert sensitive(Mount(source)) == []


@pytest.mark.parametrize(
    "source",
    ["/etc/shadow", "/root/.ssh/id_ed25519", "/etc/docker/tls/key.pem", "/var/lib/docker/containers"],
)
def test_a_secret_is_found_even_read_only(source: str) -> None:
    assert sensitive(Mount(source))


@pytest.mark.parametrize(
    "source", ["/srv/data", "/etcetera", "/var/log", "/home/me", "/usrlocal", "/etc/localtime"]
)
def test_other_paths_are_not_sensitive(source: str) -> None:
    assert sensitive(Mount(source, rw=source.startswith("/srv"))) == []


def test_the_engines_folder_is_where_the_engine_says() -> None:
    assert "is /data/docker" in sensitive(Mount("/data/docker"), "/data/docker/")[0]
    assert "has /data/docker in it" in sensitive(Mount("/data"), "/data/docker")[0]


def test_named_volumes_and_tmpfs_are_the_engines_own() -> None:
    assert sensitive(Mount("/var/lib/docker/volumes/db/_data", "volume", rw=True)) == []
    assert sensitive(Mount("", "tmpfs", rw=True)) == []


def test_a_plugins_volume_may_lie_anywhere() -> None:
    containers = mounting(Mount("/mnt/plugin/db", "volume", rw=True))
    looked_at = Volumes(links=Links({"/mnt/plugin/db": ""}))
    assert answer(sensitive_mount(containers, Engine(), looked_at, Policy())) == ([], None)
    for said in (
        sensitive_mount(containers, Engine(), Volumes(), Policy()),
        engine_socket_mounted(containers, Surroundings(), Volumes(), Policy()),
    ):
        findings, gap = answer(said)
        assert (findings, type(gap)) == ([], Inconclusive)
    assert sensitive(Mount("/etc", "volume"))


def test_the_policy_allows_a_mount_by_its_path_only() -> None:
    policy = Policy(allowed_mounts=("/etc/ssl/", "/var/run/docker.sock"))
    assert sensitive(Mount("/etc/ssl", rw=True), policy=policy) == []
    assert sensitive(Mount("/etc", rw=True), policy=policy)
    allowed = engine_socket_mounted(mounting(Mount("/run/docker.sock")), Surroundings(), Volumes(), policy)
    assert answer(allowed) == ([], None)


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("/var/run/docker.sock", "/var/run/docker.sock at /x"),
        ("/run/docker.sock", "/run/docker.sock at /x"),
        ("/var/run", "/var/run, which holds /run/docker.sock, at /x"),
        ("/run/", "/run/, which holds /run/docker.sock, at /x"),
        ("/", "/, which holds /run/docker.sock, at /x"),
        ("/run/containerd", "/run/containerd, which holds /run/containerd/containerd.sock, at /x"),
        ("/run/containerd/containerd.sock", "/run/containerd/containerd.sock at /x"),
        ("/run/user/1000/docker.sock", "/run/user/1000/docker.sock at /x"),
        ("/run/user/1000", "/run/user/1000, which holds /run/user/1000/…/docker.sock, at /x"),
        ("/srv/engine", "/srv/engine, which holds /srv/engine/api, at /x"),
    ],
)
def test_a_socket_or_a_folder_that_holds_it_is_found_read_only_or_not(source: str, seen: str) -> None:
    surroundings = Surroundings(sockets=(*KNOWN_SOCKETS, "/srv/engine/api"))
    for rw in (True, False):
        said = engine_socket_mounted(
            mounting(Mount(source, destination="/x", rw=rw)), surroundings, Volumes(), Policy()
        )
        assert observed(said) == [f"web: Mounts = {seen}"]


@pytest.mark.parametrize("source", ["/srv", "/run/lock", "/run/user/1000/bus", "/running"])
def test_other_folders_hold_no_socket(source: str) -> None:
    mounts = (Mount(source), Mount("/var/lib/docker/volumes/x/_data", "volume"))
    assert answer(engine_socket_mounted(mounting(*mounts), Surroundings(), Volumes(), Policy())) == ([], None)


def test_where_the_daemons_sockets_are_unknown_a_person_looks_at_the_folders() -> None:
    for unknown, words in (
        (Surroundings(configured=False), "the daemon's own choice"),
        (Surroundings(others_known=False), "further daemons' choice"),
    ):
        _, gap = answer(engine_socket_mounted(mounting(Mount("/srv")), unknown, Volumes(), Policy()))
        assert isinstance(gap, Manual)
        assert "web: /srv" in str(gap)
        assert words in str(gap)


@pytest.mark.parametrize(
    ("propagation", "found"), [("shared", 1), ("rshared", 1), ("rslave", 0), ("rprivate", 0), ("", 0)]
)
def test_only_shared_propagation_reaches_the_host(propagation: str, found: int) -> None:
    assert len(observed(shared_mount_propagation(mounting(Mount("/srv", propagation=propagation))))) == found


def test_devices_are_found_however_they_are_given_unless_allowed() -> None:
    given = replace(
        WEB,
        devices=("/dev/sda", "/dev/fuse"),
        device_requests=("nvidia gpu",),
        device_cgroup_rules=("c 1:1 rwm",),
    )
    assert observed(host_device(containers(given), Policy(allowed_devices=("/dev/fuse",)))) == [
        "web: HostConfig.Devices = /dev/sda",
        "web: HostConfig.DeviceRequests = nvidia gpu",
        "web: HostConfig.DeviceCgroupRules = c 1:1 rwm",
    ]
    assert observed(host_device(containers(replace(WEB, privileged=True)), Policy()))


@pytest.mark.parametrize("source", ["/var/spool/cron/crontabs", "/run/systemd/system", "/var", "/run"])
def test_what_the_host_runs_by_itself_is_not_to_be_written(source: str) -> None:
    web = Container(mounts=(Mount(source, rw=True),))
    assert judge(sensitive_mount, Containers((web,)), Engine(), Volumes()).outcome is Outcome.FAIL


def test_a_folder_of_a_rootless_engine_holds_its_socket() -> None:
    web = Container(mounts=(Mount("/run/user/1000/podman"),))
    assert judge(engine_socket_mounted, Containers((web,)), Surroundings(), Volumes()).outcome is Outcome.FAIL


PLACE = "/var/lib/docker/volumes/v/_data"
WITH_VOLUME = Container(mounts=(Mount(PLACE, "volume", "/data", rw=True),))


@pytest.mark.parametrize(
    ("device", "sensitive", "socket"),
    [
        ("/etc", Outcome.FAIL, Outcome.PASS),
        ("/dev/sda1", Outcome.FAIL, Outcome.ERROR),  # what is on it is not known while it is not mounted
        ("/run/docker.sock", Outcome.PASS, Outcome.FAIL),
        ("/srv/data", Outcome.PASS, Outcome.PASS),
    ],
)
def test_a_volume_is_what_it_stands_for(device: str, sensitive: Outcome, socket: Outcome) -> None:
    containers, volumes = (
        Containers((WITH_VOLUME,)),
        Volumes({PLACE: device}, links=Links({device: ""})),
    )
    assert judge(sensitive_mount, containers, Engine(data_root="/srv/docker"), volumes).outcome is sensitive
    assert judge(engine_socket_mounted, containers, Surroundings(), volumes).outcome is socket


def test_what_is_behind_a_volume_and_not_known_is_a_gap_and_no_gap_without_a_volume() -> None:
    unknown, engine = Volumes(gap="volumes was not collected"), Engine(data_root="/srv/docker")
    for one, outcome in ((WITH_VOLUME, Outcome.ERROR), (WEB, Outcome.PASS)):
        assert judge(sensitive_mount, Containers((one,)), engine, unknown).outcome is outcome
        assert judge(engine_socket_mounted, Containers((one,)), Surroundings(), unknown).outcome is outcome
    both = Containers((WITH_VOLUME, Container(name="bad", mounts=(Mount("/etc", rw=True),))))
    assert judge(sensitive_mount, both, engine, unknown).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("leads_to", "sensitive", "socket"),
    [
        ("/etc", Outcome.FAIL, Outcome.PASS),
        ("/run/docker.sock", Outcome.PASS, Outcome.FAIL),
        ("/var/run", Outcome.FAIL, Outcome.FAIL),
        ("/data", Outcome.PASS, Outcome.PASS),
        ("", Outcome.PASS, Outcome.PASS),
        (None, Outcome.ERROR, Outcome.ERROR),
    ],
)
def test_a_link_is_what_it_leads_to(leads_to: str | None, sensitive: Outcome, socket: Outcome) -> None:
    mounted, engine = mounting(Mount("/srv/link", leads_to=leads_to)), Engine(data_root="/srv/docker")
    assert judge(sensitive_mount, mounted, engine, Volumes()).outcome is sensitive
    assert judge(engine_socket_mounted, mounted, Surroundings(), Volumes()).outcome is socket


def test_a_link_is_told_with_what_it_leads_to_and_judged_by_its_own_name_too() -> None:
    assert sensitive(Mount("/srv/link", destination="/h", leads_to="/etc")) == [
        "web: Mounts = /srv/link -> /etc (read-only) at /h: is /etc"
    ]
    assert sensitive(Mount("/bin", destination="/h", leads_to="/usr/bin")) == [
        "web: Mounts = /bin -> /usr/bin (read-only) at /h: is /bin"
    ]
    assert sensitive(Mount("/etc", leads_to=None))


def test_a_link_is_no_pass_while_it_is_not_known_what_is_mounted_there() -> None:
    judged = mounting(Mount("/link", leads_to="/srv"))
    for check, fact in ((sensitive_mount, Engine()), (engine_socket_mounted, Surroundings())):
        assert judge(check, judged, fact, Volumes(), Policy()).outcome is Outcome.PASS
        assert judge(check, judged, fact, Volumes(points=None), Policy()).outcome is Outcome.ERROR


def test_what_is_mounted_elsewhere_too_is_judged_by_that_name() -> None:
    volumes = Volumes(points=Mountpoints((Shown("/"), Shown("/srv/again", "/etc"), Shown("/srv/r", "/run"))))
    judged = mounting(Mount("/srv/again", rw=True))
    found = observed(sensitive_mount(judged, Engine(), volumes, Policy()))
    assert found == ["web: Mounts = /srv/again, mounted at /etc too (read-write) at /data: is /etc"]
    for allowed, outcome in (("/srv/again", Outcome.PASS), ("/etc", Outcome.FAIL)):
        assert (
            judge(sensitive_mount, judged, Engine(), volumes, Policy(allowed_mounts=(allowed,))).outcome
            is outcome
        )
    found = observed(engine_socket_mounted(mounting(Mount("/srv/r")), Surroundings(), volumes, Policy()))
    assert found == ["web: Mounts = /srv/r, mounted at /run too, which holds /run/docker.sock, at /data"]


@pytest.mark.parametrize("accepted", ["/srv/link", "/etc"])
def test_a_link_may_be_accepted_by_either_name(accepted: str) -> None:
    assert sensitive(Mount("/srv/link", leads_to="/etc"), policy=Policy(allowed_mounts=(accepted,))) == []

"""Owner and mode of the engine's files, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Check, Finding, Inconclusive, NotApplicable
from auditor.facts.daemon_paths import UNIT_FOLDERS, DaemonPaths
from auditor.facts.files import File, Files
from checks.files.engine import KINDS, modes, owners

PATHS = DaemonPaths()
CERTIFICATES = ("/etc/docker/certs.d/hub/ca.crt", "/etc/docker/certs.d/hub/client.cert")
KEY = "/etc/docker/certs.d/hub/client.key"
SOCKET = "/run/docker.sock"
PLACES = [
    *(PATHS.service or ()), *(PATHS.socket_unit or ()), PATHS.config_folder, *PATHS.sockets, PATHS.config_file,
    *PATHS.environment_files, *PATHS.sysconfig_files, *PATHS.containerd_sockets,
]  # fmt: skip
GONE = [*PLACES, "/etc/docker/certs.d"]
BY_ID = {each.id: each for each in (*owners, *modes)}
ALL = list(BY_ID.values())


def all_of_them(mode: int = 0o400, **like: int | str) -> Files:
    paths = [*PLACES, *CERTIFICATES, KEY]
    return Files.of(*(replace(File(path, mode=mode), **like) for path in paths))  # by name


def judge(name: str, *there: File, paths: DaemonPaths = PATHS) -> list[Finding]:
    return list(BY_ID[name](Files.of(*there, absent=set(GONE) - {file.path for file in there}), paths))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_roots_own_strict_files_pass(rule: Check[...]) -> None:
    assert not list(rule(all_of_them(), PATHS))


@pytest.mark.parametrize("rule", owners, ids=lambda rule: rule.id)
@pytest.mark.parametrize("like", [{"uid": 1000}, {"gid": 50}], ids=["owner", "group"])
def test_another_owner_or_group_is_found_by_number(rule: Check[...], like: dict[str, int]) -> None:
    found = list(rule(all_of_them(**like, owner="UNKNOWN", group="UNKNOWN"), PATHS))
    assert found
    assert found[0].observed == f"{like.get('uid', 0)}:{like.get('gid', 0)}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_allowed_mode_passes_and_each_further_bit_is_found(kind: object) -> None:
    rule, allowed = BY_ID[f"{kind.name}-mode"], kind.allowed  # type: ignore[attr-defined]  # pytest hands over a Kind
    assert not list(rule(all_of_them(mode=allowed), PATHS))
    for bit in (0o4000, 0o002, 0o010):
        if not allowed & bit:
            assert list(rule(all_of_them(mode=allowed | bit), PATHS))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_what_is_not_there_is_not_applicable(rule: Check[...]) -> None:
    with pytest.raises(NotApplicable, match="there is no /"):
        list(rule(Files.of(absent=GONE), PATHS))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_what_may_not_be_seen_is_not_judged(rule: Check[...]) -> None:
    with pytest.raises(Inconclusive, match="permission denied"):
        list(rule(Files.of(denied=[*PLACES, "/etc/docker/certs.d/*"]), PATHS))


def test_0640_is_stricter_than_0644_and_0600_of_root_stricter_than_0660_of_the_group() -> None:
    assert not judge("daemon-config-mode", File(PATHS.config_file, mode=0o640))
    assert not judge("engine-socket-mode", File(SOCKET, mode=0o600))
    assert not judge("engine-socket-owner", File(SOCKET, mode=0o600))


def test_a_socket_belongs_to_the_group_that_the_daemon_was_told() -> None:
    socket = File(SOCKET, gid=50, group="ops")
    assert not judge("engine-socket-owner", socket, paths=replace(PATHS, group="ops"))
    assert not judge("engine-socket-owner", socket, paths=replace(PATHS, group="50"))
    [found] = judge("engine-socket-owner", socket)
    assert (found.observed, found.expected) == ("root:ops", "root:docker or root:root")


def test_containerds_socket_belongs_to_root_alone() -> None:
    assert judge("containerd-socket-owner", File(PATHS.containerd_sockets[0], gid=999, group="docker"))


def test_the_sticky_bit_of_a_rootless_engines_socket_grants_nothing() -> None:
    assert not judge("engine-socket-mode", File("/run/docker.sock", mode=0o1660, kind="socket"))
    assert judge("engine-socket-mode", File("/run/docker.sock", mode=0o1666, kind="socket"))


def test_files_of_a_rootless_engine_may_belong_to_its_user() -> None:
    rootless = replace(PATHS, uid=1000)
    own = File(PATHS.config_file, uid=1000, gid=1000)
    assert not judge("daemon-config-owner", own, paths=rootless)
    assert not judge("daemon-config-owner", replace(own, uid=0, gid=0), paths=rootless)
    [found] = judge("daemon-config-owner", replace(own, uid=1001), paths=rootless)
    assert "user 1000" in found.expected


def test_each_file_of_a_registry_is_judged_and_keys_more_strictly() -> None:
    there = [
        File("/etc/docker/certs.d", mode=0o755, kind="folder"),
        *(File(it, mode=0o644) for it in CERTIFICATES),
    ]
    files = Files.of(*there, File(KEY, mode=0o444))
    assert [it.subject for it in BY_ID["registry-certificate-mode"](files, PATHS)] == list(CERTIFICATES)
    assert [it.subject for it in BY_ID["registry-key-mode"](files, PATHS)] == [KEY]


def test_a_folder_without_certificates_is_not_applicable() -> None:
    files = Files.of(File("/etc/docker/certs.d", kind="folder"))
    with pytest.raises(NotApplicable, match="no registry certificate"):
        list(BY_ID["registry-certificate-owner"](files, PATHS))


def test_what_is_found_is_told_though_a_folder_may_not_be_listed() -> None:
    files = Files.of(File(KEY, mode=0o444), denied=["/etc/docker/certs.d/hub2/*"])
    rule = BY_ID["registry-key-mode"](files, PATHS)
    assert next(rule).subject == KEY
    with pytest.raises(Inconclusive, match="hub2"):
        next(rule)


def test_a_link_is_judged_by_what_it_leads_to() -> None:
    [found] = judge("daemon-config-mode", File(PATHS.config_file, mode=0o666, resolved="/srv/daemon.json"))
    assert found.source == "stat of /srv/daemon.json"


def test_without_systemd_units_are_looked_for_on_disk_and_a_linked_folder_counts_once() -> None:
    paths = replace(PATHS, socket_unit=None)
    usual, linked = "/usr/lib/systemd/system/docker.socket", "/lib/systemd/system/docker.socket"
    names = [f"{folder}/docker.socket" for folder in UNIT_FOLDERS]
    files = Files.of(File(usual, mode=0o666), File(linked, mode=0o666, resolved=usual), absent=names)
    assert [it.subject for it in BY_ID["socket-unit-mode"](files, paths)] == [usual]


def test_an_engine_without_a_socket_unit_has_none_to_judge() -> None:
    with pytest.raises(NotApplicable, match="no socket unit"):
        judge("socket-unit-mode", paths=replace(PATHS, socket_unit=()))

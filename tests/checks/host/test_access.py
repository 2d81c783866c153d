"""Who can command the engine, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Finding, Inconclusive, Manual
from auditor.facts.access import Access, Group
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.files import File, Files
from auditor.facts.sudoers import Grant
from auditor.policy import Policy
from checks.host.access import engine_commanded_by_others

PATHS = DaemonPaths()
SOCKET = File("/run/docker.sock", gid=999, mode=0o660, kind="socket", group="docker")
NOBODY = Group("docker", 999)
TRUSTING = Policy(trusted_users=("anna",))


def judge(
    access: Access, *, socket: File = SOCKET, policy: Policy = TRUSTING, paths: DaemonPaths = PATHS
) -> list[Finding]:
    return list(engine_commanded_by_others(access, Files.of(socket), paths, policy))


def users(access: Access, **others: File | Policy | DaemonPaths) -> list[str]:
    return [found.subject for found in judge(access, **others)]  # type: ignore[arg-type]  # each by its own name


def test_root_alone_passes_with_and_without_a_policy() -> None:
    for policy in (Policy(), TRUSTING):
        assert not judge(Access((NOBODY,), (Grant("root", "ALL"),)), policy=policy)


def test_a_member_that_the_policy_does_not_name_is_found() -> None:
    [found] = judge(Access((Group("docker", 999, ("anna", "ben")),)))
    assert found.subject == "ben"
    assert "in group docker of /run/docker.sock" in found.observed


def test_without_a_policy_a_person_has_to_say_who_is_meant() -> None:
    with pytest.raises(Manual, match=r"anna \(in group docker.*ben"):
        judge(Access((Group("docker", 999, ("anna", "ben")),)), policy=Policy())


def test_the_group_is_the_sockets_own_and_not_always_docker() -> None:
    access = Access((NOBODY, Group("ops", 50, ("ben",)), Group("engine", 51, ("cara",))))
    assert users(access, socket=replace(SOCKET, gid=50, group="ops")) == ["ben"]
    assert users(access, paths=replace(PATHS, group="51")) == ["cara"]


def test_a_stricter_socket_has_no_members_of_its_group() -> None:
    access = Access((Group("ops", 50, ("ben",)), NOBODY))
    assert not users(access, socket=replace(SOCKET, gid=50, mode=0o600))
    assert not users(access, socket=replace(SOCKET, gid=0))


def test_a_group_without_known_members_is_found_itself() -> None:
    [found] = judge(Access())
    assert found.subject == "group docker"
    assert "not known" in found.observed


def test_whoever_owns_the_socket_commands_the_engine() -> None:
    assert users(Access((NOBODY,)), socket=replace(SOCKET, uid=7, owner="ben")) == ["ben"]


def test_a_socket_for_everybody_is_found_without_any_policy() -> None:
    [found] = judge(Access((NOBODY,)), socket=replace(SOCKET, mode=0o666), policy=Policy())
    assert (found.subject, found.observed) == ("everybody", "/run/docker.sock has mode 0666")


def test_what_sudo_grants_counts_by_user_group_and_for_all() -> None:
    access = Access(
        (NOBODY, Group("wheel", 10, ("ben",))),
        (
            Grant("cara", "/usr/bin/docker"),
            Grant("%wheel", "ALL"),
            Grant("%#10", "ALL"),
            Grant("%gone", "ALL"),
            Grant("ALL", "ALL"),
        ),
    )
    found = {each.subject: each.observed for each in judge(access)}
    assert list(found) == ["cara", "ben", "%gone", "everybody"]
    assert "sudo ALL by /etc/sudoers, in group wheel" in found["ben"]


def test_further_users_with_roots_number_are_found() -> None:
    assert users(Access((NOBODY,), other_roots=("toor",))) == ["toor"]


def test_a_rootless_engine_is_its_users_own() -> None:
    access = Access((Group("docker", 999, ("ben",)),), (Grant("cara", "ALL"),))
    own = replace(SOCKET, uid=1000, owner="anna")
    assert users(access, socket=own, paths=replace(PATHS, uid=1000)) == ["cara"]


def test_what_could_not_be_seen_leaves_it_open() -> None:
    with pytest.raises(Inconclusive, match="does not list"):
        judge(Access((NOBODY,), unseen=("sss does not list its users",)))
    with pytest.raises(Inconclusive, match="permission denied"):
        list(engine_commanded_by_others(Access(), Files.of(denied=PATHS.sockets), PATHS, TRUSTING))

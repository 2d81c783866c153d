"""What awaits us behind the login: other shells, noise, sudo."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auditor.errors import BadReply, LoginRefused
from tests.lab.sshd import Sshd, sshd
from tests.transports.world import collect, host_of

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def for_user(user: str) -> Iterator[Sshd]:
    with sshd(users=(user,)) as running:
        yield running


@contextmanager
def login_shell(user: str, shell: str) -> Iterator[None]:
    subprocess.run(["usermod", "--shell", shell, user], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["usermod", "--shell", "/bin/bash", user], check=True, capture_output=True)


def test_what_a_login_script_prints_is_skipped(for_user: Sshd, user: str) -> None:
    rc = Path(f"/home/{user}/.bashrc")
    before = rc.read_text()
    rc.write_text("echo 'Welcome! docker-host-auditor bundle of joy'\necho complaints >&2\n")
    try:
        assert collect(host_of(for_user, user=user)).complete
    finally:
        rc.write_text(before)


@pytest.mark.parametrize("shell", ["/bin/dash", "/bin/sh", "/bin/bash"])
def test_any_posix_login_shell_will_do(for_user: Sshd, user: str, shell: str) -> None:
    with login_shell(user, shell):
        assert collect(host_of(for_user, user=user)).complete


def test_a_login_shell_that_runs_nothing_is_named_as_the_likely_reason(for_user: Sshd, user: str) -> None:
    with (
        login_shell(user, "/bin/false"),
        pytest.raises(BadReply, match=r"ended with status 1 .*POSIX shell as login shell"),
    ):
        collect(host_of(for_user, user=user))


def test_what_nologin_says_is_quoted(for_user: Sshd, user: str) -> None:
    with (
        login_shell(user, "/usr/sbin/nologin"),
        pytest.raises(BadReply, match=r"This account is currently not available"),
    ):
        collect(host_of(for_user, user=user))


def test_a_forced_command_that_is_not_ours_is_no_reply(user: str) -> None:
    forced = sshd(users=(user,), config="ForceCommand echo backups only")
    with forced as server, pytest.raises(BadReply, match=r"backups only"):
        collect(host_of(server, user=user))


def test_sudo_without_a_password_collects_as_root(for_user: Sshd, user: str, sudoers: Path) -> None:
    sudoers.write_text(f"{user} ALL=(root) NOPASSWD: ALL\n")
    assert b"uid=0\n" in collect(host_of(for_user, user=user, sudo=True)).read("host")


def test_sudo_that_wants_a_password_says_how_to_do_without(for_user: Sshd, user: str, sudoers: Path) -> None:
    sudoers.write_text(f"{user} ALL=(root) ALL\n")
    with pytest.raises(
        LoginRefused, match=rf"sudo on web1 did not let user {user} .*password is required.*NOPASSWD: ALL"
    ):
        collect(host_of(for_user, user=user, sudo=True))


def test_a_user_whom_sudo_does_not_know_is_told_the_same(for_user: Sshd, user: str) -> None:
    with pytest.raises(LoginRefused, match=r"sudo on web1 did not let user"):
        collect(host_of(for_user, user=user, sudo=True))


def test_root_needs_no_sudo(server: Sshd) -> None:
    assert b"uid=0\n" in collect(host_of(server, sudo=True)).read("host")


def test_without_sudo_the_users_own_view_comes_back(for_user: Sshd, user: str) -> None:
    assert b"uid=0\n" not in collect(host_of(for_user, user=user)).read("host")


def test_a_host_without_sudo_says_so(for_user: Sshd, user: str, tmp_path: Path) -> None:
    """A namespace of its own, in which sudo's file is covered."""
    command = "ForceCommand unshare --user --map-root-user --mount sh -c 'mount --bind /dev/null /usr/bin/sudo; eval \"$SSH_ORIGINAL_COMMAND\"'"
    with sshd(users=(user,), config=command) as without, pytest.raises(LoginRefused, match=r"sudo"):
        collect(host_of(without, user=user, sudo=True))

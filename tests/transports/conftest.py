"""One sshd for the tests that need nothing special of it, and a user who is not root."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import sshd
from tests.lab.need import need_root
from tests.transports.world import PASSWORD, USER


@pytest.fixture(scope="session")
def server() -> Iterator[sshd.Sshd]:
    """Has three host keys, lets root in with ``user_key``."""
    need_root((*sshd.PROGRAMS, "ssh-agent", "ssh-add"))
    with sshd.sshd(kinds=("ed25519", "ecdsa", "rsa")) as running:
        yield running


@pytest.fixture(scope="session")
def user() -> Iterator[str]:
    """A user with a password, who may do nothing by sudo."""
    need_root(("useradd", "userdel", "chpasswd", "sudo"))
    subprocess.run(["userdel", "-rf", USER], capture_output=True, check=False)
    subprocess.run(
        ["useradd", "--create-home", "--shell", "/bin/bash", USER], check=True, capture_output=True
    )
    subprocess.run(["chpasswd"], input=f"{USER}:{PASSWORD}".encode(), check=True, capture_output=True)
    try:
        yield USER
    finally:
        subprocess.run(["userdel", "-rf", USER], capture_output=True, check=False)


@pytest.fixture
def sudoers(user: str) -> Iterator[Path]:
    """A file below sudoers.d for the test to write; removed afterwards."""
    file = Path(f"/etc/sudoers.d/{user}")
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)

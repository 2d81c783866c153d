"""Reading known_hosts as ssh does; ssh-keygen -F is the judge."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.transports.known_hosts import lookup
from tests.lab.need import need

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFe7DP0PNOBQmKjzdiqEhZ5xF5v9Bq1Jr1T8lFd6j0aQ"
LINES = (
    f"web1,10.0.0.1 {KEY}",
    f"[web1]:2222 {KEY}",
    f"*.example.org,!bad.example.org {KEY}",
    f"[*.example.org]:2222 {KEY}",
    f"WEB2.Example.Com {KEY}",
    f"10.1.?.* {KEY}",
    f"fe80::1,[fe80::2]:2222 {KEY}",
)


def ssh_finds(file: Path, address: str, port: int) -> set[int]:
    address = address.lower()  # as ssh does before it looks
    name = address if port == 22 else f"[{address}]:{port}"
    said = subprocess.run(
        ["ssh-keygen", "-F", name, "-f", file], capture_output=True, text=True, check=False
    ).stdout
    return {int(number) for number in re.findall(r"found: line (\d+)", said)}


@pytest.mark.parametrize("hashed", [False, True], ids=["plain", "hashed"])
@pytest.mark.parametrize("port", [22, 2222])
@pytest.mark.parametrize(
    "address",
    [
        "web1",
        "WEB1",
        "10.0.0.1",
        "a.example.org",
        "bad.example.org",
        "web2.example.com",
        "10.1.2.3",
        "10.1.22.3",
        "fe80::1",
        "fe80::2",
        "x",
    ],
)
def test_the_lines_found_are_those_that_ssh_keygen_finds(
    tmp_path: Path, address: str, port: int, hashed: bool
) -> None:
    need("ssh-keygen")
    file = tmp_path / "known_hosts"
    file.write_text("\n".join(LINES) + "\n")
    if hashed:
        subprocess.run(["ssh-keygen", "-H", "-f", file], capture_output=True, check=False)
    expected = ssh_finds(file, address, port) or (ssh_finds(file, address, 22) if port != 22 else set())
    found = {int(entry.where.rsplit(":", 1)[1]) for entry in lookup([file], address, port)}
    assert found == expected


@given(st.text(max_size=300))
def test_no_file_is_so_bad_that_reading_it_fails(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("known") / "known_hosts"
    file.write_text(text, "utf-8", "surrogateescape")
    lookup([file, file.parent, file.parent / "nowhere"], "web1", 22)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"web1 {KEY}\n")
    assert lookup([file], "web1", 22)
    file.write_text("# nobody\n")
    assert not lookup([file], "web1", 22)

"""Whether the host is who it should be, against a real sshd."""

import base64
import re
import subprocess
from pathlib import Path

import pytest

from auditor.errors import HostKeyRejected
from auditor.transports.known_hosts import fingerprint
from tests.lab.sshd import Sshd, keygen, public, sshd
from tests.transports.world import collect, host_of

pytestmark = pytest.mark.lab


def known(tmp_path: Path, *lines: str) -> tuple[Path, ...]:
    file = tmp_path / "known_hosts"
    file.write_text("".join(f"{line}\n" for line in lines))
    return (file,)


def listed(server: Sshd) -> str:
    return f"[{server.address}]:{server.port}"


def ssh_fingerprint(key: Path) -> str:
    said = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], check=True, capture_output=True, text=True)
    return said.stdout.split()[1]


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("hashed", [False, True], ids=["plain", "hashed"])
def test_of_a_host_with_several_keys_the_known_one_is_asked_for(
    server: Sshd, kind: str, hashed: bool
) -> None:
    assert collect(host_of(server, known_hosts=(server.known_hosts(kind, hashed=hashed),))).complete


def test_a_key_known_without_its_port_is_known(server: Sshd, tmp_path: Path) -> None:
    assert collect(host_of(server, known_hosts=known(tmp_path, f"127.0.0.* {server.public()}"))).complete


def test_an_unknown_host_is_refused_with_its_fingerprint_and_the_line_to_add(
    server: Sshd, tmp_path: Path
) -> None:
    seen = ssh_fingerprint(server.host_key())
    with pytest.raises(HostKeyRejected) as rejected:
        collect(host_of(server, known_hosts=known(tmp_path)))
    assert f"set host_key: {seen}" in str(rejected.value)
    line = str(rejected.value).partition("add this line to ")[2].partition(": ")[2]
    assert line == f"{listed(server)} {server.public()}"
    assert collect(host_of(server, known_hosts=known(tmp_path, line))).complete


def test_a_changed_key_is_refused_with_the_line_that_says_otherwise(server: Sshd, tmp_path: Path) -> None:
    other = keygen(tmp_path / "other", "-t", "ed25519")
    files = known(tmp_path, "# a comment", f"{listed(server)} {public(other)}")
    with pytest.raises(HostKeyRejected, match=r"known is SHA256:.*known_hosts:2\).*ssh-keygen -R"):
        collect(host_of(server, known_hosts=files))


def test_nobody_tries_to_log_in_where_the_key_is_wrong(tmp_path: Path) -> None:
    with sshd(config="LogLevel DEBUG1") as fresh:
        with pytest.raises(HostKeyRejected):
            collect(host_of(fresh, known_hosts=known(tmp_path)))
        assert "userauth" not in fresh.log


def test_a_revoked_key_is_refused_though_it_is_known(server: Sshd, tmp_path: Path) -> None:
    files = known(tmp_path, f"{listed(server)} {server.public()}", f"@revoked * {server.public()}")
    with pytest.raises(HostKeyRejected, match=r"is revoked .*known_hosts:2"):
        collect(host_of(server, known_hosts=files))


def test_a_negated_name_is_not_known(server: Sshd, tmp_path: Path) -> None:
    files = known(tmp_path, f"*,!{server.address} {server.public()}".replace("*,", "127.0.0.*,"))
    with pytest.raises(HostKeyRejected, match=r"nothing is known of it"):
        collect(host_of(server, known_hosts=files))


def test_the_alias_is_looked_up_in_place_of_the_address(server: Sshd, tmp_path: Path) -> None:
    files = known(tmp_path, f"web1.example {server.public()}")
    assert collect(host_of(server, known_hosts=files, host_key_alias="web1.example")).complete
    with pytest.raises(HostKeyRejected):
        collect(host_of(server, known_hosts=files))


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_pinned_fingerprint_of_any_of_its_keys_is_enough(server: Sshd, kind: str) -> None:
    assert collect(host_of(server, known_hosts=(), host_key=ssh_fingerprint(server.host_key(kind)))).complete


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_pinned_key_is_enough(server: Sshd, kind: str) -> None:
    assert collect(host_of(server, known_hosts=(), host_key=server.public(kind))).complete


def test_a_pinned_key_alone_is_accepted_whatever_known_hosts_says(server: Sshd, tmp_path: Path) -> None:
    other = keygen(tmp_path / "other", "-t", "ed25519")
    for pin in (ssh_fingerprint(other), public(other)):
        with pytest.raises(HostKeyRejected, match=rf"but {re.escape(ssh_fingerprint(other))} is pinned"):
            collect(host_of(server, host_key=pin))


def test_a_pin_that_is_none_is_the_inventorys_mistake(server: Sshd) -> None:
    with pytest.raises(HostKeyRejected, match=r"neither a fingerprint .* nor a public key"):
        collect(host_of(server, host_key="trust me"))


def certified(folder: Path, *options: str, kind: str = "ed25519") -> tuple[Path, Path]:
    """A certificate authority and a host key with a certificate from it."""
    authority, key = keygen(folder / "ca", "-t", "ed25519"), keygen(folder / "host", "-t", kind)
    subprocess.run(
        ["ssh-keygen", "-q", "-s", authority, "-I", "host", *options, f"{key}.pub"],
        check=True,
        capture_output=True,
    )
    return authority, key


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_host_whose_key_a_known_authority_certified_is_known(tmp_path: Path, kind: str) -> None:
    authority, key = certified(tmp_path, "-h", "-n", "127.0.0.2", kind=kind)
    with sshd(kinds=(), config=f"HostKey {key}\nHostCertificate {key}-cert.pub") as server:
        files = known(tmp_path, f"@cert-authority 127.0.0.* {public(authority)}")
        assert collect(host_of(server, known_hosts=files)).complete


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("-h", "-n", "elsewhere.example"), r"it is not for 127\.0\.0\.2"),
        (("-h", "-n", "127.0.0.2", "-V", "20200101:20210101"), r"expired"),
        (
            (
                "-n",
                "127.0.0.2",
            ),
            r"it is none for a host",
        ),
    ],
    ids=["another host's", "expired", "a user's"],
)
def test_a_host_certificate_that_does_not_hold_is_refused(
    tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    authority, key = certified(tmp_path, *options)
    with sshd(kinds=(), config=f"HostKey {key}\nHostCertificate {key}-cert.pub") as server:
        files = known(tmp_path, f"@cert-authority 127.0.0.* {public(authority)}")
        with pytest.raises(HostKeyRejected, match=problem):
            collect(host_of(server, known_hosts=files))


def test_a_certificate_of_an_authority_that_is_not_listed_or_revoked_is_refused(tmp_path: Path) -> None:
    authority, key = certified(tmp_path, "-h", "-n", "127.0.0.2")
    stranger = keygen(tmp_path / "stranger", "-t", "ed25519")
    with sshd(kinds=(), config=f"HostKey {key}\nHostCertificate {key}-cert.pub") as server:
        with pytest.raises(HostKeyRejected, match=r"is not listed as @cert-authority"):
            collect(host_of(server, known_hosts=known(tmp_path, f"@cert-authority * {public(stranger)}")))
        lines = (f"@cert-authority * {public(authority)}", f"@revoked * {public(authority)}")
        with pytest.raises(HostKeyRejected, match=r"authority is revoked"):
            collect(host_of(server, known_hosts=known(tmp_path, *lines)))


def test_fingerprints_are_ssh_keygens(server: Sshd) -> None:
    assert fingerprint(base64.b64decode(server.public().split()[1])) == ssh_fingerprint(server.host_key())

"""Logging in on a real sshd, in every way that people do."""

import subprocess
from pathlib import Path

import pytest

from auditor.errors import LoginRefused, Unreachable
from auditor.host import Jump, SshOptions
from tests.lab.sshd import Sshd, keygen, public, ssh_agent, sshd
from tests.transports.world import PASSWORD, Given, collect, host_of, words

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(
    "options", [("-t", "ed25519"), ("-t", "rsa", "-b", "2048"), ("-t", "ecdsa"), ("-t", "ecdsa", "-b", "521")]
)
@pytest.mark.parametrize("form", ["OpenSSH", "PEM", "PKCS8"])
def test_a_key_of_any_kind_and_form_logs_in(
    server: Sshd, tmp_path: Path, options: tuple[str, ...], form: str
) -> None:
    if form != "OpenSSH" and "ed25519" in options:
        form = "PKCS8"
    key = keygen(tmp_path / "key", *options, *([] if form == "OpenSSH" else ["-m", form]))
    server.allow(public(key))
    assert collect(host_of(server, identity_files=(key,))).complete


@pytest.mark.parametrize("form", [(), ("-m", "PEM"), ("-m", "PKCS8")])
def test_an_encrypted_key_logs_in_with_its_passphrase(
    server: Sshd, tmp_path: Path, form: tuple[str, ...]
) -> None:
    key = keygen(tmp_path / "key", "-t", "ecdsa", *form, passphrase="geheim")
    server.allow(public(key))
    assert collect(host_of(server, identity_files=(key,), passphrase=Given("geheim"))).complete


def test_an_encrypted_key_without_its_passphrase_is_named_as_the_reason(server: Sshd, tmp_path: Path) -> None:
    key = keygen(tmp_path / "key", "-t", "ed25519", passphrase="geheim")
    with pytest.raises(LoginRefused, match=r"key is encrypted, and no passphrase is given"):
        collect(host_of(server, identity_files=(key,)))


def test_a_wrong_passphrase_appears_in_no_message(server: Sshd, tmp_path: Path) -> None:
    key = keygen(tmp_path / "key", "-t", "ed25519", passphrase="geheim")
    with pytest.raises(LoginRefused, match=r"the passphrase is wrong") as refused:
        collect(host_of(server, identity_files=(key,), passphrase=Given("hunter2")))
    assert "hunter2" not in words(refused.value)


def test_a_key_that_does_not_exist_is_named(server: Sshd) -> None:
    with pytest.raises(LoginRefused, match=r"key /nowhere/key cannot be read .No such file"):
        collect(host_of(server, identity_files=(Path("/nowhere/key"),)))


def test_a_key_that_the_host_does_not_list_is_refused_with_what_was_tried(
    server: Sshd, tmp_path: Path
) -> None:
    key = keygen(tmp_path / "stranger", "-t", "ed25519")
    with pytest.raises(
        LoginRefused, match=rf"logging in to web1 as root: refused key {key}.*authorized_keys"
    ):
        collect(host_of(server, identity_files=(key,)))


def test_the_agents_key_logs_in(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    with ssh_agent(server.user_key) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        assert collect(host_of(server, identity_files=(), agent=True)).complete


def test_a_public_key_file_stands_for_the_agents_key(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "key.pub"
    named.write_text(Path(f"{server.user_key}.pub").read_text())
    strangers = [keygen(tmp_path / f"stranger{number}", "-t", "ed25519") for number in range(7)]
    with ssh_agent(*strangers, server.user_key) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        assert collect(host_of(server, identity_files=(named,), agent=True, identities_only=True)).complete


def test_the_named_key_goes_before_an_agent_full_of_others(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers = [keygen(tmp_path / f"stranger{number}", "-t", "ed25519") for number in range(7)]
    with ssh_agent(*strangers) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        assert collect(host_of(server, agent=True)).complete
        with pytest.raises(LoginRefused, match=r"Too many authentication failures.*identities_only"):
            collect(host_of(server, identity_files=(), agent=True))


def test_an_agent_that_is_gone_is_no_obstacle(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere/agent.sock")
    assert collect(host_of(server, agent=True)).complete


def certify(authority: Path, key: Path, *options: str) -> Path:
    subprocess.run(
        ["ssh-keygen", "-q", "-s", authority, "-I", "lab", *options, f"{key}.pub"],
        check=True,
        capture_output=True,
    )
    return Path(f"{key}-cert.pub")


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
@pytest.mark.parametrize("named", [False, True], ids=["beside its key", "named"])
def test_a_users_certificate_logs_in(server: Sshd, tmp_path: Path, kind: str, named: bool) -> None:
    authority, key = keygen(tmp_path / "ca", "-t", "ed25519"), keygen(tmp_path / "key", "-t", kind)
    certificate = certify(authority, key, "-n", "root")
    if named:
        certificate = certificate.rename(tmp_path / "elsewhere.pub")
    server.allow(f"cert-authority {public(authority)}")
    host = host_of(server, identity_files=(key,), certificate_files=(certificate,) if named else ())
    assert collect(host).complete


def test_a_password_logs_in(server: Sshd, user: str) -> None:
    with sshd(config="PasswordAuthentication yes") as strict:
        host = host_of(strict, user=user, identity_files=(), password=Given(PASSWORD))
        assert b"uid=0" not in collect(host).read("host")
        with pytest.raises(LoginRefused, match=r"refused the password") as refused:
            collect(host_of(strict, user=user, identity_files=(), password=Given("hunter2")))
        assert "hunter2" not in words(refused.value)


def test_a_host_that_wants_a_key_and_a_password_gets_both(user: str) -> None:
    config = "PasswordAuthentication yes\nAuthenticationMethods publickey,password"
    with sshd(config=config, users=(user,)) as strict:
        assert collect(host_of(strict, user=user, password=Given(PASSWORD))).complete


def test_with_neither_key_nor_password_the_message_says_so(
    server: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(LoginRefused, match=r"there was no key or password to try"):
        collect(host_of(server, identity_files=()))


def test_the_default_key_of_the_user_logs_in_when_none_is_named(
    server: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/id_ed25519").write_bytes(server.user_key.read_bytes())
    assert collect(host_of(server, identity_files=())).complete


def test_a_host_behind_two_others_is_reached_through_them(server: Sshd) -> None:
    with sshd(addresses=("127.0.0.3",)) as first, sshd(addresses=("127.0.0.4",)) as second:
        jumps = tuple(jump_by(each) for each in (first, second))
        assert collect(host_of(server, jumps=jumps)).complete
        assert "Accepted publickey" in first.log
        assert "Accepted publickey" in second.log


def test_a_jump_host_with_a_wrong_key_is_not_passed(server: Sshd) -> None:
    with sshd(addresses=("127.0.0.3",)) as first:
        jump = Jump(
            first.address,
            first.port,
            "root",
            SshOptions(identity_files=(first.user_key,), host_key=server.public()),
        )
        with pytest.raises(Exception, match=r"jump host 127\.0\.0\.3 shows host key"):
            collect(host_of(server, jumps=(jump,)))


def test_a_host_that_its_jump_host_does_not_reach_is_unreachable(server: Sshd) -> None:
    with (
        sshd(addresses=("127.0.0.3",), config="AllowTcpForwarding no") as first,
        pytest.raises(Unreachable, match=r"web1 at .*: the jump host before it does not get there"),
    ):
        collect(host_of(server, jumps=(jump_by(first),)))


def jump_by(each: Sshd) -> Jump:
    options = SshOptions(identity_files=(each.user_key,), known_hosts=(each.known_hosts(),), agent=False)
    return Jump(each.address, each.port, "root", options)


def test_a_proxy_command_is_the_way_and_is_gone_afterwards(server: Sshd, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    bridge = tmp_path / "bridge.sh"
    bridge.write_text(f"echo $$ > {pid}\nexec busybox nc {server.address} {server.port}\n")
    assert collect(host_of(server, proxy_command=f"sh {bridge}")).complete
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()


def test_a_proxy_command_that_fails_is_quoted(server: Sshd) -> None:
    with pytest.raises(Unreachable, match=r"no way through"):
        collect(host_of(server, proxy_command="sh -c 'echo no way through >&2'"))

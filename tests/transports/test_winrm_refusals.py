"""Every way a Windows host can refuse us ends in one sentence that says what to do."""

import re
from pathlib import Path

import pytest

from auditor.errors import BadReply, HostError, HostKeyRejected, LoginRefused, Unreachable
from tests.lab.certificates import Authority
from tests.lab.wsman import soap
from tests.lab.wsman.login import PASSWORD, credentials
from tests.lab.wsman.service import Drop, Http, Trouble
from tests.transports.windows_world import Files, windows
from tests.transports.world import words


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files.make(tmp_path_factory.mktemp("winrm"))


@pytest.fixture(autouse=True)
def ntlm_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTLM_USER_FILE", str(credentials(tmp_path)))


REFUSALS: dict[str, tuple[str, Trouble, type[HostError], str]] = {
    "access denied": ("Create", soap.DENIED, LoginRefused, r"not an administrator, or its rights are filtered by UAC"),
    "access denied by subcode alone": ("Create", soap.Fault(1, "w:AccessDenied"), LoginRefused, r"LocalAccountTokenFilterPolicy"),
    "quota of shells": ("Create", soap.TOO_MANY_SHELLS, BadReply, r"MaxShellsPerUser"),
    "quota of operations, told as a WMI error": ("Command", soap.TOO_MANY_OPERATIONS, BadReply, r"MaxConcurrentOperationsPerUser"),
    "no PowerShell": ("Command", soap.NOT_FOUND, BadReply, r"no powershell\.exe"),
    "AppLocker": ("Command", soap.Fault(1260), LoginRefused, r"AppLocker or a software restriction policy"),
    "shell gone": ("Receive", soap.GONE, BadReply, r"ended our shell meanwhile .*: try again"),
    "slow to begin": ("Create", soap.TIMED_OUT, BadReply, r"overloaded, try again later"),
    "still busy": ("Command", soap.Fault(170), BadReply, r"fault 170 .*winrm helpmsg 170"),
    "an unknown fault": ("Create", soap.Fault(2150859999, reason="Something odd."), BadReply, r"fault 2150859999 \(Something odd\.\)"),
    "400": ("Create", Http(400), BadReply, r"use https"),
    "403": ("Create", Http(403), LoginRefused, r"HTTP 403"),
    "404": ("Create", Http(404), Unreachable, r"no WinRM at /wsman"),
    "413": ("Send", Http(413), BadReply, r"MaxEnvelopeSizekb"),
    "500 without a word": ("Create", Http(500), BadReply, r"restart its service WinRM"),
    "503": ("Create", Http(503), Unreachable, r"service WinRM running"),
    "redirection": ("Create", Http(302, headers=(("Location", "http://127.0.0.1:9/"),)), BadReply, r"HTTP status 302: give the address of WinRM itself"),
    "no XML": ("Create", Http(200, b"<html>Welcome<br></html>"), BadReply, r"does not answer like WinRM"),
    "another XML": ("Create", Http(200, b"<html>Welcome</html>"), BadReply, r"does not answer like WinRM"),
    "nothing": ("Create", Http(200), BadReply, r"does not answer like WinRM"),
    "text that is no UTF-8": ("Create", Http(500, b"\xff\xfe\x00"), BadReply, r"HTTP 500"),
    "connection dropped": ("Create", Drop(), Unreachable, r"closed the connection"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_says_what_it_means_and_what_to_do(files: Files, case: str) -> None:
    operation, trouble, kind, said = REFUSALS[case]
    with windows(files) as world:
        world.service.trouble[operation] = [trouble] * 5
        with pytest.raises(kind) as caught:
            world.collect()
        assert type(caught.value) is kind
        assert re.search(said, str(caught.value)), caught.value
        assert str(caught.value).startswith("win1 at https://127.0.0.1:")
        assert "\n" not in str(caught.value)
        assert not world.service.shells


@pytest.mark.parametrize(("way", "scheme"), [("basic", "https"), ("ntlm", "https"), ("ntlm", "http")])
def test_a_wrong_password_is_named_and_never_shown(files: Files, way: str, scheme: str) -> None:
    with windows(files, way=way, scheme=scheme, password="n0t-the-right-one") as world:
        with pytest.raises(LoginRefused, match="refuses user auditor: is the password right") as caught:
            world.collect()
        assert "n0t-the-right-one" not in words(caught.value)


def test_a_way_to_log_in_that_is_not_offered_is_named(files: Files) -> None:
    with (
        windows(files, winrm={"auth": "ntlm"}) as world,
        pytest.raises(LoginRefused, match="does not offer ntlm, only Basic: choose one of these"),
    ):
        world.collect()


def test_a_client_certificate_that_is_not_mapped_is_named(files: Files) -> None:
    with (
        windows(
            files,
            way="ntlm",
            winrm={"auth": "certificate", "cert_file": files.client[0], "key_file": files.client[1]},
        ) as world,
        pytest.raises(LoginRefused, match="refuses the client certificate: is it mapped"),
    ):
        world.collect()


def test_a_certificate_of_an_unknown_authority_is_not_trusted(files: Files, tmp_path: Path) -> None:
    other = Authority("somebody else").write(tmp_path / "other.pem")
    for ca_file, said in ((other, f"is {other} what it was issued by"), (None, "set ca_file")):
        with windows(files, winrm={"ca_file": ca_file}) as world:
            with pytest.raises(HostKeyRejected, match="certificate is not trusted") as caught:
                world.collect()
            assert said in str(caught.value)
            assert not world.endpoint.posts


def test_a_certificate_for_another_name_is_not_trusted(tmp_path: Path) -> None:
    authority = Authority("winrm test")
    files = Files(
        authority.write(tmp_path / "ca.pem"),
        authority.issue("x", names=["elsewhere.example"]).write(tmp_path),
        (tmp_path, tmp_path),
    )
    with windows(files) as world, pytest.raises(HostKeyRejected, match="is it for this address"):
        world.collect()


def test_tls_on_the_plain_port_is_named(files: Files) -> None:
    with (
        windows(files, way="ntlm", scheme="http", winrm={"scheme": "https"}) as world,
        pytest.raises(Unreachable, match="does not speak TLS"),
    ):
        world.collect()


@pytest.mark.parametrize("way", ["basic", "certificate"])
def test_a_secret_is_never_sent_over_plain_http(files: Files, way: str) -> None:
    with windows(files, way=way, scheme="http") as world:
        with pytest.raises(LoginRefused, match=f"{way} over plain http .*: use scheme https, or auth ntlm"):
            world.collect()
        assert not world.endpoint.connections


def test_an_answer_in_the_clear_to_an_encrypted_request_is_refused(files: Files) -> None:
    with (
        windows(files, way="ntlm", scheme="http", lies=True) as world,
        pytest.raises(HostKeyRejected, match=r"answers in the clear .* use scheme https"),
    ):
        world.collect()


def test_a_plain_host_that_asks_for_no_login_gets_no_message(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    with windows(files, way="ntlm", scheme="http") as world:
        monkeypatch.setattr("tests.lab.wsman.login.Login.try_in", lambda *_: True)
        with pytest.raises(HostError):
            world.collect()
        assert not any(b"Envelope" in post for post in world.endpoint.posts)


def test_kerberos_without_its_package_is_named(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winrm.transport.HAVE_KERBEROS", False)
    with (
        windows(files, winrm={"auth": "kerberos"}) as world,
        pytest.raises(LoginRefused, match=r"pip install 'docker-host-auditor\[kerberos\]'"),
    ):
        world.collect()


def test_proxies_certificates_and_passwords_of_the_environment_are_ignored(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password from-netrc\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "no-such-file.pem"))
    for way, scheme in (("basic", "https"), ("certificate", "https"), ("ntlm", "https"), ("ntlm", "http")):
        with windows(files, way=way, scheme=scheme) as world:
            assert world.collect().complete


def test_the_environment_cannot_make_us_trust_a_host(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files.ca))
    with windows(files, winrm={"ca_file": None}) as world, pytest.raises(HostKeyRejected):
        world.collect()


def test_what_is_missing_is_named_before_anything_is_sent(files: Files, tmp_path: Path) -> None:
    gone = tmp_path / "gone.pem"
    cases = (
        ({"ca_file": gone}, f"there is no file {gone}: correct ca_file"),
        ({"auth": "certificate"}, "needs cert_file and key_file"),
        ({"auth": "certificate", "cert_file": gone, "key_file": gone}, "correct cert_file"),
    )
    for options, said in cases:
        with windows(files, winrm=options) as world:
            with pytest.raises(LoginRefused) as caught:
                world.collect()
            assert said in str(caught.value)
            assert not world.endpoint.connections


def test_the_password_is_in_no_request_when_ntlm_is_used(files: Files) -> None:
    with windows(files, way="ntlm") as world:
        world.collect()
        assert not any(PASSWORD.encode() in post for post in world.endpoint.posts)

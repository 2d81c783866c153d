"""Ranges, patterns that choose hosts, and hosts named on the command line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import AuditorError, UsageError
from auditor.host import Host
from auditor.inventory import parse_target, select
from auditor.inventory.names import expand


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("web1", ["web1"]),
        ("web[1:3]", ["web1", "web2", "web3"]),
        ("web[08:10].eu", ["web08.eu", "web09.eu", "web10.eu"]),
        ("web[098:100]", ["web098", "web099", "web100"]),
        ("web[0:9:4]", ["web0", "web4", "web8"]),
        ("db-[a:c]", ["db-a", "db-b", "db-c"]),
        ("r[1:2]s[a:b]", ["r1sa", "r1sb", "r2sa", "r2sb"]),
    ],
)
def test_a_range_stands_for_names(name: str, names: list[str]) -> None:
    assert expand(name) == names


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a/b", "..", "-a", "a:b", "web[3:1]", "web[a:1]", "web[aa:bb]", "web[]", "web[1-3]", "web[1:2:0]", "web[", "web]",
     "a[0:9999999]", "a[0:999]b[0:999]", "é", "[::1]"],
)  # fmt: skip
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"no name|no range|more than"):
        expand(name)


HOSTS = (
    Host("web1", groups=("web", "prod"), tags=("eu",)),
    Host("web2", groups=("web",), tags=("us", "canary")),
    Host("db1", groups=("db", "prod"), tags=("eu",)),
)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("all", "web1 web2 db1"),
        ("*", "web1 web2 db1"),
        ("db1,web1", "web1 db1"),
        ("web:db", "web1 web2 db1"),
        ("web*", "web1 web2"),
        ("tag:eu", "web1 db1"),
        ("tag:canary:tag:eu", "web1 web2 db1"),
        ("web:&prod", "web1"),
        ("&prod,web", "web1"),
        ("!prod", "web2"),
        ("all:!tag:e*", "web2"),
        ("prod : &tag:eu : !db", "web1"),
        ("web[12]", "web1 web2"),
    ],
)
def test_a_pattern_chooses_hosts_in_their_order(pattern: str, names: str) -> None:
    assert [host.name for host in select(HOSTS, pattern)] == names.split()


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("wbe1", "no host, group or tag is called 'wbe1': did you mean 'web1'?"),
        ("web1,nonsense", "'nonsense': there are db, db1, prod, tag:canary"),
        ("web:!wbe2", "'wbe2'"),
        ("web:&db", "leaves no host"),
        ("eu", "no host, group or tag"),
        ("*eu", "no host, group or tag"),
        (" , ", "is empty"),
        ("!", "no host"),
    ],
)
def test_a_pattern_that_means_nothing_says_what_there_is(pattern: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(HOSTS, pattern)
    assert says in str(caught.value)


def target(text: str, *, user: str = "", tls_dir: Path | None = None) -> Host:
    return parse_target(text, user=user, tls_dir=tls_dir, ssh_config=[])


def test_local_is_this_machine() -> None:
    assert target("local") == Host("local", transport="local", source="command line")


@pytest.mark.parametrize(
    ("text", "name", "address", "port", "user"),
    [
        ("ssh://web1", "web1", "web1", 22, "given"),
        ("ssh://root@web1.example:2222/", "web1.example:2222", "web1.example", 2222, "root"),
        ("ssh://root@[2001:db8::1]:2222", "[2001:db8::1]:2222", "2001:db8::1", 2222, "root"),
        ("ssh://[fe80::1%eth0]", "fe80::1%eth0", "fe80::1%eth0", 22, "given"),
    ],
)
def test_an_ssh_url_is_an_ssh_host(text: str, name: str, address: str, port: int, user: str) -> None:
    host = target(text, user="given")
    assert (host.transport, host.name, host.address, host.port, host.user) == (
        "ssh",
        name,
        address,
        port,
        user,
    )


def test_an_ssh_url_may_be_an_alias(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host web1\n HostName 10.0.0.1\n Port 7\n User fred")
    host = parse_target("ssh://web1", ssh_config=[config])
    assert (host.name, host.address, host.port, host.user) == ("web1", "10.0.0.1", 7, "fred")


def test_a_tcp_url_is_the_engines_api_with_or_without_tls(tmp_path: Path) -> None:
    plain, tls = target("tcp://ci"), target("tcp://ci", tls_dir=tmp_path)
    assert (plain.transport, plain.address, plain.port, plain.tls_dir) == ("docker", "ci", 2375, None)
    assert (tls.port, tls.tls_dir) == (2376, tmp_path)
    assert target("tcp://[::1]:4243").port == 4243


def test_a_unix_url_is_the_engines_api_on_a_socket() -> None:
    host = target("unix:///run/docker.sock")
    assert (host.transport, host.path, host.address, host.name) == (
        "docker",
        Path("/run/docker.sock"),
        "",
        "docker.sock",
    )


def test_a_bundle_is_a_file() -> None:
    host = target("bundle:saved/web1.bundle.gz")
    assert (host.transport, host.path, host.name) == ("bundle", Path("saved/web1.bundle.gz"), "web1")
    assert target("bundle:..").name == "bundle"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "web1",
        "http://web1",
        "ssh://",
        "ssh://a b",
        "ssh://-oProxyCommand=x",
        "ssh://web1:0",
        "ssh://web1:99999",
        "tcp://a/b",
        "unix://run/x",
        "unix://",
        "bundle:",
        "ssh://@web1",
        "ssh://web1:" + "9" * 5000,
        "tcp://root@ci",
        "bundle:\0",
    ],
)
def test_anything_else_is_told_the_forms(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"written as one of local, ssh://|no port|tcp:// takes no user|is absolute"
    ):
        target(text)


@pytest.mark.parametrize(
    "text", ["ssh://root:hunter2@web1", "ssh://:hunter2@x", "ssh://a:hunter2/b@x", "root:hunter2@web1"]
)
def test_a_password_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        target(text)
    assert "hunter2" not in str(caught.value)


def test_certificates_go_with_tcp_only(tmp_path: Path) -> None:
    for text in ("ssh://web1", "local", "unix:///x"):
        with pytest.raises(UsageError, match="goes with tcp:// only"):
            target(text, tls_dir=tmp_path)


@given(text=st.text() | st.from_regex(r"(ssh|tcp|unix|bundle)://?.*", fullmatch=True))
def test_no_text_raises_anything_but_what_the_user_can_mend(text: str) -> None:
    try:
        assert target(text).name
    except AuditorError as error:
        assert str(error)  # noqa: PT017  either outcome is right

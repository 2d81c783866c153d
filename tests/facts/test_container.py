"""One container: its words and what follows from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts import capabilities
from auditor.facts.container import Container, Port, plain_path


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/", "/"),
        ("//", "/"),
        ("/etc/", "/etc"),
        ("/srv/../etc//x/.", "/etc/x"),
        ("/var/run", "/run"),
        ("/var/run/docker.sock", "/run/docker.sock"),
        ("/var/running", "/var/running"),
        ("/../..", "/"),
    ],
)
def test_a_path_is_made_plain(path: str, plain: str) -> None:
    assert plain_path(path) == plain


@given(st.lists(st.sampled_from(["etc", "..", ".", "", "var", "run", "x"])))
def test_a_plain_path_stays_as_it_is(parts: list[str]) -> None:
    plain = plain_path("/" + "/".join(parts))
    assert plain_path(plain) == plain
    assert plain.startswith("/")


@pytest.mark.parametrize(
    ("port", "text"),
    [
        (Port(80, 80), "127.0.0.1:80->80/tcp"),
        (Port(80, 90, "::1", "1/udp"), "[::1]:80-90->1/udp"),
        (Port(0, 0, ""), ":any->80/tcp"),
    ],
)
def test_a_port_is_written_as_docker_writes_it(port: Port, text: str) -> None:
    assert str(port) == text


def test_security_options_come_apart_at_the_first_sign() -> None:
    container = Container(security_opt=("a=b=c", "a:d", "a", 'seccomp={"x":"y=z"}'))
    assert container.security_options("a") == ("b=c", "d", "")
    assert container.security_options("seccomp") == ('{"x":"y=z"}',)


def test_capabilities_of_a_mask_are_those_of_the_kernel() -> None:
    assert capabilities.names(0x00000000A80425FB) == capabilities.DEFAULT
    assert capabilities.names(0x000001FFFFFFFFFF) == frozenset(capabilities.ALL)
    assert capabilities.names(1 << 63) == frozenset()


def test_dropping_all_after_adding_all_leaves_all_as_dockerd_has_it() -> None:
    assert capabilities.effective(("ALL",), ("ALL",), privileged=False) == frozenset(capabilities.ALL)


@pytest.mark.parametrize(
    ("user", "root"),
    [
        ("", True),
        ("root", True),
        ("0", True),
        ("0:0", True),
        ("00", True),
        ("+0", True),
        ("-0", True),
        ("root:app", True),
        ("1000", False),
        ("1000:0", False),
        ("app", False),
        ("10", False),
        ("0x0", False),
    ],
)
def test_root_is_root_however_it_is_written(user: str, *, root: bool) -> None:
    assert Container(user=user).root is root

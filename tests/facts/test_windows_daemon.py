"""What the daemon's facts say of Windows hosts: paths, defaults, listeners, the file's bytes, environment, leftovers."""

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.daemon import DaemonConfig, DaemonFlags
from auditor.facts.keys import Key, Keys
from auditor.facts.listeners import Listeners
from auditor.facts.paths import is_windows, join, normal
from auditor.facts.tls import DaemonTls
from auditor.facts.windows_daemon_file import WindowsDaemonFile
from auditor.facts.windows_environment import WindowsEnvironment
from auditor.facts.windows_leftovers import Authority, WindowsLeftovers
from auditor.gaps import Gap, Inconclusive, NotApplicable
from tests.lab.windows_machine import SAMPLES

PIPE = r"\\.\pipe\docker_engine"
CONFIG = r"C:\ProgramData\docker\config\daemon.json"


def daemon(
    *flags: str, config: object = None, variables: tuple[str, ...] = (), **sections: Section
) -> Bundle:
    lines = [
        f"socket {PIPE}",
        "pid 4 service",
        r"exe C:\docker\dockerd.exe",
        r"cwd C:\Windows\System32",
        "argument dockerd",
    ]
    lines += [f"argument {flag}" for flag in flags] + ["environment readable"]
    lines += [f"variable {it}" for it in variables]
    made = {
        "daemon": Section("\n".join(lines).encode()),
        "daemon-config": Section(f"{CONFIG}\n{json.dumps(config or {})}".encode()),
    }
    return Bundle(made | {name.replace("_", "-"): section for name, section in sections.items()})


def told(value: object) -> Section:
    return Section(json.dumps(value).encode())


def test_paths_of_windows_are_known_by_their_form() -> None:
    assert is_windows("c:/x")
    assert is_windows(PIPE)
    assert not is_windows("/etc/docker")
    assert normal("C:/a/../b.pem") == r"C:\b.pem"
    assert join("/etc", "docker/../x") == "/etc/x"
    assert join(r"C:\Windows", r"D:\key.pem") == r"D:\key.pem"


def test_a_windows_daemon_has_defaults_of_its_own() -> None:
    config = DaemonConfig.parse(daemon())
    assert config.on_windows
    assert config.setting("group").value == ""
    assert config.setting("data-root").value == r"C:\ProgramData\docker"
    assert config.setting("icc").value is None
    assert config.setting("log-level").value == "info"
    assert not DaemonConfig().on_windows


def test_flags_are_told_apart_from_the_file() -> None:
    flags = DaemonFlags.parse(daemon("--run-service", "-H", "npipe://", config={"debug": True}))
    assert "hosts" in flags.settings
    assert "debug" not in flags.settings


def test_certificates_lie_in_the_profile_of_the_system_unless_somebody_says_otherwise() -> None:
    assert DaemonTls.parse(daemon("--tlsverify")).key == (
        r"C:\Windows\System32\config\systemprofile\.docker\key.pem"
    )
    named = DaemonTls.parse(daemon("--tlsverify", variables=(r"DOCKER_CERT_PATH=D:\tls",)))
    assert named.ca == r"D:\tls\ca.pem"
    filed = DaemonTls.parse(daemon(config={"tlsverify": True, "tlskey": "C:/tls/key.pem"}))
    assert filed.key == r"C:\tls\key.pem"


@pytest.mark.parametrize(("engine", "held"), [([4], ["0.0.0.0:2376", "[::]:2376"]), ([], None)])
def test_the_sockets_of_the_engines_processes_are_its_own(engine: list[int], held: list[str] | None) -> None:
    listeners = [
        {"address": it, "port": port, "pid": pid}
        for it, port, pid in (("0.0.0.0", 2376, 4), ("::", 2376, 4), ("::", 135, 9))  # noqa: S104  a value, not a binding
    ]
    bundle = daemon("-H", "tcp://:2376", windows_listeners=told({"engine": engine, "listeners": listeners}))
    found = Listeners.parse(bundle)
    assert (found.held if held is None else [str(it) for it in found.held or ()]) == held
    assert [str(it) for it in found.api] == (held or ["localhost:2376"])


def test_sockets_that_could_not_be_seen_are_not_known() -> None:
    assert Listeners.parse(daemon(windows_listeners=Section(status=Status.DENIED))).held is None


def test_a_key_on_windows_is_seen_and_not_read() -> None:
    keys = Keys.parse(Bundle({"keys": Section(b"unknown C:/tls/key.pem\nunknown /tls/key.pem\n")}))
    assert keys.keys == (Key(r"C:\tls\key.pem", "unread"), Key("/tls/key.pem", "unknown"))
    assert keys.unread == ("/tls/key.pem: there is no openssl on the host to read it with",)


def of_bytes(raw: bytes) -> Bundle:
    return Bundle({"windows-daemon-config": told({"path": CONFIG, "base64": base64.b64encode(raw).decode()})})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", WindowsDaemonFile(CONFIG)),
        (b'{"a":1}', WindowsDaemonFile(CONFIG)),
        (b'\xef\xbb\xbf{"a":1}', WindowsDaemonFile(CONFIG, marked=True)),
        ('\ufeff{"a":1}'.encode("utf-16-le"), WindowsDaemonFile(CONFIG, "utf-16-le", marked=True)),
        (b'{"a":1,"b":{"c":1,"c":2},"a":2}', WindowsDaemonFile(CONFIG, twice=("c", "a"))),
        (b'{"data-root":"C:\\temp"}', WindowsDaemonFile(CONFIG, broken_paths=("data-root",))),
        (
            "\ufffd".encode(),
            WindowsDaemonFile(CONFIG, decodes=False, problem="it is not text in its encoding"),
        ),
        (b"\xff", WindowsDaemonFile(CONFIG, decodes=False, problem="it is not text in its encoding")),
    ],
)
def test_the_bytes_of_the_file_tell_how_it_is_written(raw: bytes, expected: WindowsDaemonFile) -> None:
    assert WindowsDaemonFile.parse(of_bytes(raw)) == expected


def test_what_is_no_json_has_a_problem() -> None:
    assert WindowsDaemonFile.parse(of_bytes(b'{"a":1,}')).problem
    assert WindowsDaemonFile.parse(of_bytes(b'{"data-root":"C:\\Programs"}')).problem


def test_without_a_file_there_is_nothing_to_judge() -> None:
    with pytest.raises(NotApplicable, match="no C:"):
        WindowsDaemonFile.parse(
            Bundle({"windows-daemon-config": Section(status=Status.ABSENT, message=CONFIG)})
        )
    with pytest.raises(Inconclusive, match="whole"):
        WindowsDaemonFile.parse(Bundle({"windows-daemon-config": told({"path": CONFIG, "base64": "?"})}))


def test_a_variable_says_where_it_stands() -> None:
    variables = [
        {"scope": "service", "name": "A", "value": None, "userinfo": True},
        {"scope": "machine", "name": "B", "userinfo": False},
    ]
    environment = WindowsEnvironment.parse(
        Bundle({"windows-service": told({"engine": "docker", "environment": variables})})
    )
    assert [(it.name, it.userinfo, environment.key(it)) for it in environment] == [
        ("A", True, r"HKLM\SYSTEM\CurrentControlSet\Services\docker\Environment"),
        ("B", False, r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"),
    ]


def stored(name: str, **changes: Any) -> dict[str, Any]:
    pem = (SAMPLES / f"made_{name}").read_text()
    body = "".join(pem.splitlines()[1:-1])
    return {"subject": name, "has_key": True, "base64": body, "thumbprint": "0A"} | changes


def left(*stored: dict[str, Any], files: object = (), elevated: str = "True") -> Bundle:
    section = told({"leftovers": files, "store": stored})
    return Bundle({"windows-certificates": section, "host": Section(f"elevated={elevated}\n".encode())})


def test_an_authority_in_the_store_counts_where_its_key_is() -> None:
    found = WindowsLeftovers.parse(
        left(stored("ca.pem"), stored("ca.pem", has_key=False), stored("server-cert.pem"))
    )
    assert found == WindowsLeftovers(authorities=(Authority("ca.pem", "0A"),))


def test_a_certificate_that_makes_no_sense_is_not_read() -> None:
    found = WindowsLeftovers.parse(left(stored("ca.pem", base64="AAAA"), elevated="False"))
    assert (found.unread, found.elevated) == (("ca.pem",), False)


FACTS = (WindowsDaemonFile, WindowsEnvironment, WindowsLeftovers, Listeners, DaemonFlags)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["engine", "environment", "listeners", "leftovers", "store", "base64", "path", "pid", "port", "address"]), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("fact", FACTS)
@given(raw=st.binary() | JSON.map(lambda it: json.dumps(it).encode()))
def test_whatever_a_host_answers_a_fact_is_made_of_it_or_a_gap(fact: Any, raw: bytes) -> None:
    answered = {name.split("|")[-1]: Section(raw) for name in fact.SECTIONS}
    with contextlib.suppress(Gap):
        assert isinstance(fact.parse(Bundle(answered)), fact)

"""ssh_config is read as ssh reads it, and nothing in it is run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import BadFile
from auditor.inventory.ssh_config import SshConfig, hops, local_user


def written(folder: Path, text: str, name: str = "config") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def lookup(folder: Path, text: str, name: str, user: str = "") -> dict[str, Any]:
    return SshConfig.read([written(folder, text)]).lookup(name, user)


def test_an_alias_gets_all_that_is_said_of_it(tmp_path: Path) -> None:
    text = """
    Host web1 web2
        HostName %h.example.com
        User deploy
        Port=2222
        IdentityFile "~/keys/my key"   # the old one
        IdentityFile /keys/%h-%r
        CertificateFile /keys/cert.pub
        IdentitiesOnly yes
        IdentityAgent none
        HostKeyAlias fleet
        ConnectTimeout 2m
    """
    assert lookup(tmp_path, text, "web1") == {
        "address": "web1.example.com",
        "user": "deploy",
        "port": 2222,
        "identity_files": [f"{Path.home()}/keys/my key", "/keys/web1.example.com-deploy"],
        "certificate_files": ["/keys/cert.pub"],
        "identities_only": True,
        "agent": False,
        "host_key_alias": "fleet",
        "timeouts": {"connect": 120},
    }


def test_the_first_value_wins_and_keys_add_up(tmp_path: Path) -> None:
    text = "IdentityFile /a\nHost web*\n  User one\n  IdentityFile /b\nHost *\n  User two\n  IdentityFile /a\n  Port 7"
    found = lookup(tmp_path, text, "web1")
    assert (found["user"], found["port"], found["identity_files"]) == ("one", 7, ["/a", "/b", "/a"])
    assert lookup(tmp_path, text, "db1")["user"] == "two"


def test_a_negated_pattern_keeps_a_block_out(tmp_path: Path) -> None:
    text = "Host *.corp !db.corp\n  User x"
    assert lookup(tmp_path, text, "web.corp")["user"] == "x"
    assert "user" not in lookup(tmp_path, text, "db.corp")
    assert "user" not in lookup(tmp_path, text, "web")


def test_known_hosts_files_of_both_kinds_are_listed(tmp_path: Path) -> None:
    found = lookup(tmp_path, "UserKnownHostsFile /a /b", "x")
    assert found["known_hosts"] == ["/a", "/b", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
    text = "UserKnownHostsFile none\nGlobalKnownHostsFile none"
    assert lookup(tmp_path, text, "x")["known_hosts"] == [os.devnull]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ProxyJump a,me@b:2222", {"proxy_jump": ("a", "me@b:2222")}),
        ("ProxyCommand ssh -W %h:%p 'a b' # x", {"proxy_command": "ssh -W %h:%p 'a b' # x"}),
        ("ProxyCommand nc %h %p\nProxyJump a", {"proxy_command": "nc %h %p"}),
        ("ProxyJump a\nProxyCommand nc %h %p", {"proxy_jump": ("a",)}),
        ("ProxyJump none\nHost *\nProxyJump a", {"proxy_jump": ()}),
        ("ProxyJump none\nProxyCommand nc %h", {"proxy_command": "nc %h"}),
        ("ProxyCommand none\nHost *\nProxyJump a", {"proxy_command": ""}),
    ],
)
def test_the_first_proxy_keeps_out_the_others(tmp_path: Path, text: str, expected: dict[str, Any]) -> None:
    assert lookup(tmp_path, text, "x") == {"address": "x"} | expected


def test_match_exec_is_never_run_and_never_met(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    text = f"Match exec 'touch {trace}'\n  User x\nMatch host web1 !exec 'touch {trace}'\n  User y\nHost *\n  User z"
    assert lookup(tmp_path, text, "web1")["user"] == "z"
    assert not trace.exists()


def test_a_criterion_that_is_not_known_is_never_met(tmp_path: Path) -> None:
    for criterion in ("tagged vpn", "localnetwork 10.0.0.0/8", "!tagged vpn", "canonical", "version x*"):
        assert "user" not in lookup(tmp_path, f"Match {criterion}\n  User x", "web1")


@pytest.mark.parametrize(
    ("criteria", "is_met"),
    [
        ("all", True),
        ("host web1.example", True),
        ("host web1", False),
        ("originalhost web1", True),
        ("originalhost web1 user deploy", True),
        ("user nobody", False),
        ("!user nobody host *.example", True),
        (f"localuser {local_user()}", True),
        ("!originalhost web1,web2", False),
        ("final host *.example", True),
        ("!final user deploy", True),
    ],
)
def test_match_criteria_are_all_met_or_the_block_does_not_count(
    tmp_path: Path, criteria: str, *, is_met: bool
) -> None:
    text = f"Host web1\n  HostName web1.example\n  User deploy\nMatch {criteria}\n  Port 99"
    assert ("port" in lookup(tmp_path, text, "web1")) is is_met


def test_a_block_is_judged_where_it_begins(tmp_path: Path) -> None:
    text = f"Match user {local_user()}\n  User other\n  Port 99\nMatch user {local_user()}\n  HostName no"
    assert lookup(tmp_path, text, "web1") == {"address": "web1", "user": "other", "port": 99}


def test_an_explicit_user_decides_over_match_user(tmp_path: Path) -> None:
    text = "Match user root\n  Port 99"
    assert lookup(tmp_path, text, "web1", user="root")["port"] == 99
    assert "port" not in lookup(tmp_path, text, "web1", user="other")


def test_include_counts_where_it_stands(tmp_path: Path) -> None:
    written(tmp_path, "User inner\nHost db1\n  Port 5", "one.conf")
    written(tmp_path, "Port 6", "two.conf")
    text = f"Host *1\n  Include {tmp_path}/*.conf {tmp_path}/none\n  HostName h\nHost *\n  User outer"
    assert lookup(tmp_path, text, "db1") == {"address": "h", "user": "inner", "port": 5}
    assert lookup(tmp_path, text, "web1") == {"address": "h", "user": "inner", "port": 6}
    assert lookup(tmp_path, text, "web2") == {"address": "web2", "user": "outer"}


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="include itself"):
        lookup(tmp_path, f"Include {tmp_path}/config", "x")


def test_a_relative_include_is_below_the_ssh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh/config.d").mkdir(parents=True)
    written(tmp_path, "User fred", ".ssh/config.d/a")
    written(tmp_path, "Include config.d/*", ".ssh/config")
    assert SshConfig.read().lookup("x")["user"] == "fred"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("\nPort x", 2, "'x' is no port"),
        ("Port 65536", 1, "is no port"),
        ("Host a 'b", 1, "quotation mark"),
        ("Host", 1, "has no value"),
        ("User\n", 1, "has no value"),
        ("IdentitiesOnly maybe", 1, "neither yes nor no"),
        ("ConnectTimeout soon", 1, "is no time"),
        ("Match host", 1, "has no argument"),
        ("\n= 7", 2, "no line of an ssh_config"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(BadFile, match=says) as caught:
        lookup(tmp_path, text, "x")
    assert (caught.value.path, caught.value.line) == (tmp_path / "config", line)


def test_keywords_that_do_not_concern_us_are_passed_over(tmp_path: Path) -> None:
    assert lookup(tmp_path, "ForwardAgent\nSendEnv LANG\nNoSuchThing 7\n# Port x\n", "x") == {"address": "x"}


def test_a_file_that_does_not_exist_says_nothing(tmp_path: Path) -> None:
    assert SshConfig.read([tmp_path / "none"]) == SshConfig.read([]) == SshConfig()


def test_a_file_that_is_there_but_cannot_be_read_is_bad(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="is a directory"):
        SshConfig.read([tmp_path])


def test_hops_are_separated_by_commas() -> None:
    assert hops("a, b:22,") == ("a", "b:22")
    assert hops("NONE") == ()


LINES = st.sampled_from(
    [
        "Host web1", "Host *", "Host web* !web2", "Host !web1 *.example", "Host *.example",
        "Match all", "Match host web1", "Match host *.example", "Match originalhost web1,web2", "Match user root",
        "Match !user fred", "Match final host *.example", "Match final", "Match !host web1 originalhost web*",
        "User fred", "User root", "Port 22", "Port=2200", "HostName %h.example", "HostName other.example",
        "IdentityFile /k/%h", "IdentityFile /k/%r", "IdentityFile /k/%n", "CertificateFile /c/%u", "IdentitiesOnly yes",
        "IdentitiesOnly no", "ProxyJump a,fred@b:2222", "ProxyJump none", "ProxyCommand nc %h", "ProxyCommand none",
        "HostKeyAlias fleet", "ConnectTimeout 7", "UserKnownHostsFile /u1 /u2", "GlobalKnownHostsFile /g",
    ]
)  # fmt: skip


def said_by_ssh(config: Path, name: str) -> dict[str, Any]:
    command = ["ssh", "-G", "-F", str(config), name]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found: dict[str, list[str]] = {}
    for line in lines:
        key, _, value = line.partition(" ")
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.skipif(
    not shutil.which("ssh") and "CI" not in os.environ, reason="the ssh client is not installed"
)
@settings(deadline=None)
@given(lines=st.lists(LINES, max_size=12), name=st.sampled_from(["web1", "web2", "db.example"]))
def test_what_ssh_itself_makes_of_a_file_we_make_of_it(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], name: str
) -> None:
    config = written(tmp_path_factory.getbasetemp(), "\n".join(lines) + "\n", "compared")
    ours, theirs = SshConfig.read([config]).lookup(name), said_by_ssh(config, name)
    assert ours["address"] == theirs["hostname"][0]
    assert ours.get("user", local_user()) == theirs["user"][0]
    assert ours.get("port", 22) == int(theirs["port"][0])
    assert ours.get("identities_only", False) is (theirs["identitiesonly"] == ["yes"])
    assert ours.get("host_key_alias") == theirs.get("hostkeyalias", [None])[0]
    timeout = ours.get("timeouts", {}).get("connect")
    assert timeout is None or [str(timeout)] == theirs["connecttimeout"]
    jump = theirs.get("proxyjump", [""])[0]
    assert ours.get("proxy_jump", ()) == (hops(jump) if jump else ())
    assert (ours.get("proxy_command") or None) == theirs.get("proxycommand", [None])[0]


TEXT = st.text(st.sampled_from("Host Match user=all!*,exec'\"#%h\n \tPort1~/[]\\Include")) | st.text()


@settings(deadline=None)
@given(text=TEXT)
def test_no_text_raises_anything_but_a_bad_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    config = tmp_path_factory.getbasetemp() / "any"
    config.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        SshConfig.read([config]).lookup("web1")
    except BadFile as error:
        assert error.line  # noqa: PT017  either outcome is right


def test_paramiko_is_not_imported_to_read_an_inventory(tmp_path: Path) -> None:
    inventory = written(tmp_path, "hosts: {web1: }")
    program = (
        "import sys, pathlib, auditor.inventory as inventory\n"
        f"inventory.load(pathlib.Path({str(inventory)!r}))\n"
        "sys.exit('paramiko' in sys.modules or 'keyring' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

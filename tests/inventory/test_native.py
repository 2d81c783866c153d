"""Our own inventory: what a host gets from where, and which mistakes are caught on which line."""

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from auditor.errors import AuditorError, BadFile
from auditor.host import Host, Jump, SshOptions, Timeouts, WinrmOptions
from auditor.inventory import load, schema
from auditor.inventory.secrets import FromEnvironment, FromFile
from auditor.inventory.settings import HostSettings, Inventory

EXAMPLE = """
defaults:
  user: audit
  sudo: true
  tags: [fleet]
  timeouts: {connect: 5, total: 60}
  policy: {certificate_warning_days: 60, allowed_ports: [80]}
groups:
  web:
    hosts: ["web*"]
    user: deploy
    tags: [prod]
    policy: {allowed_ports: [443]}
  edge:
    timeouts: {total: 90}
    user: edge
hosts:
  web1:
    address: 10.0.0.5
    groups: [edge]
    tags: [canary]
    policy: {engine_port: 2376}
  web2: {address: "ssh://root@web2.example:2222", proxy_jump: bastion}
  "db[08:10]":
  bastion:
    address: bastion.example
    user: jump
    identity_files: [keys/bastion, ~/.ssh/id]
    passphrase: {env: PASSPHRASE}
    password: {file: secrets/bastion}
  ci: {transport: docker, address: "tcp://ci.example:2376", tls_dir: ~/.docker/ci}
  plain: {transport: docker, address: 10.0.0.6}
  rootless: {transport: docker, socket: /run/user/1000/docker.sock}
  here: {transport: local, socket: /run/other.sock}
  old: {transport: bundle, path: recordings/old.bundle}
  win1: {transport: winrm, user: Administrator, password: {env: WIN}}
  win2: {transport: winrm, winrm: {scheme: http, auth: kerberos, ca_file: ca.pem}}
"""


@pytest.fixture
def example(tmp_path: Path) -> dict[str, Host]:
    return hosts(tmp_path, EXAMPLE)


def hosts(folder: Path, text: str, ssh_config: str = "") -> dict[str, Host]:
    inventory, config = folder / "inventory.yaml", folder / "ssh_config"
    inventory.write_text(text)
    config.write_text(ssh_config)
    return {host.name: host for host in load(inventory, ssh_config=[config])}


def problem(folder: Path, text: str) -> BadFile:
    with pytest.raises(BadFile) as caught:
        hosts(folder, text)
    return caught.value


def test_a_host_beats_its_groups_which_beat_the_defaults(example: dict[str, Host]) -> None:
    assert example["web1"].user == "edge"
    assert example["web2"].user == "root"
    assert example["db08"].user == "audit"


def test_timeouts_and_policy_are_merged_key_by_key_and_tags_add_up(example: dict[str, Host]) -> None:
    host = example["web1"]
    assert host.timeouts == Timeouts(connect=5, auth=15, total=90)
    assert host.policy.certificate_warning_days == 60
    assert host.policy.allowed_ports == (443,)
    assert host.policy.engine_port == 2376
    assert host.tags == ("fleet", "prod", "canary")
    assert host.groups == ("web", "edge")


def test_a_range_makes_several_hosts(example: dict[str, Host]) -> None:
    assert [example[name].address for name in ("db08", "db09", "db10")] == ["db08", "db09", "db10"]


def test_hosts_keep_the_order_of_the_file_and_know_their_line(example: dict[str, Host]) -> None:
    assert list(example)[:6] == ["web1", "web2", "db08", "db09", "db10", "bastion"]
    assert example["web1"].source.endswith("inventory.yaml:18")


def test_a_url_says_transport_user_and_port_at_once(example: dict[str, Host]) -> None:
    web2, ci = example["web2"], example["ci"]
    assert (web2.transport, web2.address, web2.port, web2.user) == ("ssh", "web2.example", 2222, "root")
    assert (ci.transport, ci.address, ci.port) == ("docker", "ci.example", 2376)


def test_a_host_of_the_inventory_is_a_hop_with_its_own_login(
    example: dict[str, Host], tmp_path: Path
) -> None:
    assert example["web2"].ssh.jumps == (
        Jump(
            "bastion.example",
            22,
            "jump",
            SshOptions(
                identity_files=(tmp_path / "keys/bastion", Path.home() / ".ssh/id"),
                passphrase=FromEnvironment("PASSPHRASE"),
                password=FromFile(tmp_path / "secrets/bastion"),
            ),
        ),
    )


def test_what_a_transport_has_no_use_for_is_not_inherited(example: dict[str, Host]) -> None:
    assert example["ci"].user == example["old"].user == ""
    assert not example["ci"].sudo
    assert example["here"].sudo


def test_every_transport_finds_its_way(example: dict[str, Host], tmp_path: Path) -> None:
    assert example["ci"].tls_dir == Path.home() / ".docker/ci"
    assert (example["plain"].address, example["plain"].port) == ("10.0.0.6", 2375)
    assert (example["rootless"].address, example["rootless"].path) == ("", Path("/run/user/1000/docker.sock"))
    assert example["here"].path == Path("/run/other.sock")
    assert example["old"].path == tmp_path / "recordings/old.bundle"
    win1 = example["win1"]
    assert (win1.platform, win1.address, win1.port, win1.password) == (
        "windows",
        "win1",
        5986,
        FromEnvironment("WIN"),
    )


def test_winrm_has_its_own_settings(example: dict[str, Host], tmp_path: Path) -> None:
    assert example["win2"].winrm == WinrmOptions(auth="kerberos", scheme="http", ca_file=tmp_path / "ca.pem")
    assert example["win2"].port == 5985


def test_no_secret_is_fetched_or_shown(example: dict[str, Host]) -> None:
    assert "PASSPHRASE" in repr(example["bastion"])


def test_ssh_config_is_honoured_and_the_inventory_wins(tmp_path: Path) -> None:
    text = "hosts:\n  a: {address: web1, port: 99}\n  b: {address: web1, proxy_jump: none, identity_files: [own]}\n"
    config = """
    Host web1
      HostName 10.1.1.1
      User fred
      Port 22
      IdentityFile /keys/k
      IdentitiesOnly yes
      ProxyJump one,two@second:2222
      ConnectTimeout 3
    Host one
      HostName first.example
      User hop
      ProxyJump zero
      IdentityFile /keys/one
    Host second
      ProxyJump never
    Match all
      User other
    """
    found = hosts(tmp_path, text, config)
    a, b = found["a"], found["b"]
    assert (a.address, a.port, a.user, a.timeouts.connect) == ("10.1.1.1", 99, "fred", 3)
    assert (a.ssh.identity_files, a.ssh.identities_only) == ((Path("/keys/k"),), True)
    assert [(jump.user, jump.address, jump.port) for jump in a.ssh.jumps] == [
        ("other", "zero", 22),
        ("hop", "first.example", 22),
        ("two", "second", 2222),
    ]
    assert [jump.ssh for jump in a.ssh.jumps] == [
        SshOptions(),
        SshOptions(identity_files=(Path("/keys/one"),)),
        SshOptions(),
    ]
    assert (b.port, b.ssh.jumps, b.ssh.identity_files) == (22, (), (tmp_path / "own",))


def test_a_proxy_command_gets_its_tokens(tmp_path: Path) -> None:
    config = "Host x\n HostName 10.0.0.1\n User u\nHost *\n ProxyCommand nc %h %p %r %n %%"
    assert hosts(tmp_path, "hosts: {x: {port: 7}}", config)["x"].ssh.proxy_command == "nc 10.0.0.1 7 u x %"
    with pytest.raises(BadFile, match="a shell would not leave alone"):
        hosts(tmp_path, "hosts: {x: {user: 'a;reboot'}}", config)


@pytest.mark.parametrize(
    "config", ["Host *\n ProxyJump b", "Host x\n ProxyJump a\nHost a\n ProxyJump x", "ProxyJump x"]
)
def test_a_host_that_is_reached_through_itself_is_refused(tmp_path: Path, config: str) -> None:
    with pytest.raises(BadFile, match="is reached through itself: x -> "):
        hosts(tmp_path, "hosts: {x: }", config)


BAD = [
    ("hosts: {}", 1, "names no host"),
    ("defaults: {}", 1, "the key 'hosts' is missing"),
    ("hosts: [web1]", 1, "expected a mapping, got a list"),
    ("hosts:\n  web1: {prot: 22}", 2, "hosts.web1.prot: unknown key; did you mean 'port'?"),
    ("hosts:\n  web1: {}\nhost: {}", 3, "did you mean 'hosts'?"),
    ("hosts:\n  web1:\n    port: 70000", 3, "expected a whole number <= 65535"),
    ("hosts:\n  web1:\n    port: '22'", 3, "expected a whole number, got text"),
    ("hosts:\n  web1:\n    transport: telnet", 3, "'telnet'"),
    ("hosts:\n  web1:\n    timeouts: {connect: 0}", 3, "expected a number > 0"),
    ("hosts:\n  web1:\n    policy: {engine_prot: 1}", 3, "did you mean 'engine_port'?"),
    (
        "hosts:\n  web1:\n    groups: [wbe]\ngroups: {web: }",
        3,
        "no group is called 'wbe'; did you mean 'web'?",
    ),
    (
        "groups:\n  web:\n    hosts:\n    - wbe1\nhosts: {web1: }",
        4,
        "no host is called 'wbe1'; did you mean 'web1'?",
    ),
    ("groups:\n  web:\n    hosts: ['db*']\nhosts: {web1: }", 3, "no host is called 'db*'"),
    ("groups:\n  web:\n    hosts: ['web[1:2]']\nhosts: {web1: }", 3, "no host is called 'web2'"),
    ("hosts:\n  'web[1:3]':\n  web2:", 3, "there is a host 'web2' already"),
    ("hosts:\n  web1:\n  web1:", 3, "key 'web1' is there twice"),
    ("hosts:\n  'web[1:3]':\n    address: 10.0.0.1", 3, "several hosts cannot share one address"),
    ("hosts:\n  'web[3:1]':", 2, "is no range"),
    ("hosts:\n  'web 1':", 2, "is no name for a host"),
    ("hosts:\n  ../web:", 2, "is no name for a host"),
    (
        "hosts:\n  a: {transport: bundle,\n    path: x,\n    address: y}",
        4,
        "address: does not go with transport bundle",
    ),
    ("hosts:\n  a: {transport: bundle}", 2, "needs path"),
    ("hosts:\n  a: {transport: docker,\n   sudo: true}", 3, "sudo: does not go with transport docker"),
    ("hosts:\n  a: {transport: local,\n   user: x}", 3, "user: does not go with transport local"),
    ("hosts:\n  a: {tls_dir: x}", 2, "tls_dir: does not go with transport ssh"),
    ("hosts:\n  a: {transport: docker, socket: /x, port: 7}", 2, "port: is of no use with socket"),
    ("hosts:\n  a: {transport: local, platform: windows}", 2, "Windows hosts are reached by winrm"),
    ("hosts:\n  a: {transport: winrm, platform: linux}", 2, "only Windows hosts are reached by winrm"),
    ("hosts:\n  a:\n    address: ssh://x:22\n    port: 23", 4, "port: the address says something else"),
    ("hosts:\n  a:\n    address: http://x", 3, "is no host: it is written as one of"),
    ("hosts:\n  a:\n    address: a;b", 3, "is neither a host name nor an IP address"),
    ("hosts:\n  a:\n    address: -oProxyCommand=x", 3, "is neither a host name nor an IP address"),
    ("hosts:\n  a:\n    user: -x", 3, "matching regex"),
    ("hosts:\n  a:\n    proxy_jump: 'b c'", 3, "a hop is written host"),
    ("hosts:\n  a:\n    proxy_jump: [b, 7]", 3, "proxy_jump[1]: expected text"),
    ("hosts:\n  a:\n    proxy_jump: b:99999", 3, "a hop is written host"),
    ("hosts:\n  a:\n    host_key: abc", 3, "matching regex"),
    ("hosts:\n  a:\n    password: {env: A, file: B}", 3, "one of env, file, command and keyring"),
    ("hosts:\n  a:\n    password: {}", 3, "one of env, file, command and keyring"),
    ("hosts:\n  a:\n    password: {vault: A}", 3, "unknown key"),
    ("hosts:\n  a:\n    password: {command: []}", 3, "command needs a program"),
    ("hosts:\n  a:\n    password: [x]", 3, "expected a mapping"),
]


@pytest.mark.parametrize(("text", "line", "says"), BAD)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    bad = problem(tmp_path, text)
    assert says in bad.problem
    assert bad.line == line


@pytest.mark.parametrize(
    "key", ["password", "passphrase", "token", "sudo_password", "api_key", "client_secret"]
)
@pytest.mark.parametrize("value", ["hunter2", "'hunter2'", "4711", "|\n      hunter2"])
def test_a_secret_in_the_open_is_refused_and_not_repeated(tmp_path: Path, key: str, value: str) -> None:
    bad = problem(tmp_path, f"hosts:\n  a:\n    {key}: {value}\n")
    assert bad.line == 3
    assert "{env: NAME}" in bad.problem
    assert "hunter2" not in str(bad)
    assert "4711" not in str(bad)


def test_a_password_in_an_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    bad = problem(tmp_path, "hosts:\n  a:\n    address: ssh://root:hunter2@web1")
    assert (bad.line, "by reference" in bad.problem, "hunter2" in str(bad)) == (3, True, False)


def test_only_the_hosts_that_are_asked_for_come_back(tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").write_text(EXAMPLE)
    found = load(tmp_path / "inventory.yaml", limit="tag:prod:&edge", ssh_config=[])
    assert [host.name for host in found] == ["web1"]


def as_json(text: str) -> object:
    return json.loads(msgspec.json.encode(yaml.safe_load(text)))


def test_the_schema_for_editors_is_the_types(pytestconfig: pytest.Config) -> None:
    kept = json.loads((pytestconfig.rootpath / "auditor/inventory/inventory.schema.json").read_text())
    assert kept == json.loads(json.dumps(schema())), (
        "make it anew: python -m auditor.inventory > auditor/inventory/inventory.schema.json"
    )


def test_a_good_inventory_fits_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(as_json(EXAMPLE), schema())


@pytest.mark.parametrize(
    "text",
    [
        "hosts: [web1]",
        "hosts: {web1: {prot: 22}}",
        "hosts: {web1: {port: 0}}",
        "hosts: {web1: {port: '22'}}",
        "hosts: {web1: {password: hunter2}}",
        "hosts: {web1: {transport: telnet}}",
        "hosts: {web1: {policy: {engine_prot: 1}}}",
        "groups: {}",
    ],
)
def test_a_bad_inventory_does_not_fit_the_schema(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json(text), schema())


def test_every_key_is_in_the_documentation(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs/inventory.md").read_text()
    missing = [
        field.name for field in msgspec.structs.fields(HostSettings) if f"| `{field.name}` |" not in page
    ]
    assert not missing


def test_the_example_in_the_documentation_is_an_inventory(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    page = (pytestconfig.rootpath / "docs/inventory.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    assert len(hosts(tmp_path, example)) > 5
    jsonschema.validate(as_json(example), schema())


def unions(type_: object) -> Iterator[inspect.UnionType]:
    """All unions in a type."""
    if isinstance(type_, inspect.UnionType):
        yield type_
    if isinstance(type_, inspect.Type | inspect.Field):
        for name in type_.__struct_fields__:
            part = getattr(type_, name)
            for inner in part if isinstance(part, tuple) else (part,):
                yield from unions(inner)


def test_no_type_makes_msgspec_crash() -> None:
    # msgspec 0.22 frees the wrong memory when a union of text with a pattern and a list or mapping goes away.
    found = list(unions(inspect.type_info(Inventory)))
    assert found
    for union in found:
        patterns = [type_ for type_ in union.types if isinstance(type_, inspect.StrType) and type_.pattern]
        collections = [
            type_ for type_ in union.types if isinstance(type_, inspect.CollectionType | inspect.DictType)
        ]
        assert not (patterns and collections), union


YAML_TEXT = st.text(st.sampled_from("ab:- \n{}[],&*!'#1<~")) | st.sampled_from([text for text, _, _ in BAD])
PIECES = st.lists(
    st.sampled_from(
        [
            "hosts:",
            "groups:",
            "defaults:",
            "_meta:",
            "all:",
            "children:",
            "vars:",
            "hostvars:",
            "x:",
            "a",
            "port: 1",
        ]
    )
)
NESTED = PIECES.map(lambda pieces: "\n".join(" " * depth + piece for depth, piece in enumerate(pieces)))


@settings(deadline=None)
@given(text=YAML_TEXT | NESTED | st.text())
def test_no_text_raises_anything_but_what_the_user_can_mend(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        assert load(path, ssh_config=[])
    except AuditorError as error:
        assert str(error)  # noqa: PT017  either outcome is right

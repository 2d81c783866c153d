"""An Ansible inventory is taken as it is, with the variables that Ansible would give each host."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import AuditorError, BadFile
from auditor.host import Host, WinrmOptions
from auditor.inventory import load
from auditor.inventory.secrets import FromEnvironment

EXAMPLE = """
all:
  vars:
    ansible_user: everywhere
    ansible_port: 22
  hosts:
    lonely:
      ansible_connection: local
  children:
    web:
      hosts:
        web[01:02]:
        web03: {ansible_host: 10.0.0.3, ansible_port: "2222", mysql_password: unread, x: !vault unread}
      vars:
        ansible_user: web
        ansible_become: yes
        y: "{{ unread }}"
    datacentre:
      children:
        web:
        database:
          vars: {ansible_ssh_private_key_file: keys/db, ansible_ssh_common_args: '-o ControlMaster=no -J "jump@bastion:7"'}
          hosts:
            db1: {ansible_connection: paramiko}
      vars:
        ansible_user: datacentre
        docker_host_auditor: {tags: [eu], policy: {engine_port: 2376}, timeouts: {connect: 3}}
    windows:
      hosts: {win1: }
      vars:
        ansible_connection: ansible.builtin.winrm
        ansible_password: !vault |
          $ANSIBLE_VAULT;1.1;AES256
        docker_host_auditor: {password: {env: WIN}}
"""


def hosts(folder: Path, text: str, limit: str = "all") -> dict[str, Host]:
    path = folder / "hosts.yaml"
    path.write_text(text)
    return {host.name: host for host in load(path, limit=limit, ssh_config=[])}


@pytest.fixture
def example(tmp_path: Path) -> dict[str, Host]:
    return hosts(tmp_path, EXAMPLE)


def test_a_child_beats_its_parent_and_a_host_beats_all(example: dict[str, Host]) -> None:
    assert [example[name].user for name in ("web01", "db1", "lonely")] == ["web", "datacentre", ""]
    assert [example[name].port for name in ("web02", "web03")] == [22, 2222]


def test_every_host_knows_its_groups_outermost_first(example: dict[str, Host]) -> None:
    assert example["web01"].groups == ("datacentre", "web")
    assert example["lonely"].groups == ()


def test_variables_become_settings(example: dict[str, Host], tmp_path: Path) -> None:
    web03, db1, win1 = example["web03"], example["db1"], example["win1"]
    assert (web03.address, web03.sudo, web03.transport) == ("10.0.0.3", True, "ssh")
    assert db1.ssh.identity_files == (tmp_path / "keys/db",)
    assert [(jump.user, jump.address, jump.port) for jump in db1.ssh.jumps] == [("jump", "bastion", 7)]
    assert (win1.transport, win1.platform, win1.password) == ("winrm", "windows", FromEnvironment("WIN"))
    assert example["lonely"].transport == "local"


def test_winrm_variables_become_settings(tmp_path: Path) -> None:
    text = """
    all:
      hosts: {w: , k: {ansible_winrm_transport: credssp}}
      vars: {ansible_connection: winrm, ansible_winrm_transport: certificate, ansible_winrm_cert_pem: c.pem}
      children: {x: {hosts: {w: }, vars: {docker_host_auditor: {winrm: {key_file: k.pem}}}}}
    """
    winrm = WinrmOptions(auth="certificate", cert_file=tmp_path / "c.pem", key_file=tmp_path / "k.pem")
    assert hosts(tmp_path, text, "w")["w"].winrm == winrm
    with pytest.raises(BadFile, match="credssp"):
        hosts(tmp_path, text)


def test_our_own_variable_says_what_ansible_has_no_word_for(example: dict[str, Host]) -> None:
    web01 = example["web01"]
    assert (web01.tags, web01.policy.engine_port, web01.timeouts.connect) == (("eu",), 2376, 3)


def test_groups_and_tags_choose_hosts(tmp_path: Path) -> None:
    assert list(hosts(tmp_path, EXAMPLE, "web:&tag:eu:!web02")) == ["web01", "web03"]


def test_a_host_knows_its_line(example: dict[str, Host]) -> None:
    assert example["web03"].source.endswith("hosts.yaml:13")


def test_what_ansible_inventory_lists_is_read(tmp_path: Path) -> None:
    listed = {
        "_meta": {
            "hostvars": {"a": {"ansible_host": "10.0.0.1", "ansible_user": "u"}, "b": {"ansible_port": 7}}
        },
        "all": {"children": ["ungrouped", "outer"]},
        "outer": {"children": ["inner"]},
        "inner": {"hosts": ["a"]},
        "ungrouped": {"hosts": ["b"]},
    }
    found = hosts(tmp_path, json.dumps(listed, indent=4))
    assert (found["a"].address, found["a"].user, found["a"].groups) == ("10.0.0.1", "u", ("outer", "inner"))
    assert (found["b"].address, found["b"].port, found["b"].groups) == ("b", 7, ())


def test_groups_without_all_are_an_inventory_too(tmp_path: Path) -> None:
    assert hosts(tmp_path, "web:\n  hosts: {a: , b: }\nempty:\n")["a"].groups == ("web",)
    assert list(hosts(tmp_path, "_meta: {}\nweb: [a, b]")) == ["a", "b"]


def test_priority_decides_among_groups_of_one_depth(tmp_path: Path) -> None:
    text = """
    a: {hosts: {x: }, vars: {ansible_user: a, ansible_group_priority: 5}}
    b: {hosts: {x: }, vars: {ansible_user: b}}
    """
    assert hosts(tmp_path, text)["x"].user == "a"


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ("ansible_host: '{{ ip }}'", "ansible_host: is a Jinja expression"),
        ("ansible_user: !vault x", "is encrypted by Ansible Vault"),
        ("ansible_user: {__ansible_vault: x}", "is encrypted by Ansible Vault"),
        ("ansible_user: [x]", "is neither text nor a number"),
        ("ansible_port: ssh", "is no port"),
        ("ansible_port: 70000", "port: expected a whole number <= 65535"),
        ("ansible_connection: community.docker.docker", "'docker' leads to no Docker host"),
        ("ansible_connection: network_cli", "--limit '!h'"),
        ("ansible_become: maybe", "is neither yes nor no"),
        ("{ansible_become: true, ansible_become_method: su}", "only sudo is known here"),
        ("{ansible_become: true, ansible_become_user: app}", "only root is known here"),
        ("ansible_ssh_common_args: '-o \"x'", "a quotation mark is not closed"),
        ("ansible_password: hunter2", "{env: NAME}"),
        ("ansible_ssh_pass: '{{ vault_hunter2 }}'", "docker_host_auditor: {password: …}"),
        ("docker_host_auditor: {prot: 22}", "prot: unknown key; did you mean 'port'?"),
        ("docker_host_auditor: {password: hunter2}", "password: a secret is never written here"),
        ("docker_host_auditor: {timeouts: 7}", "timeouts: expected a mapping"),
        ("docker_host_auditor: {tags: x}", "tags: expected a list"),
        ("docker_host_auditor: x", "is a mapping of settings"),
        ("docker_host_auditor: {transport: bundle}", "needs path"),
    ],
)
def test_a_variable_that_cannot_be_used_is_said_with_its_line(
    tmp_path: Path, variables: str, says: str
) -> None:
    text = f"all:\n  hosts:\n    h:\n      {variables}\n    fine: {{}}\n"
    with pytest.raises(BadFile) as caught:
        hosts(tmp_path, text)
    assert says in caught.value.problem
    assert caught.value.line == (3 if says == "needs path" else 4)
    assert "hunter2" not in str(caught.value)
    assert list(hosts(tmp_path, text, limit="fine")) == ["fine"], "the other host can be audited all the same"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("all:\n  hosts:\n", 1, "names no host"),
        ("all:\n  host: {a: }\n", 2, "all.host: a group has no such key; did you mean 'hosts'?"),
        ("all:\n  hosts: 7\n", 2, "expected a mapping"),
        ("all:\n  hosts: {a: 7}\n", 2, "expected a mapping"),
        (
            "all:\n  children: {a: {children: {b: {children: {a: }}}}}\n  hosts: {x: }\n",
            1,
            "groups contain each other: ",
        ),
        ("all:\n  hosts:\n    web[3:1]:\n", 3, "is no range"),
        ("all:\n  vars: [a]\n  hosts: {x: }\n", 2, "expected a mapping"),
        ("_meta: {hostvars: [x]}\n", 1, "expected a mapping"),
    ],
)
def test_a_file_that_ansible_would_not_build_is_refused(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(BadFile) as caught:
        hosts(tmp_path, text)
    assert says in caught.value.problem
    assert caught.value.line == line


def test_an_ini_inventory_is_told_the_way(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"ansible-inventory -i .* --list --output hosts.json"):
        hosts(tmp_path, "lonely ansible_host=10.0.0.1\n\n[web]\nweb1 ansible_user=x\n")


NAMES = [
    "all",
    "hosts",
    "children",
    "vars",
    "_meta",
    "hostvars",
    "a",
    "b",
    "ansible_host",
    "ansible_connection",
    "ansible_port",
    "ansible_become",
    "docker_host_auditor",
    "tags",
    "policy",
    "timeouts",
    "ansible_ssh_common_args",
]
VALUES = st.recursive(
    st.sampled_from([None, "x", 7, True, "a", "{{ x }}", "local", "yes"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
)


@settings(deadline=None)
@given(value=VALUES)
def test_no_inventory_raises_anything_but_what_the_user_can_mend(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    try:
        assert hosts(tmp_path_factory.getbasetemp(), json.dumps({"all": value, "_meta": value}))
    except AuditorError as error:
        assert str(error)  # noqa: PT017  either outcome is right

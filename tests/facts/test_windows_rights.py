"""The facts of who may do what on a Windows host, from what the collector prints."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.windows_audit import FILE_SYSTEM, PROCESS_CREATION, WindowsAudit
from auditor.facts.windows_clients import WindowsClients
from auditor.facts.windows_groups import Account, WindowsGroups
from auditor.facts.windows_pipes import WindowsPipes
from auditor.facts.windows_rights import WindowsRights
from auditor.facts.windows_service_rights import ServiceRights
from auditor.facts.windows_winrm import WinRm
from auditor.gaps import Gap, Inconclusive, NotApplicable

FACTS = [WindowsRights, WindowsPipes, WindowsGroups, WindowsClients, WindowsAudit, WinRm, ServiceRights]
ENTRY = {
    "role": "data-root", "path": r"C:\ProgramData\docker", "exists": True, "folder": True, "sddl": "O:BAD:(A;;FA;;;BA)", "audit": None, "error": None,
}  # fmt: skip


def bundle(section: str, told: Any, status: int = 0) -> Bundle:
    return Bundle({section: Section(json.dumps(told).encode(), status)})


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_what_did_not_come_is_a_gap_and_what_is_not_there_does_not_apply(fact: Any) -> None:
    section, *_ = fact.SECTIONS
    with pytest.raises(Inconclusive):
        fact.parse(bundle(section, [], 1))
    with pytest.raises(NotApplicable):
        fact.parse(bundle(section, [], Status.ABSENT))
    with pytest.raises(Inconclusive, match="not what the collector prints"):
        fact.parse(bundle(section, "text"))


@given(st.sampled_from(FACTS), st.one_of(st.binary(max_size=60), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["role", "path", "sddl", "members", "name", "sid", "services", "culture", "text", "auth", "listeners"]), inner, max_size=4),
    max_leaves=8).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_nothing_that_a_host_says_crashes_a_fact(fact: Any, data: bytes) -> None:
    section, *_ = fact.SECTIONS
    with contextlib.suppress(Gap):
        fact.parse(Bundle({section: Section(data)}))


def test_rights_tell_kind_role_and_what_stood_in_the_way() -> None:
    key = ENTRY | {"role": "service-key", "path": r"HKLM:\SYSTEM\x"}
    denied = ENTRY | {"exists": False, "sddl": None, "error": "denied"}
    folder, registry, unseen = WindowsRights.parse(bundle("windows-acl", [ENTRY, key, denied])).all
    assert (folder.kind, registry.kind) == ("folder", "key")
    assert unseen.exists, "what could not be looked at may well be there"
    with pytest.raises(Inconclusive, match="denied"):
        _ = unseen.rights
    with pytest.raises(Inconclusive, match="audit list"):
        _ = folder.auditing


def test_data_and_keys_that_the_engine_uses_and_nobody_looked_at_are_not_known() -> None:
    info = json.dumps({"OSType": "windows", "DockerRootDir": r"D:\Docker", "ServerVersion": "29.1.0"})
    told = engine(
        "windows-acl", [ENTRY], "--tlsverify", r"--tlskey=D:\tls\key.pem", r"--tlscert=D:\tls\cert.pem"
    )
    rights = WindowsRights.parse(
        told.adding({"engine-info": Section(info.encode()), "engine-version": Section(b"{}")})
    )
    assert [it.path for it in rights.by_role("data-root")] == [ENTRY["path"], r"D:\Docker"]
    (key,) = rights.by_role("tls-key")
    with pytest.raises(Inconclusive, match="did not look there"):
        _ = key.rights
    seen = ENTRY | {"path": "d:/docker/"}
    assert (
        len(
            WindowsRights.parse(
                bundle("windows-acl", [seen]).adding(
                    {"engine-info": Section(info.encode()), "engine-version": Section(b"{}")}
                )
            ).all
        )
        == 1
    )


def test_the_nearest_folder_above_is_told_in_any_case_of_letters() -> None:
    rights = WindowsRights.parse(bundle("windows-acl", [ENTRY]))
    above = rights.above(r"c:\programdata\DOCKER\config\daemon.json")
    assert above
    assert above.role == "data-root"
    assert rights.above(r"D:\elsewhere\x") is None


def test_groups_tell_members_by_name_domain_and_sid() -> None:
    member = {"sid": "S-1-5-21-1-2-3-1001", "name": "anna", "domain": "CORP"}
    told = {
        "name": "docker",
        "configured": True,
        "sid": "S-1-5-21-1-2-3-9",
        "members": [member],
        "error": None,
    }
    groups = WindowsGroups.parse(bundle("windows-groups", [told]))
    account = groups.account("S-1-5-21-1-2-3-1001")
    assert str(account) == r"CORP\anna (S-1-5-21-1-2-3-1001)"
    assert account.is_named_in([r"corp\ANNA"])
    assert str(groups.account("S-1-5-18")) == "SYSTEM (S-1-5-18)"
    assert str(Account("S-1-5-21-7-7-7-7", "")) == "S-1-5-21-7-7-7-7"
    assert groups.rules_the_host("S-1-5-18")
    assert not groups.rules_the_host("S-1-5-21-1-2-3-1001")


def test_pipes_tell_who_may_use_them() -> None:
    told = {
        "path": r"\\.\pipe\docker_engine",
        "configured": True,
        "sddl": "D:(A;;GR;;;BU)(A;;GRGW;;;AU)",
        "error": None,
    }
    pipes = WindowsPipes.parse(bundle("windows-pipes", [told]))
    assert list(pipes.engine[0].users) == ["S-1-5-11"]
    (pipe,) = WindowsPipes.parse(bundle("windows-pipes", [told | {"sddl": "D:(A;;0x4;;;BU)"}])).pipes
    assert list(pipe.users) == ["S-1-5-32-545"], "who makes another end of it answers for the engine"


PIPE = {"path": r"\\.\pipe\docker_engine", "configured": True, "sddl": "D:(A;;GRGW;;;BA)", "error": None}


def engine(section: str, told: Any, *arguments: str, config: str = "{}", status: int = 0) -> Bundle:
    """One section of a host whose engine has this command line and configuration file."""
    words = "".join(f"argument {it}\n" for it in ("dockerd.exe", *arguments))
    return Bundle(
        {
            section: Section(json.dumps(told).encode()),
            "daemon": Section(f"socket {PIPE['path']}\npid 4 service\ncwd C:\\Windows\n{words}".encode()),
            "daemon-config": Section(f"C:\\daemon.json\n{config}\n".encode(), status),
        }
    )


@pytest.mark.parametrize(
    ("arguments", "config", "unseen"),
    [
        ([], "{}", []),
        (["-H", "npipe://"], "{}", []),
        (["-H", "npipe:////./pipe/Docker_Engine"], "{}", []),
        (["-H", "npipe:////./pipe/build"], "{}", [r"\\.\pipe\build, which the engine should open, was not seen"]),
        ([], '{"hosts": ["npipe:////./pipe/build", "npipe://"]}', [r"\\.\pipe\build, which the engine should open, was not seen"]),
        (["-H", "tcp://127.0.0.1:2376"], "{}", []),
    ],
)  # fmt: skip
def test_a_pipe_that_the_engine_was_told_of_is_seen_or_said_to_be_unseen(
    arguments: list[str], config: str, unseen: list[str]
) -> None:
    told = WindowsPipes.parse(engine("windows-pipes", [PIPE], *arguments, config=config))
    assert list(told.unseen) == unseen


@pytest.mark.parametrize("arguments", [["-H", "tcp://127.0.0.1:2376"], ["--tlsverify"]])
def test_an_engine_on_ports_alone_opens_no_pipe(arguments: list[str]) -> None:
    assert WindowsPipes.parse(engine("windows-pipes", [], *arguments)) == WindowsPipes(())
    assert WindowsPipes.parse(engine("windows-pipes", [])).unseen


def test_without_the_configuration_neither_pipes_nor_groups_are_known() -> None:
    broken = engine("windows-pipes", [PIPE], config="{,}")
    assert "which pipes the engine opens is not known" in WindowsPipes.parse(broken).unseen[0]
    denied = engine("windows-groups", [], status=Status.DENIED)
    assert "which groups the engine lets in is not known" in WindowsGroups.parse(denied).untold[0]


def test_a_group_that_the_engine_lets_in_and_nobody_looked_at_is_told() -> None:
    group = {"name": "Builders", "configured": True, "sid": "S-1-5-21-1-2-3-9", "members": [], "error": None}
    told = WindowsGroups.parse(engine("windows-groups", [group], "--group", "builders, testers"))
    assert told.untold == ("nothing was told of the group testers, which the engine lets in",)
    assert not WindowsGroups.parse(engine("windows-groups", [group], config='{"group": "builders"}')).untold


def test_clients_tell_their_files_and_registries() -> None:
    told = {"folder": r"C:\Users\a\.docker", "files": [ENTRY], "inline": ["r.example"], "error": None}
    (client,) = WindowsClients.parse(bundle("windows-clients", [told])).clients
    assert (client.inline, client.files[0].role, client.problem) == (("r.example",), "data-root", "")


@pytest.mark.parametrize(
    ("word", "logged"),
    [
        ("Success", True),
        ("Success and Failure", True),
        ("No Auditing", False),
        ("Failure", False),
        ("Erfolg", True),
    ],
)
def test_auditpol_is_read_by_guid(word: str, *, logged: bool) -> None:
    row = f"HOST,System,File System,{{{FILE_SYSTEM.lower()}}},{word},\r\nshort,row\r\n"
    audit = WindowsAudit.parse(bundle("windows-audit", {"culture": "en-US", "text": "a,b,c,d,e\r\n" + row}))
    assert audit.logs(FILE_SYSTEM) is logged
    with pytest.raises(Inconclusive, match="nothing of it"):
        audit.logs(PROCESS_CREATION)


def test_a_word_of_another_language_is_not_known() -> None:
    row = f"H,S,n,{{{FILE_SYSTEM}}},Opération réussie,"
    audit = WindowsAudit.parse(bundle("windows-audit", {"culture": "fr-FR", "text": row}))
    with pytest.raises(Inconclusive, match="in fr-FR"):
        audit.logs(FILE_SYSTEM)


def test_winrm_tells_its_switches_and_the_listeners_that_are_on() -> None:
    listeners = [{"Transport": "http", "Enabled": "false"}, {"Transport": "HTTPS", "Enabled": "true"}]
    told = {
        "unencrypted": "False",
        "auth": {"Basic": "true", "CbtHardeningLevel": "Relaxed"},
        "listeners": listeners,
    }
    winrm = WinRm.parse(bundle("windows-winrm", told))
    assert (winrm.unencrypted, winrm.transports) == (False, ("HTTPS",))
    assert winrm.auth == {"Basic": True, "CbtHardeningLevel": None}


def test_services_tell_rights_and_the_programs_signature() -> None:
    service = {"name": "docker", "path": None, "key_sddl": "D:", "service_sddl": None}
    told = {"services": [service], "executable": {"path": r"C:\d.exe", "signature": 2, "signer": None}}
    rights = ServiceRights.parse(bundle("windows-service", told))
    assert (rights.program, rights.signature, rights.services[0].command) == (r"C:\d.exe", 2, "")
    assert ServiceRights.parse(bundle("windows-service", told | {"executable": None})).signature is None

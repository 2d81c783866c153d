"""Who may change and read the engine's parts, and what users keep for its client."""

import pytest
from msgspec.structs import replace

from auditor.check import Check
from auditor.facts.sddl import Kind
from auditor.facts.windows_clients import Client, WindowsClients
from auditor.facts.windows_rights import CLOSED, Guarded, WindowsRights
from auditor.facts.windows_service_rights import Service, ServiceRights
from auditor.policy import Policy
from auditor.testing import Judged, Outcome, judge
from checks.windows.clients import client_key_readable_by_others, registry_password_in_client_config
from checks.windows.rights import (
    data_root_open_to_users,
    engine_program_signature_broken,
    engine_program_unsigned,
    engine_service_changeable,
    engine_service_path_unquoted,
    kept,
    windows_tls_key_readable,
)

ROOT = r"C:\ProgramData\docker"
INHERITED = "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)"
SOMEBODY = "S-1-5-21-1-2-3-1001"
BY_NAME = {each.id: each for each in kept}
ROLES: list[tuple[str, str, Kind]] = [
    ("engine-program-changeable", "executable", "file"),
    ("engine-program-changeable", "executable-folder", "folder"),
    ("windows-daemon-config-changeable", "config-file", "file"),
    ("windows-daemon-config-changeable", "config-file-folder", "folder"),
    ("windows-tls-file-changeable", "tls-key", "file"),
    ("windows-registry-certificates-changeable", "registry-cert", "file"),
    ("credential-specs-changeable", "credential-spec", "file"),
    ("credential-specs-changeable", "credential-spec-key", "key"),
]


ALWAYS_TOLD = {
    "engine-program-changeable": ("executable", "executable-folder"),
    "windows-daemon-config-changeable": ("config-file", "config-file-folder"),
    "windows-tls-file-changeable": ("tls-ca", "tls-cert", "tls-key", "tls-folder"),
    "windows-registry-certificates-changeable": ("registry-certs",),
    "credential-specs-changeable": ("credential-specs", "credential-spec-key"),
    "data-root-open-to-users": ("data-root", "config-folder", "volumes-folder", "containers-folder"),
}


def run(check: Check[...], *guarded: Guarded, policy: Policy = Policy()) -> Judged:  # noqa: B008  frozen
    """The check's verdict on these, and on closed ones in the place of all others that the collector always tells of."""
    roles = [it.role for it in guarded]
    others = [Guarded(role, rf"C:\{role}") for role in ALWAYS_TOLD.get(check.id, ()) if role not in roles]
    return judge(check, WindowsRights.of(*guarded, *others), policy)


@pytest.mark.parametrize(("name", "role", "kind"), ROLES)
def test_what_only_administrators_may_change_is_theirs_or_a_finding(name: str, role: str, kind: Kind) -> None:
    own = Guarded(role, rf"{ROOT}\it", kind=kind)
    assert run(BY_NAME[name], own).outcome is Outcome.PASS
    everybody = replace(own, sddl="O:BAD:(A;;GA;;;BA)(A;;GA;;;WD)")
    judged = run(BY_NAME[name], everybody)
    assert judged.outcome is Outcome.FAIL
    assert "Everyone (S-1-1-0) may" in judged.findings[0].observed
    unread = replace(own, sddl=None, problem="access denied")
    assert run(BY_NAME[name], unread) == (
        Outcome.ERROR,
        (),
        rf"the rights of {ROOT}\it could not be read: access denied",
    )
    assert run(BY_NAME[name], replace(own, sddl="D:(nonsense)")).outcome is Outcome.ERROR


@pytest.mark.parametrize("check", [*kept, data_root_open_to_users], ids=lambda check: check.id)
def test_where_nothing_was_told_of_one_of_them_nothing_is_known(check: Check[...]) -> None:
    roles = ALWAYS_TOLD[check.id]
    for missing in roles:
        rest = [Guarded(role, rf"C:\{role}") for role in roles if role != missing]
        judged = judge(check, WindowsRights.of(*rest), Policy())
        assert judged == (Outcome.ERROR, (), f"nothing was told of the {missing}")
    assert judge(check, WindowsRights.of(), Policy()).outcome is Outcome.ERROR


def test_where_there_is_no_such_thing_the_check_does_not_apply() -> None:
    roles = ALWAYS_TOLD["windows-tls-file-changeable"]
    missing = [Guarded(role, rf"C:\{role}", exists=False, sddl=None) for role in roles]
    assert run(BY_NAME["windows-tls-file-changeable"], *missing).outcome is Outcome.NOT_APPLICABLE


def test_rights_that_only_new_files_get_count() -> None:
    later = "O:BAD:P(A;OICI;FA;;;SY)(A;OIIO;GA;;;BU)"
    folder = Guarded("executable-folder", r"C:\engine", kind="folder", sddl=later)
    (finding,) = run(BY_NAME["engine-program-changeable"], folder).findings
    assert finding.observed.startswith("Users (S-1-5-32-545) may write, append, delete")
    assert finding.observed.endswith("the files that will be made in it")
    read = replace(folder, role="data-root", sddl="O:BAD:P(A;OICI;FA;;;SY)(A;OIIO;FR;;;BU)(A;OICI;CCDC;;;AU)")
    assert [it.observed for it in run(data_root_open_to_users, read).findings] == [
        "Authenticated Users (S-1-5-11) may read, add files",
        "Users (S-1-5-32-545) may read the files that will be made in it",
    ]
    assert run(BY_NAME["engine-program-changeable"], replace(folder, sddl=None)).outcome is Outcome.ERROR


def test_who_may_read_a_folder_is_not_overlooked_as_one_who_may_change_what_is_made_in_it() -> None:
    sddl = "O:BAD:P(A;OICI;FA;;;SY)(A;;0x1200a9;;;BU)(A;OIIO;FA;;;BU)"
    folder = Guarded("executable-folder", r"C:\engine", kind="folder", sddl=sddl)
    (finding,) = run(BY_NAME["engine-program-changeable"], folder).findings
    assert finding.observed.endswith("the files that will be made in it")


def test_rights_that_only_new_folders_get_count() -> None:
    later = "O:BAD:P(A;OICI;FA;;;SY)(A;CIIO;FA;;;BU)"
    for role, check in (
        ("data-root", data_root_open_to_users),
        ("executable-folder", BY_NAME["engine-program-changeable"]),
    ):
        folder = Guarded(role, r"C:\engine", kind="folder", sddl=later)
        (finding,) = judge(
            check, WindowsRights.of(folder, Guarded("executable", r"C:\engine\d.exe")), Policy()
        ).findings
        assert finding.observed.endswith("the folders that will be made in it")


def test_a_policy_trusts_a_sid_in_any_case_and_never_everybody() -> None:
    program = Guarded("executable", r"C:\dockerd.exe", sddl=f"O:BAD:(A;;FA;;;{SOMEBODY})")
    lower = Policy(trusted_users=(SOMEBODY.lower(),))
    assert run(BY_NAME["engine-program-changeable"], program, policy=lower).outcome is Outcome.PASS
    users = replace(program, sddl="O:BAD:(A;;FA;;;BU)")
    named = Policy(trusted_users=("S-1-5-32-545",))
    assert run(BY_NAME["engine-program-changeable"], users, policy=named).outcome is Outcome.FAIL


def test_a_data_root_that_takes_rights_from_above_is_open_as_soon_as_that_is() -> None:
    root = Guarded("data-root", ROOT, kind="folder", sddl="O:BAD:AI(A;OICIID;FA;;;BA)")
    assert [it.observed for it in run(data_root_open_to_users, root).findings] == [
        "takes rights from the folder above"
    ]
    inner = replace(root, role="volumes-folder")
    assert run(data_root_open_to_users, inner).outcome is Outcome.PASS


def test_somebody_whom_the_policy_trusts_may_change_it() -> None:
    program = Guarded("executable", r"C:\dockerd.exe", sddl=f"O:BAD:(A;;FA;;;{SOMEBODY})")
    assert run(BY_NAME["engine-program-changeable"], program).outcome is Outcome.FAIL
    trusted = Policy(trusted_users=(SOMEBODY,))
    assert run(BY_NAME["engine-program-changeable"], program, policy=trusted).outcome is Outcome.PASS


def test_reading_is_no_changing() -> None:
    program = Guarded("executable", r"C:\dockerd.exe", sddl="O:SYD:(A;;0x1200a9;;;BU)")
    assert run(BY_NAME["engine-program-changeable"], program).outcome is Outcome.PASS


def test_an_ordinary_owner_may_give_himself_rights() -> None:
    program = Guarded("executable", r"C:\dockerd.exe", sddl=f"O:{SOMEBODY}D:(A;;FA;;;BA)")
    (finding,) = run(BY_NAME["engine-program-changeable"], program).findings
    assert finding.observed == f"{SOMEBODY} may change rights"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("windows-daemon-config-changeable", "config-file"),
        ("windows-registry-certificates-changeable", "registry-certs"),
        ("credential-specs-changeable", "credential-specs"),
    ],
)
def test_what_is_not_there_must_not_be_made_by_others(name: str, role: str) -> None:
    missing = Guarded(role, rf"{ROOT}\config\it", exists=False, sddl=None)
    root = Guarded("data-root", ROOT, kind="folder")
    assert run(BY_NAME[name], missing, root).outcome is Outcome.PASS
    (finding,) = run(BY_NAME[name], missing, replace(root, sddl=INHERITED)).findings
    assert (finding.subject, finding.observed) == (
        rf"{ROOT}\config\it",
        rf"is not there, and in {ROOT} Users (S-1-5-32-545) may add files, add folders",
    )
    judged = run(BY_NAME[name], missing)
    assert (judged.outcome, judged.reason) == (
        Outcome.ERROR,
        rf"no folder above {ROOT}\config\it was looked at",
    )


def test_a_data_folder_that_inherits_what_users_may_is_open() -> None:
    folders = [Guarded(role, rf"{ROOT}\{role}", kind="folder") for role in ("data-root", "volumes-folder")]
    assert run(data_root_open_to_users, *folders).outcome is Outcome.PASS
    judged = run(data_root_open_to_users, folders[0], replace(folders[1], sddl=INHERITED))
    assert [it.observed for it in judged.findings] == [
        "Users (S-1-5-32-545) may read, add files, add folders"
    ]
    assert run(data_root_open_to_users, replace(folders[0], sddl=None)).outcome is Outcome.ERROR
    assert judge(data_root_open_to_users, WindowsRights.of(), Policy()).outcome is Outcome.ERROR
    none_yet = [
        replace(folders[0], role=role, exists=False, sddl=None)
        for role in ALWAYS_TOLD["data-root-open-to-users"]
    ]
    assert run(data_root_open_to_users, *none_yet).outcome is Outcome.NOT_APPLICABLE


def test_a_key_that_others_can_read_is_found() -> None:
    key = Guarded("tls-key", rf"{ROOT}\key.pem")
    assert run(windows_tls_key_readable, key).outcome is Outcome.PASS
    judged = run(windows_tls_key_readable, replace(key, sddl="O:BAD:(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)"))
    assert [it.observed for it in judged.findings] == ["Users (S-1-5-32-545) may read"]
    assert run(windows_tls_key_readable, replace(key, sddl=None)).outcome is Outcome.ERROR
    assert run(windows_tls_key_readable, replace(key, exists=False)).outcome is Outcome.NOT_APPLICABLE
    assert judge(windows_tls_key_readable, WindowsRights.of(), Policy()).outcome is Outcome.ERROR


def test_a_service_that_others_can_configure_is_found() -> None:
    assert judge(engine_service_changeable, ServiceRights()).outcome is Outcome.PASS
    open_service = Service(service_sddl="D:(A;;CCDC;;;AU)", key_sddl="O:BAD:(A;;KW;;;BU)")
    findings = judge(engine_service_changeable, ServiceRights((open_service,))).findings
    assert [(it.subject, it.observed) for it in findings] == [
        ("service docker", "Authenticated Users (S-1-5-11) may change the configuration"),
        (
            r"HKLM:\SYSTEM\CurrentControlSet\Services\docker",
            "Users (S-1-5-32-545) may set values, add keys",
        ),
    ]
    unread = ServiceRights((Service(service_sddl=None),))
    assert judge(engine_service_changeable, unread).outcome is Outcome.ERROR
    assert judge(engine_service_changeable, ServiceRights(())).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (r'"C:\Program Files\Docker\dockerd.exe" --run-service', False),
        (r"C:\Windows\System32\dockerd.exe --run-service", False),
        (r"C:\Program Files\Docker\dockerd.exe --run-service", True),
        (r"C:\Program Files\Docker\dockerd --run-service", True),
    ],
)
def test_a_path_with_blanks_stands_in_quotes(command: str, *, found: bool) -> None:
    judged = judge(engine_service_path_unquoted, ServiceRights((Service(command=command),)))
    assert bool(judged.findings) is found


def test_a_command_that_was_not_told_is_a_gap_and_no_service_has_none() -> None:
    check = engine_service_path_unquoted
    assert judge(check, ServiceRights((Service(command=""),))).outcome is Outcome.ERROR
    assert judge(check, ServiceRights(())).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("signature", "outcome", "seen"),
    [
        (0, Outcome.PASS, []),
        (2, Outcome.FAIL, ["not signed"]),
        (3, Outcome.PASS, []),
        (None, Outcome.ERROR, []),
    ],
)
def test_a_program_is_signed(signature: int | None, outcome: Outcome, seen: list[str]) -> None:
    judged = judge(engine_program_unsigned, ServiceRights(signature=signature))
    assert (judged.outcome, [it.observed for it in judged.findings]) == (outcome, seen)


@pytest.mark.parametrize(
    ("signature", "outcome"), [(0, Outcome.PASS), (2, Outcome.PASS), (3, Outcome.FAIL), (None, Outcome.ERROR)]
)
def test_a_signature_that_does_not_hold_is_worse_than_none(signature: int | None, outcome: Outcome) -> None:
    assert judge(engine_program_signature_broken, ServiceRights(signature=signature)).outcome is outcome


def client(sddl: str | None = CLOSED, role: str = "key.pem", **told: object) -> WindowsClients:
    file = Guarded(role, rf"C:\Users\anna\.docker\{role}", sddl=sddl)
    return WindowsClients((replace(Client(files=(file,)), **told),))  # fields of several types


def test_a_users_key_is_read_by_that_user_and_administrators() -> None:
    own = f"O:{SOMEBODY}D:P(A;;FA;;;{SOMEBODY})(A;;FA;;;SY)(A;;FA;;;BA)"
    assert judge(client_key_readable_by_others, client(own)).outcome is Outcome.PASS
    everybody = own + "(A;;FR;;;AU)"
    (finding,) = judge(client_key_readable_by_others, client(everybody)).findings
    assert finding.observed == "Authenticated Users (S-1-5-11) may read"
    assert judge(client_key_readable_by_others, client(everybody, "ca.pem")).outcome is Outcome.PASS
    other = "S-1-5-21-1-2-3-1002"
    for right, word in (("FR", "read"), ("CCDC", "read, write"), ("DC", "write")):
        (finding,) = judge(client_key_readable_by_others, client(f"{own}(A;;{right};;;{other})")).findings
        assert finding.observed == f"{other} may {word}"
    stranger = judge(client_key_readable_by_others, client(own, sid=""))
    assert (stranger.outcome, "was not told" in stranger.reason) == (Outcome.ERROR, True)
    assert judge(client_key_readable_by_others, client(everybody, sid="")).outcome is Outcome.FAIL
    assert judge(client_key_readable_by_others, client(None)).outcome is Outcome.ERROR
    assert judge(client_key_readable_by_others, client(own, problem="denied")).outcome is Outcome.ERROR
    assert judge(client_key_readable_by_others, WindowsClients()).outcome is Outcome.NOT_APPLICABLE


def test_a_password_in_config_json_is_found_by_its_registry() -> None:
    check = registry_password_in_client_config
    (finding,) = judge(check, client(inline=("registry.example",))).findings
    assert finding.subject == r"C:\Users\anna\.docker\config.json"
    assert judge(check, client()).outcome is Outcome.PASS
    assert judge(check, client(problem="denied")).outcome is Outcome.ERROR
    assert judge(check, WindowsClients()).outcome is Outcome.NOT_APPLICABLE

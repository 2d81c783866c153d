"""Who may use the engine, how one gets to the host, and what is written down of it."""

import msgspec
import pytest

from auditor.facts.windows_audit import FILE_SYSTEM, PROCESS_CREATION, WindowsAudit
from auditor.facts.windows_groups import Account, Group, WindowsGroups
from auditor.facts.windows_pipes import Pipe, WindowsPipes
from auditor.facts.windows_principals import ADMINISTRATORS
from auditor.facts.windows_rights import Guarded, WindowsRights
from auditor.facts.windows_winrm import WinRm
from auditor.policy import Policy
from auditor.testing import Outcome, judge
from checks.windows.access import (
    engine_pipe_open_to_others,
    windows_engine_open_to_others,
    winrm_takes_clear_text,
)
from checks.windows.auditing import engine_file_changes_not_audited, process_starts_not_audited

ANNA = Account()
BUILDERS = "S-1-5-21-1-2-3-1010"
ADMINS = Group("Administrators", ADMINISTRATORS)
CLOSED_PIPE = "O:BAG:SYD:P(A;;FA;;;BA)(A;;FA;;;SY)"


def groups(*members: Account, **told: object) -> WindowsGroups:
    group = Group("builders", BUILDERS, tuple(members), configured=True)
    values = msgspec.structs.asdict(group) | told
    return WindowsGroups((Group("Administrators", ADMINISTRATORS), Group(**values)))


def test_members_are_for_a_person_until_the_policy_says_whom_to_trust() -> None:
    check = windows_engine_open_to_others
    assert judge(check, groups()).outcome is Outcome.PASS
    asked = judge(check, groups(ANNA))
    assert (asked.outcome, "anna (S-1-5-21-1-2-3-1001) in builders" in asked.reason) == (Outcome.MANUAL, True)
    for name in ("anna", "S-1-5-21-1-2-3-1001"):
        assert judge(check, groups(ANNA), Policy(trusted_users=(name,))).outcome is Outcome.PASS
    judged = judge(check, groups(ANNA), Policy(trusted_users=("bert",)))
    assert [it.subject for it in judged.findings] == ["anna (S-1-5-21-1-2-3-1001)"]


def test_an_administrator_rules_the_host_anyway() -> None:
    administrators = Group("Administrators", ADMINISTRATORS, (ANNA,))
    builders = Group("builders", BUILDERS, (ANNA,), configured=True)
    told = WindowsGroups((administrators, builders))
    assert judge(windows_engine_open_to_others, told).outcome is Outcome.PASS


def test_everybody_is_no_trusted_user_as_group_or_as_member() -> None:
    users = WindowsGroups((Group("Users", "S-1-5-32-545", (), configured=True),))
    assert judge(windows_engine_open_to_others, users).outcome is Outcome.FAIL
    authenticated = groups(Account("S-1-5-11", "Authenticated Users"))
    assert judge(windows_engine_open_to_others, authenticated).outcome is Outcome.FAIL


def test_administrators_are_not_everybody_and_are_known() -> None:
    check = windows_engine_open_to_others
    everybody = Account("S-1-5-21-7-7-7-513", "Domain Users", "CORP")
    (finding,) = judge(
        check, WindowsGroups((Group("Administrators", ADMINISTRATORS, (ANNA, everybody)),))
    ).findings
    assert finding.subject == r"CORP\Domain Users (S-1-5-21-7-7-7-513)"
    for unseen in ((Group("Administrators", ADMINISTRATORS, None),), ()):
        assert judge(check, WindowsGroups(unseen)).outcome is Outcome.ERROR


def test_an_administrator_at_the_pipe_is_no_stranger_but_everybody_is() -> None:
    administrators = (ANNA, Account("S-1-1-0", "Everyone"))
    told = WindowsGroups((Group("Administrators", ADMINISTRATORS, administrators),))
    for sid, outcome in ((ANNA.sid, Outcome.PASS), ("S-1-1-0", Outcome.FAIL), (BUILDERS, Outcome.FAIL)):
        pipe = Pipe(sddl=f"{CLOSED_PIPE}(A;;GRGW;;;{sid})")
        assert judge(engine_pipe_open_to_others, WindowsPipes((pipe,)), told).outcome is outcome


def test_members_that_could_not_be_listed_are_a_gap_and_a_group_that_is_not_there_is_none() -> None:
    check = windows_engine_open_to_others
    assert judge(check, groups(members=None, problem="denied")).outcome is Outcome.ERROR
    assert judge(check, groups(members=None, sid="")).outcome is Outcome.ERROR
    user = groups(members=None, name="anna", problem="a user has no members")
    assert judge(check, user, Policy(trusted_users=("anna",))).outcome is Outcome.PASS
    desktop = WindowsGroups(
        (
            ADMINS,
            Group("docker-users", "", None, problem="IdentityNotMappedException 0x80131500: x"),
        )
    )
    assert judge(check, desktop).outcome is Outcome.PASS
    unseen = WindowsGroups(
        (
            ADMINS,
            Group("docker-users", "", None, problem="SystemException 0x800706BA: RPC"),
        )
    )
    assert judge(check, unseen).outcome is Outcome.ERROR
    other = WindowsGroups(
        (
            ADMINS,
            Group("others", BUILDERS, (ANNA,)),
        )
    )
    assert judge(check, other).outcome is Outcome.PASS


def test_a_pipe_is_open_to_administrators_and_the_configured_group() -> None:
    check = engine_pipe_open_to_others
    assert judge(check, WindowsPipes(), WindowsGroups()).outcome is Outcome.PASS
    builders = Pipe(sddl=f"{CLOSED_PIPE}(A;;GRGW;;;{BUILDERS})")
    assert judge(check, WindowsPipes((builders,)), groups()).outcome is Outcome.PASS
    (finding,) = judge(check, WindowsPipes((builders,)), WindowsGroups()).findings
    assert finding.observed == f"{BUILDERS} may use it"


@pytest.mark.parametrize("configured", [True, False])
def test_a_pipe_that_everybody_may_use_is_found_the_engines_own_or_not(*, configured: bool) -> None:
    pipe = Pipe(r"\\.\pipe\docker_x", configured=configured, sddl=f"{CLOSED_PIPE}(A;;FA;;;WD)")
    judged = judge(engine_pipe_open_to_others, WindowsPipes((Pipe(), pipe)), WindowsGroups())
    assert [it.observed for it in judged.findings] == ["Everyone (S-1-1-0) may use it"]


def test_another_programs_pipe_may_have_users_of_its_own() -> None:
    pipe = Pipe(r"\\.\pipe\docker_x", configured=False, sddl=f"{CLOSED_PIPE}(A;;FA;;;{BUILDERS})")
    assert (
        judge(engine_pipe_open_to_others, WindowsPipes((Pipe(), pipe)), WindowsGroups()).outcome
        is Outcome.PASS
    )


@pytest.mark.parametrize("pipes", [WindowsPipes((Pipe(sddl=None),)), WindowsPipes(unseen=("nothing of it",))])
def test_a_pipe_that_was_not_seen_is_a_gap(pipes: WindowsPipes) -> None:
    assert judge(engine_pipe_open_to_others, pipes, WindowsGroups()).outcome is Outcome.ERROR


def test_an_engine_that_opens_no_pipe_has_none_to_judge_but_what_others_open_is_judged() -> None:
    other = Pipe(r"\\.\pipe\containerd-containerd", configured=False)
    check = engine_pipe_open_to_others
    assert judge(check, WindowsPipes((other,)), WindowsGroups()).outcome is Outcome.NOT_APPLICABLE
    wide = Pipe(other.path, configured=False, sddl=f"{CLOSED_PIPE}(A;;FA;;;WD)")
    assert judge(check, WindowsPipes((wide,)), WindowsGroups()).outcome is Outcome.FAIL


def test_a_group_of_which_nothing_was_told_is_a_gap() -> None:
    told = WindowsGroups(untold=("nothing was told of the group builders",))
    assert judge(windows_engine_open_to_others, told).outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("winrm", "outcome"),
    [
        (WinRm(), Outcome.PASS),
        (WinRm(unencrypted=True), Outcome.FAIL),
        (WinRm(auth={"Basic": True, "CredSSP": False}), Outcome.PASS),
        (WinRm(auth={"Basic": True, "CredSSP": False}, transports=("HTTP",)), Outcome.FAIL),
        (WinRm(auth={"Basic": False, "CredSSP": True}), Outcome.FAIL),
        (WinRm(auth={"Basic": False}), Outcome.ERROR),
        (WinRm(unencrypted=None), Outcome.ERROR),
    ],
)
def test_winrm_takes_nothing_in_clear(winrm: WinRm, outcome: Outcome) -> None:
    assert judge(winrm_takes_clear_text, winrm).outcome is outcome


def test_starts_of_processes_are_logged() -> None:
    assert judge(process_starts_not_audited, WindowsAudit()).outcome is Outcome.PASS
    off = WindowsAudit({PROCESS_CREATION: False})
    assert judge(process_starts_not_audited, off).outcome is Outcome.FAIL
    assert judge(process_starts_not_audited, WindowsAudit({})).outcome is Outcome.ERROR
    foreign = judge(process_starts_not_audited, WindowsAudit({PROCESS_CREATION: None}, "fr-FR"))
    assert (foreign.outcome, "in fr-FR" in foreign.reason) == (Outcome.ERROR, True)


def test_changes_of_files_are_logged_by_policy_and_by_each_files_list() -> None:
    check, on = engine_file_changes_not_audited, WindowsAudit()
    logged = Guarded("config-file", r"C:\daemon.json", audit="O:BAD:(A;;FA;;;BA)S:(AU;SA;0x2;;;WD)")
    silent = Guarded("executable", r"C:\dockerd.exe", audit="O:BAD:(A;;FA;;;BA)S:(AU;FA;0x2;;;WD)")
    unread = Guarded("config-file", r"C:\daemon.json", audit=None)
    roles = ("executable", "config-file", "registry-certs", "credential-specs")
    absent = [Guarded(role, rf"C:\{role}", exists=False, sddl=None) for role in roles]
    assert judge(check, on, WindowsRights.of(logged, *absent)).outcome is Outcome.PASS
    (finding,) = judge(check, on, WindowsRights.of(logged, silent, *absent)).findings
    assert finding.subject == r"C:\dockerd.exe"
    assert judge(check, on, WindowsRights.of(unread, *absent)).outcome is Outcome.ERROR
    assert judge(check, on, WindowsRights.of(*absent)).outcome is Outcome.NOT_APPLICABLE
    for role in roles:
        rest = [it for it in (logged, *absent) if it.role != role]
        assert judge(check, on, WindowsRights.of(*rest)).outcome is Outcome.ERROR
    off = WindowsAudit({FILE_SYSTEM: False})
    assert judge(check, off, WindowsRights.of(logged)).outcome is Outcome.FAIL

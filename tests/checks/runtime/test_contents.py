"""SSH servers and exec sessions in containers, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Inconclusive, Manual
from auditor.facts.processes import Process, Processes
from checks.runtime.contents import privileged_exec, root_exec, ssh_server_in_container
from tests.checks.runtime.judging import WEB, answer, containers, observed

FIRST = Process(pid=WEB.pid)


def running(*processes: Process) -> Processes:
    return Processes({WEB.id: (FIRST, *processes)})


def test_an_ssh_server_among_the_processes_is_found() -> None:
    processes = running(Process(pid=2, parent=FIRST.pid, name="sshd"))
    assert observed(ssh_server_in_container(containers(WEB), processes)) == ["web: processes = sshd"]


def test_a_stopped_container_is_judged_by_what_it_starts() -> None:
    by_path = replace(WEB, status="exited", path="/usr/sbin/sshd")
    by_argument = replace(WEB, status="created", path="/sbin/tini", sshd=True)
    assert observed(ssh_server_in_container(containers(by_path, by_argument), Processes())) == [
        "web: Path = /usr/sbin/sshd",
        "web: Path = /sbin/tini with sshd in its arguments",
    ]


def test_a_stopped_container_that_starts_something_else_passes() -> None:
    assert answer(ssh_server_in_container(containers(replace(WEB, status="exited")), Processes())) == (
        [],
        None,
    )


def test_a_running_one_without_ssh_passes() -> None:
    assert answer(ssh_server_in_container(containers(WEB), running())) == ([], None)


@pytest.mark.parametrize(
    "processes", [Processes(gap="processes was not collected"), Processes({WEB.id: (Process(pid=7),)})]
)
def test_processes_that_are_not_to_be_seen_are_no_pass(processes: Processes) -> None:
    paused = replace(WEB, name="paused", status="paused")
    _, gap = answer(ssh_server_in_container(containers(WEB, paused), processes))
    assert isinstance(gap, Inconclusive)
    assert str(gap).endswith("not looked into: web; paused (paused)")


def test_an_exec_session_with_more_capabilities_than_its_container_is_found() -> None:
    session = Process(pid=9, parent=1, name="sh", capabilities=frozenset({"SYS_ADMIN", "CHOWN"}))
    found, gap = answer(privileged_exec(containers(replace(WEB, cap_drop=())), running(session)))
    assert [finding.observed for finding in found] == [
        "processes = exec session sh (process 9) holds SYS_ADMIN"
    ]
    assert isinstance(gap, Manual)


def test_an_exec_session_as_root_in_a_container_that_is_not_is_found() -> None:
    session = Process(pid=9, parent=1, name="sh", uid=0)
    (said,) = observed(root_exec(containers(WEB), running(session)))
    assert said == "web: processes = exec session sh (process 9) has uid 0, Config.User is 1000:1000"


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "root:wheel"])
def test_root_is_no_news_where_the_container_is_root(user: str) -> None:
    session = Process(pid=9, parent=1, uid=0)
    assert not observed(root_exec(containers(replace(WEB, user=user)), running(session)))


@pytest.mark.parametrize("parent", [FIRST.pid, 9])
def test_a_child_of_the_containers_own_processes_is_no_session(parent: int) -> None:
    child = Process(pid=10, parent=parent, uid=0, capabilities=frozenset({"SYS_ADMIN"}))
    processes = running(Process(pid=9, parent=FIRST.pid), child)
    for check in (privileged_exec, root_exec):
        assert not observed(check(containers(WEB), processes))


def test_orphans_in_the_hosts_process_namespace_are_no_sessions() -> None:
    orphan = Process(pid=9, parent=1, uid=0)
    assert not observed(root_exec(containers(replace(WEB, pid_mode="host")), running(orphan)))


def test_a_session_with_the_containers_own_rights_passes_on_to_the_past() -> None:
    session = Process(pid=9, parent=1, uid=1000)
    web = replace(WEB, exec_ids=("a", "b"))
    for check in (privileged_exec, root_exec):
        found, gap = answer(check(containers(web), running(session)))
        assert not found
        assert isinstance(gap, Manual)
        assert "The engine knows of sessions in web (2)" in str(gap)

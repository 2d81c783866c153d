"""Reading processes and what container they are in."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.container import Container
from auditor.facts.processes import Process, Processes

OUTER, INNER = "a1" * 32, "b2" * 32


def parse(text: str) -> Processes:
    return Processes.parse(Bundle({"processes": Section(text.encode())}))


def process(
    pid: int, cgroup: str, *, parent: int = 1, name: str = "web", more: str = "NoNewPrivs:\t1"
) -> str:
    status = f"Name:\t{name}\nPPid:\t{parent}\nUid:\t5\t0\t0\t0\nCapEff:\t0000000000002000\n{more}"
    lines = [f"/proc/{pid}/status:{line}" for line in status.splitlines()]
    return "\n".join([*lines, f"/proc/{pid}/cgroup:{cgroup}", ""])


WEB = Container(id=OUTER, pid=10)
DOCKER = f"0::/docker/{OUTER}"


def test_a_process_is_read_with_its_effective_user_and_capabilities() -> None:
    assert parse(process(10, DOCKER)).of(WEB) == (
        Process(10, 1, "web", 0, frozenset({"NET_RAW"}), no_new_privileges=True),
    )


def test_every_kind_of_control_group_tells_the_container() -> None:
    for group in (
        f"9:name=systemd:/docker/{OUTER}",
        f"0::/system.slice/docker-{OUTER}.scope",
        f"4:memory:/kubepods/burstable/pod1/{OUTER}",
        f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{OUTER}.scope",
        f"0::/mine/{OUTER}",
    ):
        assert parse(process(10, group)).of(WEB)


def test_a_container_in_a_container_is_in_both() -> None:
    processes = parse(process(10, DOCKER) + process(20, f"{DOCKER}/docker/{INNER}", parent=10))
    assert len(processes.of(WEB)) == 2
    assert [it.pid for it in processes.of(Container(id=INNER, pid=20))] == [20]


def test_without_its_first_process_nothing_is_known_of_a_container() -> None:
    processes = parse(process(11, DOCKER))
    assert processes.of(WEB) == ()
    assert processes.first(WEB) is None
    assert processes.sessions(WEB) == ()


def test_the_first_process_and_the_sessions_are_told_apart() -> None:
    text = (
        process(10, DOCKER, parent=5)
        + process(11, DOCKER, parent=10)
        + process(12, DOCKER, parent=5, name="sh")
    )
    processes = parse(text + process(13, DOCKER, parent=12))
    first = processes.first(WEB)
    assert first
    assert first.pid == 10
    assert [session.name for session in processes.sessions(WEB)] == ["sh"]
    assert processes.sessions(replace(WEB, pid_mode="host")) == ()


def test_a_process_that_ended_meanwhile_is_left_out() -> None:
    gone = f"/proc/11/cgroup:{DOCKER}\n" + f"/proc/12/status:Name:\tx\n/proc/12/cgroup:{DOCKER}\n"
    odd = process(13, DOCKER).replace("Uid:\t5\t0", "Uid:\tx").replace("\t0\t0\n", "\n")
    assert [it.pid for it in parse(process(10, DOCKER) + gone + odd).of(WEB)] == [10]


def test_an_old_kernel_does_not_tell_of_no_new_privileges() -> None:
    (only,) = parse(process(10, DOCKER, more="")).of(WEB)
    assert only.no_new_privileges is None


def test_a_missing_or_failed_section_says_why() -> None:
    assert Processes.parse(Bundle()).gap == "processes was not collected"
    denied = Bundle({"processes": Section(status=Status.DENIED)})
    assert Processes.parse(denied).gap == "processes: permission denied"


def test_a_name_that_looks_like_a_line_of_its_own_stays_a_name() -> None:
    (only,) = parse(process(10, DOCKER, name="/proc/1/status:Name: x")).of(WEB)
    assert only.name == "/proc/1/status:Name: x"


@given(st.text())
@settings(deadline=None)
def test_any_text_is_read_without_harm(text: str) -> None:
    data = f"/proc/10/status:Uid:{text}\n{text}\n{process(10, DOCKER)}".encode("utf-8", "replace")
    Processes.parse(Bundle({"processes": Section(data)}))

"""Many hosts at once: each costs only itself, whatever it does."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from auditor.collect.bundle import Bundle, Section
from auditor.errors import AuditorError, BadReply, DeadlineExceeded, HostError, Interrupted, Unreachable
from auditor.fleet import Done, Event, HostOutcome, Phase, Started, audit_all, stop_on_interrupt
from auditor.host import Host, Timeouts
from auditor.transports.base import Deadline

SAVED = Bundle({"host": Section(b"uid=0\n")})
BRIEF = Timeouts(connect=1, auth=1, total=1)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "saved.bundle"
    path.write_bytes(SAVED.dump())
    return path


@pytest.fixture
def hanging() -> Iterator[int]:
    """A port that takes connections and never speaks."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=256))
        yield listener.getsockname()[1]


def names(_host: Host, bundle: Bundle) -> str:
    return str(json.loads(bundle.read("auditor"))["name"])


def run(
    hosts: list[Host], work: Callable[[Host, Bundle], str] = names, **options: Any
) -> dict[str, HostOutcome[str]]:
    outcomes = audit_all(hosts, lambda _: ("host",), work, **options)
    return {outcome.host.name: outcome for outcome in outcomes}


def hosts_of(saved: Path, count: int) -> list[Host]:
    return [Host(f"web{number}", "bundle", path=saved) for number in range(count)]


def test_each_host_has_exactly_one_outcome_good_or_bad(saved: Path, tmp_path: Path, hanging: int) -> None:
    bad = [
        Host("absent", "bundle", path=tmp_path / "nowhere"),
        Host("refused", "ssh", "127.0.0.1", 1, timeouts=BRIEF),
        Host("hanging", "ssh", "127.0.0.1", hanging, timeouts=BRIEF),
        Host("unknown", "winrm"),
    ]
    outcomes = run([*hosts_of(saved, 50), *bad])
    assert len(outcomes) == 54
    assert {name: type(outcome.error) for name, outcome in outcomes.items() if outcome.error} == {
        "absent": Unreachable,
        "refused": Unreachable,
        "hanging": DeadlineExceeded,
        "unknown": type(outcomes["unknown"].error),
    }
    assert all(outcome.value == "saved" for name, outcome in outcomes.items() if name.startswith("web"))


def test_an_error_that_is_kept_holds_no_frame_and_so_no_reply(tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_bytes(b"x" * 1000)
    error = run([Host("junk", "bundle", path=junk)])["junk"].error
    assert error is not None
    assert "not a bundle" in str(error)
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)


def test_no_hosts_have_no_outcomes() -> None:
    assert run([]) == {}


def test_a_mistake_of_ours_costs_one_host_and_keeps_its_traceback(saved: Path) -> None:
    def work(host: Host, bundle: Bundle) -> str:
        if host.name == "web1":
            raise ZeroDivisionError("by zero")
        return names(host, bundle)

    outcomes = run(hosts_of(saved, 3), work=work)
    assert "a mistake of the auditor's own (ZeroDivisionError: by zero)" in str(outcomes["web1"].error)
    assert 'raise ZeroDivisionError("by zero")' in outcomes["web1"].traceback
    assert outcomes["web2"].value == "saved"


def test_a_secret_that_is_not_there_costs_one_host(saved: Path) -> None:
    def work(_host: Host, _bundle: Bundle) -> str:
        raise AuditorError("env:PASSWORD is not set")

    outcome = run(hosts_of(saved, 1), work=work)["web0"]
    assert isinstance(outcome.error, HostError)
    assert str(outcome.error) == "env:PASSWORD is not set"
    assert not outcome.traceback


def test_what_hangs_where_nothing_ends_it_is_given_up(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr("auditor.fleet._GRACE", 0.2)
    stuck = Host("stuck", "bundle", path=saved, timeouts=BRIEF)

    def work(host: Host, bundle: Bundle) -> str:
        if host.name == "stuck":
            over.wait(30)
        return names(host, bundle)

    try:
        outcomes = run([stuck, *hosts_of(saved, 3)], work=work)
    finally:
        over.set()
    assert isinstance(outcomes["stuck"].error, DeadlineExceeded)
    assert outcomes["web2"].value == "saved"


def test_outcomes_come_as_they_are_ready(saved: Path) -> None:
    first = threading.Event()

    def work(host: Host, bundle: Bundle) -> str:
        if host.name == "web0":
            first.wait(30)
        return names(host, bundle)

    stream = audit_all(hosts_of(saved, 3), lambda _: (), work)
    early = {next(stream).host.name, next(stream).host.name}
    first.set()
    assert early == {"web1", "web2"}
    assert next(stream).host.name == "web0"


def test_no_more_hosts_than_places_are_worked_at_once(saved: Path) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def work(host: Host, bundle: Bundle) -> str:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        return names(host, bundle)

    run(hosts_of(saved, 30), work=work, workers=3)
    assert most <= 3


def test_hosts_that_hang_do_not_hold_up_the_others(saved: Path, hanging: int) -> None:
    patient = Timeouts(connect=15, auth=15, total=15)
    dead = [Host(f"dead{number}", "ssh", "127.0.0.1", hanging, timeouts=patient) for number in range(8)]
    stream = audit_all([*dead, *hosts_of(saved, 40)], lambda _: (), names, workers=4)
    alive = [next(stream).host.name for _ in range(40)]
    stream.close()
    assert all(name.startswith("web") for name in alive)


def test_events_tell_how_each_host_fares(saved: Path, tmp_path: Path) -> None:
    told: list[Event] = []
    bad = Host("absent", "bundle", path=tmp_path / "nowhere")
    run([*hosts_of(saved, 1), bad], on_event=told.append, enrich=lambda _h, bundle, _d: bundle)
    kinds = {
        name: [_short(event) for event in told if event.host.name == name] for name in ("web0", "absent")
    }
    assert kinds["web0"] == ["started", "collect", "probe", "evaluate", "done"]
    assert kinds["absent"] == ["started", "collect", "Unreachable"]


def _short(event: Event) -> str:
    match event:
        case Started():
            return "started"
        case Phase(phase=phase):
            return phase
        case Done(error=error):
            return type(error).__name__ if error else "done"


def test_what_is_seen_from_here_is_in_the_bundle_that_is_worked_on(saved: Path) -> None:
    def enrich(_host: Host, bundle: Bundle, deadline: Deadline) -> Bundle:
        assert deadline.left("probing") > 0
        return bundle.adding({"tls-probe": Section(b"seen")})

    outcome = run(hosts_of(saved, 1), enrich=enrich, work=lambda _h, bundle: bundle.text("tls-probe"))["web0"]
    assert outcome.value == "seen"
    assert not outcome.warning


def test_a_probe_that_fails_loses_no_bundle(saved: Path) -> None:
    def enrich(_host: Host, _bundle: Bundle, _deadline: Deadline) -> Bundle:
        raise OSError("the wire is cut")

    outcome = run(hosts_of(saved, 1), enrich=enrich)["web0"]
    assert outcome.value == "saved"
    assert "the wire is cut" in outcome.warning


def test_a_collected_bundle_says_whose_it_is_and_from_when() -> None:
    about = run([Host("here", "local")], work=lambda _h, bundle: bundle.text("auditor"))["here"].value
    assert about is not None
    told = json.loads(about)
    assert (told["name"], told["transport"]) == ("here", "local")
    assert told["collected"].endswith("+00:00")
    assert told["version"]


def test_a_stop_leaves_the_finished_and_interrupts_the_rest(saved: Path, hanging: int) -> None:
    stop = threading.Event()
    patient = Timeouts(connect=60, auth=60, total=60)
    slow = [Host(f"slow{number}", "ssh", "127.0.0.1", hanging, timeouts=patient) for number in range(40)]
    seen: dict[str, HostOutcome[str]] = {}
    for outcome in audit_all([*hosts_of(saved, 2), *slow], lambda _: (), names, stop=stop, workers=2):
        seen[outcome.host.name] = outcome
        if len(seen) == 2:
            stop.set()
    assert len(seen) == 42
    assert seen["web0"].value == seen["web1"].value == "saved"
    assert all(isinstance(seen[host.name].error, Interrupted) for host in slow)


def test_ctrl_c_sets_the_stop_and_the_second_one_interrupts() -> None:
    with stop_on_interrupt() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


PROGRAM = """
import sys
from auditor.fleet import audit_all, stop_on_interrupt
from auditor.host import Host, Timeouts
long = Timeouts(connect=600, auth=600, total=600)
hosts = [Host(f"h{n}", "ssh", "127.0.0.1", int(sys.argv[1]), timeouts=long) for n in range(100)] + [Host("here", "local", timeouts=long)]
with stop_on_interrupt() as stop:
    print("ready", flush=True)
    for outcome in audit_all(hosts, lambda _: ("host",), lambda h, b: h.name, stop=stop, workers=64):
        print(type(outcome.error).__name__, flush=True)
"""


def test_a_process_that_is_interrupted_ends_at_once_with_every_host_told(hanging: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(hanging)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    with process:
        assert process.stdout.readline() == "ready\n"
        assert process.stdout.readline() == "NoneType\n"
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert said.split() == ["Interrupted"] * 100
    assert process.returncode == 0


def test_a_consumer_that_leaves_early_leaves_nothing_behind(saved: Path) -> None:
    stream = audit_all(hosts_of(saved, 30), lambda _: (), names)
    next(stream)
    stream.close()
    time.sleep(0.1)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("host ")]


def test_a_local_collector_is_killed_when_the_run_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "env"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 1000\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    stop = threading.Event()
    stream = audit_all(
        [Host("here", "local")], lambda _: (), names, stop=stop, on_event=lambda _e: stop.set()
    )
    outcomes = list(stream)
    assert isinstance(outcomes[0].error, Interrupted)
    pid = tmp_path / "pid"
    written = pid.read_text().strip() if pid.exists() else ""  # it may have been killed before it wrote that
    assert not written or not Path(f"/proc/{written}").exists()


def test_a_bundle_that_is_none_is_told_apart_from_a_host_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hello")
    assert isinstance(run([Host("a", "bundle", path=tmp_path / "a")])["a"].error, BadReply)

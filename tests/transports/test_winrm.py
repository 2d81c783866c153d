"""Windows hosts by WinRM: an unmodified pywinrm against an endpoint that speaks the protocol."""

import socket
import threading
from pathlib import Path

import pytest
from winrm.exceptions import WinRMError
from winrm.protocol import Protocol

from auditor.collect import armour
from auditor.collect.bundle import Bundle, Section
from auditor.errors import BadReply, DeadlineExceeded, HostError, LoginRefused
from auditor.transports.base import Deadline, open_transport
from tests.lab.wsman import soap
from tests.lab.wsman.login import credentials
from tests.lab.wsman.powershell import recorded
from tests.lab.wsman.service import Drip, Drop, Hang, Output
from tests.transports.windows_world import SECTIONS, Files, World, windows

ROUND_TRIPS = ["Create", "Command", "Send", "Receive", "Signal", "Delete"]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files.make(tmp_path_factory.mktemp("winrm"))


@pytest.fixture(autouse=True)
def ntlm_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTLM_USER_FILE", str(credentials(tmp_path)))


def same(got: Bundle, name: str = "server-2019-default") -> bool:
    return got.complete and dict(got.sections) == {it: recorded(name).sections[it] for it in SECTIONS}


def test_six_round_trips_and_one_connection_bring_a_bundle(files: Files) -> None:
    with windows(files) as world:
        assert same(world.collect())
        assert world.service.operations == ROUND_TRIPS
        assert len(world.endpoint.posts) == 6
        assert world.endpoint.connections == 1
        assert not world.service.shells


@pytest.mark.parametrize("name", ["server-2022-kept", "server-2016-neglected", "desktop", "server-2019-gmsa"])
def test_every_recorded_host_comes_through_unchanged(files: Files, name: str) -> None:
    with windows(files, name=name) as world:
        assert same(world.collect(), name)


@pytest.mark.parametrize(
    ("way", "scheme"), [("ntlm", "https"), ("ntlm", "http"), ("certificate", "https"), ("basic", "https")]
)
def test_every_way_to_log_in_takes_one_connection(files: Files, way: str, scheme: str) -> None:
    with windows(files, way=way, scheme=scheme) as world:
        assert same(world.collect())
        assert world.service.operations == ROUND_TRIPS
        assert world.endpoint.connections == 1


def test_ntlm_over_plain_http_shows_no_message_in_the_clear(files: Files) -> None:
    with windows(files, way="ntlm", scheme="http") as world:
        world.collect()
        assert [post for post in world.endpoint.posts if b"Envelope" in post] == []
        assert sum(b"HTTP-SPNEGO-session-encrypted" in post for post in world.endpoint.posts) == 6


def test_powershell_is_started_without_cmd_and_without_a_console(files: Files) -> None:
    with windows(files) as world:
        world.collect()
        assert world.service.options["Create"] == {"WINRS_NOPROFILE": "TRUE", "WINRS_CODEPAGE": "65001"}
        assert world.service.options["Command"] == {
            "WINRS_CONSOLEMODE_STDIN": "FALSE",
            "WINRS_SKIP_CMD_SHELL": "TRUE",
        }
        assert world.machine.asked == list(SECTIONS)


def test_every_request_fits_the_smallest_envelope_of_windows(files: Files) -> None:
    with windows(files) as world:
        world.collect(*recorded("server-2019-default").sections)
        assert max(map(len, world.endpoint.posts)) < 150 * 1024


def test_output_in_many_pieces_is_put_together(files: Files) -> None:
    with windows(files) as world:
        world.service.piece = 700
        assert same(world.collect())
        assert world.service.operations.count("Receive") > 3


def test_a_large_reply_comes_whole(files: Files) -> None:
    noise = bytes(range(256)) * 4096
    large = Bundle({"host": Section(noise)})
    with windows(files, program=lambda *_: Output(armour.pack(large.dump()))) as world:
        assert world.collect("host").sections["host"].data == noise


def test_what_stands_around_the_reply_is_skipped(files: Files) -> None:
    said = b"Welcome!\r\n" + armour.pack(recorded("desktop").dump()) + b"\r\n  \r\n"
    with windows(files, program=lambda *_: Output(said, b"#< CLIXML\r\n<Objs></Objs>")) as world:
        assert world.collect().sections == recorded("desktop").sections


def test_a_host_that_says_nothing_for_a_while_is_waited_for(files: Files) -> None:
    with windows(files) as world:
        world.service.trouble["Receive"] = [soap.TIMED_OUT, soap.TIMED_OUT]
        assert same(world.collect())


def test_input_that_was_taken_but_confirmed_too_late_is_not_sent_again(files: Files) -> None:
    def late(world: World) -> None:
        taken = world.service.answer

        def answer(request: soap.Request, owner: str) -> bytes | soap.Fault:
            answered = taken(request, owner)
            return soap.TIMED_OUT if request.name == "Send" else answered

        world.service.answer = answer  # type: ignore[method-assign]  # one answer differs

    with windows(files) as world:
        late(world)
        assert same(world.collect())
        assert world.service.operations.count("Send") == 1


def test_a_busy_host_is_asked_again(files: Files) -> None:
    with windows(files) as world:
        world.service.trouble["Send"] = [
            soap.Fault(170, "w:InternalError", "The requested resource is in use.")
        ]
        assert same(world.collect())


@pytest.mark.parametrize("operation", ["Command", "Send", "Receive", "Signal", "Delete"])
@pytest.mark.parametrize("trouble", [soap.TOO_MANY_OPERATIONS, Drop()], ids=["fault", "dropped"])
@pytest.mark.parametrize(("way", "scheme"), [("basic", "https"), ("ntlm", "http")])
def test_no_shell_is_left_whatever_fails(
    files: Files, operation: str, trouble: soap.Fault | Drop, way: str, scheme: str
) -> None:
    with windows(files, way=way, scheme=scheme) as world:
        world.service.trouble[operation] = [trouble]
        if operation in {"Signal", "Delete"}:
            assert same(world.collect())
        else:
            with pytest.raises(HostError):
                world.collect()
        assert not world.service.shells


@pytest.mark.parametrize("operation", ["Create", "Command", "Send", "Receive"])
@pytest.mark.parametrize("trouble", [Hang(), Drip()], ids=["silent", "drips"])
def test_the_deadline_ends_a_host_that_does_not(files: Files, operation: str, trouble: Hang | Drip) -> None:
    with windows(files) as world:
        world.service.trouble[operation] = [trouble]
        with pytest.raises(DeadlineExceeded, match=r"win1: no end within the 1 s this host is given"):
            world.collect(seconds=1)
        assert not world.service.shells


def test_a_host_that_never_finishes_is_left_at_the_deadline(files: Files) -> None:
    with windows(files) as world:
        world.service.trouble["Receive"] = [soap.TIMED_OUT] * 100_000
        with pytest.raises(DeadlineExceeded):
            world.collect(seconds=1)
        assert not world.service.shells


def test_an_interrupted_run_leaves_no_shell(files: Files) -> None:
    with windows(files) as world:
        world.service.trouble["Receive"] = [Hang()]
        deadline, came = Deadline(60), list[HostError]()

        def run() -> None:
            try:
                open_transport(world.host).collect(world.host, SECTIONS, deadline)
            except HostError as error:
                came.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        while "Receive" not in world.service.operations:
            thread.join(0.01)
        deadline.cut()
        thread.join(10)
        assert isinstance(came[0], DeadlineExceeded)
        assert not world.service.shells


def test_ctrl_c_leaves_no_shell(files: Files) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with windows(files) as world:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Protocol, "send_command_input", interrupt)
            with pytest.raises(KeyboardInterrupt):
                world.collect()
        assert not world.service.shells


def test_constrained_language_mode_is_named(files: Files) -> None:
    with (
        windows(
            files, program=lambda *_: Output(b"docker-host-auditor language ConstrainedLanguage\r\n")
        ) as world,
        pytest.raises(LoginRefused, match=r"ConstrainedLanguage mode \(AppLocker"),
    ):
        world.collect()


def test_powershells_own_error_is_shown_without_its_wrapping(files: Files) -> None:
    recordings = Path(__file__).parents[1] / "recordings" / "winrm"
    complaint = (recordings / "error.clixml").read_bytes()
    with (
        windows(files, program=lambda *_: Output(b"", complaint, 1)) as world,
        pytest.raises(BadReply) as caught,
    ):
        world.collect()
    assert "ended with status 1 without a reply (fake : The term 'fake' is not recognized" in str(
        caught.value
    )
    assert "_x000D_" not in str(caught.value)


def test_progress_is_no_error(files: Files) -> None:
    complaint = (Path(__file__).parents[1] / "recordings" / "winrm" / "progress.clixml").read_bytes()
    with (
        windows(files, program=lambda *_: Output(b"", complaint)) as world,
        pytest.raises(BadReply, match=r"status 0 without a reply \(it said nothing\)"),
    ):
        world.collect()


def test_a_reply_that_was_changed_on_the_way_is_refused(files: Files) -> None:
    packed = armour.pack(recorded("desktop").dump())
    changed = packed.replace(packed.splitlines()[3], b"A" * 76)
    with (
        windows(files, program=lambda *_: Output(changed)) as world,
        pytest.raises(BadReply, match="SHA-256 does not fit"),
    ):
        world.collect()


def test_a_reply_that_broke_off_is_refused(files: Files) -> None:
    packed = armour.pack(recorded("desktop").dump())
    with (
        windows(files, program=lambda *_: Output(packed[:-300])) as world,
        pytest.raises(BadReply, match="broke off before its end"),
    ):
        world.collect()


def test_pywinrm_itself_finds_the_endpoint_as_it_knows_windows(files: Files) -> None:
    """The endpoint is no accomplice: pywinrm's own high-level loop works with it, and its faults are pywinrm's."""
    with windows(files, program=lambda command, *_: Output(f"ran {command}".encode(), b"oh", 3)) as world:
        protocol = Protocol(
            f"https://127.0.0.1:{world.endpoint.port}/wsman",
            "basic",
            username="auditor",
            password="S0me-Password",
            ca_trust_path=str(files.ca),
            proxy=None,
        )
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "ipconfig")
        protocol.send_command_input(shell, command, b"", end=True)
        assert protocol.get_command_output(shell, command) == (b"ran ipconfig", b"oh", 3)
        protocol.cleanup_command(shell, command)
        protocol.close_shell(shell, close_session=False)
        with pytest.raises(WinRMError, match="shell was not found"):
            protocol.run_command(shell, "ipconfig")
        protocol.transport.close_session()


def test_a_port_that_nobody_listens_on_is_named(files: Files) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with windows(files) as world:
            object.__setattr__(world.host, "port", taken.getsockname()[1])
            with pytest.raises(HostError, match="the port is closed: switch its WinRM listener on"):
                world.collect()

"""Recorded traffic of real hosts: our endpoint words its messages like them, and pywinrm understands them alike."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml
from winrm.exceptions import WSManFaultError
from winrm.protocol import Protocol

from tests.lab.wsman import soap
from tests.lab.wsman.login import PASSWORD, USER
from tests.lab.wsman.server import Endpoint, serving
from tests.lab.wsman.service import Http, Output, Service
from tests.transports.windows_world import Files, windows

RECORDINGS = Path(__file__).parents[1] / "recordings" / "winrm"
SENT = sorted(RECORDINGS.glob("pywinrm_*.xml"))


def exchanges(name: str) -> list[dict[str, Any]]:
    recorded: list[dict[str, Any]] = yaml.safe_load((RECORDINGS / f"{name}.yml").read_text())["messages"]
    return recorded


class Recorded(Service):
    """Answers one recorded message after the other, whatever is asked; only what it relates to is made to fit."""

    def __init__(self, name: str) -> None:
        super().__init__(lambda *_: Output())
        self.waiting = exchanges(name)

    def answer(self, request: soap.Request, owner: str) -> bytes | soap.Fault:
        recorded = self.waiting.pop(0)
        text = re.sub(r"(RelatesTo>)[^<]*", rf"\g<1>{request.message_id}", recorded["response"])
        if "transport_error" in recorded:
            raise _Refusal(recorded["transport_error"]["code"], text.encode())
        return text.encode()

    def next_trouble(self, operation: str) -> Any:
        super().next_trouble(operation)
        following = self.waiting[0]
        if "transport_error" not in following:
            return None
        self.waiting.pop(0)
        return Http(
            following["transport_error"]["code"],
            following["response"].encode(),
            (("Content-Type", "application/soap+xml"),),
        )


class _Refusal(Exception):
    pass


def talk(endpoint: Endpoint) -> Protocol:
    no_bundle: Any = None  # pywinrm takes None; its annotation does not say so
    address = f"http://127.0.0.1:{endpoint.port}/wsman"
    return Protocol(address, "basic", username=USER, password=PASSWORD, ca_trust_path=no_bundle, proxy=None)


def replay(name: str, *, sends: int = 0) -> tuple[bytes, bytes, int]:
    """What pywinrm makes of a recording of Create, Command, Send, Receive, Signal and Delete."""
    with serving(Endpoint(Recorded(name))) as endpoint:
        protocol = talk(endpoint)
        try:
            shell = protocol.open_shell()
            command = protocol.run_command(shell, "anything")
            for _ in range(sends):
                protocol.send_command_input(shell, command, b"text")
            answer = protocol.get_command_output(shell, command)
            protocol.cleanup_command(shell, command)
            protocol.close_shell(shell, close_session=False)
        finally:
            protocol.transport.close_session()
    return answer


def test_pywinrm_reads_a_recorded_session() -> None:
    assert replay("winrs_standard") == (b"hi\r\n", b"", 0)


def test_pywinrm_reads_a_recorded_session_with_input() -> None:
    assert replay("winrs_send", sends=2) == (b"output 1\noutput 2\n", b"", 0)


def test_pywinrm_waits_through_recorded_operation_time_outs() -> None:
    out, err, status = replay("winrs_operation_timeout")
    assert out
    assert (err, status) == (b"", 0)


def test_pywinrm_tells_a_recorded_fault_by_its_number() -> None:
    with pytest.raises(WSManFaultError) as caught:
        replay("winrs_no_cmd_shell")
    assert caught.value.wsman_fault_code == soap.NOT_FOUND.code
    with pytest.raises(WSManFaultError) as caught:
        replay("winrs_bad_cmd_id")
    assert caught.value.wsman_fault_code == soap.GONE.code


def shape(element: ET.Element) -> Any:
    """Names and attributes of all elements; identifiers, texts and machine's names are not looked at."""
    attributes = sorted(element.attrib)
    return element.tag, attributes, [shape(child) for child in element]


def asked_and_answered(name: str) -> dict[str, tuple[str, str]]:
    """The first request and good answer of each operation."""
    found: dict[str, tuple[str, str]] = {}
    for message in exchanges(name):
        operation = soap.read(message["request"].encode()).name
        if "transport_error" not in message:
            found.setdefault(operation, (message["request"], message["response"]))
    return found


def ours(operation: str, request: soap.Request) -> bytes:
    match operation:
        case "Create":
            return soap.created(request, "A", "vagrant")
        case "Command":
            return soap.started(request, "B")
        case "Receive":
            return soap.received(request, "B", [("stdout", "aGk=")] * 3, 0)
        case "Delete":
            return soap.deleted(request)
    return soap.taken(request)


@pytest.mark.parametrize("operation", ["Create", "Command", "Send", "Receive", "Signal", "Delete"])
def test_the_endpoint_words_its_answers_as_a_real_host(operation: str) -> None:
    asked, answered = asked_and_answered("winrs_send")[operation]
    made = ours(operation, soap.read(asked.encode()))
    assert shape(ET.fromstring(made)) == shape(ET.fromstring(answered))  # noqa: S314  both are ours


@pytest.mark.parametrize(
    ("name", "fault"),
    [("winrs_operation_timeout", soap.TIMED_OUT), ("winrs_bad_cmd_id", soap.GONE)],
)
def test_the_endpoint_words_its_faults_as_a_real_host(name: str, fault: soap.Fault) -> None:
    real = next(it["response"] for it in exchanges(name) if "transport_error" in it)
    made, recorded = ET.fromstring(soap.refused("uuid:1", fault)), ET.fromstring(real)  # noqa: S314  both are ours
    path = ".//{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}WSManFault"
    assert [it.attrib["Code"] for it in made.iterfind(path)] == [
        it.attrib["Code"] for it in recorded.iterfind(path)
    ]
    subcode = "s:Body/s:Fault/s:Code/s:Subcode/s:Value"
    assert made.findtext(subcode, namespaces=soap.SPACES) == recorded.findtext(
        subcode, namespaces=soap.SPACES
    )


def test_we_send_what_pywinrm_was_recorded_to_send(tmp_path: Path) -> None:
    with windows(Files.make(tmp_path)) as world:
        world.collect()
        sent = [ET.fromstring(post) for post in world.endpoint.posts]  # noqa: S314  both are ours
    recorded = [ET.fromstring(file.read_bytes()) for file in SENT]  # noqa: S314  both are ours
    assert [_header(each) for each in sent] == [_header(each) for each in recorded]


def _header(message: ET.Element) -> Any:
    header = message.find("s:Header", soap.SPACES)
    assert header is not None
    return shape(header), header.findtext("a:Action", namespaces=soap.SPACES)

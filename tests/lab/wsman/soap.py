"""Messages of WS-Management, worded as recorded hosts word them (tests/recordings/winrm)."""

import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CMD = f"{SHELL}/cmd"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
SPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "rsp": SHELL,
}
_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in SPACES.items())
_ANONYMOUS = f"{SPACES['a']}/role/anonymous"


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    action: str
    message_id: str
    shell: str
    options: dict[str, str]
    body: ET.Element
    seconds: float

    @property
    def name(self) -> str:
        """``Create``, ``Command``, ``Send``, ``Receive``, ``Signal`` or ``Delete``."""
        return self.action.rpartition("/")[2]

    def text(self, name: str) -> str:
        """The text of an element of the shell's own name space."""
        found = self.body.find(f".//{{{SHELL}}}{name}")
        return (found.text or "") if found is not None else ""

    def attribute(self, element: str, name: str) -> str:
        """An attribute of an element."""
        found = self.body.find(f".//{{{SHELL}}}{element}")
        return found.get(name, "") if found is not None else ""


@dataclass(frozen=True)
class Fault:
    """A refusal: Windows' own number, the protocol's word for it, and a sentence."""

    code: int
    subcode: str = "w:InternalError"
    reason: str = "The WS-Management service cannot process the request."
    as_wmi_error: bool = False


TIMED_OUT = Fault(
    2150858793,
    "w:TimedOut",
    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
)
GONE = Fault(
    2150858843,
    "w:InvalidSelectors",
    "The request for the Windows Remote Shell with ShellId failed because the shell was not found on the server. ",
)
DENIED = Fault(5, "w:AccessDenied", "Access is denied. ")
TOO_MANY_SHELLS = Fault(
    2150859173,
    "w:QuotaLimit",
    "The WS-Management service cannot process the request. This user is allowed a maximum number of 5 concurrent shells.",
)
TOO_MANY_OPERATIONS = Fault(2150859174, "w:InternalError", as_wmi_error=True)
NOT_FOUND = Fault(2147942402, reason="The system cannot find the file specified. ")


def read(raw: bytes) -> Request:
    """Take a client's message apart, however it chooses its prefixes."""
    root = ET.fromstring(raw)  # noqa: S314  the client is ours
    header, body = root.find("s:Header", SPACES), root.find("s:Body", SPACES)
    assert header is not None
    assert body is not None
    assert header.findtext("w:ResourceURI", "", SPACES) == CMD
    selector = header.find("w:SelectorSet/w:Selector[@Name='ShellId']", SPACES)
    options = header.findall("w:OptionSet/w:Option", SPACES)
    return Request(
        header.findtext("a:Action", "", SPACES),
        header.findtext("a:MessageID", "", SPACES),
        (selector.text or "") if selector is not None else "",
        {option.get("Name", ""): option.text or "" for option in options},
        body,
        float(header.findtext("w:OperationTimeout", "PT60S", SPACES)[2:-1]),
    )


def answer(request: Request, body: str) -> bytes:
    return _envelope(f"{request.action}Response", request.message_id, body)


def created(request: Request, shell: str, owner: str) -> bytes:
    return answer(
        request,
        f'<x:ResourceCreated xmlns:x="{TRANSFER}"><a:Address>http://127.0.0.1/wsman</a:Address><a:ReferenceParameters>'
        f'<w:ResourceURI>{CMD}</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>'
        f"</a:ReferenceParameters></x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId>"
        f"<rsp:ResourceUri>{CMD}</rsp:ResourceUri><rsp:Owner>{escape(owner)}</rsp:Owner><rsp:ClientIP>127.0.0.1</rsp:ClientIP>"
        f"<rsp:IdleTimeOut>PT7200.000S</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams>"
        f"<rsp:OutputStreams>stdout stderr</rsp:OutputStreams><rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime>"
        f"<rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity></rsp:Shell>",
    )


def started(request: Request, command: str) -> bytes:
    return answer(
        request, f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>"
    )


def taken(request: Request) -> bytes:
    return answer(request, f"<rsp:{request.name}Response/>")


def received(request: Request, command: str, output: list[tuple[str, str]], status: int | None) -> bytes:
    """``output`` are pairs of stream and base64; with a ``status`` the command is done."""
    streams = [
        f'<rsp:Stream Name="{name}" CommandId="{command}">{text}</rsp:Stream>' for name, text in output
    ]
    state, code = "Running", ""
    if status is not None:
        streams += [
            f'<rsp:Stream Name="{name}" CommandId="{command}" End="true"></rsp:Stream>'
            for name in ("stdout", "stderr")
        ]
        state, code = "Done", f"<rsp:ExitCode>{status}</rsp:ExitCode>"
    return answer(
        request,
        f"<rsp:ReceiveResponse>{''.join(streams)}"
        f'<rsp:CommandState CommandId="{command}" State="{SHELL}/CommandState/{state}">{code}</rsp:CommandState>'
        f"</rsp:ReceiveResponse>",
    )


def deleted(request: Request) -> bytes:
    return answer(request, "")


def refused(message_id: str, fault: Fault) -> bytes:
    message = f"<f:Message>{escape(fault.reason)}</f:Message>"
    detail = (
        f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{fault.code}" '
        f'Machine="127.0.0.1">{message}</f:WSManFault>'
    )
    if fault.as_wmi_error:
        space = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
        detail = (
            f'<p:MSFT_WmiError xmlns:p="{space}"><p:error_Code>{fault.code}</p:error_Code></p:MSFT_WmiError>'
        )
    body = (
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(fault.reason)}</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>'
    )
    return _envelope("http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", message_id, body)


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" {_DECLARED}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{_ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{relates_to}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()

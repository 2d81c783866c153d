"""What a failed WS-Management exchange means, and what to do about it: one sentence for each."""

import errno
import ssl
from xml.etree.ElementTree import ParseError

import requests
import spnego.exceptions
import urllib3
from winrm.exceptions import InvalidCredentialsError, WinRMError, WinRMTransportError, WSManFaultError

from auditor.errors import BadReply, HostError, HostKeyRejected, LoginRefused, Unreachable
from auditor.host import Host
from auditor.transports.base import causes, shortened

ODD = (
    WinRMError,
    WinRMTransportError,
    spnego.exceptions.SpnegoError,
    urllib3.exceptions.HTTPError,
    ParseError,
    OSError,
    AssertionError,
    StopIteration,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
)
"""All that pywinrm and what it stands on let through when a host does not answer as it should."""

BUSY = 170
_UNFILTER = (
    "use a domain account or the built-in Administrator, or let local administrators keep their rights over the network "
    "(LocalAccountTokenFilterPolicy = 1)"
)
_WAIT = "wait until idle shells end, or raise it there (winrm get winrm/config/winrs)"
_BLOCKED = "does not let powershell.exe start (AppLocker or a software restriction policy): exempt the account that audits"

_FAULTS: dict[int | None, tuple[type[HostError], str]] = {
    5: (LoginRefused, f"lets {{user}} log in but not run anything: it is not an administrator, or its rights are filtered by UAC: {_UNFILTER}"),
    1260: (LoginRefused, _BLOCKED),
    2147943660: (LoginRefused, _BLOCKED),
    2147942405: (LoginRefused, f"refuses {{user}} access: {_UNFILTER}"),
    2147942402: (BadReply, "has no powershell.exe: Nano Server and the like cannot be audited this way"),
    2150858843: (BadReply, "ended our shell meanwhile (WinRM was restarted, or an administrator did it): try again"),
    2150859173: (BadReply, f"has no room for another shell of {{user}} (quota MaxShellsPerUser): {_WAIT}"),
    2150859174: (BadReply, f"has no room for another operation of {{user}} (quota MaxConcurrentOperationsPerUser): {_WAIT}"),
    2150859175: (BadReply, f"has no room for another operation of {{user}} (a quota of WinRM): {_WAIT}"),
    2150859176: (BadReply, f"has no room for another operation (a quota of WinRM for the whole system): {_WAIT}"),
    2150859179: (BadReply, f"has too many users with shells (quota MaxConcurrentUsers): {_WAIT}"),
    2150858993: (BadReply, "cannot take a request of this size: raise MaxEnvelopeSizekb (winrm get winrm/config)"),
}  # fmt: skip

_HTTP: dict[int, tuple[type[HostError], str]] = {
    400: (BadReply, "does not understand the request: with scheme http it may not allow NTLM or Kerberos there; use https"),
    403: (LoginRefused, "forbids access (HTTP 403): does it allow this address and user (winrm get winrm/config/service), and is no proxy in between?"),
    404: (Unreachable, "has no WinRM at /wsman: is that the port of its WinRM listener (5986, or 5985 for http)?"),
    413: (BadReply, "cannot take a request of this size: raise MaxEnvelopeSizekb (winrm get winrm/config)"),
    500: (BadReply, "fails inside WinRM without saying why (HTTP 500): restart its service WinRM, or see its event log"),
    503: (Unreachable, "cannot serve WinRM now (HTTP 503): is its service WinRM running?"),
}  # fmt: skip

_SYSTEM = {
    errno.ECONNREFUSED: "the port is closed: switch its WinRM listener on (winrm quickconfig -transport:https), and is that the port?",
    errno.ECONNRESET: "it closed the connection: is that the port of its WinRM listener, and does it take more connections?",
    errno.EHOSTUNREACH: "there is no way there: is it up, and does a firewall let us through?",
    errno.ENETUNREACH: "there is no way there: is the network up?",
}  # fmt: skip


class Refused(InvalidCredentialsError):
    """HTTP 401; ``offers`` are the ways to log in that the host names."""

    def __init__(self, offers: str) -> None:
        super().__init__("refused")
        self.offers = offers


class InTheClear(WinRMError):
    """An answer that should have been encrypted was not."""


def explain(host: Host, where: str, error: BaseException) -> HostError:
    """The error to show. ``where`` is the address that was tried."""
    if isinstance(error, WSManFaultError):
        return _fault(host, where, error)
    if isinstance(
        error, InvalidCredentialsError | spnego.exceptions.SpnegoError | PermissionError | FileNotFoundError
    ):
        return _refused(host, where, error)
    if isinstance(error, WinRMTransportError):
        return _http(where, error.code)
    if isinstance(error, InTheClear):
        return HostKeyRejected(
            f"{where} answers in the clear to an encrypted request: somebody is in between; use scheme https"
        )
    return _connection(host, where, error)


def _fault(host: Host, where: str, error: WSManFaultError) -> HostError:
    for code in (error.wsman_fault_code, error.wmierror_code):
        if code in _FAULTS:
            kind, text = _FAULTS[code]
            return kind(f"{where} {text.format(user=_user(host))}")
    if error.fault_subcode and error.fault_subcode.endswith("AccessDenied"):
        kind, text = _FAULTS[5]
        return kind(f"{where} {text.format(user=_user(host))}")
    number = error.wsman_fault_code or error.wmierror_code or error.code
    return BadReply(
        f"{where} answers with WS-Management fault {number} ({shortened(error.reason)}): look it up with winrm helpmsg {number}"
    )


def _refused(host: Host, where: str, error: BaseException) -> LoginRefused:
    if host.winrm.auth == "certificate":
        return LoginRefused(
            f"{where} refuses the client certificate: is it mapped to an account there (winrm get winrm/config/service/certmapping), and is Certificate switched on?"
        )
    offers = getattr(error, "offers", "")
    named = {word.casefold() for word in offers.replace(",", " ").split()}
    wanted = {"ntlm": {"ntlm", "negotiate"}, "kerberos": {"kerberos", "negotiate"}, "basic": {"basic"}}[
        host.winrm.auth
    ]
    if named and not named & wanted:
        return LoginRefused(
            f"{where} does not offer {host.winrm.auth}, only {offers}: choose one of these as auth, or switch it on there (winrm get winrm/config/service/auth)"
        )
    if host.winrm.auth == "kerberos":
        return LoginRefused(
            f"{where} refuses the Kerberos ticket: is there a valid one (klist), and is the address the name in the domain?"
        )
    return LoginRefused(
        f"{where} refuses {_user(host)}: is the password right, and the name in full (DOMAIN\\user, user@domain, or HOST\\user for a local account)?"
    )


def _http(where: str, code: int) -> HostError:
    if code in _HTTP:
        kind, text = _HTTP[code]
        return kind(f"{where} {text}")
    step = "give the address of WinRM itself" if 300 <= code < 400 else "is WinRM on that port?"  # noqa: PLR2004  redirections
    return BadReply(f"{where} answers with HTTP status {code}: {step}")


def _connection(host: Host, where: str, error: BaseException) -> HostError:
    made_of = list(causes(error))
    tls = [cause for cause in made_of if isinstance(cause, ssl.SSLError)]
    if tls:
        return _tls(host, where, tls[-1])
    for cause in made_of:
        if isinstance(cause, OSError) and cause.errno in _SYSTEM:
            return Unreachable(f"{where}: {_SYSTEM[cause.errno]}")
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in made_of):
        return Unreachable(f"{where}: no address is known for that name: correct it in the inventory, or DNS")
    if any(
        isinstance(cause, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError)
        for cause in made_of
    ):
        return Unreachable(f"{where} did not answer in time: is it up, and does a firewall let us through?")
    if isinstance(error, requests.ConnectionError | urllib3.exceptions.HTTPError):
        return Unreachable(f"{where}: {_SYSTEM[errno.ECONNRESET]}")
    return BadReply(
        f"{where} does not answer like WinRM ({type(error).__name__}: {shortened(str(error), 80)}): is WinRM on that port?"
    )


def _tls(host: Host, where: str, error: ssl.SSLError) -> HostError:
    if isinstance(error, ssl.SSLCertVerificationError):
        trusted = (
            f"is {host.winrm.ca_file} what it was issued by"
            if host.winrm.ca_file
            else "set ca_file to what it was issued by"
        )
        return HostKeyRejected(
            f"{where}: its certificate is not trusted ({error.verify_message}): {trusted}, and is it for this address?"
        )
    reason = shortened(error.reason or str(error))
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return Unreachable(
            f"{where} does not speak TLS ({reason}): is 5986 the port, and not that of the HTTP listener?"
        )
    return Unreachable(
        f"{where}: TLS failed ({reason}): does it offer TLS 1.2, and does it take the client certificate?"
    )


def _user(host: Host) -> str:
    return f"user {host.user}" if host.user else "your user"

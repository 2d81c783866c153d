"""One connection to a host's WS-Management service: pywinrm, kept within our deadline and our rules."""

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import requests
import winrm.transport
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from winrm.exceptions import WinRMTransportError
from winrm.protocol import Protocol

from auditor.errors import LoginRefused
from auditor.host import Host
from auditor.transports.base import Deadline
from auditor.transports.winrm_faults import ODD, InTheClear, Refused, explain

_PORTS = {"https": 5986, "http": 5985}
_OPERATION = 20
_LEEWAY = 10.0
_LARGEST = 4 * 1024 * 1024
_CHUNK = 65536
_UNAUTHORIZED = 401

T = TypeVar("T")


class Link:
    """
    A host's endpoint, not yet connected; the first question connects and logs in.

    Raises:
        LoginRefused: what is asked for would send a secret in the clear, or something is missing here.
    """

    def __init__(self, host: Host, deadline: Deadline, doing: str = "the collector on") -> None:
        self.host, self.deadline, self.doing = host, deadline, f"{doing} {host.name}"
        self.where = f"{host.name} at {_address(host)}"
        options = _options(host)
        self.protocol = Protocol(**options)
        # The protocol's own transport is of the same kind, but reads the environment and knows no deadline.
        auth = options.pop("transport")
        options.pop("operation_timeout_sec")
        self._door = _Door(self, auth_method=auth, **options)
        self.protocol.transport = self._door

    def ask(self, method: Callable[..., T], *arguments: object, **options: object) -> T:
        """
        One exchange. An operation's own time-out comes through as pywinrm raises it.

        Raises:
            HostError: it went wrong; the message says what to do.
        """
        self.protocol.operation_timeout_sec = max(1, int(self.deadline.left(self.doing, at_most=_OPERATION)))
        try:
            return method(*arguments, **options)
        except ODD as error:
            if self.deadline.passed:
                raise self.deadline.exceeded(self.doing) from error
            raise explain(self.host, self.where, error) from error

    def cut(self) -> None:
        """End what blocks, from another thread."""
        for opened in self._door.opened:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let the connection go."""
        self._door.close_session()


class _Door(winrm.transport.Transport):
    """pywinrm's transport, which never looks at the environment, follows no redirection and takes no endless answer."""

    def __init__(self, link: Link, **options: Any) -> None:
        super().__init__(**options)
        self._link = link
        self.opened: list[socket.socket] = []

    def build_session(self) -> requests.Session:
        session: requests.Session = super().build_session()
        self._settle(session)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        self._settle(session)
        super().setup_encryption(session)

    def _settle(self, session: requests.Session) -> None:
        if session.trust_env:
            session.trust_env = False
            session.proxies = {}
            session.mount("http://", _Adapter(self.opened))
            session.mount("https://", _Adapter(self.opened))

    def send_message(self, message: str | bytes) -> bytes:
        self.build_session()
        if self.message_encryption == "always" and self.encryption is None:
            raise InTheClear("no encryption was agreed on")
        answer: bytes = super().send_message(message)
        return answer

    def _send_message_request(
        self, session: requests.Session, prepared_request: requests.PreparedRequest
    ) -> requests.Response:
        deadline, doing = self._link.deadline, self._link.doing
        timeout = (
            deadline.left(doing, at_most=self._link.host.timeouts.connect),
            deadline.left(doing, at_most=_OPERATION + _LEEWAY),
        )
        with session.send(prepared_request, timeout=timeout, stream=True, allow_redirects=False) as response:
            response._content = _body(response)  # noqa: SLF001  there is no public way to set it
        if response.status_code == _UNAUTHORIZED:
            raise Refused(_offers(response))
        if not response.status_code == requests.codes.ok:
            raise WinRMTransportError("http", response.status_code, self._words(response))
        return response

    def _words(self, response: requests.Response) -> str:
        return (
            self._get_message_response_text(response).decode("utf-8", "replace") if response.content else ""
        )

    def _get_message_response_text(self, response: requests.Response) -> bytes:
        is_encrypted = "encrypted" in response.headers.get("Content-Type", "")
        if self.encryption and response.ok and not is_encrypted:
            raise InTheClear("the answer is not encrypted")
        answer: bytes = (
            super()._get_message_response_text(response)
            if is_encrypted or not self.encryption
            else response.content
        )
        return answer


class _Adapter(HTTPAdapter):
    """Notes the sockets that it opens, so that a deadline can end what blocks on them."""

    def __init__(self, opened: list[socket.socket]) -> None:
        self._opened = opened
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        opened = self._opened

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                opened.append(self.sock)

        class Tls(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                opened.append(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _LARGEST:
            raise ValueError(f"an answer of more than {_LARGEST // 1024**2} MiB")
    return bytes(body)


def _offers(response: requests.Response) -> str:
    """The ways to log in that a refusal names, without their parameters."""
    offered = response.headers.get("WWW-Authenticate", "").split(",")
    return ", ".join(
        dict.fromkeys(words.split()[0] for words in offered if words.split() and "=" not in words.split()[0])
    )


def _address(host: Host) -> str:
    name = host.address or host.name
    name = f"[{name}]" if ":" in name else name
    return f"{host.winrm.scheme}://{name}:{host.port or _PORTS[host.winrm.scheme]}"


def _options(host: Host) -> dict[str, Any]:
    """What pywinrm is given. Everything that it would otherwise take from the environment is said."""
    chosen = host.winrm
    if chosen.scheme == "http" and chosen.auth in {"basic", "certificate"}:
        raise LoginRefused(
            f"{host.name}: {chosen.auth} over plain http would show everything to everybody on the way: use scheme https, or auth ntlm"
        )
    if chosen.auth == "kerberos" and not winrm.transport.HAVE_KERBEROS:
        raise LoginRefused(
            f"{host.name}: Kerberos needs a further package: pip install 'docker-host-auditor[kerberos]'"
        )
    ca_file = _file(host, "ca_file", chosen.ca_file, "ca.pem")
    options: dict[str, Any] = {
        "endpoint": f"{_address(host)}/wsman",
        "transport": chosen.auth,
        "operation_timeout_sec": _OPERATION,
        "read_timeout_sec": int(_OPERATION + _LEEWAY),
        "server_cert_validation": "validate",
        "ca_trust_path": str(ca_file) if ca_file else None,
        "message_encryption": "always" if chosen.scheme == "http" else "auto",
        "proxy": None,
    }
    return options | _credentials(host)


def _credentials(host: Host) -> dict[str, Any]:
    if host.winrm.auth == "certificate":
        cert = _file(host, "cert_file", host.winrm.cert_file, "cert.pem")
        key = _file(host, "key_file", host.winrm.key_file, "key.pem")
        if not (cert and key):
            raise LoginRefused(f"{host.name}: auth certificate needs cert_file and key_file: name them")
        return {"cert_pem": str(cert), "cert_key_pem": str(key)}
    if host.winrm.auth == "kerberos":
        return {"username": host.user or None}
    if not (host.user and host.password):
        raise LoginRefused(
            f"{host.name}: auth {host.winrm.auth} needs user and password (by reference): name them"
        )
    return {"username": host.user, "password": host.password.reveal()}


def _file(host: Host, setting: str, named: Path | None, usual: str) -> Path | None:
    """A file that is named, which must be there, or the usual one in ``tls_dir``, if it is there."""
    if named:
        if not named.is_file():
            raise LoginRefused(f"{host.name}: there is no file {named}: correct {setting}")
        return named
    file = host.tls_dir / usual if host.tls_dir else None
    return file if file and file.is_file() else None

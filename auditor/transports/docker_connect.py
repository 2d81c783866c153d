"""One kept-alive connection to an engine's API: unix socket, plain TCP, or TCP with mutual TLS."""

import errno
import json
import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import requests
from docker.constants import MINIMUM_DOCKER_API_VERSION
from requests.adapters import HTTPAdapter

from auditor.collect.bundle import MAX_BYTES
from auditor.errors import BadReply, HostError, HostKeyRejected, LoginRefused, Unreachable
from auditor.host import Host
from auditor.transports.base import Deadline, causes, shortened

_PLAIN_PORT, _TLS_PORT = 2375, 2376
_READ_SECONDS = 30.0
_CHUNK = 65536
_OK = 200


class Refusal(Exception):
    """The engine answered a request with an error."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, text
        super().__init__(f"{text} (HTTP {status})")


@dataclass
class Engine:
    """
    An engine's API. ``lenient`` leaves out the strict X.509 rules that Python 3.13 and later add on their own.

    Raises:
        LoginRefused: the certificates in ``tls_dir`` cannot be used.
    """

    host: Host
    deadline: Deadline
    lenient: bool = False
    _left: int = field(default=MAX_BYTES)
    _version: str = ""

    def __post_init__(self) -> None:
        context = _context(self.host, lenient=self.lenient) if self.host.tls_dir else None
        tls = docker.tls.TLSConfig(ca_cert=str(_pem(self.host, "ca.pem")), verify=True) if context else False
        # The version given here is not used: ours are the server's own paths, asked for below.
        self._client = docker.APIClient(
            address(self.host), MINIMUM_DOCKER_API_VERSION, tls=tls, num_pools=1, max_pool_size=1
        )
        self._client.trust_env = False
        if context:
            self._client.mount("https://", _Adapter(context))

    def knock(self) -> None:
        """
        See whether a unix socket lets us in: docker-py forgets to close the one it could not connect.

        Raises:
            Unreachable, LoginRefused: it does not.
        """
        where = address(self.host)
        if where.startswith("unix://"):
            with socket.socket(socket.AF_UNIX) as sock:
                try:
                    sock.settimeout(
                        self.deadline.left(f"connecting to {where}", at_most=self.host.timeouts.connect)
                    )
                    sock.connect(where.removeprefix("unix://"))
                except OSError as error:
                    raise explain(self.host, requests.ConnectionError(error)) from error

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def use(self, version: str) -> None:
        """From now on, ask for this version of the API."""
        if not re.fullmatch(r"\d+\.\d+", version):
            raise BadReply(
                f"{self.host.name}: the engine calls its API version {shortened(version)!r}: is it a Docker engine?"
            )
        self._version = f"/v{version}"

    def get(self, path: str, **parameters: str) -> Any:
        """
        The decoded answer to a GET.

        Raises:
            Refusal: the engine answered with an error.
            HostError: it did not answer, or not with JSON.
            requests.RequestException: the connection; see ``explain``.
        """
        doing = f"the engine of {self.host.name} ({path})"
        timeout = (
            self.deadline.left(doing, at_most=self.host.timeouts.connect),
            self.deadline.left(doing, at_most=_READ_SECONDS),
        )
        url = f"{self._client.base_url}{self._version}{path}"
        with self._client.get(
            url, params=parameters, timeout=timeout, stream=True, allow_redirects=False
        ) as response:
            body = self._body(response, doing)
        if response.status_code != _OK:
            raise Refusal(response.status_code, _message(body))
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise BadReply(
                f"{doing} answers no JSON ({shortened(body, 80)}): is it a Docker engine?"
            ) from error

    def _body(self, response: requests.Response, doing: str) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            self.deadline.left(doing)
            self._left -= len(chunk)
            if self._left < 0:
                raise BadReply(
                    f"{doing} sends more than {MAX_BYTES // 1024**2} MiB: this is not an engine's answer"
                )
            body += chunk
        return bytes(body)


def address(host: Host) -> str:
    """``unix:///path``, or ``tcp://host:port`` with the usual port if none is given."""
    given = host.address.removeprefix("tcp://").rstrip("/")
    if host.path or host.address.startswith(("unix:", "/")) or not (given or host.name):
        return f"unix://{host.path or host.address.removeprefix('unix://') or '/var/run/docker.sock'}"
    given = given or host.name
    if re.search(r"(^[^:]*|\]):\d+$", given):
        return f"tcp://{given}"
    given = f"[{given}]" if ":" in given and not given.startswith("[") else given
    return f"tcp://{given}:{host.port or (_TLS_PORT if host.tls_dir else _PLAIN_PORT)}"


def explain(host: Host, error: requests.RequestException) -> HostError:
    """What a failed connection means, and what to do about it."""
    where, made_of = f"{host.name} at {address(host)}", list(causes(error))
    tls = [cause for cause in made_of if isinstance(cause, ssl.SSLError)]
    if tls:
        return _explain_tls(host, where, tls[-1])
    for cause in made_of:
        if isinstance(cause, OSError) and cause.errno in _SYSTEM:
            kind, text = _SYSTEM[cause.errno]
            return kind(f"{where}: {text}")
    if isinstance(error, requests.Timeout):
        return Unreachable(f"{where} did not answer in time: is it up, and does a firewall let us through?")
    hint = (
        "does it accept the client certificate?"
        if host.tls_dir
        else "is it an engine, and without TLS? (else set tls_dir)"
    )
    return Unreachable(f"{where}: {shortened(str(made_of[-1]))}: {hint}")


_SYSTEM: dict[int | None, tuple[type[HostError], str]] = {
    errno.EACCES: (
        LoginRefused,
        "permission denied: run as root or as a member of the socket's group (often docker)",
    ),
    errno.ENOENT: (Unreachable, "there is no such socket: is the engine running, and is that its socket?"),
    errno.ECONNREFUSED: (Unreachable, "connection refused: is the engine running and listening there?"),
}


def _explain_tls(host: Host, where: str, error: ssl.SSLError) -> HostError:
    reason = shortened(error.reason or str(error))
    if isinstance(error, ssl.SSLCertVerificationError):
        return HostKeyRejected(
            f"{where}: its certificate is not accepted ({error.verify_message}): is {host.tls_dir}/ca.pem the authority that "
            f"issued it, and is it for this address?"
        )
    if "ALERT" in reason or isinstance(error, ssl.SSLEOFError):
        return LoginRefused(
            f"{where} refuses the client certificate ({reason}): is {host.tls_dir}/cert.pem valid, for clients, and issued by the "
            f"authority that the daemon trusts (tlscacert)?"
        )
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return Unreachable(
            f"{where} does not speak TLS ({reason}): it is open to everybody; to audit it as it is, leave out tls_dir"
        )
    return Unreachable(f"{where}: TLS failed ({reason})")


def _pem(host: Host, name: str) -> Path:
    return (host.tls_dir or Path()) / name


def _context(host: Host, *, lenient: bool) -> ssl.SSLContext:
    """Only the engine's own authority is trusted, under the same rules on every Python."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not lenient:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    cert, key = _pem(host, "cert.pem"), _pem(host, "key.pem")
    try:
        context.load_verify_locations(_pem(host, "ca.pem"))
        if cert.exists() or key.exists():
            context.load_cert_chain(cert, key, password="")  # never ask at the terminal
    except OSError as error:
        problem = shortened(getattr(error, "reason", None) or error.strerror or str(error))
        raise LoginRefused(
            f"{host.name}: the certificates in {host.tls_dir} cannot be used ({problem}): it must hold ca.pem, cert.pem and "
            f"its key.pem, not encrypted"
        ) from error
    return context


class _Adapter(HTTPAdapter):
    """Connects with our own TLS context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **options)


def _message(body: bytes) -> str:
    """The engine's own words for an error."""
    try:
        return shortened(str(json.loads(body)["message"]))
    except (ValueError, KeyError, TypeError):
        return shortened(body)

"""
An engine through its API alone: the sections that the collector asks the engine for, in the same shape.

There is no shell on this way, so what only the host's files and processes tell stays unknown.
"""

import ssl
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import docker
import requests

from auditor.collect.bundle import Bundle, Section, Status
from auditor.errors import BadReply, DeadlineExceeded, LoginRefused
from auditor.host import Host
from auditor.transports.base import Deadline, causes
from auditor.transports.docker_connect import Engine, Refusal, explain
from auditor.transports.docker_sections import ASKED, line

STRICT = "tls-strict"
_BAD_REQUEST, _FORBIDDEN = 400, 403
_PLAIN_FAILURE = 1


class DockerApi:
    """Asks the engine itself; nothing but GET requests, one connection."""

    def collect(self, host: Host, sections: Sequence[str], deadline: Deadline) -> Bundle:
        """
        Ask for what the engine knows of ``sections``; the others say that there is no shell.

        Raises:
            Unreachable, LoginRefused, HostKeyRejected, DeadlineExceeded, BadReply: the engine did not answer at all.
        """
        with ExitStack() as stack:
            engine, version, strict = _begin(host, deadline, stack)
            found = {STRICT: strict} if strict else {}
            for name in sections:
                try:
                    found[name] = _section(engine, name, version)
                except DeadlineExceeded:
                    return Bundle(found, complete=False)
            return Bundle(found)


def _begin(host: Host, deadline: Deadline, stack: ExitStack) -> tuple[Engine, Any, Section | None]:
    """
    The engine and what it says of its version.

    Where only the strict X.509 rules stand between us, they are left out, and the section tells which was broken.
    """
    engine = Engine(host, deadline)
    stack.callback(engine.close)
    engine.knock()
    try:
        return engine, _version(engine), None
    except requests.RequestException as error:
        refused = explain(host, error)
        strict = _verify_message(error)
        if not strict:
            raise refused from error
    lenient = Engine(host, deadline, lenient=True)
    stack.callback(lenient.close)
    try:
        return lenient, _version(lenient), Section(strict.encode())
    except requests.RequestException as error:
        raise explain(host, error) from error


def _version(engine: Engine) -> Any:
    host = engine.host
    try:
        version = engine.get("/version")
    except Refusal as refusal:
        if refusal.status == _BAD_REQUEST and not host.tls_dir:
            raise LoginRefused(
                f"{host.name} wants TLS ({refusal}): set tls_dir to a folder with ca.pem, cert.pem and key.pem"
            ) from refusal
        raise LoginRefused(f"the engine of {host.name} refuses to answer: {refusal}") from refusal
    if not isinstance(version, dict):
        raise BadReply(f"{host.name} answers, but not like a Docker engine")
    engine.use(str(version.get("ApiVersion", "")))
    return version


def _verify_message(error: BaseException | None) -> str:
    """What OpenSSL found wrong with the engine's certificate; empty when that is not the matter."""
    verify_errors = (
        [cause for cause in causes(error) if isinstance(cause, ssl.SSLCertVerificationError)] if error else []
    )
    return verify_errors[0].verify_message if verify_errors else ""


def _section(engine: Engine, name: str, version: Any) -> Section:
    if name == "engine-version":
        client = {
            "Name": "docker-py",
            "Version": docker.__version__,
            "ApiVersion": version.get("ApiVersion", ""),
        }
        return Section(line({"Client": client, "Server": version}).encode())
    if name not in ASKED:
        return Section(
            status=Status.NO_SHELL, message="only a shell on the host could tell (transport: ssh or local)"
        )
    try:
        lines = "".join(f"{each}\n" for each in ASKED[name](engine))
    except Refusal as refusal:
        return Section(
            status=Status.DENIED if refusal.status == _FORBIDDEN else _PLAIN_FAILURE, message=str(refusal)
        )
    except (requests.RequestException, BadReply, TypeError, KeyError, AttributeError) as error:
        return Section(status=_PLAIN_FAILURE, message=_why(engine.host, error))
    return Section(lines.encode("utf-8", "surrogateescape"))


def _why(host: Host, error: Exception) -> str:
    if isinstance(error, requests.RequestException):
        return str(explain(host, error))
    return (
        str(error)
        if isinstance(error, BadReply)
        else f"not the shape an engine gives ({type(error).__name__})"
    )


TRANSPORT = DockerApi()

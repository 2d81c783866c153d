"""
An engine through its API alone: the sections that the collector asks the engine for, in the same shape.

There is no shell on this way, so what only the host's files and processes tell stays unknown.
"""

import json
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import docker
import requests

from auditor.collect.bundle import Bundle, Section, Status
from auditor.errors import BadReply, DeadlineExceeded, LoginRefused
from auditor.host import Host
from auditor.transports.base import Deadline, shortened
from auditor.transports.docker_connect import Engine, Refusal, causes, explain

STRICT = "tls-strict"
_BAD_REQUEST, _FORBIDDEN, _NOT_FOUND = 400, 403, 404
_PLAIN_FAILURE = 1

_SECRET = r"[Tt]oken|[Pp]assw{}|[Ss]ecret|[Cc]redential|[Aa]ccess-?[Kk]ey"  # noqa: S105  a pattern
_BLANKED = (
    (re.compile(r'("[^"]*(' + _SECRET.format("") + r')[^"]*"\s*:\s*")([^"\\]|\\.)*"'), r'\1***"'),
    (re.compile("((" + _SECRET.format("[a-z]*") + r')[A-Za-z_-]*=)([^"\\,\s]|\\.)*'), r"\1***"),
    (re.compile(r'(://)[^/"\s]*@'), r"\1***@"),
)


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
        return Section(_line({"Client": client, "Server": version}).encode())
    if name not in _ASKED:
        return Section(
            status=Status.NO_SHELL, message="only a shell on the host could tell (transport: ssh or local)"
        )
    try:
        lines = "".join(f"{line}\n" for line in _ASKED[name](engine))
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


def _info(engine: Engine) -> Iterator[str]:
    yield _line(engine.get("/info"))


def _containers(engine: Engine) -> Iterator[str]:
    listed = [container["Id"] for container in engine.get("/containers/json", all="1")]
    yield from (f"listed {_id(name)}" for name in listed)
    seen = set()
    for raw in _inspected(engine, "/containers/{}/json", listed):
        seen.add(raw["Id"])
        yield _line(_container(raw))
    yield from (f"gone {_id(name)}" for name in listed if name not in seen)


def _images(engine: Engine) -> Iterator[str]:
    listed = sorted({image["Id"] for image in engine.get("/images/json")})
    for raw in _inspected(engine, "/images/{}/json", listed):
        config = raw.get("Config") or {}
        kept = _some(raw, "Id", "RepoTags", "RepoDigests", "Created", "Os")
        yield _line({**kept, "User": config.get("User", ""), "Healthcheck": config.get("Healthcheck")})


def _networks(engine: Engine) -> Iterator[str]:
    for raw in engine.get("/networks"):
        yield _line(_some(raw, "Id", "Name", "Driver", "Scope", "Internal", "Ingress", "Options"))


_ASKED: Mapping[str, Callable[[Engine], Iterator[str]]] = {
    "engine-info": _info,
    "containers": _containers,
    "images": _images,
    "networks": _networks,
}


def _inspected(engine: Engine, path: str, names: Iterable[str]) -> Iterator[Any]:
    """Each one's details; what has gone meanwhile is left out."""
    for name in names:
        try:
            yield engine.get(path.format(_id(name)))
        except Refusal as refusal:
            if refusal.status != _NOT_FOUND:
                raise


def _container(raw: Any) -> dict[str, Any]:
    """What the collector's template keeps: of the environment only names, of the arguments only whether one runs sshd."""
    config, network = raw.get("Config") or {}, raw.get("NetworkSettings") or {}
    state = raw.get("State") or {}
    words = [word for argument in raw.get("Args") or () for word in re.split("[ /]", argument)]
    return {
        **_some(raw, "Id", "Name", "Created", "Image", "Path"),
        "Sshd": [*(True for word in words if word == "sshd"), False],
        **_some(state, "Status", "Pid"),
        **_some(raw, "ExecIDs", "AppArmorProfile", "ProcessLabel", "Mounts", "HostConfig"),
        "Config": {
            **_some(config, "Image", "User", "Healthcheck", "ExposedPorts"),
            "Env": [variable.partition("=")[0] for variable in config.get("Env") or ()],
            "Service": (config.get("Labels") or {}).get("com.docker.swarm.service.name", ""),
        },
        "NetworkSettings": _some(network, "Ports", "Networks"),
    }


def _some(raw: Any, *names: str) -> dict[str, Any]:
    return {name: raw.get(name) for name in names}


def _id(name: Any) -> str:
    """An identifier that may stand in a path."""
    if not re.fullmatch(r"(sha256:)?[0-9a-f]{12,64}", str(name)):
        raise BadReply(f"the engine calls an object {shortened(str(name), 80)!r}")
    return str(name)


def _line(value: Any) -> str:
    """JSON on one line, values of password-like keys blanked as the collector does."""
    line = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for pattern, blanked in _BLANKED:
        line = pattern.sub(blanked, line)
    return line


TRANSPORT = DockerApi()

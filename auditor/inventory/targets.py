"""Hosts named on the command line, as URLs."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auditor.errors import UsageError
from auditor.host import Host
from auditor.inventory.build import Builder, Entry
from auditor.yamlfile import Document

FORMS = "local, ssh://user@host:port, tcp://host:2376, unix:///path/of/docker.sock, bundle:FILE"

_URL = re.compile(
    r"(?P<scheme>ssh|tcp)://(?:(?P<user>[^@/\s]+)@)?(?P<host>\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|\w[\w.-]*)(?::(?P<port>[0-9]+))?/?"
)
_MOST_PORT = 65535


def parse_target(
    text: str, *, tls_dir: Path | None = None, user: str = "", ssh_config: Sequence[Path] | None = None
) -> Host:
    """
    The host that a word on the command line means; its name is what the word says after the scheme and the user.

    Args:
        text: one of ``FORMS``; ``ssh://NAME`` may be an alias of ssh_config.
        tls_dir: folder with ca.pem, cert.pem and key.pem, for ``tcp://``; without it the port is audited in plain text.
        user: login name where the URL has none.
        ssh_config: configuration files to read; None: the user's and the system's; empty: none.

    Raises:
        UsageError: it is none of the forms, or something does not go with it.
        BadFile: ssh_config cannot be used.
    """
    values = parts(text)
    transport = values["transport"]
    if tls_dir and (transport != "docker" or "socket" in values):
        raise UsageError("a folder with TLS certificates goes with tcp:// only")
    if user and transport == "ssh":
        values.setdefault("user", user)
    if tls_dir:
        values["tls_dir"] = str(tls_dir)
    entry = Entry(_name(values), Document(Path("command line"), values, {}))
    return Builder(lambda _: None, ssh_config).host(entry)


def parts(text: str) -> dict[str, Any]:
    """
    What such a word says, in the inventory's keys.

    Raises:
        UsageError: it is none of ``FORMS``, or holds a password; the message does not repeat it.
    """
    if text == "local":
        return {"transport": "local"}
    for prefix, transport, key in (("unix://", "docker", "socket"), ("bundle:", "bundle", "path")):
        path = text.removeprefix(prefix)
        if path and path != text and path.isprintable():
            if key == "socket" and not path.startswith("/"):
                raise UsageError(f"{text!r}: the path of a unix socket is absolute: unix:///run/docker.sock")
            return {"transport": transport, key: path}
    _refuse_password(text)
    match = _URL.fullmatch(text)
    if not match:
        raise UsageError(f"{text!r} is no host: it is written as one of {FORMS}")
    return _address(match)


def _refuse_password(text: str) -> None:
    scheme, separator, login = text.rpartition("@")[0].rpartition("//")
    if ":" not in login:
        return
    if separator and scheme:
        raise UsageError(
            "an address holds no password, since every user of this machine could see it; "
            "name it by reference in an inventory: password: {env: NAME}"
        )
    raise UsageError(f"a host is written as one of {FORMS}")


def _address(match: re.Match[str]) -> dict[str, Any]:
    scheme, user, host, port = match.group("scheme", "user", "host", "port")
    values: dict[str, Any] = {
        "transport": "ssh" if scheme == "ssh" else "docker",
        "address": host.strip("[]"),
    }
    if port:
        if len(port) > len(str(_MOST_PORT)) or not 1 <= int(port) <= _MOST_PORT:
            raise UsageError(f"{port} is no port: 1 to {_MOST_PORT}")
        values["port"] = int(port)
    if user and scheme == "tcp":
        raise UsageError("tcp:// takes no user: a certificate says who asks")
    if user:
        values["user"] = user
    return values


def _name(values: dict[str, Any]) -> str:
    if "address" not in values:
        path = Path(values.get("path") or values.get("socket") or "local")
        return path.name.removesuffix(".gz").removesuffix(".bundle").lstrip(".") or values["transport"]
    address, port = values["address"], values.get("port")
    return f"{f'[{address}]' if ':' in address else address}:{port}" if port else str(address)

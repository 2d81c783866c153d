"""What a daemon's configuration must say for mutual TLS: keys of daemon.json, and the drop-in that takes flags out of its way."""

import json
import re
from collections.abc import Sequence
from typing import Any

from auditor.errors import BadFile

LINUX_FOLDER = "/etc/docker/tls"
WINDOWS_FOLDER = r"C:\ProgramData\docker\tls"
DROP_IN = "/etc/systemd/system/docker.service.d/zz-docker-host-auditor-tls.conf"
FILES = {"tlscacert": "ca.pem", "tlscert": "server-cert.pem", "tlskey": "server-key.pem"}
_WITH_VALUE = {"-H", "--host", "--tlscacert", "--tlscert", "--tlskey"}
_SWITCHES = {"--tls", "--tlsverify"}
_PLAIN_PORT = re.compile(r"tcp://.*:2375")


def tls_keys(folder: str, hosts: Sequence[str], separator: str = "/") -> dict[str, Any]:
    """The keys of daemon.json, with certificates in ``folder``."""
    paths = {key: f"{folder}{separator}{name}" for key, name in FILES.items()}
    return {"hosts": list(hosts), "tlsverify": True, **paths}


def read_config(path: str, text: str) -> dict[str, Any]:
    """
    A daemon.json.

    Raises:
        BadFile: dockerd could not read it, or would read it otherwise than it looks.
    """
    if not text.strip():
        return {}
    try:
        content = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_no_key_twice)
        json.dumps(content, ensure_ascii=False).encode()  # half a surrogate pair can be read, and not written
    except json.JSONDecodeError as error:
        raise BadFile(
            path, f"is not JSON ({error.msg}): mend it first, nothing was changed", line=error.lineno
        ) from None
    except (ValueError, RecursionError) as error:
        raise BadFile(path, f"{error}: mend it first, nothing was changed") from None
    if not isinstance(content, dict):
        raise BadFile(path, "is no JSON object: mend it first, nothing was changed")
    hosts = content.get("hosts", [])
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
        raise BadFile(path, "has hosts that are no list of texts: mend it first, nothing was changed")
    return content


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if double := next((key for key in keys if keys.count(key) > 1), ""):
        raise ValueError(f"has the key {double!r} twice")
    return dict(pairs)


def merge(old: str, content: dict[str, Any], keys: dict[str, Any]) -> str:
    """A daemon.json with ``keys`` set: every other key, the order and the indentation stay."""
    merged = {**content, **keys}
    if keys.items() <= content.items():
        return old
    found = re.search(r'^([ \t]+)"', old, re.MULTILINE)
    indent: str | int = found[1] if found else 2
    return json.dumps(merged, indent=indent, ensure_ascii=False) + "\n"


def listeners(configured: Sequence[str], flags: Sequence[str], wanted: str) -> list[str]:
    """Every listener there was, by file or flag, and the wanted one. The local one stays, whatever was said of it."""
    hosts = list(dict.fromkeys([*configured, *flags])) or ["unix:///var/run/docker.sock"]
    port = wanted.rpartition(":")[2]
    return (
        hosts
        if any(host.startswith("tcp://") and host.endswith(f":{port}") for host in hosts)
        else [*hosts, wanted]
    )


def plain_listeners(hosts: Sequence[str]) -> list[str]:
    """Those on the port that is by custom without TLS; with TLS on they speak TLS too."""
    return [host for host in hosts if _PLAIN_PORT.fullmatch(host)]


def start_command(unit: str) -> str:
    """The command that starts the service: the last ``ExecStart=`` of what ``systemctl cat`` prints; empty if there is none."""
    command, section = "", ""
    for line in re.sub(r"\\\n\s*", " ", unit).splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text
        elif section == "[Service]" and text.startswith("ExecStart="):
            command = text.removeprefix("ExecStart=").strip()
    return command


def without_flags(command: str) -> tuple[str, list[str]]:
    """A start command without the flags that move to daemon.json, and the listeners that stood in them."""
    kept, hosts, words = list[str](), list[str](), command.split()
    while words:
        word = words.pop(0)
        flag, equals, value = word.partition("=")
        if flag in _SWITCHES:
            continue
        if flag in _WITH_VALUE:
            value = value if equals else (words.pop(0) if words else "")
        elif word.startswith("-H"):
            flag, value = "-H", word[2:].removeprefix("=")
        else:
            kept.append(word)
            continue
        if flag in ("-H", "--host"):
            hosts.append(value.strip("\"'"))
    return " ".join(kept), hosts


def drop_in(command: str) -> str:
    """A drop-in that starts the service by ``command`` instead."""
    return (
        "# Made by 'auditor certs install': listeners and TLS stand in daemon.json, and dockerd takes no setting from both.\n"
        f"[Service]\nExecStart=\nExecStart={command}\n"
    )

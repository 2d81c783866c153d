"""From what an inventory says of a host to the Host: ssh_config below it, paths made absolute, impossible combinations refused."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from auditor.errors import BadFile
from auditor.host import Host, Jump, Secret, SshOptions, Timeouts, WinrmOptions
from auditor.inventory.secrets import SecretReference
from auditor.inventory.settings import HostSettings, WinrmSettings
from auditor.inventory.ssh_config import SshConfig, expand, hops, local_user
from auditor.yamlfile import Document

_NESTED = {"timeouts", "policy", "winrm"}
_ANYWHERE = {"transport", "platform", "tags", "groups", "timeouts", "policy"}
_LOGIN = {"address", "port", "user", "password"}
_PROXY = {"proxy_jump", "proxy_command"}
_SSH = {
    "passphrase",
    "identity_files",
    "certificate_files",
    "identities_only",
    "agent",
    "known_hosts",
    "host_key",
}
_KEYS = {
    "local": {"sudo", "socket"},
    "ssh": _LOGIN | _SSH | _PROXY | {"host_key_alias", "sudo", "socket"},
    "docker": {"address", "port", "socket", "tls_dir"},
    "winrm": _LOGIN | {"tls_dir", "winrm"},
    "bundle": {"path"},
}
_PORTS = {"ssh": 22, "docker": 2375, "winrm": 5986}
_DOCKER_TLS_PORT, _WINRM_HTTP_PORT, _MOST_PORT = 2376, 5985, 65535
_HOP = re.compile(r"(?:ssh://)?(?:([^@\s]+)@)?(\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[\w.-]+)(?::([0-9]{1,5}))?/?")
_ADDRESS = re.compile(r"\w[\w.-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+(%[\w.-]+)?")
_SHELL = re.compile(r"[^\w.:@%+,/=-]")


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Later layers win, key by key; within ``timeouts``, ``policy`` and ``winrm`` too; ``tags`` add up."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if key in _NESTED:
                merged[key] = merged.get(key, {}) | value
            elif key == "tags":
                merged[key] = list(dict.fromkeys([*merged.get(key, ()), *value]))
            else:
                merged[key] = value
    return merged


@dataclass(frozen=True)
class Entry:
    """
    One host as an inventory has it.

    ``settings`` are all that hold for it, merged, with the line of each; ``own`` the keys said of this very host, which must
    fit its transport, while what it only inherits is passed over when it does not.
    """

    name: str
    settings: Document
    own: frozenset[str] = frozenset()
    groups: tuple[str, ...] = ()

    @property
    def transport(self) -> str:
        """The name of its transport."""
        return str(self.settings.value.get("transport", "ssh"))

    @property
    def folder(self) -> Path:
        """What relative paths are relative to."""
        return self.settings.path.parent

    def bad(self, problem: str, key: str = "") -> BadFile:
        """An error to raise about one of its settings, or about the host as a whole."""
        keys = (key,) if key else ()
        where = f"host {self.name}: {key}" if key else f"host {self.name}"
        return BadFile(self.settings.path, f"{where}: {problem}", line=self.settings.line(*keys))

    def fitting(self) -> dict[str, Any]:
        """
        The settings that its transport understands.

        Raises:
            BadFile: one of its own does not go with the transport, or one is missing.
        """
        values, transport = self.settings.value, self.transport
        allowed = _ANYWHERE | _KEYS.get(transport, set())
        for key in sorted(self.own - allowed, key=self.settings.line):
            raise self.bad(f"does not go with transport {transport}; remove it", key)
        if "socket" in values and transport == "docker":
            for key in sorted(self.own & {"address", "port", "tls_dir"}):
                raise self.bad("is of no use with socket: keep one of the two", key)
            allowed -= {"address", "port", "tls_dir"}
        if transport == "bundle" and "path" not in values:
            raise self.bad("transport bundle needs path: the bundle file")
        windows = values.get("platform") == "windows"
        if windows and transport == "local":
            raise self.bad(f"Windows hosts are reached by winrm or ssh, not {transport}", "platform")
        if transport == "winrm" and "platform" in values and not windows:
            raise self.bad("only Windows hosts are reached by winrm", "platform")
        base = {"platform": "windows"} if transport == "winrm" else {}
        return base | {key: value for key, value in values.items() if key in allowed}


@dataclass(frozen=True)
class Listing:
    """The hosts of a file: name, groups and tags of each, and how to get the entry of one."""

    words: Sequence[tuple[str, Sequence[str], Sequence[str]]]
    find: Callable[[str], Entry | None]


class Builder:
    """Makes hosts of entries; can find others, since one may be reached through another."""

    def __init__(self, find: Callable[[str], Entry | None], ssh_config: Sequence[Path] | None) -> None:
        self.find = find
        self.ssh_config = ssh_config

    @cached_property
    def config(self) -> SshConfig:
        """Read when the first host needs it."""
        return SshConfig.read(self.ssh_config)

    def host(self, entry: Entry) -> Host:
        """
        The host, everything resolved that can be without connecting; no secret is fetched.

        Raises:
            BadFile: the settings do not fit together.
        """
        values = entry.fitting()
        if entry.transport == "ssh":
            settings, jump = self._login(entry, values, ())
            return replace(
                _host(entry, settings), address=jump.address, port=jump.port, user=jump.user, ssh=jump.ssh
            )
        settings = _settings(entry, values)
        has_address = entry.transport in {"docker", "winrm"} and not settings.socket
        return replace(
            _host(entry, settings),
            address=_address(entry, settings.address or entry.name) if has_address else "",
        )

    def _login(
        self, entry: Entry, explicit: dict[str, Any], via: tuple[str, ...]
    ) -> tuple[HostSettings, Jump]:
        """Settings with ssh_config below the explicit ones, and the way there."""
        alias = explicit.get("address") or entry.name
        if alias in via:
            raise entry.bad(f"is reached through itself: {' -> '.join((*via, alias))}", "proxy_jump")
        found = self.config.lookup(alias, str(explicit.get("user", "")))
        address = _address(entry, found.pop("address"))
        if explicit.keys() & _PROXY:
            found = {key: value for key, value in found.items() if key not in _PROXY}
        settings = _settings(entry, merge(found, explicit))
        port, user = settings.port or _PORTS["ssh"], settings.user or local_user()
        if not user:
            raise entry.bad("it is not known who to log in as: set user")
        tokens = {"h": address, "n": alias, "p": str(port), "r": user}
        ssh = replace(
            _ssh_options(entry, settings),
            jumps=tuple(self._jumps(entry, settings, (*via, alias))),
            proxy_command=_proxy_command(entry, settings.proxy_command, tokens),
        )
        return settings, Jump(address, port, user, ssh)

    def _jumps(self, entry: Entry, settings: HostSettings, via: tuple[str, ...]) -> list[Jump]:
        """All hops, first hop first. Only the first is reached by its own ProxyJump, as ssh does it."""
        named = (settings.proxy_jump,) if isinstance(settings.proxy_jump, str) else settings.proxy_jump
        jumps: list[Jump] = []
        for hop in hops(",".join(named)):
            known, explicit = self._hop(entry, hop)
            if jumps:
                explicit = {key: value for key, value in explicit.items() if key not in _PROXY} | {
                    "proxy_jump": []
                }
            _, jump = self._login(known, explicit, via)
            jumps += [*jump.ssh.jumps, replace(jump, ssh=replace(jump.ssh, jumps=()))]
        return jumps

    def _hop(self, entry: Entry, hop: str) -> tuple[Entry, dict[str, Any]]:
        """Who a hop is: a host of the inventory, or what ssh_config knows by that name; with what is said of it here."""
        match = _HOP.fullmatch(hop)
        if not match or not 1 <= int(match[3] or _PORTS["ssh"]) <= _MOST_PORT:
            raise entry.bad("a hop is written host, user@host or user@host:port", "proxy_jump")
        user, name, port = match.groups()
        explicit: dict[str, Any] = {"address": name.strip("[]")}
        known = self.find(name)
        if known and known.transport == "ssh":
            entry, explicit = known, {"address": known.name} | known.fitting()
        return entry, explicit | ({"user": user} if user else {}) | ({"port": int(port)} if port else {})


def _settings(entry: Entry, values: dict[str, Any]) -> HostSettings:
    return Document(entry.settings.path, values, entry.settings.lines).into(HostSettings)


def _host(entry: Entry, settings: HostSettings) -> Host:
    """The host without its address and its way there."""
    folder, timeouts = entry.folder, settings.timeouts
    line = entry.settings.line()
    return Host(
        name=entry.name,
        transport=settings.transport,
        port=settings.port or _usual_port(entry.transport, settings),
        user=settings.user,
        platform=settings.platform,
        sudo=settings.sudo,
        password=_secret(settings.password, folder) if entry.transport == "winrm" else None,
        groups=entry.groups,
        tags=settings.tags,
        timeouts=Timeouts(timeouts.connect, timeouts.auth, timeouts.total),
        winrm=_winrm_options(settings.winrm, folder),
        tls_dir=_optional_path(settings.tls_dir, folder),
        path=_optional_path(settings.path or settings.socket, folder),
        policy=settings.policy,
        source=f"{entry.settings.path}:{line}" if line else str(entry.settings.path),
    )


def _usual_port(transport: str, settings: HostSettings) -> int:
    if transport == "docker" and settings.tls_dir:
        return _DOCKER_TLS_PORT
    if transport == "winrm" and settings.winrm.scheme == "http":
        return _WINRM_HTTP_PORT
    return 0 if settings.socket else _PORTS.get(transport, 0)


def _winrm_options(settings: WinrmSettings, folder: Path) -> WinrmOptions:
    return WinrmOptions(
        auth=settings.auth,
        scheme=settings.scheme,
        ca_file=_optional_path(settings.ca_file, folder),
        cert_file=_optional_path(settings.cert_file, folder),
        key_file=_optional_path(settings.key_file, folder),
    )


def _ssh_options(entry: Entry, settings: HostSettings) -> SshOptions:
    folder = entry.folder
    return SshOptions(
        identity_files=tuple(_path(file, folder) for file in settings.identity_files),
        certificate_files=tuple(_path(file, folder) for file in settings.certificate_files),
        known_hosts=tuple(_path(file, folder) for file in settings.known_hosts),
        host_key_alias=settings.host_key_alias,
        host_key=settings.host_key,
        passphrase=_secret(settings.passphrase, folder),
        password=_secret(settings.password, folder),
        agent=settings.agent,
        identities_only=settings.identities_only,
    )


def _secret(reference: SecretReference | None, folder: Path) -> Secret | None:
    return reference.resolve(folder) if reference else None


def _path(text: str, folder: Path) -> Path:
    return folder / os.path.expanduser(text)  # noqa: PTH111  Path.expanduser raises on an unknown user


def _optional_path(text: str | None, folder: Path) -> Path | None:
    return _path(text, folder) if text else None


def _address(entry: Entry, text: str) -> str:
    address = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not _ADDRESS.fullmatch(address):
        raise entry.bad("is neither a host name nor an IP address", "address")
    return address


def _proxy_command(entry: Entry, command: str, tokens: dict[str, str]) -> str:
    """With its tokens replaced; a value that the shell would take for more than text is refused."""
    for token, value in tokens.items():
        if f"%{token}" in command and _SHELL.search(value):
            raise entry.bad(f"%{token} stands for text that a shell would not leave alone", "proxy_command")
    return "" if command.lower() == "none" else expand(command, tokens)

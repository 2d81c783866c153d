"""What Ansible's variables say of a host, in our own keys."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from auditor.errors import BadFile
from auditor.inventory.build import merge
from auditor.inventory.secrets import HOW
from auditor.inventory.settings import HostSettings, refuse_literal_secrets
from auditor.yamlfile import Document, Keys, Tagged

OUR_VARIABLE = "docker_host_auditor"
"""A variable that holds settings in our own keys: what Ansible has no word for, such as policy, tags, secrets by reference."""

Variables = dict[str, tuple[Any, int]]
"""Variables with their values and lines."""

_CONNECTIONS = {"smart": "ssh", "paramiko": "ssh", "paramiko_ssh": "ssh", "libssh": "ssh", "psrp": "winrm"}
_CONNECTIONS |= {name: name for name in ("ssh", "local", "winrm")}
_WINRM = {
    "auth": "transport",
    "scheme": "scheme",
    "ca_file": "ca_trust_path",
    "cert_file": "cert_pem",
    "key_file": "cert_key_pem",
}
_PASSWORDS = ("ansible_password", "ansible_ssh_password", "ansible_ssh_pass", "ansible_winrm_password")
_TRUE, _FALSE = {"true", "yes", "on", "1", "t", "y"}, {"false", "no", "off", "0", "f", "n", ""}


def settings(path: Path, host: str, line: int, variables: Variables) -> Document:
    """
    Settings of one host, with the line of each.

    Raises:
        BadFile: a variable that is needed cannot be used as it is.
    """
    found = dict(_Variables(path, host, variables).settings())
    ours, our_line = variables.get(OUR_VARIABLE, ({}, line))
    if not isinstance(ours, dict):
        raise BadFile(path, f"host {host}: {OUR_VARIABLE} is a mapping of settings", line=our_line)
    said = Document(path, ours, {(): our_line})
    refuse_literal_secrets(said)
    said.into(HostSettings)
    merged = merge({key: value for key, (value, _) in found.items()}, ours)
    located = {key: (value, our_line if key in ours else found[key][1]) for key, value in merged.items()}
    lines: dict[Keys, int] = {(): line} | {(key,): each for key, (_, each) in located.items()}
    return Document(path, {key: value for key, (value, _) in located.items()}, lines)


class _Variables:
    """The variables of one host."""

    def __init__(self, path: Path, host: str, variables: Variables) -> None:
        self.path = path
        self.host = host
        self.variables = variables

    def settings(self) -> Iterator[tuple[str, tuple[Any, int]]]:
        transport = self._transport()
        yield from self._as("transport", "ansible_connection", transport)
        if transport == "local":
            yield from self._sudo()
            return
        for key, *names in (
            ("address", "ansible_host", "ansible_ssh_host"),
            ("user", "ansible_user", "ansible_ssh_user"),
        ):
            name = self._first(*names)
            yield from self._as(key, name, self._text(name))
        port = self._first("ansible_port", "ansible_ssh_port")
        yield from self._as("port", port, self._number(port))
        self._refuse_passwords()
        if transport == "winrm":
            yield from self._winrm()
        else:
            yield from self._ssh()
            yield from self._sudo()

    def _transport(self) -> str:
        connection = self._text("ansible_connection").rpartition(".")[2] or "ssh"
        if connection not in _CONNECTIONS:
            raise self._bad(
                "ansible_connection",
                f"{connection!r} leads to no Docker host that can be audited; leave the host out with --limit '!{self.host}'",
            )
        return _CONNECTIONS[connection]

    def _ssh(self) -> Iterator[tuple[str, tuple[Any, int]]]:
        key_file = self._first("ansible_ssh_private_key_file", "ansible_private_key_file")
        text = self._text(key_file)
        yield from self._as("identity_files", key_file, [text] if text else None)
        for name in ("ansible_ssh_common_args", "ansible_ssh_extra_args"):
            try:
                options = dict(_options(shlex.split(self._text(name))))
            except ValueError:
                raise self._bad(name, "a quotation mark is not closed") from None
            for option, key in (("proxyjump", "proxy_jump"), ("proxycommand", "proxy_command")):
                yield from self._as(key, name, options.get(option))

    def _winrm(self) -> Iterator[tuple[str, tuple[Any, int]]]:
        names = {key: f"ansible_winrm_{name}" for key, name in _WINRM.items()}
        said = {key: self._text(name) for key, name in names.items() if self._text(name)}
        yield from self._as("winrm", next((names[key] for key in said), ""), said or None)

    def _sudo(self) -> Iterator[tuple[str, tuple[Any, int]]]:
        if not self._flag("ansible_become"):
            return
        for name, only in (("ansible_become_method", "sudo"), ("ansible_become_user", "root")):
            text = self._text(name).removeprefix("ansible.builtin.")
            if text not in {"", only}:
                raise self._bad(
                    name, f"only {only} is known here; set {OUR_VARIABLE}: {{sudo: false}} to go without"
                )
        yield from self._as("sudo", "ansible_become", given=True)

    def _refuse_passwords(self) -> None:
        ours = self.variables.get(OUR_VARIABLE, ({}, 0))[0]
        name = self._first(*_PASSWORDS)
        if name in self.variables and not (isinstance(ours, dict) and "password" in ours):
            raise self._bad(
                name, f"is not read, be it encrypted or not; {HOW}, under {OUR_VARIABLE}: {{password: …}}"
            )

    def _as(self, key: str, name: str, given: Any) -> Iterator[tuple[str, tuple[Any, int]]]:
        """A setting, if there is one, with the line of the variable it comes from."""
        if given not in ("", None):
            yield key, (given, self.variables.get(name, (None, 0))[1])

    def _first(self, *names: str) -> str:
        return next((name for name in names if name in self.variables), names[0])

    def _text(self, name: str) -> str:
        value = self.variables.get(name, (None, 0))[0]
        if value is None:
            return ""
        if isinstance(value, Tagged) or (isinstance(value, dict) and "__ansible_vault" in value):
            raise self._bad(
                name, "is encrypted by Ansible Vault, which is not read here; write the value out"
            )
        if not isinstance(value, str | int):
            raise self._bad(name, "is neither text nor a number")
        if isinstance(value, str) and ("{{" in value or "{%" in value):
            raise self._bad(name, "is a Jinja expression, which is not evaluated here; write the value out")
        return str(value)

    def _number(self, name: str) -> int | None:
        text = self._text(name)
        if text and not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004  no port is that long
            raise self._bad(name, "is no port")
        return int(text) if text else None

    def _flag(self, name: str) -> bool:
        text = self._text(name).lower()
        if text not in _TRUE | _FALSE:
            raise self._bad(name, "is neither yes nor no")
        return text in _TRUE

    def _bad(self, name: str, problem: str) -> BadFile:
        return BadFile(
            self.path, f"host {self.host}: {name}: {problem}", line=self.variables.get(name, (None, 0))[1]
        )


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """The ``-o`` and ``-J`` options of an ssh command line, keyword in lower case."""
    remaining = iter(words)
    for word in remaining:
        flag, text = word[:2], word[2:]
        if flag in {"-o", "-J"}:
            text = text or next(remaining, "")
            keyword, _, value = (
                text.replace("=", " ", 1).partition(" ") if flag == "-o" else ("ProxyJump", "", text)
            )
            yield keyword.lower(), value.strip()

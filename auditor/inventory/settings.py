"""What an inventory may say, as types: they validate it, make its JSON Schema and its table in the documentation."""

import re
from collections.abc import Hashable, Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from auditor.errors import BadFile
from auditor.host import Platform, TransportName, WinrmAuth, WinrmScheme
from auditor.inventory.secrets import HOW, SecretReference
from auditor.policy import Policy
from auditor.yamlfile import Document

Word = Annotated[str, Meta(min_length=1, pattern=r"^[^\s\x00-\x1f\x7f]*$")]
Name = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$", description="Letters, digits, '.', '_', '-' and '@'."),
]
File = Annotated[str, Meta(min_length=1, pattern=r"^[^\x00-\x1f]*$")]
Port = Annotated[int, Meta(ge=1, le=65535)]
User = Annotated[str, Meta(min_length=1, pattern=r"^[^-\s\x00-\x1f\x7f][^\s\x00-\x1f\x7f]*$")]
Seconds = Annotated[float, Meta(gt=0, le=86400)]


class TimeoutSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Seconds that a host is given."""

    connect: Annotated[Seconds, Meta(description="To connect.")] = 10.0
    auth: Annotated[Seconds, Meta(description="To log in.")] = 15.0
    total: Annotated[Seconds, Meta(description="For everything done for one host.")] = 120.0


class WinrmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How to log in by WinRM, beside user and password. Files that are not named are looked for in ``tls_dir``."""

    auth: Annotated[WinrmAuth, Meta(description="How to prove who asks.")] = "ntlm"
    scheme: Annotated[
        WinrmScheme, Meta(description="http goes with ntlm and kerberos, which encrypt by themselves.")
    ] = "https"
    ca_file: Annotated[
        File | None, Meta(description="Certificates to trust, PEM; the public ones if absent.")
    ] = None
    cert_file: Annotated[File | None, Meta(description="Your certificate, for auth certificate.")] = None
    key_file: Annotated[File | None, Meta(description="Its key.")] = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said of all hosts, of a group, or of one host. A host beats a group, a group beats the defaults."""

    transport: Annotated[TransportName, Meta(description="How to get there.")] = "ssh"
    platform: Annotated[Platform, Meta(description="windows for Windows hosts; it follows from winrm.")] = (
        "linux"
    )
    port: Annotated[
        Port, Meta(description="TCP port: ssh 22, docker 2376 with tls_dir, winrm 5986 (http: 5985).")
    ] = 0
    user: Annotated[User, Meta(description="Login name; without it ssh_config's, or yours.")] = ""
    sudo: Annotated[bool, Meta(description="Become root by sudo -n, which must not ask for a password.")] = (
        False
    )
    password: Annotated[SecretReference | None, Meta(description="Login password, by reference.")] = None
    passphrase: Annotated[SecretReference | None, Meta(description="Of the private key, by reference.")] = (
        None
    )
    identity_files: Annotated[tuple[File, ...], Meta(description="Private keys to try.")] = ()
    certificate_files: Annotated[tuple[File, ...], Meta(description="OpenSSH certificates of the keys.")] = ()
    identities_only: Annotated[bool, Meta(description="Try no other keys, not even the agent's.")] = False
    agent: Annotated[bool, Meta(description="Ask the SSH agent.")] = True
    known_hosts: Annotated[
        tuple[File, ...], Meta(description="Files to find host keys in, in place of yours and the system's.")
    ] = ()
    proxy_jump: Annotated[
        str
        | tuple[
            str, ...
        ],  # without a pattern: msgspec 0.22 ends the process when a union has one beside a list
        Meta(
            description="Hosts to go through, first hop first: host, user@host:port, or a host of this inventory; none: none."
        ),
    ] = ()
    proxy_command: Annotated[str, Meta(description="Command whose input and output are the connection.")] = ""
    tls_dir: Annotated[
        File | None, Meta(description="Folder with ca.pem, cert.pem and key.pem for the Docker API.")
    ] = None
    winrm: Annotated[WinrmSettings, Meta(description="How to log in by WinRM.")] = WinrmSettings()
    tags: Annotated[
        tuple[Name, ...], Meta(description="Words to select hosts by; a host has its groups' too.")
    ] = ()
    timeouts: Annotated[TimeoutSettings, Meta(description="Seconds that a host is given.")] = (
        TimeoutSettings()
    )
    policy: Annotated[Policy, Meta(description="What you expect of the hosts; merged key by key.")] = (
        msgspec.field(default_factory=Policy)
    )


class GroupSettings(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A group: its hosts, and what is said of them."""

    hosts: Annotated[tuple[str, ...], Meta(description="Names of hosts below hosts; globs are allowed.")] = ()


class HostSettings(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One host, or with a range in its name (``web[01:20]``) several."""

    address: Annotated[
        Word,
        Meta(
            description="Name, ssh_config alias or IP address; by default the host's name. "
            "Or all in one: ssh://user@host:port, tcp://host:port, unix:///path."
        ),
    ] = ""
    socket: Annotated[
        File | None, Meta(description="The engine's unix socket, where it is not the usual one.")
    ] = None
    path: Annotated[File | None, Meta(description="The bundle file, for transport bundle.")] = None
    host_key: Annotated[
        str,
        Meta(
            pattern=r"^(SHA256:[A-Za-z0-9+/]{43}=?|[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?)$",
            description="The one host key to accept: SHA256:… as ssh-keygen -l prints it, or ssh-ed25519 AAAA….",
        ),
    ] = ""
    host_key_alias: Annotated[
        Word, Meta(description="Name to look up in known_hosts in place of the address.")
    ] = ""
    groups: Annotated[tuple[str, ...], Meta(description="Groups it belongs to.")] = ()


class Inventory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hosts to audit, how to reach them, and what is expected of them."""

    hosts: Annotated[dict[str, HostSettings | None], Meta(description="The hosts by name.")]
    groups: Annotated[
        dict[Name, GroupSettings | None],
        Meta(description="Groups by name; where two disagree, the later one wins."),
    ] = {}
    defaults: Annotated[Settings, Meta(description="What holds for every host that says nothing else.")] = (
        Settings()
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of an inventory, for editors."""
    made: dict[str, Any] = _without_empty_defaults(msgspec.json.schema(Inventory))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "docker-host-auditor inventory",
    } | made


def _without_empty_defaults(part: Any) -> Any:
    """An editor would offer them, though nobody may write ``port: 0``."""
    if isinstance(part, list):
        return [_without_empty_defaults(item) for item in part]
    if not isinstance(part, dict):
        return part
    is_empty = isinstance(part.get("default"), dict | list) or part.get("default") in ("", None)
    no_number = part.get("default") == 0 and part.get("type") != "boolean"
    kept = {key: value for key, value in part.items() if key != "default" or not (is_empty or no_number)}
    return {key: _without_empty_defaults(value) for key, value in kept.items()}


_SECRET_KEY = re.compile(r"(^|_)(pass|passwd|password|passphrase|secret|token|api_?key)$", re.IGNORECASE)


def refuse_literal_secrets(document: Document) -> None:
    """
    Look for secrets in the open.

    Raises:
        BadFile: a key that is named like a secret has text for a value; the message does not repeat it.
    """
    for keys in _literals(document.value, ()):
        raise BadFile(document.path, f"{keys[-1]}: {HOW}", line=document.line(*keys))


def _literals(value: Any, keys: tuple[Hashable, ...]) -> Iterator[tuple[Hashable, ...]]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        is_plain = not isinstance(child, dict | list | bool | None)
        if isinstance(key, str) and is_plain and _SECRET_KEY.search(key):
            yield (*keys, key)
        yield from _literals(child, (*keys, key))

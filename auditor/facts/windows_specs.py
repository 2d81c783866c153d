"""Credential specs of a Windows host, by which containers get the identity of a group managed service account (gMSA)."""

import base64
import binascii
import json
import ntpath
import re
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.containers import Container
from auditor.facts.windows_json import read_json

OPTION = "credentialspec"
_FOLDER = re.compile(r"\\credentialspecs\\", re.IGNORECASE)
_PARTS_WITH_PASSWORD = 3
_PASSWORDS = ("password", "passwd", "secretvalue")


class Spec(msgspec.Struct, frozen=True):
    """
    One credential spec; ``source`` is ``file`` or ``registry``, ``problem`` says why it could not be read.

    ``accounts`` are pairs of name and scope. ``inputs`` are the names of what is handed to a plugin in clear, where a
    password stands among it: the collector blanks the values. ``plugin`` is empty where the host's own account is used.
    ``unread`` says why nothing of it is known, ``problem`` what is wrong with its text.
    """

    source: str = "file"
    name: str = r"C:\ProgramData\docker\CredentialSpecs\webapp01.json"
    plugins: tuple[str, ...] = ("ActiveDirectory",)
    sid: str = "S-1-5-21-702590844-1001920913-2680819671"
    guid: str = "56d9b66c-d746-4f87-bd26-26760cfdca2e"
    account: str = "webapp01"
    dns_name: str = "contoso.com"
    dns_tree_name: str = "contoso.com"
    netbios_name: str = "CONTOSO"
    accounts: tuple[tuple[str, str], ...] = (("webapp01", "contoso.com"), ("webapp01", "CONTOSO"))
    has_host_account: bool = False
    plugin: str = ""
    version: str = "1"
    inputs: tuple[str, ...] = ()
    problem: str = ""
    unread: str = ""

    @property
    def is_one(self) -> bool:
        """Whether it is meant as a spec: the engine takes files of any name, and what is no JSON may lie beside them."""
        return self.source != "file" or self.name.lower().endswith(".json") or not self.problem

    @property
    def short(self) -> str:
        """What a container calls it: the path below CredentialSpecs, or the registry value's name."""
        if self.source != "file":
            return self.name
        below = _FOLDER.split(self.name, maxsplit=1)[-1]
        return below if below != self.name else ntpath.basename(self.name)


class _Raw(msgspec.Struct, frozen=True):
    source: str
    name: str
    base64: str | None
    error: str | None


class CredentialSpecs(msgspec.Struct, frozen=True):
    """All specs of a host, those in its folder and those in its registry."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("credential-specs",)

    specs: tuple[Spec, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        specs = map(_spec, read_json(bundle, "credential-specs", list[_Raw]))
        return cls(tuple(spec for spec in specs if spec.is_one))

    def find(self, kind: str, name: str) -> Spec | None:
        """The spec that ``file://NAME`` or ``registry://NAME`` means; Windows knows no capitals in names."""
        wanted = name.replace("/", "\\").casefold()
        found = (it for it in self.specs if it.source == kind and it.short.casefold() == wanted)
        return next(found, None) if wanted else None


def _spec(raw: _Raw) -> Spec:
    if raw.error or raw.base64 is None:
        return Spec(raw.source, raw.name, unread=raw.error or "not told")
    try:
        told = json.loads(base64.b64decode(raw.base64, validate=True))
    except (ValueError, RecursionError, binascii.Error) as error:
        return Spec(raw.source, raw.name, problem=f"no JSON: {error}")
    if not isinstance(told, dict):
        return Spec(raw.source, raw.name, problem="no JSON object")
    return _read(raw, told)


def _read(raw: _Raw, told: dict[str, Any]) -> Spec:
    join, directory = _dict(told, "DomainJoinConfig"), _dict(told, "ActiveDirectoryConfig")
    host = _dict(directory, "HostAccountConfig")
    plugins, accounts = told.get("CmsPlugins"), directory.get("GroupManagedServiceAccounts")
    return Spec(
        raw.source,
        raw.name,
        tuple(map(str, plugins)) if isinstance(plugins, list) else (),
        _text(join, "Sid"),
        _text(join, "Guid"),
        _text(join, "MachineAccountName"),
        _text(join, "DnsName"),
        _text(join, "DnsTreeName"),
        _text(join, "NetBiosName"),
        tuple(
            (_text(it, "Name"), _text(it, "Scope"))
            for it in (accounts if isinstance(accounts, list) else [])
            if isinstance(it, dict)
        ),
        bool(host),
        _text(host, "PluginGUID"),
        _text(host, "PortableCcgVersion") if host else "1",
        tuple(_inputs(host.get("PluginInput"), "PluginInput")),
    )


def _dict(told: dict[str, Any], key: str) -> dict[str, Any]:
    value = told.get(key)
    return value if isinstance(value, dict) else {}


def _text(told: dict[str, Any], key: str) -> str:
    value = told.get(key, "")
    return str(value) if isinstance(value, str | int) else ""


def _inputs(value: Any, name: str) -> Iterator[str]:
    """Names under which a password stands: a key that is called so, or the third part of ``DOMAIN:USER:PASSWORD``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            is_secret = any(word in key.casefold() for word in _PASSWORDS)
            yield from ([f"{name}.{key}"] if is_secret and inner else _inputs(inner, f"{name}.{key}"))
    elif isinstance(value, list):
        for inner in value:
            yield from _inputs(inner, name)
    elif isinstance(value, str) and not value.startswith("arn:") and "://" not in value:
        parts = value.split(":", _PARTS_WITH_PASSWORD - 1)
        if len(parts) == _PARTS_WITH_PASSWORD and parts[-1].strip():
            yield name


class _Account(msgspec.Struct, frozen=True):
    source: str
    spec: str
    usable: bool | None
    error: str | None


class _Gmsa(msgspec.Struct, frozen=True):
    in_domain: bool
    registered: list[str]
    accounts: list[_Account]
    secure_channel: int | None = None
    failures: dict[str, int] = {}


class Usable(msgspec.Struct, frozen=True):
    """Whether the host can use the account of a spec; None with the reason where that cannot be known."""

    name: str
    usable: bool | None = True
    problem: str = ""


class Gmsa(msgspec.Struct, frozen=True):
    """
    The host's part: whether it belongs to a domain, which plugins it has, which accounts it can use.

    ``failures`` has a line for each kind of event by which Windows told in the last week that it got no credentials for
    containers, ``channel`` one where its channel to the domain could not be asked for.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-gmsa",)

    in_domain: bool = True
    registered: tuple[str, ...] = ()
    accounts: tuple[Usable, ...] = ()
    failures: tuple[str, ...] = ()
    channel: str = ""

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        told: _Gmsa = read_json(bundle, "windows-gmsa", _Gmsa)
        accounts = tuple(Usable(it.spec, it.usable, it.error or "") for it in told.accounts)
        failures = tuple(
            f"Containers-CCG/Admin has event {number} {times} times in the week before"
            for number, times in sorted(told.failures.items())
        )
        channel = f"nltest /sc_query ended with {told.secure_channel}" if told.secure_channel else ""
        return cls(told.in_domain, tuple(told.registered), accounts, failures, channel)

    def has(self, plugin: str) -> bool:
        """Whether a plugin of this GUID is registered, with braces or without."""
        return plugin.strip("{}").casefold() in {it.strip("{}").casefold() for it in self.registered}

    def account_of(self, spec: Spec) -> Usable:
        """What is known of a spec's account."""
        found = (it for it in self.accounts if it.name == spec.name)
        return next(found, Usable(spec.name, None, "not tried"))


Form = Literal["file", "registry", "raw", "config", ""]


class Reference(msgspec.Struct, frozen=True):
    """How a container names its spec: ``form`` empty where the engine reads none; ``written`` is the whole option, a raw spec cut off."""

    written: str
    form: Form
    name: str


def references(container: Container) -> tuple[Reference, ...]:
    """Every credential spec that a container was given, the last of which counts."""
    given = [it for it in container.security_opt if it.casefold().startswith(OPTION)]
    return tuple(map(_reference, given))


def _reference(option: str) -> Reference:
    value = option[len(OPTION) + 1 :]
    kind, separator, name = value.partition("://")
    forms: dict[str, Form] = {"file": "file", "registry": "registry", "raw": "raw", "config": "config"}
    form = forms.get(kind.casefold(), "") if separator and option[len(OPTION)] == "=" else ""
    written = f"{OPTION}=raw://…" if kind.casefold() == "raw" else option
    return Reference(written, form, "" if form == "raw" else name)

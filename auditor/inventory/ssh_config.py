"""
OpenSSH's client configuration: what ``ssh NAME`` would know about a host.

Read here and not by paramiko, whose reader runs ``Match exec`` commands, takes criteria it does not know as met, knows no
``Include`` and asks DNS for this machine's name at every lookup. Nothing here starts a program or uses the network:
a ``Match`` with ``exec`` or another criterion that cannot be decided from the file is never met.
"""

import getpass
import glob
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from auditor.errors import BadFile

_SYSTEM = Path("/etc/ssh/ssh_config")
_DEEPEST = 16
_LINE = re.compile(r"(\w+)(?:\s*=\s*|\s+|$)(.*)")
_LISTS = {"identityfile", "certificatefile"}
_RAW = {"proxycommand"}
_KEYS = (
    _LISTS
    | _RAW
    | {"hostname", "port", "user", "identitiesonly", "identityagent", "hostkeyalias", "proxyjump"}
)
_KEYS |= {"userknownhostsfile", "globalknownhostsfile", "connecttimeout"}
_WITH_ARGUMENT = {"hostline", "host", "originalhost", "user", "localuser"}
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_FLAGS = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, eq=False)
class _Criterion:
    """One condition of a block: ``hostline`` for a Host line, or a keyword of a Match line. Each is itself only."""

    keyword: str
    patterns: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class _Setting:
    """One line, and all that must hold for it to count."""

    criteria: tuple[_Criterion, ...]
    key: str
    arguments: tuple[str, ...]
    path: Path
    line: int

    def bad(self, problem: str) -> BadFile:
        return BadFile(self.path, problem, line=self.line)


@dataclass(frozen=True)
class SshConfig:
    """The settings of all files in order; the first that counts wins."""

    settings: tuple[_Setting, ...] = ()

    @classmethod
    def read(cls, paths: Sequence[Path] | None = None) -> "SshConfig":
        """
        Read these files; None: the user's and the system's. A file that does not exist is skipped.

        Raises:
            BadFile: a line is not understood.
        """
        files = (Path.home() / ".ssh/config", _SYSTEM) if paths is None else paths
        return cls(tuple(setting for path in files for setting in _read(path, (), 0)))

    def lookup(self, name: str, user: str = "") -> dict[str, Any]:
        """
        What the files say about ``ssh NAME`` (or ``ssh USER@NAME``), in the inventory's keys; what they leave open is absent.

        Raises:
            BadFile: a value that is used makes no sense.
        """
        found = self._matching(name, user, {})
        if any(criterion.keyword == "final" for setting in self.settings for criterion in setting.criteria):
            found = self._matching(name, user, found, final=True)
        return _in_our_keys(name, user, found)

    def _matching(
        self, name: str, user: str, before: dict[str, list[_Setting]], *, final: bool = False
    ) -> dict[str, list[_Setting]]:
        found = {key: list(settings) for key, settings in before.items()}
        local, resolved = local_user(), _first(before, "hostname", name).replace("%h", name)
        decided: dict[_Criterion, bool] = {}
        for setting in self.settings:
            if _too_late(setting, found) or (final and setting.key == "hostname"):
                continue
            now = {
                "hostline": resolved,
                "originalhost": name,
                "host": _first(found, "hostname", name).replace("%h", name),
                "user": user or _first(found, "user", local),
                "localuser": local,
            }
            # A block is judged at its Match line: what it sets itself does not count.
            if all(decided.setdefault(each, _holds(each, now, final=final)) for each in setting.criteria):
                found.setdefault(setting.key, []).append(setting)
        found.pop("match", None)
        return found


def local_user() -> str:
    """The name of the user who runs us, or empty when this machine has none for the uid."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def expand(text: str, tokens: dict[str, str]) -> str:
    """Replace ``%h`` and the like; ``%%`` is a per cent sign; an unknown token stays as it is."""
    return re.sub("%(.)", lambda match: ({"%": "%"} | tokens).get(match[1], match[0]), text)


def hops(text: str) -> tuple[str, ...]:
    """The hops of a ProxyJump, first hop first; ``none`` has none."""
    return () if text.lower() == "none" else tuple(hop.strip() for hop in text.split(",") if hop.strip())


def _read(path: Path, outer: tuple[_Criterion, ...], depth: int) -> Iterator[_Setting]:
    try:
        text = path.read_text("utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise BadFile(path, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    if depth > _DEEPEST:
        raise BadFile(path, f"Include goes deeper than {_DEEPEST} files; does it include itself?")
    criteria = outer
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        setting = _setting(line.strip(), criteria, path, number)
        if setting.key in {"host", "match"}:
            criteria = (*outer, *_criteria(setting))
            yield replace(setting, criteria=criteria)
        elif setting.key == "include":
            for included in _included(setting):
                yield from _read(included, criteria, depth + 1)
        elif setting.key in _KEYS:
            yield setting


def _setting(line: str, criteria: tuple[_Criterion, ...], path: Path, number: int) -> _Setting:
    match = _LINE.fullmatch(line)
    if not match:
        raise BadFile(path, "this is no line of an ssh_config: a keyword, then its value", line=number)
    key, rest = match[1].lower(), match[2]
    try:
        words = [rest] if key in _RAW else shlex.split(rest)
    except ValueError:
        raise BadFile(path, f"{match[1]}: a quotation mark is not closed", line=number) from None
    end = next((index for index, word in enumerate(words) if word.startswith("#")), len(words))
    setting = _Setting(criteria, key, tuple(words[:end]), path, number)
    if not any(setting.arguments) and key in _KEYS | {"host", "match", "include"}:
        raise setting.bad(f"{match[1]} has no value")
    return setting


def _criteria(setting: _Setting) -> Iterator[_Criterion]:
    if setting.key == "host":
        yield _Criterion("hostline", setting.arguments)
        return
    words = iter(setting.arguments)
    for word in words:
        keyword = word.removeprefix("!").lower()
        patterns: tuple[str, ...] = ()
        if keyword not in {"all", "final", "canonical"}:
            patterns = tuple(next(words, "").split(","))
            if not any(patterns):
                raise setting.bad(f"Match {word} has no argument")
        yield _Criterion(keyword, patterns, word.startswith("!"))


def _included(setting: _Setting) -> Iterator[Path]:
    """The files of an Include; relative names are below /etc/ssh for the system's file, else below ~/.ssh."""
    base = _SYSTEM.parent if setting.path.is_relative_to(_SYSTEM.parent) else Path.home() / ".ssh"
    for pattern in setting.arguments:
        yield from map(Path, sorted(glob.glob(str(base / os.path.expanduser(pattern)))))  # noqa: PTH111, PTH207  Path.expanduser raises on an unknown user, Path.glob on an absolute pattern


def _too_late(setting: _Setting, found: dict[str, list[_Setting]]) -> bool:
    """Whether another came first; ProxyJump and ProxyCommand keep each other out, but for ``ProxyJump none``."""
    if setting.key == "match":
        return False
    if setting.key in _LISTS:
        return setting in found.get(setting.key, ())
    jump = _first(found, "proxyjump", "none")
    return (
        setting.key in found
        or (setting.key == "proxyjump" and "proxycommand" in found)
        or (setting.key == "proxycommand" and jump.lower() != "none")
    )


def _holds(criterion: _Criterion, now: dict[str, str], *, final: bool) -> bool:
    if criterion.keyword == "all":
        return True
    if criterion.keyword == "final":
        return final is not criterion.negated
    if criterion.keyword == "canonical":
        return criterion.negated
    if criterion.keyword not in _WITH_ARGUMENT:
        return False
    return _matches(now[criterion.keyword], criterion.patterns) is not criterion.negated


def _matches(value: str, patterns: tuple[str, ...]) -> bool:
    """Whether one pattern fits and no negated one does. A bracket is no wildcard here."""
    fits = [(pattern.startswith("!"), pattern.removeprefix("!").replace("[", "[[]")) for pattern in patterns]
    hits = [negated for negated, pattern in fits if fnmatchcase(value.lower(), pattern.lower())]
    return bool(hits) and not any(hits)


def _first(found: dict[str, list[_Setting]], key: str, default: str) -> str:
    return found[key][0].arguments[0] if key in found else default


def _in_our_keys(name: str, user: str, found: dict[str, list[_Setting]]) -> dict[str, Any]:
    address = expand(_first(found, "hostname", "%h"), {"h": name})
    login = user or _first(found, "user", local_user())
    tokens = {"d": str(Path.home()), "h": address, "n": name, "r": login, "u": local_user()}
    tokens["k"] = _first(found, "hostkeyalias", name)
    ours: dict[str, Any] = {"address": address}
    if "user" in found:
        ours["user"] = _first(found, "user", "")
    if "hostkeyalias" in found:
        ours["host_key_alias"] = expand(_first(found, "hostkeyalias", ""), tokens)
    if "port" in found:
        ours["port"] = _port(found["port"][0])
    if "identitiesonly" in found:
        ours["identities_only"] = _flag(found["identitiesonly"][0])
    if _first(found, "identityagent", "").lower() == "none":
        ours["agent"] = False
    if "connecttimeout" in found:
        ours["timeouts"] = {"connect": _seconds(found["connecttimeout"][0])}
    return ours | _files(found, tokens) | _proxy(found)


def _files(found: dict[str, list[_Setting]], tokens: dict[str, str]) -> dict[str, Any]:
    def files(key: str, default: str = "") -> list[str]:
        named = [argument for setting in found.get(key, ()) for argument in setting.arguments]
        expanded = (os.path.expanduser(expand(text, tokens)) for text in named or default.split())  # noqa: PTH111  Path.expanduser raises on an unknown user
        return [file for file in expanded if file.lower() != "none"]

    ours: dict[str, Any] = {}
    if "identityfile" in found:
        ours["identity_files"] = files("identityfile")
    if "certificatefile" in found:
        ours["certificate_files"] = files("certificatefile")
    if "userknownhostsfile" in found or "globalknownhostsfile" in found:
        users = files("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")
        system = files("globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2")
        ours["known_hosts"] = users + system or [os.devnull]
    return ours


def _proxy(found: dict[str, list[_Setting]]) -> dict[str, Any]:
    command = _first(found, "proxycommand", "")
    if command:
        return {"proxy_command": "" if command.lower() == "none" else command}
    return {"proxy_jump": hops(_first(found, "proxyjump", ""))} if "proxyjump" in found else {}


def _port(setting: _Setting) -> int:
    text = setting.arguments[0]
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):  # noqa: PLR2004  the range of ports
        raise setting.bad(f"{text!r} is no port (1 to 65535)")
    return int(text)


def _flag(setting: _Setting) -> bool:
    try:
        return _FLAGS[setting.arguments[0].lower()]
    except KeyError:
        raise setting.bad(f"{setting.arguments[0]!r} is neither yes nor no") from None


def _seconds(setting: _Setting) -> int:
    match = re.fullmatch("([0-9]{1,6})([smhdw]?)", setting.arguments[0].lower())
    if not match or not int(match[1]):
        raise setting.bad(f"{setting.arguments[0]!r} is no time, such as 10 or 2m")
    return int(match[1]) * _UNITS[match[2]]

"""The kernel's audit rules: those it has loaded, and those on disk that it gets at its next start."""

import re
from collections.abc import Iterable, Mapping
from posixpath import normpath
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle, Status, split_lines
from auditor.gaps import Gap

_ALL = frozenset("rwxa")
_BOTH = frozenset({"b32", "b64"})
_DISK = re.compile(r"(?P<path>/.*?\.rules):\s*(?P<rule>-.*)")
# Options that take a value in the next word.
_VALUED = {"-a", "-A", "-d", "-w", "-W", "-p", "-F", "-S", "-C", "-k", "-b", "-e", "-f", "-r"}


class Rule(msgspec.Struct, frozen=True):
    """
    One rule: what happens (``always``, ``never``) in which filter (``exit``, ``task``), for which path.

    ``path`` is empty for a rule that names none; ``below`` tells whether what lies below the path is meant too.
    ``permissions`` are letters of ``rwxa``, ``arches`` the system call tables it holds for. ``narrowed`` are the
    conditions (``auid>=1000``) that leave some events out.
    """

    text: str = ""
    action: str = "always"
    filter: str = "exit"
    path: str = ""
    below: bool = True
    permissions: frozenset[str] = _ALL
    arches: frozenset[str] = _BOTH
    narrowed: tuple[str, ...] = ()


def lies_below(path: str, folder: str) -> bool:
    """Whether a path is somewhere in a folder."""
    return path.startswith(folder.rstrip("/") + "/")


class AuditRules(msgspec.Struct, frozen=True):
    """
    Rules in the order in which they are tried. ``loaded`` is None when the kernel could not be asked.

    ``on_disk`` maps a source (``/etc/audit/rules.d``, ``/etc/audit/audit.rules``) to its rules. ``installed`` tells
    whether there is an audit system at all, ``enabled`` whether the kernel audits. ``unread`` says what was not to be seen.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("audit-rules", "host")

    installed: bool = True
    enabled: bool = True
    loaded: tuple[Rule, ...] | None = ()
    on_disk: Mapping[str, tuple[Rule, ...]] = msgspec.field(default_factory=dict)
    unread: tuple[str, ...] = ()
    arches: frozenset[str] = _BOTH

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        if bundle.section("audit-rules").status == Status.ABSENT:
            return cls(installed=False)
        lines = [line.partition(" ") for line in split_lines(bundle.text("audit-rules"))]
        told = {
            word: [rest for each, _, rest in lines if each == word] for word in ("kernel", "loaded", "disk")
        }
        denied = tuple(f"{rest}: permission denied" for word, _, rest in lines if word == "denied")
        loaded, unread = _loaded(told["loaded"])
        return cls(
            enabled=not any(line.split() == ["enabled", "0"] for line in told["kernel"]),
            loaded=loaded,
            on_disk=_on_disk(told["disk"]),
            unread=(*unread, *denied),
            arches=_arches(bundle),
        )


def _arches(bundle: Bundle) -> frozenset[str]:
    """Programs for 32 bits have system calls of their own on these machines, and a rule for 64 bits does not see them."""
    try:
        only_64 = "machine=x86_64" not in split_lines(bundle.text("host"))
    except Gap:
        only_64 = False
    return frozenset({"b64"}) if only_64 else _BOTH


def _loaded(lines: list[str]) -> tuple[tuple[Rule, ...] | None, tuple[str, ...]]:
    """What ``auditctl -l`` printed: rules, or ``No rules``; anything else is why it could not tell."""
    if any(line.strip() == "No rules" for line in lines):
        return (), ()
    odd = [line for line in lines if not line.startswith("-")]
    if odd or not lines:
        return None, (f"auditctl -l: {'; '.join(odd) or 'it printed nothing'}",)
    return read_rules(lines), ()


def _on_disk(lines: Iterable[str]) -> dict[str, tuple[Rule, ...]]:
    """The rules of each source. What is in rules.d makes audit.rules anew at the next start."""
    texts: dict[str, list[str]] = {}
    for match in filter(None, map(_DISK.fullmatch, lines)):
        folder = "/etc/audit/rules.d"
        source = folder if match["path"].startswith(folder) else match["path"]
        texts.setdefault(source, []).append(match["rule"])
    return {source: read_rules(rules) for source, rules in sorted(texts.items())}


def read_rules(lines: Iterable[str]) -> tuple[Rule, ...]:
    """Read rules as auditctl does, into the order in which they are tried: ``-A`` goes first, ``-D`` takes all away."""
    rules: list[Rule] = []
    for line in lines:
        words = line.split()
        if "-D" in words:
            rules.clear()
        elif rule := _rule(words):
            rules.insert(0 if "-A" in words else len(rules), rule)
    return tuple(rules)


def _rule(words: list[str]) -> Rule | None:
    """A rule, or None for what is none (``-b 8192``, ``-e 2``, a rule taken away)."""
    rule, makes_one = Rule(text=" ".join(words)), False
    rest = list(words)
    while rest:
        option = rest.pop(0)
        value = rest.pop(0) if option in _VALUED and rest else ""
        makes_one = makes_one or option in ("-a", "-A", "-w")
        rule = _with_option(rule, option, value)
    return rule if makes_one else None


def _with_option(rule: Rule, option: str, value: str) -> Rule:
    match option:
        case "-a" | "-A":
            words = set(value.split(","))
            return msgspec.structs.replace(
                rule,
                action="never" if "never" in words else "always",
                filter=next(iter(sorted(words - {"always", "never", "possible"})), "exit"),
            )
        case "-w":
            return msgspec.structs.replace(rule, path=normpath(value))
        case "-p":
            return msgspec.structs.replace(rule, permissions=frozenset(value))
        case "-F" | "-C":
            return _with_field(rule, value)
        case "-S" if value != "all":
            return msgspec.structs.replace(rule, narrowed=(*rule.narrowed, f"-S {value}"))
    return rule


def _with_field(rule: Rule, condition: str) -> Rule:
    name, _, value = condition.partition("=")
    match name:
        case "path":
            return msgspec.structs.replace(rule, path=normpath(value), below=False)
        case "dir":
            return msgspec.structs.replace(rule, path=normpath(value))
        case "perm":
            return msgspec.structs.replace(rule, permissions=frozenset(value))
        case "arch":
            return msgspec.structs.replace(
                rule, arches=frozenset({value}) if value in _BOTH else frozenset({_table_of(value)})
            )
        case "key":
            return rule
    return msgspec.structs.replace(rule, narrowed=(*rule.narrowed, condition))


def _table_of(arch: str) -> str:
    """``auditctl -l`` and people also write the machine's name."""
    return "b32" if arch in ("i386", "i486", "i586", "i686", "arm", "ppc", "s390") else "b64"

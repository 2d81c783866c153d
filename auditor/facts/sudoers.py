"""What sudo lets people do, as far as it gives them the engine."""

import re
from collections.abc import Iterable, Iterator, Mapping
from posixpath import basename

import msgspec

# Programs that command the engine or containerd, or that put another in the engine's place.
_COMMANDS = {"docker", "dockerd", "containerd", "ctr", "nerdctl", "crictl", "runc", "docker-compose"}
_ALIAS = re.compile(r"(User|Runas|Host|Cmnd|Cmd)_Alias\s+(.*)")
_OPTION = re.compile(
    r"(ROLE|TYPE|APPARMOR_PROFILE|PRIVS|LIMITPRIVS|NOTBEFORE|NOTAFTER|TIMEOUT|CWD|CHROOT)\s*=\s*\S+\s*"
)
_TAG = re.compile(r"[A-Z_]+:\s*")
_RUNAS = re.compile(r"\(([^)]*)\)\s*")
_INCLUDE = re.compile(r"[@#]include(dir)?\s+(.+)")
# A comma that parts two entries, not one that is escaped or within quotes.
_COMMA = re.compile(r"\s*,\s*(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)(?<!\\,)")
# A colon that begins another list of hosts, not one within ``(user : group)``.
_COLON = re.compile(r"\s:\s(?![^(]*\))")
_READ = ("/etc/sudoers.d", "/usr/etc/sudoers.d")


class Grant(msgspec.Struct, frozen=True):
    """Somebody (``anna``, ``%wheel``, ``#1000``, ``+netgroup``, ``ALL``) who may run a command as root, and where that stands."""

    who: str
    command: str
    source: str = "/etc/sudoers"


def read_sudoers(files: Mapping[str, Iterable[str]]) -> tuple[Grant, ...]:
    """The grants in these files (lines by path) that give somebody the engine. Aliases hold across files."""
    lines = [(path, line) for path, text in files.items() for line in _joined(text)]
    aliases: dict[str, list[str]] = {}
    for _, line in lines:
        aliases.update(_aliases(line))
    return tuple(dict.fromkeys(grant for path, line in lines for grant in _grants(path, line, aliases)))


def included(files: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Files that these include and that were not read."""
    found = (_INCLUDE.fullmatch(line) for text in files.values() for line in _joined(text))
    paths = (match[2].strip('"') for match in found if match)
    return tuple(dict.fromkeys(path for path in paths if path.rstrip("/") not in (*_READ, *files)))


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Lines without comments, those that end in a backslash joined with the next."""
    begun = ""
    for line in lines:
        text = begun + line
        begun = text[:-1] if text.endswith("\\") else ""
        if not begun:
            yield text.strip() if _INCLUDE.match(text) else re.sub(r"\s*(?<!\\)#(?!\d).*", "", text).strip()
    if begun:
        yield begun.strip()


def _aliases(line: str) -> Iterator[tuple[str, list[str]]]:
    match = _ALIAS.fullmatch(line)
    for definition in re.split(r"\s+:\s+", match[2]) if match else ():
        name, _, members = definition.partition("=")
        yield name.strip(), _COMMA.split(members.strip())


def _expanded(words: Iterable[str], aliases: Mapping[str, list[str]], depth: int = 8) -> Iterator[str]:
    """Words with aliases put in; what an alias takes back (``!NAME``) is not given by it."""
    for word in words:
        if word in aliases and depth:
            yield from _expanded(aliases[word], aliases, depth - 1)
        elif word:
            yield word


def _grants(path: str, line: str, aliases: Mapping[str, list[str]]) -> Iterator[Grant]:
    """The grants of one line: ``anna, %ops  ALL = (root) NOPASSWD: /usr/bin/docker, /bin/ls : web = ALL``."""
    head, equals, rest = line.partition("=")
    if not equals or _ALIAS.match(line) or line.startswith(("Defaults", "@")) or len(_words(head)) < 2:  # noqa: PLR2004  users and hosts
        return
    users = list(_expanded(_COMMA.split(_users(head)), aliases))
    first, *further = _COLON.split(rest)
    for commands in (first, *(part.partition("=")[2] for part in further)):
        for command in _commands(commands, aliases):
            yield from (Grant(_plain(user), command, path) for user in users if not user.startswith("!"))


def _words(head: str) -> list[str]:
    """The words of a user list and a host list; a blank may be quoted, escaped, or beside a comma."""
    return re.findall(r'(?:"[^"]*"|\\.|[^\s"\\])+', re.sub(r"\s*,\s*", ",", head))


def _users(head: str) -> str:
    return _words(head)[0]


def _plain(user: str) -> str:
    return re.sub(r"\\(.)", r"\1", user.replace('"', ""))


def _commands(text: str, aliases: Mapping[str, list[str]]) -> Iterator[str]:
    """The commands of a list that give the engine and are run as root."""
    as_root = True
    for word in _COMMA.split(text.strip()):
        command = _OPTION.sub("", word)
        if match := _RUNAS.match(command):
            as_root = _is_root(match[1], aliases)
            command = command[match.end() :]
        while tag := _TAG.match(_OPTION.sub("", command)):
            command = _OPTION.sub("", command)[tag.end() :]
        for each in _expanded([command.strip()], aliases):
            if as_root and _gives_the_engine(each):
                yield each


def _is_root(runas: str, aliases: Mapping[str, list[str]]) -> bool:
    """Whether ``(user:group)`` allows root, or the engine's group."""
    users, _, groups = runas.partition(":")
    named = set(_expanded(_COMMA.split(users.strip()), aliases))
    grouped = set(_expanded(_COMMA.split(groups.strip()), aliases))
    return bool(named & {"ALL", "root", "#0"} or grouped & {"ALL", "docker", "root"})


def _gives_the_engine(command: str) -> bool:
    """``ALL``, a program that commands the engine, or any program of a folder."""
    if command.startswith("!"):
        return False
    program = command.partition(" ")[0]
    return (
        program in ("ALL", "sudoedit")
        or program.endswith("/")
        or "*" in program
        or basename(program) in _COMMANDS
    )

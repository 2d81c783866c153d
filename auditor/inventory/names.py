"""Names of hosts: ranges in them, and patterns that choose among them."""

import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from auditor.errors import UsageError
from auditor.host import Host
from auditor.yamlfile import suggest

MOST_HOSTS = 10_000
_RANGE = re.compile(r"\[([A-Za-z0-9]{1,9}):([A-Za-z0-9]{1,9})(?::([0-9]{1,6}))?\]")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")
_LETTERS = string.ascii_letters


def expand(name: str) -> list[str]:
    """
    The names that a name with ranges stands for: ``web[01:20]``, ``db-[a:f]``, ``rack[0:40:10]``.

    Raises:
        ValueError: a range or a name is not valid; the message says how it is written.
    """
    names = [""]
    for piece in re.split(r"(\[[^\]]*\])", name):
        options = _range(piece) if piece.startswith("[") else [piece]
        names = [start + option for start in names for option in options]
        if len(names) > MOST_HOSTS:
            raise ValueError(f"this range stands for more than {MOST_HOSTS} hosts")
    for expanded in names:
        if not _NAME.fullmatch(expanded):
            raise ValueError(
                f"{expanded!r} is no name for a host: letters, digits, '.', '_', '-' and '@'; anything else goes to address"
            )
    return names


def _range(text: str) -> list[str]:
    match = _RANGE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no range: it is written [01:20] or [a:f], with a step [0:40:10]")
    first, last, step = match[1], match[2], int(match[3] or 1)
    if first.isdigit() and last.isdigit():
        start, stop, text_of = int(first), int(last), _padded(len(first) if first.startswith("0") else 0)
    elif len(first) == len(last) == 1 and first.isalpha() and last.isalpha():
        start, stop, text_of = _LETTERS.index(first), _LETTERS.index(last), _LETTERS.__getitem__
    else:
        raise ValueError(f"{text!r} is no range: both ends are numbers, or both are letters")
    if start > stop or not step or (stop - start) // step >= MOST_HOSTS:
        raise ValueError(f"{text!r} is no range: it goes up, by at most {MOST_HOSTS} steps")
    return [text_of(number) for number in range(start, stop + 1, step)]


def _padded(width: int) -> Callable[[int], str]:
    return lambda number: str(number).zfill(width)


class Chooser:
    """Names, groups and tags to choose from, by patterns such as Ansible's ``--limit`` takes."""

    def __init__(self, hosts: Iterable[tuple[str, Sequence[str], Sequence[str]]]) -> None:
        """``hosts``: name, groups and tags of each."""
        self.words: dict[str, dict[str, None]] = {}
        self.names: dict[str, None] = {}
        for name, groups, tags in hosts:
            self.names[name] = None
            for word in (name, *groups, *(f"tag:{tag}" for tag in tags)):
                self.words.setdefault(word, {})[name] = None

    def choose(self, pattern: str) -> list[str]:
        """
        Names of the hosts that a pattern means, in their order: terms are added up, ``&term`` keeps, ``!term`` leaves out.

        Raises:
            UsageError: a term means no host, or nothing is left; the message says what there is.
        """
        terms = _terms(pattern)
        if not terms:
            raise UsageError(
                "the pattern that should choose hosts is empty: give a name, a group, tag:NAME or all"
            )
        chosen = {name for term in terms if term[0] not in "&!" for name in self._meant(term)}
        if all(term[0] in "&!" for term in terms):
            chosen = set(self.names)
        for term in terms:
            if term[0] == "&":
                chosen &= set(self._meant(term[1:]))
            elif term[0] == "!":
                chosen -= set(self._meant(term[1:]))
        if not chosen:
            raise UsageError(f"{pattern!r} leaves no host to audit: {suggest(pattern, self.words)}")
        return [name for name in self.names if name in chosen]

    def _meant(self, term: str) -> Iterator[str]:
        if term in {"all", "*"}:
            yield from self.names
            return
        is_tag = term.startswith("tag:")
        words = [word for word in self.words if word.startswith("tag:") is is_tag and fnmatchcase(word, term)]
        if not words:
            raise UsageError(f"no host, group or tag is called {term!r}: {suggest(term, self.words)}")
        for word in words:
            yield from self.words[word]


def _terms(pattern: str) -> list[str]:
    return [term.strip() for term in re.split(r",|(?<!\btag):", pattern) if term.strip()]


def means(pattern: str, host: Host) -> bool:
    """Whether a pattern, as ``select`` takes it, means a host; a word that means nobody is no error here."""
    words = (host.name, *host.groups, *(f"tag:{tag}" for tag in host.tags))

    def met(term: str) -> bool:
        is_tag = term.startswith("tag:")
        return term in {"all", "*"} or any(
            fnmatchcase(word, term) for word in words if word.startswith("tag:") is is_tag
        )

    terms = _terms(pattern)
    plain = [term for term in terms if term[0] not in "&!"]
    return (
        (not plain or any(map(met, plain)))
        and all(met(term[1:]) for term in terms if term[0] == "&")
        and not any(met(term[1:]) for term in terms if term[0] == "!")
    )


def select(hosts: Sequence[Host], pattern: str) -> tuple[Host, ...]:
    """
    The hosts that a pattern means, in their order.

    Terms are names, groups, ``tag:NAME``, globs of these, and ``all``. ``a,b`` or ``a:b`` means both, ``&b`` those that are
    in ``b`` as well, ``!b`` all but those.

    Raises:
        UsageError: nothing is called so, or no host is left; the message says what there is.
    """
    chosen = set(Chooser((host.name, host.groups, host.tags) for host in hosts).choose(pattern))
    return tuple(host for host in hosts if host.name in chosen)

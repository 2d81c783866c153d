"""Private keys on the host: where, and the digest of their public halves. Never the keys."""

from typing import ClassVar, Literal, Self

import msgspec

from auditor.collect.bundle import Bundle, split_lines
from auditor.facts.paths import is_windows, normal

State = Literal["readable", "encrypted", "unreadable", "unknown", "unread", "denied"]


class Key(msgspec.Struct, frozen=True):
    """
    A private key's file. ``public`` is the SHA-256 of its SubjectPublicKeyInfo, in hex, when ``state`` is ``readable``.

    ``unreadable`` is no key that openssl can read, ``unknown`` one on a host without openssl, ``denied`` a file or
    folder (its path ends with a slash) that may not be read. On Windows nothing reads keys: all are ``encrypted`` or ``unread``.
    """

    path: str
    state: State = "readable"
    public: str = ""


class Keys(msgspec.Struct, frozen=True):
    """The keys that were found near the daemon's files and in the folders of clients."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("keys",)

    keys: tuple[Key, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        found = (_key(line) for line in split_lines(bundle.text("keys")) if line)
        return cls(tuple(key for key in found if key))

    @property
    def unread(self) -> tuple[str, ...]:
        """Why some keys are not known."""
        why = {"denied": "permission denied", "unknown": "there is no openssl on the host to read it with"}
        return tuple(f"{key.path}: {why[key.state]}" for key in self.keys if key.state in why)

    def at(self, path: str) -> Key | None:
        """The key at ``path``."""
        return next((key for key in self.keys if key.path == path), None)


def _key(line: str) -> Key | None:
    word, _, rest = line.partition(" ")
    match word:
        case "public":
            digest, _, path = rest.partition(" ")
            return Key(normal(path), "readable", digest)
        case "unknown" if is_windows(rest):
            return Key(normal(rest), "unread")
        case "encrypted" | "unreadable" | "unknown":
            return Key(normal(rest), word)
        case "denied":
            return Key(rest, "denied")
    return None

"""Docker's client in the profiles of Windows users: keys, and passwords of registries."""

from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.windows_json import read_json
from auditor.facts.windows_rights import Guarded, RightsEntry, guarded


class Client(msgspec.Struct, frozen=True):
    """One user's folder; ``inline`` are the registries whose passwords stand in its config.json; ``sid`` is empty where nobody's profile is known to be there."""

    folder: str = r"C:\Users\anna\.docker"
    files: tuple[Guarded, ...] = ()
    inline: tuple[str, ...] = ()
    problem: str = ""
    sid: str = "S-1-5-21-1-2-3-1001"


class _Client(msgspec.Struct, frozen=True):
    folder: str
    files: list[RightsEntry]
    inline: list[str]
    error: str | None
    sid: str | None = None


class WindowsClients(msgspec.Struct, frozen=True):
    """Every user's folder that there is."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-clients",)

    clients: tuple[Client, ...] = ()

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        return cls(tuple(map(_client, read_json(bundle, "windows-clients", list[_Client]))))


def _client(raw: _Client) -> Client:
    return Client(
        raw.folder, tuple(map(guarded, raw.files)), tuple(raw.inline), raw.error or "", raw.sid or ""
    )

"""What Windows writes to its security log."""

import csv
import re
from collections.abc import Mapping
from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.windows_json import read_json
from auditor.gaps import Inconclusive

FILE_SYSTEM, PROCESS_CREATION = (
    "0CCE921D-69AE-11D9-BED3-505054503030",
    "0CCE922B-69AE-11D9-BED3-505054503030",
)
# auditpol speaks the system's language, and has no other form that leaves no file. What is not here is not known.
_SUCCESS = {"Success", "Success and Failure", "Erfolg", "Erfolg und Fehler"}
_NO_SUCCESS = re.compile(r"No Auditing|Failure|Keine .{1,2}berwachung|Fehler")
_GUID = re.compile(r"\{([0-9A-F-]{36})\}", re.IGNORECASE)


class _Audit(msgspec.Struct, frozen=True):
    culture: str
    text: str


class WindowsAudit(msgspec.Struct, frozen=True):
    """Subcategories by GUID, and whether success is logged; None where the word for it is of a language not known here."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("windows-audit",)

    success: Mapping[str, bool | None] = msgspec.field(
        default_factory=lambda: {FILE_SYSTEM: True, PROCESS_CREATION: True}
    )
    culture: str = "en-US"

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        told: _Audit = read_json(bundle, "windows-audit", _Audit)
        found: dict[str, bool | None] = {}
        for row in _rows(told.text):
            guid = _GUID.fullmatch(row[3].strip()) if len(row) > 4 else None  # noqa: PLR2004  the column with the setting
            if guid:
                found[guid[1].upper()] = _is_success(row[4].strip())
        return cls(found, told.culture)

    def logs(self, guid: str) -> bool:
        """
        Whether success of a subcategory is logged.

        Raises:
            Inconclusive: that was not told, or in a language not known here.
        """
        found = self.success.get(guid)
        if found is None:
            why = f"in {self.culture}" if guid in self.success else "nothing of it"
            raise Inconclusive(f"auditpol told {why}: whether {guid} is audited cannot be said")
        return found


def _rows(text: str) -> list[list[str]]:
    try:
        return list(csv.reader(text.splitlines()))
    except csv.Error as error:
        raise Inconclusive(f"windows-audit is not what auditpol prints: {error}") from error


def _is_success(word: str) -> bool | None:
    if word in _SUCCESS:
        return True
    return False if _NO_SUCCESS.fullmatch(word) else None

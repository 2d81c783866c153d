"""Security descriptors in the form of SDDL: who may do what with an object of Windows."""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from auditor.facts.windows_principals import CREATORS, EVERYONE, OWNER_RIGHTS, sid_of
from auditor.gaps import Inconclusive

Kind = Literal["file", "folder", "key", "service", "pipe"]

# Bits that mean the same for every kind of object.
DELETE, READ_CONTROL, WRITE_DAC, WRITE_OWNER = 0x10000, 0x20000, 0x40000, 0x80000
_ALL = 0xFFFFFFFF

_LETTERS = {
    "GA": 0x10000000, "GX": 0x20000000, "GW": 0x40000000, "GR": 0x80000000,
    "SD": DELETE, "RC": READ_CONTROL, "WD": WRITE_DAC, "WO": WRITE_OWNER,
    "CC": 0x1, "DC": 0x2, "LC": 0x4, "SW": 0x8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CR": 0x100,
    "FA": 0x1F01FF, "FR": 0x120089, "FW": 0x120116, "FX": 0x1200A0,
    "KA": 0xF003F, "KR": 0x20019, "KW": 0x20006, "KX": 0x20019,
    # Of integrity labels, which grant nothing.
    "NW": 0x1, "NR": 0x2, "NX": 0x4,
}  # fmt: skip
# What the generic rights stand for: read, write, execute, all.
_FILE = (0x120089, 0x120116, 0x1200A0, 0x1F01FF)
_GENERIC: Mapping[Kind, tuple[int, int, int, int]] = {
    "file": _FILE, "folder": _FILE, "pipe": _FILE,
    "key": (0x20019, 0x20006, 0x20019, 0xF003F),
    "service": (0x2008D, 0x20002, 0x20170, 0xF01FF),
}  # fmt: skip
# Entries that allow; one with a condition may. Of those that deny only the plain one surely does.
_ALLOWS, _DENIES, _AUDITS = {"A", "OA", "XA", "ZA"}, {"D"}, {"AU"}
_TYPES = _ALLOWS | _DENIES | _AUDITS | {"OD", "XD", "OU", "XU", "AL", "OL", "ML", "RA", "SP", "TL", "FL"}
# On the outline of a descriptor, where brackets hold nothing but dots.
_BRACKETS = re.compile(r"\(\.*\)")
_PART = re.compile(r"(?P<letter>[OGDS]):(?P<plain>[^(:]*?)(?P<entries>(?:\(\.*\))*)(?=[OGDS]:|$)")
_WHOLE = re.compile(r"(O:[^(:]*)?(G:[^(:]*)?(D:[A-Z_]*(\(\.*\))*)?(S:[A-Z_]*(\(\.*\))*)?")


class Ace(msgspec.Struct, frozen=True):
    """One entry of a list: its kind, for whom, which rights, and how it is inherited (``OI``, ``CI``, ``IO``…)."""

    type: str = "A"
    sid: str = "S-1-5-18"
    mask: int = 0x1F01FF
    flags: frozenset[str] = frozenset()

    @property
    def allows(self) -> bool:
        return self.type in _ALLOWS

    @property
    def denies(self) -> bool:
        return self.type in _DENIES


class Descriptor(msgspec.Struct, frozen=True):
    """
    Owner, access list and audit list of an object.

    ``dacl`` None means that there is no list, which Windows takes as everything for everybody; an empty one lets nobody in.
    ``protected``: it takes no rights from its folder.
    """

    owner: str = ""
    group: str = ""
    dacl: tuple[Ace, ...] | None = None
    sacl: tuple[Ace, ...] = ()
    protected: bool = False

    def granted(self, kind: Kind) -> dict[str, int]:
        """
        The rights that each SID of the list, and the owner, has on the object itself; bits, generic ones resolved.

        Entries count in their order, as Windows takes them: what was allowed before is not taken away by a later denial.
        A denial protects from those that surely are among the denied: the SID itself, and from everybody but
        anonymous logons where everyone is denied.
        """
        if self.dacl is None:
            return {EVERYONE: _GENERIC[kind][3]}
        own = [ace for ace in self.dacl if "IO" not in ace.flags]
        found = {sid: _collect(sid, own, kind) for sid in dict.fromkeys(ace.sid for ace in own if ace.allows)}
        rights_of_owner = found.pop(OWNER_RIGHTS, 0)
        if not any(ace.sid == OWNER_RIGHTS for ace in own):
            rights_of_owner = READ_CONTROL | WRITE_DAC
        if self.owner:
            found[self.owner] = found.get(self.owner, 0) | rights_of_owner
        return {sid: mask for sid, mask in found.items() if mask and sid not in CREATORS}

    def inherited_by(self, kind: Literal["file", "folder"]) -> "Descriptor":
        """What a new file or folder gets from this folder; whoever makes it owns it."""
        flag = "OI" if kind == "file" else "CI"
        kept = [
            msgspec.structs.replace(ace, flags=frozenset()) for ace in self.dacl or () if flag in ace.flags
        ]
        return Descriptor(dacl=None if self.dacl is None else tuple(kept))

    def audited(self, kind: Kind) -> dict[str, int]:
        """The accesses whose success is logged, by SID."""
        found: dict[str, int] = {}
        for ace in self.sacl:
            if ace.type in _AUDITS and "SA" in ace.flags and "IO" not in ace.flags:
                found[ace.sid] = found.get(ace.sid, 0) | resolve(ace.mask, kind)
        return found


def _collect(sid: str, aces: list[Ace], kind: Kind) -> int:
    """The bits that one SID is allowed, entry by entry."""
    members_of = {sid} if sid == "S-1-5-7" else {sid, EVERYONE}
    allowed = denied = 0
    for ace in aces:
        mask = resolve(ace.mask, kind)
        if ace.allows and ace.sid == sid:
            allowed |= mask & ~denied
        elif ace.denies and ace.sid in members_of:
            denied |= mask & ~allowed
    return allowed


def resolve(mask: int, kind: Kind) -> int:
    """A mask with its generic rights as those of a kind of object."""
    for name, meant in zip(("GR", "GW", "GX", "GA"), _GENERIC[kind], strict=True):
        if mask & _LETTERS[name]:
            mask = mask & ~_LETTERS[name] | meant
    return mask


def parse(text: str) -> Descriptor:
    """
    Read a descriptor, for instance ``O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;;0x1200a9;;;BU)``.

    Raises:
        Inconclusive: it is none.
    """
    parts = _parts(text.strip())
    flags, aces = parts.get("D", ("NO_ACCESS_CONTROL", ()))
    return Descriptor(
        owner=sid_of(parts.get("O", ("", ()))[0]),
        group=sid_of(parts.get("G", ("", ()))[0]),
        dacl=None if "NO_ACCESS_CONTROL" in flags else tuple(map(_ace, aces)),
        sacl=tuple(map(_ace, parts.get("S", ("", ()))[1])),
        protected="P" in re.sub("NO_ACCESS_CONTROL|AR|AI", "", flags),
    )


def _parts(text: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By letter: the plain text of a part, and what stands in its brackets."""
    outline = _outline(text)
    if not text or not _WHOLE.fullmatch(outline):
        raise Inconclusive(f"not a security descriptor: {text[:80]!r}")
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for part in _PART.finditer(outline):
        brackets = [
            text[it.start() + 1 : it.end() - 1] for it in _BRACKETS.finditer(outline, *part.span("entries"))
        ]
        found.setdefault(part["letter"], (part["plain"].strip(), tuple(brackets)))
    return found


def _outline(text: str) -> str:
    """The text with dots for all that stands inside outer brackets; conditions have brackets and quotes of their own."""
    outline = []
    depth, quoted = 0, False
    for letter in text:
        inside = depth > 0
        if inside and letter == '"':
            quoted = not quoted
        elif not quoted:
            depth += (letter == "(") - (letter == ")" and inside)
        outline.append("." if inside and depth else letter)
    return "".join(outline)


def _ace(text: str) -> Ace:
    """``A;OICI;FA;;;BA``; what follows the sixth field is a condition or a value."""
    kind, flags, rights, _, _, sid, *_ = (field.strip() for field in [*text.split(";", 6), *[""] * 6][:7])
    if kind not in _TYPES or not sid:
        raise Inconclusive(f"not an access entry: {text[:80]!r}")
    return Ace(kind, sid_of(sid), _mask(rights), frozenset(_pairs(flags)))


def _mask(text: str) -> int:
    """``0x1200a9``, ``1179785``, ``0777`` or pairs of letters."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
        return int(text, 16) & _ALL
    if text.isdecimal() and text.isascii():
        return (int(text, 8) if re.fullmatch(r"0[0-7]+", text) else int(text)) & _ALL
    pairs = _pairs(text)
    if unknown := [pair for pair in pairs if pair not in _LETTERS]:
        raise Inconclusive(f"not a right: {unknown[0][:80]!r}")
    mask = 0
    for pair in pairs:
        mask |= _LETTERS[pair]
    return mask


def _pairs(text: str) -> list[str]:
    return re.findall(r"..?", text, re.DOTALL)

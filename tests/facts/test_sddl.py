"""Security descriptors, read and asked who may do what."""

import contextlib
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auditor.collect.bundle import load
from auditor.facts.sddl import READ_CONTROL, WRITE_DAC, Ace, Descriptor, Kind, parse, resolve
from auditor.facts.windows_principals import is_broad, is_trusted, name_of, sid_of
from auditor.gaps import Inconclusive

EVERYONE, USERS, SYSTEM, ADMINISTRATORS = "S-1-1-0", "S-1-5-32-545", "S-1-5-18", "S-1-5-32-544"
ANNA = "S-1-5-21-1-2-3-1001"
FULL, READ, MODIFY = 0x1F01FF, 0x120089, 0x1301BF
RECORDINGS = sorted((Path(__file__).parents[1] / "recordings" / "windows").glob("*.bundle"))


def granted(text: str, kind: Kind = "file") -> dict[str, int]:
    return parse(text).granted(kind)


def test_a_descriptor_is_read_whole() -> None:
    descriptor = parse(
        "O:BAG:SYD:PAI(A;OICIID;FA;;;SY)(D;;0x1200a9;;;S-1-5-21-1-2-3-1001)S:AI(AU;SAFA;SDWD;;;WD)"
    )
    assert (descriptor.owner, descriptor.group, descriptor.protected) == (ADMINISTRATORS, SYSTEM, True)
    assert descriptor.dacl == (
        Ace("A", SYSTEM, FULL, frozenset({"OI", "CI", "ID"})),
        Ace("D", ANNA, 0x1200A9, frozenset()),
    )
    assert descriptor.sacl == (Ace("AU", EVERYONE, 0x50000, frozenset({"SA", "FA"})),)


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("0x1200a9", 0x1200A9), ("0X1F01FF", FULL), ("2032127", FULL), ("0777", 0o777), ("0", 0), ("", 0), ("GA", 0x10000000), ("GRGW", 0xC0000000),
        ("FA", FULL), ("FRFX", 0x1200A9), ("KA", 0xF003F), ("KRKW", 0x2001F), ("CCDCLCSWRPWPDTLOCRSDRCWDWO", 0xF01FF), ("0xFFFFFFFFFF", 0xFFFFFFFF),
    ],
)  # fmt: skip
def test_rights_are_letters_or_numbers(text: str, mask: int) -> None:
    dacl = parse(f"D:(A;;{text};;;BU)").dacl
    assert dacl
    assert dacl[0].mask == mask


@pytest.mark.parametrize(
    ("kind", "generic", "meant"),
    [
        ("file", "GA", FULL), ("folder", "GW", 0x120116), ("pipe", "GRGW", 0x12019F), ("key", "GA", 0xF003F), ("key", "GR", 0x20019), ("key", "GX", 0x20019),
        ("service", "GA", 0xF01FF), ("service", "GW", 0x20002), ("service", "GX", 0x20170), ("service", "GR", 0x2008D), ("file", "GX", 0x1200A0),
    ],
)  # fmt: skip
def test_generic_rights_mean_what_the_kind_of_object_makes_of_them(
    kind: Kind, generic: str, meant: int
) -> None:
    assert granted(f"D:(A;;{generic};;;BU)", kind) == {USERS: meant}


def test_entries_that_are_only_for_children_do_not_count_on_the_folder_but_for_its_children() -> None:
    folder = parse("O:BAD:P(A;OICIIO;GA;;;BU)(A;CI;FR;;;AU)(A;OI;FX;;;WD)(A;;FA;;;SY)")
    assert folder.granted("folder") == {
        ADMINISTRATORS: READ_CONTROL | WRITE_DAC,
        "S-1-5-11": READ,
        EVERYONE: 0x1200A0,
        SYSTEM: FULL,
    }
    assert folder.inherited_by("file").granted("file") == {USERS: FULL, EVERYONE: 0x1200A0}
    assert folder.inherited_by("folder").granted("folder") == {USERS: FULL, "S-1-5-11": READ}


def test_no_list_is_everything_for_everybody_and_an_empty_one_is_nothing_for_nobody() -> None:
    assert granted("O:BAG:SYD:NO_ACCESS_CONTROL") == {EVERYONE: FULL}
    assert granted("O:BAG:SY") == {EVERYONE: FULL}
    assert parse("O:BA").inherited_by("file").granted("file") == {EVERYONE: FULL}
    assert granted("D:") == granted("D:P") == {}


def test_the_owner_may_change_the_list_unless_an_entry_says_what_owners_may() -> None:
    assert granted("O:BUD:(A;;FR;;;BU)") == {USERS: READ | READ_CONTROL | WRITE_DAC}
    assert granted("O:BUD:P") == {USERS: READ_CONTROL | WRITE_DAC}
    assert granted("O:BUD:(A;;RC;;;OW)") == {USERS: READ_CONTROL}
    assert granted("O:BUD:(D;;WD;;;OW)") == {}
    assert granted("O:BUD:(A;OICIIO;RC;;;OW)") == {USERS: READ_CONTROL | WRITE_DAC}


@pytest.mark.parametrize(
    ("dacl", "left"),
    [
        ("(D;;FA;;;BU)(A;;FA;;;BU)", 0),
        ("(D;;FA;;;WD)(A;;FA;;;BU)", 0),
        ("(D;;SD;;;BU)(A;;0x1301bf;;;BU)", MODIFY & ~0x10000),
        ("(A;;FA;;;BU)(D;;FA;;;BU)", FULL),
        ("(A;;FR;;;BU)(D;;FA;;;BU)(A;;FA;;;BU)", READ),
        ("(D;IO;FA;;;BU)(A;;FA;;;BU)", FULL),
        ("(D;;FA;;;IU)(A;;FA;;;BU)", FULL),
        ("(OD;;FA;;;BU)(A;;FA;;;BU)", FULL),
        ('(XD;;FA;;;BU;(@User.a=="b"))(A;;FA;;;BU)', FULL),
        ('(XA;;FA;;;BU;(@User.a=="(;b"))', FULL),
        ("(OA;;FA;;;BU)", FULL),
        ("(AU;SA;FA;;;BU)", 0),
    ],
)
def test_a_denial_counts_where_windows_comes_to_it_first_and_only_where_it_surely_holds(
    dacl: str, left: int
) -> None:
    assert granted(f"D:{dacl}").get(USERS, 0) == left


def test_anonymous_logons_are_not_among_everyone() -> None:
    assert granted("D:(D;;FA;;;WD)(A;;FA;;;AN)") == {"S-1-5-7": FULL}


def test_whoever_creates_something_is_nobody_on_the_thing_itself() -> None:
    assert granted("D:(A;;FA;;;CO)(A;;FA;;;CG)") == {}


def test_what_is_audited_counts_where_success_is() -> None:
    descriptor = parse("D:PS:(AU;SA;SDWD;;;WD)(AU;FA;FA;;;WD)(AU;OISAIO;WO;;;WD)(AU;SA;DC;;;WD)(ML;;NW;;;HI)")
    assert descriptor.audited("file") == {EVERYONE: 0x50002}


@pytest.mark.parametrize(
    "text",
    ["", "x", "D:x", "D:(A;;FA;;;BA", "D:(A;;FA;;;BA))", "D:(A;;QQ;;;BA)", "D:(A;;FA;;;)", "D:(Q;;FA;;;BA)", "D:D:", "O:nobody", "D:(A;;FA;;;S-1)", "D:(A)", "D:(A;;F;;;BA)"],
)  # fmt: skip
def test_what_is_no_descriptor_is_not_known(text: str) -> None:
    with pytest.raises(Inconclusive, match="not a"):
        parse(text)


def test_letters_stand_for_a_sid_where_there_is_one() -> None:
    assert sid_of("BA") == ADMINISTRATORS
    assert sid_of("DU") == "DU"
    assert sid_of("s-1-5-18") == SYSTEM
    assert sid_of("S-1-0x500000000-18") == "S-1-0X500000000-18"


@pytest.mark.parametrize(
    "sid",
    [
        "WD",
        "AU",
        "BU",
        "BG",
        "AN",
        "IU",
        "NU",
        "AC",
        "DU",
        "DC",
        "DG",
        "LG",
        "S-1-5-21-1-2-3-513",
        "S-1-5-113",
    ],
)
def test_everybody_has_many_names(sid: str) -> None:
    assert is_broad(sid_of(sid))
    assert not is_trusted(sid_of(sid))


def test_administrators_are_trusted_and_named_accounts_are_neither() -> None:
    for sid in ("SY", "BA", "LA", "S-1-5-21-1-2-3-500"):
        assert is_trusted(sid_of(sid))
        assert not is_broad(sid_of(sid))
    for sid in (ANNA, "DA", "SU", "S-1-5-80-0", "S-1-5-83-0", "S-1-5-21-1-2-3-1513"):
        assert not is_trusted(sid_of(sid))
        assert not is_broad(sid_of(sid))


def test_sids_are_shown_with_their_names() -> None:
    assert name_of(USERS) == "Users (S-1-5-32-545)"
    assert name_of("S-1-5-21-1-2-3-513") == "Domain Users (S-1-5-21-1-2-3-513)"
    assert name_of("DU") == "Domain Users (DU)"
    assert name_of(ANNA) == ANNA


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
def test_every_descriptor_of_the_recorded_hosts_is_read(file: Path) -> None:
    bundle = load(file.read_bytes())
    entries = json.loads(bundle.text("windows-acl"))
    texts = [entry[key] for entry in entries for key in ("sddl", "audit") if entry[key]]
    texts += [pipe["sddl"] for pipe in json.loads(bundle.text("windows-pipes"))]
    for text in texts:
        assert parse(text).dacl


SIDS = st.sampled_from([EVERYONE, USERS, ADMINISTRATORS, ANNA])
ACES = st.builds(
    Ace,
    st.sampled_from(["A", "D"]),
    SIDS,
    st.sampled_from([0x1, 0x2, 0x3, 0x10000, FULL, 0x10000000, 0x40000000]),
    st.frozensets(st.sampled_from(["OI", "CI", "IO", "ID"])),
)


def written(ace: Ace) -> str:
    return f"({ace.type};{''.join(sorted(ace.flags))};{ace.mask:#x};;;{ace.sid})"


@given(st.lists(ACES), st.booleans())
def test_what_is_written_is_read_again(aces: list[Ace], protected: bool) -> None:
    text = f"O:BAG:SYD:{'P' * protected}AI" + "".join(map(written, aces))
    assert parse(text) == Descriptor(ADMINISTRATORS, SYSTEM, tuple(aces), (), protected)


def allowed(aces: list[Ace], token: set[str]) -> int:
    """What Windows lets a token do, bit by bit: the first entry that speaks of a bit decides."""
    found = 0
    for bit in (1 << place for place in range(21)):
        for ace in aces:
            if "IO" not in ace.flags and ace.sid in token and resolve(ace.mask, "file") & bit:
                found |= bit if ace.type == "A" else 0
                break
    return found


@given(st.lists(ACES, max_size=6))
def test_nobody_may_do_more_than_is_told_of_those_he_is(aces: list[Ace]) -> None:
    told = Descriptor(dacl=tuple(aces)).granted("file")
    for members in itertools.chain.from_iterable(
        itertools.combinations([USERS, ADMINISTRATORS, ANNA], n) for n in range(4)
    ):
        token = {EVERYONE, *members}
        sum_of_them = 0
        for sid in token:
            sum_of_them |= told.get(sid, 0)
        assert allowed(aces, token) & ~sum_of_them == 0


@given(st.lists(ACES, max_size=6), SIDS)
def test_who_is_nothing_else_may_do_exactly_what_is_told(aces: list[Ace], sid: str) -> None:
    # Where they alone are denied, what is told of everyone still holds for the others.
    assume(sid == EVERYONE or not any(ace.denies and ace.sid == sid for ace in aces))
    told = Descriptor(dacl=tuple(aces)).granted("file")
    assert allowed(aces, {EVERYONE, sid}) == told.get(sid, 0) | told.get(EVERYONE, 0)


@given(st.one_of(st.text(), st.text('OGDSABUWYPI:();"0x12-;'), st.text().map(lambda text: f"D:({text})")))
def test_no_text_crashes_the_parser(text: str) -> None:
    with contextlib.suppress(Inconclusive):
        parse(text).granted("file")


@pytest.mark.parametrize(
    "text", ["D:" + " " * 200_000 + "x", "D:" + " ( )" * 50_000 + "x", "O:" + "A" * 200_000 + "("]
)
def test_a_long_text_that_is_none_is_refused_at_once(text: str) -> None:
    with pytest.raises(Inconclusive, match="not a security descriptor"):
        parse(text)

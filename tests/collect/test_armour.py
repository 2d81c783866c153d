"""A bundle that somebody made by hand on Windows is read however their shell wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect import armour
from auditor.collect.bundle import Bundle, Section, Status, load
from auditor.errors import BadReply

BUNDLE = Bundle(
    {
        "host": Section("kernel=10.0.20348.707 \N{GREEK SMALL LETTER ALPHA}\r\nline\n".encode()),
        "daemon": Section(status=Status.DENIED, message="no"),
    }
)
PACKED = armour.pack(BUNDLE.dump())

WRITTEN = {
    "by cmd": PACKED,
    "by PowerShell 5.1": b"\xff\xfe" + PACKED.decode().encode("utf-16-le"),
    "by PowerShell 5.1, big-endian": b"\xfe\xff" + PACKED.decode().encode("utf-16-be"),
    "with a UTF-8 mark": b"\xef\xbb\xbf" + PACKED,
    "with Unix lines": PACKED.replace(b"\r\n", b"\n"),
    "in narrower lines": PACKED.replace(b"AAAA", b"AA\r\nAA", 1),
    "below a banner": b"Welcome to WEB1\r\n" + PACKED,
}  # fmt: skip


@pytest.mark.parametrize("how", WRITTEN)
def test_it_is_read_as_it_was_made(how: str) -> None:
    assert load(WRITTEN[how]) == BUNDLE


def test_a_plain_one_is_read_too_however_it_was_redirected() -> None:
    plain = Bundle({"host": Section(b"kernel=10\n")})
    dos = plain.dump().replace(b"\n", b"\r\n")
    for written in (dos, b"\xff\xfe" + dos.decode().encode("utf-16-le"), b"\xef\xbb\xbf" + dos):
        assert load(written) == plain


@given(st.integers(0, len(PACKED) - 1), st.sampled_from(b"ABCabc012+/"))
def test_one_changed_character_is_noticed_or_harmless(at: int, other: int) -> None:
    changed = PACKED[:at] + bytes([other]) + PACKED[at + 1 :]
    try:
        assert load(changed) == BUNDLE
    except BadReply:
        return


@given(st.integers(1, len(PACKED) - len(armour.BEGIN)))
def test_one_that_broke_off_is_refused_or_whole(missing: int) -> None:
    try:
        assert load(PACKED[:-missing]) == BUNDLE
    except BadReply:
        return


def test_the_end_is_recognised_only_at_the_end() -> None:
    assert armour.is_whole(PACKED)
    assert not armour.is_whole(PACKED[:-4])


def test_what_a_host_says_inside_a_bundle_does_not_pass_for_armour() -> None:
    forged = Bundle({"containers": Section(PACKED)})
    assert load(forged.dump()) == forged

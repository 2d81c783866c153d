"""Nothing that a host says can act on whoever reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.visible import visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web1 (nginx)", "web1 (nginx)"),
        ("emoji 🐳 and שלום and é", "emoji 🐳 and שלום and é"),
        (b"caf\xe9".decode("utf-8", "surrogateescape"), r"caf\xe9"),
        ("half a pair \ud83d", r"half a pair \ud83d"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b2J", r"\x9b2J"),
        ("invoice\u202egpj.exe", r"invoice\u202egpj.exe"),
        ("nul\x00 \uffff", r"nul\x00 \uffff"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("two\nlines\r", r"two\nlines\r"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_line_ends_stay_where_a_text_has_lines() -> None:
    assert visible_lines("one\r\ntwo\nthree\x1b") == "one\ntwo\nthree\\x1b"


@given(st.text(st.characters(categories=None)))
def test_any_text_becomes_printable_and_encodable(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert shown.encode().decode() == shown
    assert visible(shown) == shown

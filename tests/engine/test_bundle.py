"""Bundles: framing that nothing can forge, gaps that keep their reason."""

import gzip
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section, Status, load, load_file, missing
from auditor.errors import BadReply
from auditor.gaps import Inconclusive

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
MESSAGES = st.text(st.characters(blacklist_characters="\n\r", blacklist_categories=["Cs"])).map(str.strip)
SECTIONS = st.dictionaries(NAMES, st.builds(Section, st.binary(), st.integers(0, 255), MESSAGES))


@given(SECTIONS, st.booleans())
def test_a_bundle_is_read_as_it_was_written(sections: dict[str, Section], complete: bool) -> None:
    bundle = Bundle(sections, complete=complete)
    assert load(bundle.dump()) == bundle
    assert load(gzip.compress(bundle.dump())) == bundle


@given(st.binary())
def test_no_bytes_do_more_than_be_refused(raw: bytes) -> None:
    for reply in (raw, b"\x1f\x8b" + raw, b"docker-host-auditor bundle 1 0123456789abcdef\n" + raw):
        with suppress(BadReply):
            assert isinstance(load(reply), Bundle)


def test_a_section_cannot_forge_another() -> None:
    forged = (
        b"x\n--0123456789abcdef end a 0 \n--0123456789abcdef begin b\nforged\n--0123456789abcdef end b 0 \n"
    )
    bundle = Bundle({"a": Section(forged)})
    assert load(bundle.dump()) == bundle


def test_a_reply_that_broke_off_keeps_its_whole_sections() -> None:
    dump = Bundle({"a": Section(b"1"), "b": Section(b"2" * 5000)}).dump()
    for cut in (dump[:-3000], gzip.compress(dump, 0)[:-3000]):
        bundle = load(cut)
        assert bundle.read("a") == b"1"
        assert not bundle.complete
        with pytest.raises(Inconclusive, match="b did not arrive: the reply ended early"):
            bundle.read("b")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "an empty reply"),
        (b"Welcome!\n", "^not a bundle$"),
        (b"docker-host-auditor bundle 2 0123456789abcdef\n", "version 2; this auditor reads version 1"),
        (b"\x1f\x8bgarbage", "damaged gzip"),
    ],
)
def test_what_is_no_bundle_is_refused_and_not_quoted_for_it_may_be_a_key(raw: bytes, words: str) -> None:
    with pytest.raises(BadReply, match=words):
        load(raw)


def test_a_decompression_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.collect.bundle.MAX_BYTES", 1024**2)
    with pytest.raises(BadReply, match="larger than 1 MiB"):
        load(gzip.compress(b"\0" * 2 * 1024**2))


def test_noise_of_a_login_shell_before_the_header_is_skipped() -> None:
    assert load(b"Last login: never\n" + Bundle({"a": Section(b"1")}).dump()).read("a") == b"1"


@pytest.mark.parametrize(
    ("section", "why"),
    [
        (Section(status=Status.DENIED, message="/etc/docker"), "a: permission denied: /etc/docker"),
        (Section(status=Status.TIMEOUT), "a: timed out"),
        (Section(status=3, message="boom"), "a: exit status 3: boom"),
        (Section(status=Status.TRUNCATED), "a: longer than the limit"),
    ],
)
def test_a_failed_section_is_a_gap_with_its_reason(section: Section, why: str) -> None:
    with pytest.raises(Inconclusive) as gap:
        Bundle({"a": section}).read("a")
    assert str(gap.value) == why


def test_what_was_not_collected_is_a_gap() -> None:
    with pytest.raises(Inconclusive, match="a was not collected"):
        Bundle().read("a")
    assert missing(Bundle({"b": Section()}), ["a", "b"]) == ["a"]
    assert Section().why == ""


def test_bytes_that_are_no_utf8_survive_as_text(tmp_path: Path) -> None:
    file = tmp_path / "web1.bundle"
    file.write_bytes(Bundle().adding({"a": Section(b"caf\xe9")}).dump())
    assert load_file(file).text("a").encode("utf-8", "surrogateescape") == b"caf\xe9"


@dataclass(frozen=True)
class Loud:
    """A fact that counts how often it is parsed."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("words",)
    parsed: ClassVar[list[str]] = []
    text: str = ""

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        cls.parsed.append("once")
        text = bundle.text("words")
        if text == "crash":
            raise KeyError(text)
        return cls(text)


@pytest.mark.parametrize(
    ("words", "why"), [(b"crash", "internal error in Loud: KeyError"), (None, "was not collected")]
)
def test_a_fact_is_parsed_once_and_its_gap_is_the_same_each_time(words: bytes | None, why: str) -> None:
    Loud.parsed.clear()
    bundle = Bundle({} if words is None else {"words": Section(words)})
    for _ in range(2):
        with pytest.raises(Inconclusive, match=why):
            bundle.fact(Loud)
    assert Loud.parsed == ["once"]
    more = bundle.adding({"words": Section(b"hello")})
    assert more.fact(Loud) is more.fact(Loud)
    assert more.fact(Loud) == Loud("hello")
    assert Loud.parsed == ["once", "once"]

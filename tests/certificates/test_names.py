"""Names are brought into the one form that every verifier takes, or refused with what to write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.certificates.names import Constraints, Names, common_name, identity
from auditor.errors import UsageError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Web1.Example.", "web1.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("  web1 ", "web1"),
        ("10.0.0.5", "10.0.0.5"),
        ("[2001:DB8:0:0::5]", "2001:db8::5"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("*.example.org", "*.example.org"),
        ("my_host", "my_host"),
    ],
)
def test_a_name_has_one_form(written: str, meant: str) -> None:
    assert Names.of([written]).texts == (meant,)


@pytest.mark.parametrize(
    "bad",
    ["", "a b", "tcp://web1:2376", "web1:2376", "[::1]:2376", "10.0.0.256", "1.2.3", "0x7f.1", "-a", "a..b", "a*.b", "*", "fe80::1%eth0",
     "0.0.0.0", "::", "x" * 64, ".".join(["a" * 60] * 5), "web1/", "a,b", "b\u0000d", "\u2028"],  # noqa: S104  refused here
)  # fmt: skip
def test_what_can_stand_in_no_certificate_is_refused_with_its_words(bad: str) -> None:
    with pytest.raises(UsageError) as error:
        Names.of([bad])
    assert repr(bad) in str(error.value)


@given(st.text(max_size=80))
def test_any_text_is_a_name_of_one_form_or_refused(text: str) -> None:
    try:
        once = Names.of([text]).texts
    except UsageError:
        return
    assert Names.of(once).texts == once
    assert all(each.isascii() and each == each.lower() and not each.endswith(".") for each in once)


def test_names_stand_once_and_in_their_order() -> None:
    assert Names.of(["b", "a", "B.", "::1", "10.0.0.1", "0:0::1"]).texts == ("b", "a", "::1", "10.0.0.1")


def test_a_wildcard_covers_one_label_and_no_address() -> None:
    names = Names.of(["*.example.org", "10.0.0.1"])
    assert names.covers("a.example.org")
    assert names.covers("10.0.0.1")
    assert not names.covers("a.b.example.org")
    assert not names.covers("example.org")
    assert not names.covers("10.0.0.2")


def test_wildcards_and_underscores_are_cautioned_against() -> None:
    assert len(Names.of(["*.example.org", "my_host", "web1"]).cautions()) == 2


def test_a_common_name_is_never_longer_than_a_certificate_takes() -> None:
    long = "a" * 63 + "." + "b" * 63
    assert len(common_name(long)) == 64
    assert common_name(long) != common_name(long + "c")
    assert common_name("web1") == "web1"


@pytest.mark.parametrize("bad", ["", "-ann", "ann smith", "ann/..", "a" * 65, "..", "ann\n"])
def test_an_identity_is_a_word_that_can_name_a_file(bad: str) -> None:
    with pytest.raises(UsageError):
        identity(bad)


@pytest.mark.parametrize("bad", ["10.0.0.5/8", "a b", "10.0.0.0/33"])
def test_a_constraint_is_a_domain_or_a_network(bad: str) -> None:
    with pytest.raises(UsageError):
        Constraints.of([bad])


def test_a_name_outside_the_constraints_is_refused_before_anything_is_signed() -> None:
    limits = Constraints.of(["example.org", "10.0.0.0/8"])
    limits.refuse(Names.of(["example.org", "a.example.org", "10.9.9.9"]))
    for outside in ("badexample.org", "web1", "11.0.0.1", "::1"):
        with pytest.raises(UsageError, match="may only sign for"):
            limits.refuse(Names.of([outside]))

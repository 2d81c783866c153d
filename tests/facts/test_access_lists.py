"""Access lists, as getfacl and ls tell of them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section
from auditor.facts.access_lists import AccessLists, Entry
from auditor.gaps import Inconclusive

SEEN = r"""# file: /run/docker.sock
# owner: 0
# group: 999
user::rw-
user:1000:rwx
group::rw-
group:5:rw-
mask::rw-
other::---

# file: /etc/a\040b
user::rwx
group::r-x
mask::r--
user:1001:-w-
default:user:1002:rwx
other::r-x
"""


def parse(text: str) -> AccessLists:
    return AccessLists.parse(Bundle({"access-lists": Section(text.encode())}))


def test_entries_are_cut_down_by_the_mask_and_defaults_are_not_rights() -> None:
    assert parse(SEEN).entries == {"/run/docker.sock": (Entry("user 1000", "rw"), Entry("group 5", "rw"))}


def test_without_a_mask_an_entry_holds_whole_and_odd_characters_are_read() -> None:
    assert parse("# file: /etc/a\\040b\nuser:7:r-x\n").entries == {"/etc/a b": (Entry("user 7", "rx"),)}


def test_ls_tells_only_that_there_is_a_list() -> None:
    assert parse("listed /run/docker.sock\n").entries == {"/run/docker.sock": (Entry("an access list", ""),)}


def test_no_tool_is_told_from_no_list() -> None:
    assert parse("unknown\n").entries is None
    assert parse("").entries == {}
    with pytest.raises(Inconclusive):
        parse("# file: nonsense\n")


@given(st.one_of(st.text(), st.text().map(lambda text: f"# file: {text}")))
def test_no_text_crashes_the_parser(text: str) -> None:
    with contextlib.suppress(Inconclusive):
        parse(text)

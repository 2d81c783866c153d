"""Who can command the engine beside root."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section
from auditor.facts.access import Access, Group
from auditor.facts.sudoers import Grant
from auditor.gaps import Inconclusive

SEEN = """nsswitch passwd: files systemd
nsswitch sudoers: files
file /etc/sudoers
line %wheel ALL=(ALL) ALL
group 999 docker:anna,ben
group 10 wheel:
primary 999 1003 cara
primary 999 1001 anna
primary 10 1004 dan
primary 5 1 nobody
root root
root toor
known 30
local 30
"""


def parse(text: str) -> Access:
    return Access.parse(Bundle({"access": Section(text.encode())}))


def test_members_by_list_and_by_primary_group_are_members() -> None:
    access = parse(SEEN)
    assert access.group("docker") == Group("docker", 999, ("anna", "ben", "cara"))
    assert access.group(10) == Group("wheel", 10, ("dan",))
    assert access.group("nobody") is None


def test_grants_and_further_roots_are_told() -> None:
    access = parse(SEEN)
    assert access.grants == (Grant("%wheel", "ALL"),)
    assert access.other_roots == ("toor",)
    assert access.unseen == ()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("denied /etc/sudoers", "permission denied"),
        ("nsswitch passwd: files sss [NOTFOUND=return]", "sss does not list its users"),
        ("nsswitch sudoers: files sss", "sudo also asks sss"),
        ("file /etc/doas.conf", "/etc/doas.conf is not read"),
        ("line @include /srv/more", "/srv/more is not read"),
    ],
)
def test_what_may_hide_somebody_is_told(line: str, why: str) -> None:
    [unseen] = parse(
        SEEN.replace("nsswitch passwd: files systemd\n", "").replace("group 999", f"{line}\ngroup 999")
    ).unseen
    assert why in unseen


def test_a_directory_service_that_lists_its_users_hides_none() -> None:
    assert parse("nsswitch passwd: files sss\nknown 300\nlocal 30\n").unseen == ()


@given(st.text())
def test_no_text_crashes_the_parser(text: str) -> None:
    with contextlib.suppress(Inconclusive):
        parse(text)

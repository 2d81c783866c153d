"""What sudo grants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.sudoers import Grant, included, read_sudoers


def grants(*lines: str) -> list[tuple[str, str]]:
    return [(grant.who, grant.command) for grant in read_sudoers({"/etc/sudoers": lines})]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("anna ALL=(ALL:ALL) ALL", [("anna", "ALL")]),
        ("%wheel\tALL=(ALL)\tNOPASSWD: ALL", [("%wheel", "ALL")]),
        ("anna,ben web1 = /usr/bin/docker ps", [("anna", "/usr/bin/docker ps"), ("ben", "/usr/bin/docker ps")]),
        ("anna , ben ALL = ALL", [("anna", "ALL"), ("ben", "ALL")]),
        ("#1000 ALL = (root) ALL", [("#1000", "ALL")]),
        (r"%domain\ admins ALL=(ALL) ALL", [("%domain admins", "ALL")]),
        ('"%domain admins" ALL=(ALL) ALL', [("%domain admins", "ALL")]),
        ("anna ALL = /bin/ls, NOPASSWD: NOEXEC: /usr/bin/dockerd", [("anna", "/usr/bin/dockerd")]),
        ("anna web1 = /bin/ls : web2 = ALL", [("anna", "ALL")]),
        ("anna ALL = TIMEOUT=5 NOPASSWD: ALL # because", [("anna", "ALL")]),
        ("anna ALL = (www-data) ALL", []),
        ("anna ALL = (www-data : docker) ALL", [("anna", "ALL")]),
        ("anna ALL = (www-data) /bin/ls, (root) ALL", [("anna", "ALL")]),
        ("anna ALL = /usr/bin/apt", []),
        ("anna ALL = /usr/bin/", [("anna", "/usr/bin/")]),
        ("anna ALL = /opt/*", [("anna", "/opt/*")]),
        ("anna ALL = ALL, !/usr/bin/docker", [("anna", "ALL")]),
        ("ALL, !ben ALL = ALL", [("ALL", "ALL")]),
        ("Defaults:anna env_keep=ALL", []),
        ("# anna ALL=ALL", []),
        ("@includedir /etc/sudoers.d", []),
        ("lonely = ALL", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_line_is_read_as_sudo_reads_it(line: str, found: list[tuple[str, str]]) -> None:
    assert grants(line) == found


def test_aliases_are_followed_across_files() -> None:
    files = {
        "/etc/sudoers": ["User_Alias OPS = anna, %ops : OTHER = cara", "Runas_Alias BOSS = root"],
        "/etc/sudoers.d/engine": [
            "Cmnd_Alias ENGINE = /usr/bin/docker, \\",
            "  /bin/ls",
            "OPS ALL = (BOSS) ENGINE",
        ],
    }
    assert read_sudoers(files) == (
        Grant("anna", "/usr/bin/docker", "/etc/sudoers.d/engine"),
        Grant("%ops", "/usr/bin/docker", "/etc/sudoers.d/engine"),
    )


def test_an_alias_of_itself_ends() -> None:
    assert grants("User_Alias A = A", "A ALL = ALL") == [("A", "ALL")]


def test_files_that_are_included_from_elsewhere_are_told() -> None:
    lines = ["@includedir /etc/sudoers.d", "#includedir /etc/sudoers.d/", '@include "/srv/more"']
    assert included({"/etc/sudoers": lines}) == ("/srv/more",)


WORDS = st.sampled_from(
    ["anna", "%ops", "ALL", "=", "(root)", "NOPASSWD:", ",", ":", "!", "\\", '"', "#", "User_Alias", "A"]
)


@given(st.lists(st.lists(st.one_of(WORDS, st.text()), max_size=12).map(" ".join)))
def test_no_text_crashes_the_reader(lines: list[str]) -> None:
    read_sudoers({"/etc/sudoers": lines})
    included({"/etc/sudoers": lines})

"""Owner, group and mode of files."""

import pytest

from auditor.collect.bundle import Bundle, Section
from auditor.facts.files import File, Files
from auditor.gaps import Inconclusive, NotApplicable

SEEN = """41ed 0 0 root:root 4096 1700000000 /
41ed 0 0 root:root 4096 1700000000 /etc
8124 1000 513 anna:domain users 120 1700000000 /etc/a key 1 2 /x.pem
resolved /srv/key.pem
41ff 0 0 root:root 4096 1700000000 /srv
8180 7 7 UNKNOWN:UNKNOWN 1 -5 /etc/./b.pem
absent /etc/docker/daemon.json
denied /root/.docker/ca.pem
"""


def parse(text: str) -> Files:
    return Files.parse(Bundle({"files": Section(text.encode())}))


def test_a_file_is_read_whatever_its_names_hold() -> None:
    file = parse(SEEN).find("/etc/a key 1 2 /x.pem")
    assert (file.uid, file.gid, file.owners, file.mode) == (1000, 513, "anna:domain users", 0o444)
    assert (file.kind, file.resolved) == ("file", "/srv/key.pem")


def test_an_owner_without_a_name_is_told_by_number() -> None:
    assert parse(SEEN).find("/etc/b.pem").owners == "7:7"


def test_absent_denied_and_not_asked_for_are_three_different_answers() -> None:
    files = parse(SEEN)
    with pytest.raises(NotApplicable, match="there is no"):
        files.find("/etc/docker/daemon.json")
    with pytest.raises(Inconclusive, match="denied"):
        files.find("/root/.docker/ca.pem")
    with pytest.raises(Inconclusive, match="not collected"):
        files.find("/etc/else")


def test_folders_on_both_ways_to_a_link_are_told() -> None:
    assert [file.path for file in parse(SEEN).folders_above("/etc/a key 1 2 /x.pem")] == ["/", "/etc", "/srv"]


def test_lines_that_stat_does_not_print_are_not_known() -> None:
    with pytest.raises(Inconclusive, match="stat"):
        parse("hello\n")


@pytest.mark.parametrize(("mode", "beyond"), [(0o400, 0), (0o000, 0), (0o440, 0o040), (0o4400, 0o4000)])
def test_a_mode_is_compared_bit_by_bit(mode: int, beyond: int) -> None:
    assert File("/k", mode=mode).beyond(0o400) == beyond


def test_a_name_with_a_sign_that_unicode_counts_as_a_lines_end_is_one_name() -> None:
    name = "/etc/docker/a\u0085b\u2028c"
    told = f"81a4 0 0 root:root 1 1700000000 {name}\nabsent /etc/x\n"
    files = Files.parse(Bundle({"files": Section(told.encode())}))
    assert list(files.seen) == [name]

"""The table of Windows builds, and what a version lacks by it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle
from auditor.facts.windows_builds import Update, WindowsBuilds, WindowsLine, WindowsVersion

TABLE = WindowsBuilds.parse(Bundle())
MAY, JUNE, OCTOBER = date(2026, 5, 12), date(2026, 6, 9), date(2026, 10, 13)
LINE = WindowsLine(20348, "2022", updates=(Update(50, OCTOBER), Update(20, JUNE), Update(10, MAY)))


def test_the_table_is_in_order_and_makes_sense() -> None:
    assert len({(line.build, line.client) for line in TABLE.lines}) == len(TABLE.lines)
    for line in TABLE.lines:
        assert list(line.updates) == sorted(line.updates, key=lambda it: it.released, reverse=True)
        revisions = [it.revision for it in line.updates]
        assert revisions == sorted(set(revisions), reverse=True)
        assert all(it.released <= TABLE.checked for it in line.updates)
        assert line.mainstream is None or line.ends is None or line.mainstream <= line.ends


def test_the_table_says_of_supported_servers_what_came_out_lately() -> None:
    for line in TABLE.lines:
        if line.ends and not line.client and line.ends > TABLE.checked:
            assert TABLE.checked - line.updates[0].released < timedelta(days=60), line.name


def test_the_table_does_not_mix_servers_and_clients_of_one_build() -> None:
    server, client = TABLE.line_of(26100), TABLE.line_of(26100, client=True)
    assert server
    assert client
    assert server.updates[0].revision > 30000 > client.updates[0].revision
    assert TABLE.line_of(22631) is None


def test_a_table_is_good_for_ninety_days() -> None:
    assert not TABLE.stale(TABLE.checked + timedelta(days=90))
    assert TABLE.stale(TABLE.checked + timedelta(days=91))


@pytest.mark.parametrize(
    ("edition", "end"),
    [
        ("Professional", date(2026, 10, 13)),
        ("CoreSingleLanguage", date(2026, 10, 13)),
        ("Enterprise", date(2027, 10, 12)),
        ("EnterpriseS", date(2029, 10, 9)),
    ],
)
def test_editions_of_a_client_end_on_different_days(edition: str, end: date) -> None:
    line = TABLE.line_of(26100, client=True)
    assert line
    assert line.end_for(edition) == end


def test_what_a_revision_lacks_is_known_since_the_oldest_update_it_lacks() -> None:
    assert LINE.first_missed(5) == Update(10, MAY)
    assert LINE.first_missed(15) == Update(20, JUNE)
    assert LINE.first_missed(20) == Update(50, OCTOBER)
    assert LINE.first_missed(50) is None


def test_between_updates_that_are_months_apart_some_are_not_listed() -> None:
    assert LINE.unlisted_since(JUNE) is None
    assert LINE.unlisted_since(OCTOBER) == JUNE + timedelta(days=28)
    assert LINE.unlisted_since() == OCTOBER + timedelta(days=28)
    assert LINE.unlisted_since(MAY) == date.min
    assert WindowsLine(1, "").unlisted_since() == date.min


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("10.0.20348.4405", WindowsVersion(20348, 4405)),
        ("10.0.14393", WindowsVersion(14393)),
        ("10.0.14393.0", WindowsVersion(14393, 0)),
        ("10.0.20348.1.2", None),
        ("6.3.9600", None),
        ("", None),
    ],
)
def test_versions_are_read(text: str, version: WindowsVersion | None) -> None:
    assert WindowsVersion.of(text) == version


@given(st.integers(10000, 99999), st.integers(-1, 99999))
def test_a_version_reads_as_it_is_written(build: int, revision: int) -> None:
    version = WindowsVersion(build, revision)
    assert WindowsVersion.of(str(version)) == version


@given(st.text())
def test_any_text_is_a_version_or_none(text: str) -> None:
    found = WindowsVersion.of(text)
    assert found is None or found.build >= 0

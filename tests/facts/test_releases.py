"""The table of releases, and whose build an engine is."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section
from auditor.facts.engine import version_tuple
from auditor.facts.releases import Build, Releases
from auditor.gaps import Inconclusive, NotApplicable

TABLE = Releases.parse(Bundle())


def build(**server: object) -> Build:
    return Build.parse(Bundle({"engine-version": Section(json.dumps({"Server": server}).encode())}))


def test_the_table_is_in_order_and_makes_sense() -> None:
    lines = [version_tuple(line.line) for line in TABLE.lines]
    assert lines == sorted(lines, reverse=True)
    for line in TABLE.lines:
        assert line.holds(version_tuple(line.newest))
        assert line.released <= line.newest_released <= TABLE.checked


def test_a_version_is_compared_by_numbers_and_not_by_letters() -> None:
    found = TABLE.line_of((20, 10, 24))
    assert found
    assert found.line == "20.10"
    assert TABLE.line_of((2, 9)) is None
    assert TABLE.line_of((26, 10, 0)) is None


def test_a_table_is_good_for_six_months() -> None:
    assert not TABLE.stale(TABLE.checked + timedelta(days=183))
    assert TABLE.stale(TABLE.checked + timedelta(days=184))
    assert not TABLE.stale(date(2020, 1, 1))


def test_of_other_makers_only_what_they_said_is_known() -> None:
    assert TABLE.vendor_end("Mirantis Container Runtime", (19, 3, 13)) == date(2022, 5, 27)
    assert TABLE.vendor_end("Mirantis Container Runtime", (20, 10, 9)) is None
    assert TABLE.vendor_end("", (19, 3, 13)) is None


def test_dockers_own_build_is_told_from_a_distributions() -> None:
    own = build(Version="29.1.0", Platform={"Name": "Docker Engine - Community"}, GitCommit="abc")
    assert own.dockers_own
    assert not build(Version="29.1.0", Platform={"Name": ""}, GitCommit="29.1.0-0ubuntu1").dockers_own
    assert not build(Version="20.10.24+dfsg1").dockers_own
    assert not build(Version="25.0.8m1", Platform={"Name": "Mirantis Container Runtime"}).dockers_own


def test_an_engine_without_a_version_is_not_known() -> None:
    for server in ({}, {"Version": "dev"}):
        with pytest.raises(Inconclusive):
            build(**server)
    with pytest.raises(Inconclusive):
        Build.parse(Bundle({"engine-version": Section(b"{}")}))
    with pytest.raises(NotApplicable):
        Build.parse(Bundle({"engine-version": Section(b"", 66)}))


@given(st.lists(st.integers(0, 40), max_size=4))
def test_a_version_belongs_to_one_line_at_most(version: list[int]) -> None:
    assert sum(line.holds(tuple(version)) for line in TABLE.lines) <= 1

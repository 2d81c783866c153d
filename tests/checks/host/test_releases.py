"""Whether an engine is maintained and up to date, judged on a day."""

from datetime import UTC, date, datetime

import pytest

from auditor.check import Check, Inconclusive, Manual, NotApplicable
from auditor.facts.origin import Origin
from auditor.facts.releases import Build, Line, Releases, VendorLine
from checks.host.releases import engine_release_unmaintained, engine_update_missing

NEW = Line("29", date(2025, 11, 10), "29.8.2", date(2026, 10, 1))
OLD = Line("28", date(2025, 2, 20), "28.5.2", date(2025, 11, 5), date(2026, 5, 13))
OLDEST = Line("20.10", date(2020, 12, 9), "20.10.27", date(2023, 12, 1), date(2023, 12, 10))
TABLE = Releases(date(2026, 10, 1), (NEW, OLD, OLDEST))
DEBIANS = {"platform": "", "package": "a61e2b4"}


def on(year: int, month: int, day: int) -> Origin:
    return Origin(collected=datetime(year, month, day, tzinfo=UTC))


BOTH = [engine_release_unmaintained, engine_update_missing]


@pytest.mark.parametrize("rule", BOTH, ids=lambda rule: rule.id)
def test_the_newest_release_of_a_maintained_line_passes(rule: Check[...]) -> None:
    assert not list(rule(Build("29.8.2"), TABLE, on(2026, 11, 24)))
    assert not list(rule(Build("29.10.0"), TABLE, on(2026, 11, 24)))


@pytest.mark.parametrize("version", ["28.5.2", "20.10.24", "18.09.9"])
def test_a_line_that_has_ended_is_found_and_the_tables_date_told(version: str) -> None:
    [found] = engine_release_unmaintained(Build(version), TABLE, on(2026, 11, 24))
    assert found.observed.startswith(version)
    assert "2026-10-01" in found.expected


def test_a_line_is_judged_as_of_the_day_of_collection() -> None:
    assert not list(engine_release_unmaintained(Build("28.5.2"), TABLE, on(2026, 5, 12)))


def test_an_end_that_is_known_stays_known_however_old_the_table_is() -> None:
    assert list(engine_release_unmaintained(Build("28.5.2"), TABLE, on(2030, 1, 1)))


@pytest.mark.parametrize("rule", BOTH, ids=lambda rule: rule.id)
def test_a_table_older_than_six_months_says_of_nothing_that_it_is_well(rule: Check[...]) -> None:
    with pytest.raises(Inconclusive, match="six months"):
        list(rule(Build("29.8.2"), TABLE, on(2027, 5, 1)))


@pytest.mark.parametrize("rule", BOTH, ids=lambda rule: rule.id)
@pytest.mark.parametrize("version", ["30.0.0", "24.0.9"])
def test_a_line_that_the_table_does_not_know_is_not_judged(rule: Check[...], version: str) -> None:
    with pytest.raises(Inconclusive, match="does not know"):
        list(rule(Build(version), TABLE, on(2026, 11, 24)))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (Build("20.10.24+dfsg1", **DEBIANS), "a distribution's own"),
        (Build("28.2.2", "", "28.2.2-0ubuntu1"), "28.2.2-0ubuntu1"),
        (Build("20.10.3m1", "Mirantis Container Runtime"), "Mirantis"),
    ],
)
def test_builds_of_distributions_are_for_a_person_to_judge(build: Build, words: str) -> None:
    with pytest.raises(Manual, match="still repaired") as told:
        list(engine_release_unmaintained(build, TABLE, on(2026, 11, 24)))
    assert words in str(told.value)


def test_a_line_that_its_vendor_gave_up_is_found_whoever_built_it() -> None:
    mirantis = VendorLine("Mirantis Container Runtime", "20.10", date(2023, 12, 10))
    table = Releases(TABLE.checked, TABLE.lines, (mirantis,))
    build = Build("20.10.9", "Mirantis Container Runtime")
    [found] = engine_release_unmaintained(build, table, on(2026, 11, 24))
    assert "the makers of Mirantis Container Runtime" in found.observed
    for other in (Build("20.10.9", "Another"), Build("19.03.9", "Mirantis Container Runtime")):
        with pytest.raises(Manual):
            list(engine_release_unmaintained(other, table, on(2026, 11, 24)))
    with pytest.raises(Manual):
        list(
            engine_release_unmaintained(
                build,
                Releases(
                    table.checked,
                    (OLD, OLDEST),
                    (VendorLine("Mirantis Container Runtime", "20.10", date(2027, 1, 1)),),
                ),
                on(2026, 11, 24),
            )
        )


def test_a_release_that_was_missed_is_found() -> None:
    [found] = engine_update_missing(Build("29.8.1"), TABLE, on(2026, 11, 24))
    assert found.expected.startswith("29.8.2")


def test_a_release_of_this_month_is_not_missed_yet() -> None:
    assert not list(engine_update_missing(Build("29.8.1"), TABLE, on(2026, 10, 20)))


def test_updates_of_a_distribution_are_for_a_person_to_look_up() -> None:
    with pytest.raises(Manual, match="updates installed"):
        list(engine_update_missing(Build("29.1.0", **DEBIANS), TABLE, on(2026, 11, 24)))


@pytest.mark.parametrize("version", ["28.5.0", "18.09.9"])
def test_a_line_that_has_ended_has_no_updates(version: str) -> None:
    with pytest.raises(NotApplicable):
        list(engine_update_missing(Build(version), TABLE, on(2026, 11, 24)))

"""Builds and updates of hosts and images, judged on a day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from auditor.check import Inconclusive, Manual, NotApplicable
from auditor.facts.containers import Container
from auditor.facts.images import Image
from auditor.facts.origin import Origin
from auditor.facts.releases import Build
from auditor.facts.used_images import UsedImage, UsedImages
from auditor.facts.windows_builds import Update, WindowsBuilds, WindowsLine, WindowsVersion
from auditor.facts.windows_host import WindowsHost
from auditor.policy import Policy
from checks.windows.updates import (
    image_windows_unsupported,
    image_windows_updates_missing,
    windows_build_unsupported,
    windows_too_old_for_engine,
    windows_updates_missing,
)

JULY, SEPTEMBER, OCTOBER = date(2026, 7, 14), date(2026, 9, 8), date(2026, 10, 13)
UPDATES = (Update(5761, OCTOBER), Update(5622, SEPTEMBER), Update(5386, JULY))
TABLE = WindowsBuilds(
    OCTOBER,
    (
        WindowsLine(20348, "Windows Server 2022", ends=date(2031, 10, 14), updates=UPDATES),
        WindowsLine(25398, "Windows Server, version 23H2", updates=UPDATES),
        WindowsLine(16299, "Windows Server, version 1709", ends=date(2019, 4, 9)),
        WindowsLine(17763, "Windows Server 2019", ends=date(2029, 1, 9)),
        WindowsLine(26100, "Windows 11", client=True, ends=date(2027, 10, 12), ends_pro=OCTOBER),
    ),
)


def on(day: date) -> Origin:
    return Origin(collected=datetime(day.year, day.month, day.day, tzinfo=UTC))


NOW = on(date(2026, 11, 20))


def host(build: int = 20348, revision: int = 5761) -> WindowsHost:
    return WindowsHost(WindowsVersion(build, revision))


def used(*versions: str, created: str = "") -> UsedImages:
    images = [Image(tags=(f"app:{one}",), os="windows", os_version=one, created=created) for one in versions]
    return UsedImages(tuple(UsedImage(image, (Container(platform="windows"),)) for image in images))


def test_a_supported_build_passes() -> None:
    assert not list(windows_build_unsupported(host(), TABLE, NOW))


def test_a_build_whose_support_has_ended_is_found() -> None:
    [found] = windows_build_unsupported(host(16299), TABLE, NOW)
    assert "2019-04-09" in found.observed
    assert "2026-10-13" in found.expected


def test_a_build_is_supported_on_its_last_day() -> None:
    with pytest.raises(Manual, match="2031-10-14"):
        list(windows_build_unsupported(host(), TABLE, on(date(2031, 10, 14))))
    assert list(windows_build_unsupported(host(), TABLE, on(date(2031, 10, 15))))


def test_an_end_within_half_a_year_is_for_a_person_to_plan() -> None:
    with pytest.raises(Manual, match="replacement"):
        list(windows_build_unsupported(host(), TABLE, on(date(2031, 5, 1))))


def test_a_client_is_judged_by_its_edition() -> None:
    pro = WindowsHost(WindowsVersion(26100, 6899), "Professional", "Client")
    assert list(windows_build_unsupported(pro, TABLE, NOW))
    enterprise = WindowsHost(WindowsVersion(26100, 6899), "Enterprise", "Client")
    assert not list(windows_build_unsupported(enterprise, TABLE, NOW))


@pytest.mark.parametrize(("build", "words"), [(30000, "does not know build 30000"), (25398, "how long")])
def test_what_the_table_does_not_tell_is_not_judged(build: int, words: str) -> None:
    with pytest.raises(Inconclusive, match=words):
        list(windows_build_unsupported(host(build), TABLE, NOW))
    with pytest.raises(Inconclusive, match=words):
        list(windows_updates_missing(host(build), TABLE, NOW, Policy()))


@pytest.mark.parametrize("revision", [5761, 6000])
def test_the_newest_update_and_a_newer_one_pass(revision: int) -> None:
    assert not list(windows_updates_missing(host(revision=revision), TABLE, NOW, Policy()))


def test_an_update_that_is_out_for_long_and_missing_is_found() -> None:
    [found] = windows_updates_missing(host(revision=5386), TABLE, NOW, Policy())
    assert found.expected == "10.0.20348.5622 or later, out since 2026-09-08"


def test_an_update_that_came_out_lately_may_be_missing() -> None:
    assert not list(windows_updates_missing(host(revision=5622), TABLE, NOW, Policy()))
    assert list(windows_updates_missing(host(revision=5622), TABLE, NOW, Policy(windows_update_days=30)))


def test_how_long_an_update_may_be_missing_is_counted_to_the_day() -> None:
    day = OCTOBER + timedelta(days=60)
    assert not list(windows_updates_missing(host(revision=5622), TABLE, on(day), Policy()))
    assert list(windows_updates_missing(host(revision=5622), TABLE, on(day + timedelta(days=1)), Policy()))


def test_a_table_older_than_ninety_days_never_passes_and_still_finds() -> None:
    late = on(OCTOBER + timedelta(days=91))
    with pytest.raises(Inconclusive, match="more than 90 days"):
        list(windows_updates_missing(host(), TABLE, late, Policy()))
    with pytest.raises(Inconclusive, match="more than 90 days"):
        list(windows_updates_missing(host(revision=9999), TABLE, late, Policy()))
    assert list(windows_updates_missing(host(revision=5622), TABLE, late, Policy()))


def test_updates_that_the_table_may_not_have_are_not_assumed() -> None:
    with pytest.raises(Inconclusive, match="every update"):
        list(windows_updates_missing(host(), TABLE, on(OCTOBER + timedelta(days=89)), Policy()))
    with pytest.raises(Inconclusive, match="every update"):  # August's is not listed, so July's may lack it
        list(windows_updates_missing(host(revision=5386), TABLE, on(date(2026, 10, 20)), Policy()))
    with pytest.raises(Inconclusive, match="every update"):
        list(windows_updates_missing(host(17763), TABLE, NOW, Policy()))


def test_a_build_without_support_gets_no_updates() -> None:
    with pytest.raises(NotApplicable):
        list(windows_updates_missing(host(16299), TABLE, NOW, Policy()))


def test_only_old_engines_run_on_server_2016() -> None:
    assert not list(windows_too_old_for_engine(host(17763), Build()))
    [found] = windows_too_old_for_engine(host(14393), Build("20.10.9"))
    assert "20.10.9" in found.observed


def test_images_with_a_supported_windows_and_its_updates_pass() -> None:
    assert not list(image_windows_unsupported(used("10.0.20348.5622"), TABLE, NOW))
    assert not list(image_windows_updates_missing(used("10.0.20348.5622"), TABLE, NOW, Policy()))


def test_images_with_an_old_windows_are_found() -> None:
    [ended] = image_windows_unsupported(used("10.0.20348.1", "10.0.16299.1"), TABLE, NOW)
    assert ended.subject == "app:10.0.16299.1"
    [missing] = image_windows_updates_missing(used("10.0.20348.1", "10.0.16299.1"), TABLE, NOW, Policy())
    assert missing.subject == "app:10.0.20348.1"


def test_where_no_image_gets_updates_none_can_be_missing() -> None:
    with pytest.raises(NotApplicable, match="any more"):
        list(image_windows_updates_missing(used("10.0.16299.1"), TABLE, NOW, Policy()))


@pytest.mark.parametrize("version", ["", "10.0.30000.1", "10.0.25398.5761"])
def test_an_image_whose_support_is_not_known_is_not_judged(version: str) -> None:
    with pytest.raises(Inconclusive, match="cannot judge"):
        list(image_windows_unsupported(used(version), TABLE, NOW))


@pytest.mark.parametrize("version", ["", "10.0.30000.1", "10.0.20348", "10.0.17763.1"])
def test_an_image_whose_updates_are_not_known_is_not_judged(version: str) -> None:
    with pytest.raises(Inconclusive):
        list(image_windows_updates_missing(used(version), TABLE, NOW, Policy()))


def test_an_image_built_long_ago_lacks_updates_whatever_its_version_is() -> None:
    [found] = image_windows_updates_missing(
        used("10.0.20348", created="2026-08-15T10:00:00Z"), TABLE, NOW, Policy()
    )
    assert found.observed == "Windows 10.0.20348, built on 2026-08-15"
    for day in ("2026-08-16T10:00:00Z", "1980-01-01T00:00:00Z", "soon"):
        with pytest.raises(Inconclusive):
            list(image_windows_updates_missing(used("10.0.20348", created=day), TABLE, NOW, Policy()))


def test_where_no_image_is_windows_nothing_is_asked() -> None:
    linux = UsedImages((UsedImage(),))
    for said in (
        image_windows_unsupported(linux, TABLE, NOW),
        image_windows_updates_missing(linux, TABLE, NOW, Policy()),
    ):
        with pytest.raises(NotApplicable, match="no image in use has Windows"):
            list(said)

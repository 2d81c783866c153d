"""The HTML report as a file: complete, self-contained, and nothing in it acts."""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import date, timedelta
from importlib.resources import files
from itertools import pairwise
from json import loads
from typing import Any

import pytest
from lxml import html as parser

from auditor.results import Attestation, AuditReport, CertificateSummary, HostReport, Outcome, Severity
from reports import html
from tests.reports import samples

CSS = (files("reports") / "templates" / "report.css").read_text(encoding="utf-8")


def rendered(report: AuditReport) -> str:
    return "".join(html.render(report))


def parsed(page: str) -> Any:
    return parser.fromstring(page)


def island(page: str) -> Any:
    [data] = parsed(page).xpath("//script[@id='data']")
    return loads(data.text)


def texts(page: str, path: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in parsed(page).xpath(path)]


@pytest.mark.parametrize("build", [samples.three_hosts, samples.hostile, samples.empty])
def test_only_our_own_script_and_style_may_run(build: Callable[[], AuditReport]) -> None:
    page = rendered(build())
    tree = parsed(page)
    [policy] = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for path, directive in (("//script[not(@type)]", "script-src"), ("//style", "style-src")):
        [element] = tree.xpath(path)
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert tree.xpath("//@style | //@onclick | //@onload | //@onerror") == []


@pytest.mark.parametrize("build", [samples.three_hosts, samples.hostile, samples.empty])
def test_the_page_asks_for_nothing_from_elsewhere(build: Callable[[], AuditReport]) -> None:
    tree = parsed(rendered(build()))
    addresses = [address for address in tree.xpath("//@src | //@href") if not address.startswith("#")]
    assert addresses == ["data:,"]


def test_hostile_names_make_no_element_and_lose_no_character() -> None:
    page = rendered(samples.hostile())
    assert page.encode()
    assert page.count("</script>") == 2
    assert "<!--" not in page
    assert parsed(page).xpath("//img") == []
    assert [host[0] for host in island(page)["hosts"]][:2] == list(samples.HOSTILE[:2])
    assert not {"\x1b", "\x9b", "\u202e", "\u200b", "\x00"} & set(page)


def test_every_result_and_all_its_evidence_is_in_the_page() -> None:
    report = samples.three_hosts()
    data = island(rendered(report))
    for host, row in zip(report.hosts, data["hosts"], strict=True):
        letters = {data["checks"][place][0]: letter for place, letter in enumerate(row[9])}
        found = {
            data["checks"][place][0]: [data["texts"][text] for text in texts]
            for place, _, _, *texts in row[10]
        }
        for result in host.results:
            letter = "w" if result.waiver else "t" if result.attestation else result.outcome[0]
            assert letters[result.check] == letter
            evidence = [
                text
                for one in result.findings
                for text in (one.subject, one.observed, one.expected, one.source)
            ]
            assert found.get(result.check, []) == evidence


def test_a_check_of_two_severities_stands_in_the_page_with_both_each_where_it_holds() -> None:
    row = samples.catalogue(1)[0]
    high, low = (
        samples.result((row[0], severity, *row[2:]), Outcome.FAIL)
        for severity in (Severity.HIGH, Severity.LOW)
    )
    data = island(
        rendered(
            samples.report(HostReport("a", "linux", "ssh", (high,)), HostReport("b", "linux", "ssh", (low,)))
        )
    )
    assert [(check[0], check[4]) for check in data["checks"]] == [(row[0], 0), (row[0], 2)]
    assert [host[9] for host in data["hosts"]] == ["-f", "f-"]


def test_what_people_declared_stands_beside_the_result() -> None:
    row = samples.catalogue(1)[0]
    word = Attestation("Seen.", "Grace", date(2026, 1, 31), date(2026, 7, 31))
    answered = samples.result(row, Outcome.MANUAL, attestation=word)
    page = rendered(samples.report(HostReport("a", "linux", "ssh", (answered,))))
    data = island(page)
    assert data["hosts"][0][9] == "t"
    assert "Attested by Grace on 2026-01-31, until 2026-07-31: Seen." in data["texts"]
    assert "attested 1" in texts(page, "//*[@class='legend']")[0]


def test_each_text_is_stored_once() -> None:
    page = rendered(samples.fleet(50))
    assert page.count(samples.text_of(1)["privileged-container"].rationale[:60]) == len(
        island(page)["checks"]
    )
    data = island(page)
    assert len(set(data["texts"])) == len(data["texts"])


def test_gaps_waivers_warnings_and_hosts_out_of_reach_are_there_without_a_script() -> None:
    page = rendered(samples.three_hosts())
    assert texts(page, "//*[@id='unreachable']//li")[0].startswith("db1 tcp connect to db1:22: no route")
    assert "inventory.yaml:14" in texts(page, "//*[contains(@class, 'warning')]")[0]
    assert "permission denied" in texts(page, "//*[@id='gaps']//li")[0]
    assert "until 2026-06-30, 4 findings on web1" in texts(page, "//*[@id='waivers']//li")[0]
    assert texts(page, "//*[@id='hosts']//noscript//tbody/tr[1]/*") == ["web1", "70", "15", "6", "4"]
    assert len(texts(page, "//*[@id='findings']//noscript//tbody/tr")) == 28


def test_the_verdict_says_what_failed_and_that_it_is_incomplete() -> None:
    [verdict] = texts(rendered(samples.three_hosts()), "//p[@class='verdict']")
    assert (
        verdict
        == "33 failures without a waiver on 3 hosts. Incomplete: 1 host could not be audited, 135 results are not known."
    )
    assert texts(rendered(samples.empty()), "//p[@class='verdict']") == ["No host was audited."]


def test_a_run_that_saw_nothing_does_not_read_like_a_clean_one() -> None:
    page = rendered(samples.report(samples.unreachable("db1")))
    assert texts(page, "//p[@class='verdict']")[0].startswith(
        "Nothing is known of 1 host. Incomplete: 1 host could not be audited"
    )
    assert parsed(page).xpath("//*[contains(@class, 'good')]") == []


@pytest.mark.parametrize(
    ("days", "urgency"),
    [(-3, "expired"), (0, "urgent"), (6, "urgent"), (7, "soon"), (29, "soon"), (30, "fine"), (4000, "fine")],
)
def test_a_certificate_is_as_urgent_as_its_days_are_few(days: int, urgency: str) -> None:
    seen = CertificateSummary(
        "CN=web1", "server", "tcp 2376", samples.STARTED, samples.STARTED + timedelta(days=days)
    )
    page = rendered(samples.report(HostReport("web1", "linux", "ssh", (), certificates=(seen,))))
    assert len(parsed(page).xpath(f"//li[contains(@class, 'certificate {urgency}')]")) == 1


def test_headings_do_not_skip_a_level_and_every_field_has_a_label() -> None:
    tree = parsed(rendered(samples.three_hosts()))
    levels = [int(heading.tag[1]) for heading in tree.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for field in tree.xpath("//input[not(ancestor::label)] | //select"):
        assert tree.xpath(f"//label[@for='{field.get('id')}']"), field.get("id")
    assert len(set(tree.xpath("//@id"))) == len(tree.xpath("//@id"))


def palettes() -> list[dict[str, str]]:
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block))
        for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    )
    return [light, light | dark]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_every_text_stands_out_enough_from_its_ground(palette: dict[str, str]) -> None:
    kinds = ("critical", "high", "medium", "low", "error", "pass", "waived", "manual", "not-applicable")
    pairs = [(kind, f"{kind}-bg") for kind in kinds] + [("error", f"{kind}-bg") for kind in kinds[:4]]
    pairs += [(ink, ground) for ink in ("text", "soft", "link") for ground in ("page", "card", "shade")]
    pairs += [(ink, ground) for ink in ("text", "link") for ground in ("error-bg", "medium-bg")]
    pairs += [(ink, "card") for ink in kinds[:5]] + [("error", "page")]
    for ink, ground in pairs:
        low, high = sorted((luminance(palette[ink]), luminance(palette[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)

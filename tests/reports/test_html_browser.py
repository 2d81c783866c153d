"""The HTML report in a real browser: it filters, links, prints, fits, and keeps to itself."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from auditor.results import AuditReport
from reports import html
from tests.reports import samples

pytestmark = pytest.mark.lab
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
SAMPLES: dict[str, Callable[[], AuditReport]] = {
    "three": samples.three_hosts,
    "fleet": lambda: samples.fleet(200),
    "hostile": samples.hostile,
    "empty": samples.empty,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        absent = pytest.fail if os.environ.get("CI") else pytest.skip
        absent("no chromium on this machine: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    for name, build in SAMPLES.items():
        (folder / f"{name}.html").write_text("".join(html.render(build())), encoding="utf-8")
    return folder


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, folder: Path) -> Iterator[Open]:
    """Opens a report; at the end nothing was complained about and nothing left the page."""
    complaints: list[str] = []
    pages: list[Page] = []

    def watch(page: Page) -> None:
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                complaints.append(request.url)
                if not request.url.startswith(folder.as_uri()) and request.url != "data:,"
                else None
            ),
        )

    def open_(
        name: str = "three",
        address: str = "",
        *,
        width: int = 1440,
        scheme: str = "light",
        script: bool = True,
    ) -> Page:
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,
        )
        watch(page)
        pages.append(page)
        page.goto((folder / f"{name}.html").as_uri() + address)
        return page

    yield open_
    for page in pages:
        page.close()
    assert complaints == []


def groups(page: Page) -> list[str]:
    return page.locator("#results > details h3").all_inner_texts()


def test_it_opens_on_what_failed_the_most_severe_first(opened: Open) -> None:
    page = opened()
    expect(page.locator("#count")).to_have_text("69 findings in 33 results on 2 hosts")
    badges = page.locator("#results > details > summary .badge").all_inner_texts()
    assert badges == sorted(badges, key=["critical", "high", "medium", "low"].index)


def test_outcome_severity_section_and_host_narrow_the_results(opened: Open) -> None:
    page = opened()
    page.get_by_role("checkbox", name="critical").check()
    expect(page.locator("#results > details")).to_have_count(3)
    page.get_by_label("Host", exact=True).fill("web1")
    expect(page.locator("#count")).to_contain_text("on 1 host")
    expect(page.locator("#about-host")).to_contain_text("Ubuntu 24.04 LTS")
    page.get_by_role("button", name="Reset").click()
    page.get_by_label("Section", exact=True).select_option("files")
    page.get_by_role("checkbox", name="pass").check()
    page.get_by_role("checkbox", name="fail").uncheck()
    expect(page.locator("#results > details .name").first).to_contain_text("files")
    expect(page.locator("#count")).to_contain_text("entries in")


def test_search_looks_into_names_and_evidence(opened: Open) -> None:
    page = opened()
    page.get_by_label("Search").fill("node-exporter networkmode")
    expect(page.locator("#results > details")).to_have_count(1)
    expect(page.locator("#results .evidence td").first).to_contain_text("web1")
    expect(page.locator("#results .value-text").nth(1)).to_have_text("HostConfig.NetworkMode = host")
    page.get_by_label("Search").fill("no such thing anywhere")
    expect(page.locator("#results")).to_have_text("Nothing matches this filter.")
    expect(page.locator("#count")).to_contain_text("0 findings")


def test_a_filtered_view_can_be_linked(opened: Open) -> None:
    page = opened()
    page.get_by_role("checkbox", name="waived").check()
    page.get_by_role("checkbox", name="high").check()
    page.get_by_role("radio", name="host").check()
    expect(page.locator("#count")).to_contain_text("results on")
    again = opened("three", page.evaluate("location.hash"))
    assert again.locator("#count").inner_text() == page.locator("#count").inner_text()
    assert groups(again) == groups(page)
    expect(again.get_by_role("radio", name="host")).to_be_checked()


def test_every_host_has_an_address_of_its_own(opened: Open) -> None:
    page = opened("three", "#host=db1&outcome=error")
    expect(page.locator("#about-host")).to_contain_text("no route to host")
    expect(page.get_by_label("Host", exact=True)).to_have_value("db1")
    page.locator("#waivers a.host").first.click()
    expect(page.get_by_label("Host", exact=True)).to_have_value("web1")
    expect(page.get_by_role("checkbox", name="waived")).to_be_checked()
    page.go_back()
    expect(page.get_by_label("Host", exact=True)).to_have_value("db1")


def test_a_cell_of_the_matrix_says_all_it_stands_for_and_leads_to_its_findings(opened: Open) -> None:
    page = opened()
    expect(page.get_by_role("link", name="host on web1: 1 failure, worst low; 2 waived; ")).to_be_visible()
    page.get_by_role("link", name="runtime on web1:").click()
    expect(page.get_by_label("Section", exact=True)).to_have_value("runtime")
    expect(page.locator("#count")).to_contain_text("on 1 host")
    expect(page.get_by_role("heading", name="Findings", exact=True)).to_be_focused()


def test_a_group_shows_evidence_reason_and_remedy_when_it_is_opened(opened: Open) -> None:
    page = opened("three", "#q=docker-socket-mounted&outcome=fail,error,waived,pass")
    group = page.locator("#results > details").first
    expect(group).to_contain_text("Why it matters")
    expect(group.locator("pre")).to_contain_text("docker run --cap-add")
    expect(group.locator("tbody tr")).to_have_count(3)


def test_a_large_fleet_comes_in_batches(opened: Open) -> None:
    page = opened("fleet")
    rows = page.locator(".matrix tbody tr")
    expect(rows).to_have_count(50)
    page.locator("#matrix").get_by_role("button", name="Show 50 more of 150").click()
    expect(rows).to_have_count(100)
    page.get_by_label("Order").select_option("name")
    expect(rows.first).to_contain_text("gone0040")


@pytest.mark.parametrize("name", list(SAMPLES))
@pytest.mark.parametrize("width", [320, 768, 1440])
def test_nothing_scrolls_sideways(opened: Open, name: str, width: int) -> None:
    page = opened(name, "#outcome=fail,error,waived,manual,not-applicable", width=width)
    page.evaluate(
        "document.querySelectorAll('details').forEach((one, index) => { if (index < 30) one.open = true })"
    )
    page.wait_for_function("document.querySelector('#results').children.length > 0")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("group", ["check", "host"])
def test_hostile_names_stay_text(opened: Open, group: str) -> None:
    page = opened("hostile", f"#group={group}&outcome=fail,error,waived")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    page.wait_for_function("document.querySelectorAll('.evidence, .group .group').length > 5")
    assert "owned" not in page.title()
    assert page.locator("img").count() == 0
    assert page.locator("body > script").count() == 2
    expect(page.locator("#matrix")).to_contain_text(samples.HOSTILE[0])
    name = samples.HOSTILE[2]
    page.goto(page.url.partition("#")[0] + f"#host={quote(name)}&outcome=fail,error,waived")
    expect(page.locator("#about-host h3")).to_have_text(name)


def test_light_and_dark_follow_the_system(opened: Open) -> None:
    grounds = {
        scheme: opened(scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert grounds == {"light": "rgb(245, 246, 248)", "dark": "rgb(14, 18, 23)"}


def test_the_keyboard_reaches_and_opens_everything(opened: Open) -> None:
    page = opened()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the findings")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.locator("#results summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#results > details").first.locator(".evidence")).to_be_visible()
    page.get_by_role("checkbox", name="error").focus()
    page.keyboard.press("Space")
    expect(page.locator("#count")).to_contain_text("on 3 hosts")


def test_assistive_technology_finds_landmarks_names_and_the_live_count(opened: Open) -> None:
    page = opened()
    for role in ("banner", "navigation", "main", "search", "contentinfo"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text("69 findings in 33 results on 2 hosts")
    table = page.get_by_role("table", name="Hosts by section")
    expect(table.get_by_role("rowheader")).to_have_count(3)
    assert table.get_by_role("columnheader").first.inner_text() == "Host"
    nameless = "[...document.querySelectorAll('a, button, summary')].filter((one) => !one.innerText.trim() && !one.getAttribute('aria-label')).length"
    assert page.evaluate(nameless) == 0


def test_tables_stay_tables_on_a_narrow_screen(opened: Open) -> None:
    page = opened(width=320)
    table = page.get_by_role("table", name="Hosts by section")
    expect(table.get_by_role("row").nth(1).get_by_role("cell").nth(1)).to_be_visible()


def test_paper_shows_the_evidence_and_no_controls(opened: Open) -> None:
    page = opened("three", "#severity=critical")
    page.emulate_media(media="print")
    expect(page.locator("#results .evidence").first).to_be_visible()
    assert page.locator("#results > details:not([open])").count() == 0
    expect(page.get_by_role("search")).to_be_hidden()
    expect(page.get_by_text("Shown: severity critical; outcome fail")).to_be_visible()
    assert page.pdf().startswith(b"%PDF")


def test_without_a_script_the_essential_is_there(opened: Open) -> None:
    page = opened(script=False)
    expect(page.locator("#hosts table tbody tr")).to_have_count(3)
    expect(page.locator("#findings table tbody tr")).to_have_count(28)
    expect(page.locator("form")).to_be_hidden()
    assert page.locator("body").bounding_box() is not None


def test_a_run_over_nothing_is_a_page_too(opened: Open) -> None:
    expect(opened("empty").locator("#results")).to_have_text("No host was audited.")

"""The pages that are made from the code are current."""

import re
import runpy
from pathlib import Path

import pytest

from auditor.cli.catalogue import all_checks, benchmark_named, plan_of
from auditor.collect.bundle import load
from auditor.collect.scripts import FROM_HERE, sections
from auditor.evaluate import judge
from auditor.host import Host
from auditor.results import Outcome

DOCS = Path(__file__).parent.parent / "docs"
GENERATE = runpy.run_path(str(DOCS / "generate.py"))
PAGES = GENERATE["PAGES"]
RECORDINGS = DOCS.parent / "tests" / "recordings"


def test_a_check_that_asked_a_person_on_a_recorded_host_is_one_that_may_by_the_page() -> None:
    plan = plan_of(benchmark_named("cis-docker"))
    for path in RECORDINGS.glob("*.bundle.gz"):
        report = judge(plan, Host("web1"), load(path.read_bytes())).report
        asked = {result.check for result in report.results if result.outcome is Outcome.MANUAL}
        rules = {name: GENERATE["_may_ask"](check.rule) for name, check in all_checks().items()}
        assert {name for name in asked if not rules.get(name, True)} == set()
        assert not rules["privileged-container"]


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run: python docs/generate.py"


def test_the_page_of_what_runs_has_every_section_of_both_platforms() -> None:
    page = PAGES["what-runs-on-your-host.md"]()
    for platform, suffix in (("linux", ""), ("windows", " on Windows")):
        missing = {name for name in sections(platform) - FROM_HERE if f"\n### {name}{suffix}\n" not in page}
        assert not missing


def test_a_check_of_both_platforms_has_the_numbers_of_both() -> None:
    page = PAGES["checks.md"]()
    assert "| [insecure-registry](#insecure-registry) | 2.5, W2.6 |" in page
    assert "| [windows-authority-left-on-host](#windows-authority-left-on-host) | W2.5 |" in page


def test_the_page_for_windows_tells_what_each_control_is_adapted_from() -> None:
    page = PAGES["coverage-windows.md"]()
    assert re.search(r"\| W2\.7 .*log-level-not-info.* \| automated \| 2\.3 \|", page)
    assert re.search(r"\| W2\.1 .* \| of its own \|", page)

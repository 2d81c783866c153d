"""The pages that are made from the code are current."""

import runpy
from pathlib import Path

import pytest

from auditor.cli.catalogue import all_checks, benchmark_named, plan_of
from auditor.collect.bundle import load
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

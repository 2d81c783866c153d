"""Every format renders every report as text that can be written down."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from auditor.results import AuditReport
from reports import FORMATS
from tests.reports import samples


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("build", [samples.three_hosts, samples.hostile, samples.empty])
def test_every_format_writes_every_report_as_utf_8(name: str, build: Callable[[], AuditReport]) -> None:
    pieces = list(FORMATS[name](build()))
    assert "".join(pieces).encode()
    assert list(FORMATS[name](build())) == pieces


def test_no_library_is_loaded_before_its_format_is_asked_for() -> None:
    probe = "import sys, reports; print({'jinja2', 'rich', 'reports.html'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout
        == "set()\n"
    )

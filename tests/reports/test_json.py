"""The JSON report keeps its promise, whatever hosts say."""

from collections.abc import Callable
from importlib.resources import files
from json import loads
from typing import Any

import jsonschema
import msgspec
import pytest

from auditor.results import AuditReport
from reports import json
from tests.reports import samples

SCHEMA = (files("reports") / "schema" / "report-1.schema.json").read_text(encoding="utf-8")


def rendered(report: AuditReport) -> str:
    return "".join(json.render(report))


def test_the_schema_on_disk_is_the_one_the_types_say() -> None:
    assert json.schema() == SCHEMA, "write reports.json.schema() to reports/schema/report-1.schema.json"


@pytest.mark.parametrize("build", [samples.three_hosts, samples.hostile, samples.empty])
def test_every_report_is_valid_by_its_schema(build: Callable[[], AuditReport]) -> None:
    validator: Any = jsonschema.Draft202012Validator(loads(SCHEMA))
    validator.validate(loads(rendered(build())))


def test_a_report_reads_back_as_it_was() -> None:
    report = samples.three_hosts()
    assert msgspec.json.decode(rendered(report), type=AuditReport) == report


def test_the_fields_stand_in_the_promised_order() -> None:
    report = loads(rendered(samples.three_hosts()))
    assert list(report)[:6] == ["schema_version", "started", "auditor", "benchmark", "hosts", "summary"]
    assert report["summary"]["outcomes"]["pass"] > 0


def test_hostile_texts_keep_their_value_and_cannot_act() -> None:
    text = rendered(samples.hostile())
    names = [host["name"] for host in loads(text)["hosts"]]
    assert [name for name in names if "not utf-8" not in name] == [
        name for name in samples.HOSTILE if "not utf-8" not in name
    ]
    assert "not utf-8: \\xff\\x80, half: \\ud83d" in names
    assert not {"\x1b", "\x9b", "\u202e", "\u200b", "\x00"} & set(text)


def test_each_host_has_a_line_of_its_own() -> None:
    report = samples.three_hosts()
    assert len(rendered(report).splitlines()) == len(report.hosts) + 2

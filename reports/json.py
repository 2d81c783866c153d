"""
The report as JSON: schema/report-1.schema.json is the promise.

Within schema version 1 fields may be added; none is removed, renamed or given another meaning.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from auditor.results import AuditReport, HostReport
from reports.visible import visible_lines

# Valid in JSON, but a terminal or an editor that shows the file would obey them. DEL, C1, bidirectional and zero-width
# controls, and line separators; written as \uXXXX they say the same.
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_HOSTS = '"hosts":[]'


def render(report: AuditReport) -> Iterator[str]:
    """The report as one JSON object, a line for each host."""
    frame = _encode(msgspec.structs.replace(report, hosts=()))
    # A quote inside a string is escaped, so the first match is the field.
    before, _, after = frame.partition(_HOSTS)
    yield before + '"hosts":['
    separator = "\n"
    for host in report.hosts:
        yield separator + _encode(host)
        separator = ",\n"
    yield "\n]" + after + "\n"


def _encode(part: AuditReport | HostReport) -> str:
    try:
        text = msgspec.json.encode(part).decode()
    except UnicodeEncodeError:
        text = msgspec.json.encode(_encodable(msgspec.to_builtins(part))).decode()
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _encodable(value: Any) -> Any:
    """Replace what UTF-8 cannot hold. Only texts with a lone surrogate change; all others stay exact."""
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", lambda match: visible_lines(match[0]), value)
    return value


def schema() -> str:
    """The JSON Schema of the report, made from the types. Every field is always written, so every field is required."""
    tree = msgspec.json.schema(AuditReport)
    definitions = tree["$defs"]
    for definition in definitions.values():
        if "properties" in definition:
            definition["required"] = list(definition["properties"])
    definitions["AuditReport"]["properties"]["schema_version"] = {"const": 1}
    for definition, name in (
        ("AuditReport", "started"),
        ("CertificateSummary", "not_before"),
        ("CertificateSummary", "not_after"),
    ):
        definitions[definition]["properties"][name]["format"] = "date-time"
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Audit report, version 1"}
    return json.dumps(head | tree, indent=2) + "\n"

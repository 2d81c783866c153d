"""The worked example at the top: it loads, it runs, and it shows what it says it shows."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.auditing import run_audit
from auditor.cli.hosts import from_inventory
from auditor.cli.selection import Selection

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("example") / "report.json"
    hosts = from_inventory(ROOT / "inventory.yaml", "")
    run_audit(hosts, Selection(), "never", [f"json={path}"], 4, quiet=True)
    read: dict[str, Any] = json.loads(path.read_text())
    return read


def outcomes(report: dict[str, Any], host: str) -> dict[str, str]:
    (found,) = [each for each in report["hosts"] if each["name"] == host]
    return {result["check"]: result["outcome"] for result in found["results"]}


def test_every_control_has_a_result_on_every_host(report: dict[str, Any]) -> None:
    for host in report["hosts"]:
        numbers = {
            number for each in host["results"] for number in each["controls"].get("cis-docker-1.8.0", [])
        }
        assert len(numbers) == 118


def test_nothing_on_the_recorded_hosts_was_left_unseen(report: dict[str, Any]) -> None:
    assert not report["summary"]["incomplete"]


def test_the_badly_kept_host_is_caught_by_configuration_and_by_probe(report: dict[str, Any]) -> None:
    bad = outcomes(report, "badly-kept-host")
    for check in (
        "tls-without-client-authentication",
        "untrusted-client-answered",
        "certificate-expired",
        "ca-key-on-host",
        "privileged-container",
        "engine-socket-mounted",
    ):
        assert bad[check] == "fail", check


def test_the_hardened_host_passes_where_the_badly_kept_one_fails(report: dict[str, Any]) -> None:
    hardened = outcomes(report, "hardened-host")
    for check in (
        "tcp-without-tls",
        "tls-without-client-authentication",
        "untrusted-client-answered",
        "privileged-container",
    ):
        assert hardened[check] == "pass", check
    assert not [
        each
        for each in report["hosts"][1]["results"]
        if each["outcome"] == "fail" and each["severity"] in ("critical", "high")
    ]


def test_no_secret_of_a_recorded_host_is_in_its_recording() -> None:
    for path in (ROOT / "tests" / "recordings").glob("*.bundle.gz"):
        raw = gzip.decompress(path.read_bytes())
        assert b"PRIVATE KEY" not in raw
        assert b"not-in-the-recording" not in raw

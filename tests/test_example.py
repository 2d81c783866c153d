"""The worked example at the top: it loads, it runs, and it shows what it says it shows."""

import gzip
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

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
    controls = {"cis-docker-1.8.0": 118, "windows-container-host": 62}
    for host in report["hosts"]:
        told = [each["controls"].get(host["benchmark"], []) for each in host["results"]]
        assert len({number for numbers in told for number in numbers}) == controls[host["benchmark"]]
    assert {host["platform"] for host in report["hosts"]} == {"linux", "windows"}


def test_nothing_on_the_recorded_linux_hosts_was_left_unseen(report: dict[str, Any]) -> None:
    linux = [host for host in report["hosts"] if host["platform"] == "linux"]
    assert not [each for host in linux for each in host["results"] if each["outcome"] == "error"]


def test_one_page_and_one_junit_file_show_hosts_of_both_platforms(tmp_path: Path) -> None:
    hosts = from_inventory(ROOT / "inventory.yaml", "")
    page, junit = tmp_path / "audit.html", tmp_path / "audit.xml"
    run_audit(hosts, Selection(), "never", [f"html={page}", f"junit={junit}"], 4, quiet=True)
    names = {host.name for host in hosts}
    assert not [name for name in names if name not in page.read_text()]
    suites = ET.fromstring(junit.read_text()).findall("testsuite")  # noqa: S314  our own file
    assert {suite.get("name") for suite in suites} == names
    cases = {
        case.get("name", "").split()[0]
        for suite in suites
        if suite.get("name") == "windows-2022-kept"
        for case in suite.findall("testcase")
    }
    assert "W1.1" in cases
    assert "5.5" not in cases


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

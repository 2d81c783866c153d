"""Cases in which another tool was reported to be wrong (docs/coverage-cases.yaml): ours is right in each, from the bundle on."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.catalogue import benchmark_named, plan_of
from auditor.collect.bundle import Bundle, Section, Status
from auditor.evaluate import judge
from auditor.facts.files import File
from auditor.host import Host
from auditor.plan import pick
from auditor.results import Finding, Outcome, Result
from tests.test_docs import DOCS, GENERATE

TLS = {"tlsverify": True, "tlscacert": "/ca.pem", "tlscert": "/cert.pem", "tlskey": "/key.pem"}
TCP = "tcp://0.0.0.0:2376"
CASES = GENERATE["CASES"]


def tcp_without_tls(config: dict[str, Any], *flags: str) -> Result:
    """How our check of TLS ends on a host with this daemon.json and these flags of the running process."""
    process = ["socket /run/docker.sock", "pid 1 socket", "uid 0", "cwd /", "argument dockerd"]
    daemon = "\n".join([*process, *(f"argument {flag}" for flag in flags), "environment readable"])
    sections = {
        "daemon": Section(daemon.encode()),
        "daemon-config": Section(f"/etc/docker/daemon.json\n{json.dumps(config)}".encode()),
        "listeners": Section(status=Status.DENIED),
        "systemd": Section(status=Status.ABSENT),
        "engine-version": Section(b'{"Version": "29.1.3"}'),
    }
    plan = pick(plan_of(benchmark_named("cis-docker")), only=["tcp-without-tls"])
    return judge(plan, Host("web1"), Bundle(sections)).report.results[0]


def test_a_listener_and_tls_in_daemon_json_are_seen() -> None:
    assert tcp_without_tls({"hosts": [TCP], **TLS}).outcome is Outcome.PASS
    (finding,) = tcp_without_tls({"hosts": [TCP]}).findings
    assert (finding.subject, finding.source) == ("0.0.0.0:2376", "/etc/docker/daemon.json:/hosts")


def test_a_listener_by_flag_and_tls_in_daemon_json_belong_together() -> None:
    assert tcp_without_tls(TLS, "-H", TCP).outcome is Outcome.PASS


def test_flags_count_with_their_value_apart_or_joined() -> None:
    apart = [word for name, value in TLS.items() if value is not True for word in (f"--{name}", str(value))]
    assert tcp_without_tls({}, "-H", TCP, "--tlsverify", *apart).outcome is Outcome.PASS
    joined = [f"--{name}={str(value).lower() if value is True else value}" for name, value in TLS.items()]
    assert tcp_without_tls({}, f"-H={TCP}", *joined).outcome is Outcome.PASS


def test_an_address_that_logs_go_to_is_no_listener() -> None:
    options = {"log-driver": "syslog", "log-opts": {"syslog-address": "tcp://192.0.2.1:514"}}
    result = tcp_without_tls(options)
    assert (result.outcome, result.findings) == (Outcome.NOT_APPLICABLE, tuple[Finding, ...]())


def test_a_mode_stricter_than_what_is_allowed_passes() -> None:
    assert File("/lib/systemd/system/docker.service", mode=0o640).beyond(0o644) == 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: ", ".join(case.reports))
def test_each_case_names_its_report_and_a_test_that_exists(case: Any) -> None:
    path, _, name = case.test.partition("::")
    assert re.search(rf"^def {name}\(", (Path(DOCS).parent / path).read_text(), re.MULTILINE)
    assert all(re.fullmatch(r"[\w-]+/[\w-]+#\d+", report) for report in case.reports)

"""Waivers, attestations, policies and own checks on the command line, over a saved bundle."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor.cli import main

ROOT = Path(__file__).parents[2]
BUNDLE = f"bundle:{ROOT}/tests/recordings/default.bundle.gz"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["auditor", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert isinstance(code, int)
    return code


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_an_attestation_answers_a_manual_control_and_the_report_says_who(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    entry = '- {control: "5.9", hosts: [default], statement: These are the ports we publish., by: Grace, on: 2026-01-02, expires: 2999-01-01}'
    file = written(tmp_path / "attestations.yaml", f"attestations:\n  {entry}\n")
    code = run(monkeypatch, "run", BUNDLE, "--check", "5.9", "--attestations", file, "--report", "json=-")
    found = report(capsys)
    (result,) = found["hosts"][0]["results"]
    assert (code, result["outcome"]) == (0, "manual")
    assert result["attestation"]["by"] == "Grace"
    assert found["summary"]["outcomes"] | {"attested": 1, "manual": 0} == found["summary"]["outcomes"]
    assert ["holds for" in warning for warning in found["warnings"]] == [True]


def test_a_policy_picks_parameters_and_severities(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = written(
        tmp_path / "policy.yaml",
        """
policies:
  - only: [userland-proxy-in-use, port-not-needed]
    severities: {userland-proxy-in-use: high}
    parameters: {allowed_ports: [1]}
  - hosts: nobody
    skip: ["5"]
""",
    )
    code = run(monkeypatch, "run", BUNDLE, "--policy", file, "--report", "json=-", "--fail-on", "high")
    found = report(capsys)
    results = {result["check"]: result for result in found["hosts"][0]["results"]}
    assert code == 1
    assert set(results) == {"userland-proxy-in-use", "port-not-needed"}
    assert results["userland-proxy-in-use"]["severity"] == "high"
    assert results["port-not-needed"]["outcome"] != "manual", "the allowed ports are known now"
    assert "means no host of this run" in found["warnings"][0]


def test_own_checks_run_are_listed_and_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ("--checks", f"{ROOT}/examples/own_checks")
    assert (
        run(monkeypatch, "run", BUNDLE, *own, "--check", "container-without-team", "--report", "json=-") == 1
    )
    (result,) = report(capsys)["hosts"][0]["results"]
    assert {finding["subject"] for finding in result["findings"]} == {"cache", "web"}
    run(monkeypatch, "checks", *own, "--format", "json")
    assert {"image-without-version", "privileged-container"} <= {
        row["check"] for row in json.loads(capsys.readouterr().out)
    }
    run(monkeypatch, "explain", "image-without-version", *own)
    assert "Containers are made from images with a version" in capsys.readouterr().out


def test_what_leaves_nothing_to_ask_is_a_mistake_and_no_clean_audit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "run", BUNDLE, "--level", "1", "--check", "2.10") == 2
    assert "no check and no control is left to ask" in capsys.readouterr().err


def test_the_inventory_shows_by_what_a_host_is_judged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hosts = written(
        tmp_path / "inventory.yaml", "hosts:\n  web1: {transport: local, policy: {engine_port: 2376}}\n"
    )
    policy = written(
        tmp_path / "policy.yaml",
        "policies:\n  - {level: 1, parameters: {allowed_ports: [443]}, severities: {privileged-container: high}}\n",
    )
    run(monkeypatch, "inventory", "-i", hosts, "--policy", policy)
    said = capsys.readouterr().out
    assert "controls of cis-docker-1.8.0" in said
    assert "on 87 controls" in said
    assert "  engine_port: 2376\n  allowed_ports: [443]\n" in said
    assert "severity of privileged-container: high, usually critical" in said


@pytest.mark.parametrize("command", [("run", BUNDLE), ("evaluate", BUNDLE.removeprefix("bundle:"))])
def test_every_command_that_judges_exits_by_what_failed(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, str]
) -> None:
    only = ("--check", "userland-proxy-in-use", "--quiet")
    codes = [run(monkeypatch, *command, *only, "--fail-on", level) for level in ("low", "critical", "never")]
    assert codes == [1, 0, 0]
    assert run(monkeypatch, *command, "--quiet", "--check", "no-such-check") == 2


def test_what_a_file_calls_its_things_does_not_reach_the_terminal_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hosts = written(tmp_path / "inventory.yaml", 'hosts:\n  "a\\e[2Jb": {port: 22}\n')
    assert run(monkeypatch, "inventory", "-i", hosts) == 2
    assert "inventory.yaml:2: hosts.a\\x1b[2Jb: " in capsys.readouterr().err


def blocks(page: str) -> dict[str, str]:
    """The YAML files that a page shows, by the name in their first line."""
    text = (ROOT / "docs" / page).read_text()
    found = [part.partition("```")[0] for part in text.split("```yaml\n")[1:]]
    return {block.splitlines()[0].removeprefix("# "): block for block in found}


def test_the_examples_of_the_documentation_are_taken_as_they_stand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = []
    for name, text in (blocks("waivers.md") | blocks("policies.md")).items():
        file = written(tmp_path / name, text.replace("2026-1", "2020-1"))
        options += [f"--{name.removesuffix('.yaml')}", file]
    assert options[::2] == ["--waivers", "--attestations", "--policy"]
    own = ("--checks", f"{ROOT}/examples/own_checks")
    assert run(monkeypatch, "run", BUNDLE, *options, *own, "--fail-on", "never", "--report", "json=-") != 2
    assert any("'web:&tag:prod' means no host" in warning for warning in report(capsys)["warnings"])

"""The table of outcomes that were written down by hand, and what an audit says beside it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import yaml

from auditor.cli.catalogue import all_checks, benchmark_named
from auditor.collect.bundle import Bundle
from auditor.evaluate import compare, judge
from auditor.host import Host
from auditor.plan import Plan, make_plan
from auditor.policy import Policy
from auditor.results import Outcome, Result
from reports import controls

BENCHMARK = "cis-docker-1.8.0"
HERE = "host"
"""In the table: it depends on the machine that runs the tests, and only has to be seen."""
_WORDS = {
    "pass": Outcome.PASS,
    "fail": Outcome.FAIL,
    "manual": Outcome.MANUAL,
    "n/a": Outcome.NOT_APPLICABLE,
}


class Matrix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table as it is written: ``controls`` has a word for each of ``hosts``."""

    policies: dict[str, Policy]
    hosts: tuple[str, ...]
    controls: dict[str, tuple[str, ...]]

    def of(self, host: str) -> dict[str, str]:
        """What is expected of one host, by control."""
        column = self.hosts.index(host)
        return {number: words[column] for number, words in self.controls.items()}


def load_matrix() -> Matrix:
    """Read matrix.yaml."""
    text = Path(__file__).with_name("matrix.yaml").read_text()
    return msgspec.convert(yaml.safe_load(text), Matrix)


def plan() -> Plan:
    """Every check, under the numbers that the table has."""
    return make_plan(all_checks(), benchmark_named(BENCHMARK))


def answers(name: str, bundle: Bundle) -> dict[str, list[Result]]:
    """The results of every control, for a host with the policy that the table gives it."""
    policy = load_matrix().policies.get(name, Policy())
    (report,) = compare([judge(plan(), Host(name, policy=policy), bundle)])
    return {number: results for number, results in controls.group(report.results, BENCHMARK) if number}


def differences(name: str, bundle: Bundle) -> list[str]:
    """Where the audit of a host and the table do not agree, with the evidence."""
    expected = load_matrix().of(name)
    return list(_differences(expected, answers(name, bundle)))


def _differences(expected: dict[str, str], found: dict[str, list[Result]]) -> Iterator[str]:
    for number, results in found.items():
        outcome, _ = controls.judge(results)
        word = expected[number]
        agreed = outcome is not Outcome.ERROR if word == HERE else outcome is _WORDS[word]
        if not agreed:
            yield f"{number}: the table says {word}, the audit {outcome.value}: {'; '.join(map(_told, results))}"


def _told(result: Result) -> str:
    findings = "; ".join(f"{finding.subject}: {finding.observed}" for finding in result.findings)
    return f"{result.check} {result.outcome.value} {result.reason} {findings}".strip()

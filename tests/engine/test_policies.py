"""Policies: who is asked what, judged by which parameters, at which severity."""

from pathlib import Path

import pytest

from auditor.check import Severity
from auditor.errors import BadFile
from auditor.host import Host
from auditor.inventory.names import means
from auditor.policies import Policies, load_policies
from auditor.policy import Policy
from tests.engine.test_evaluate import plan

WEB = Host("web1", groups=("web",), tags=("prod",))
DB = Host("db1", groups=("db",))
ENTRY = """
  - hosts: {hosts}
    {says}
"""


def policies(tmp_path: Path, *entries: tuple[str, str]) -> Policies:
    file = tmp_path / "policy.yaml"
    text = "policies:" + "".join(ENTRY.format(hosts=hosts, says=says) for hosts, says in entries)
    file.write_text(text if entries else "policies: []")
    return load_policies(file, plan())


def asked(found: Policies, host: Host) -> list[str]:
    return [item.id for item in found.resolve([WEB, DB], plan()).plans[host.name].items]


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("all", [WEB, DB]),
        ("web1", [WEB]),
        ("web", [WEB]),
        ("*b1", [WEB, DB]),
        ("tag:prod", [WEB]),
        ("web:db", [WEB, DB]),
        ("web,db", [WEB, DB]),
        ("all:!db", [WEB]),
        ("!db", [WEB]),
        ("all:&tag:prod", [WEB]),
        ("all:!nobody", [WEB, DB]),
        ("nobody", []),
        ("prod", []),
    ],
)
def test_a_pattern_means_the_hosts_that_limit_would_and_an_unknown_word_means_nobody(
    pattern: str, meant: list[Host]
) -> None:
    assert [host for host in (WEB, DB) if means(pattern, host)] == meant


def test_groups_are_asked_different_things(tmp_path: Path) -> None:
    found = policies(tmp_path, ("web", "level: 1"), ("db", "only: ['repeated', '1.3']"))
    assert asked(found, WEB) == ["spoken"]
    assert asked(found, DB) == ["control-1.3", "repeated"]


def test_a_later_entry_replaces_level_and_only_and_adds_to_skip_and_also(tmp_path: Path) -> None:
    found = policies(
        tmp_path,
        ("all", "level: 1\n    skip: [control-*]"),
        ("web", "level: 2\n    skip: [limited]\n    also: [repeated]"),
    )
    assert asked(found, WEB) == ["spoken", "repeated"]
    assert asked(found, DB) == ["spoken"]


def test_what_the_command_line_left_out_no_policy_brings_back(tmp_path: Path) -> None:
    found = policies(tmp_path, ("all", "also: [repeated]"))
    resolved = found.resolve([WEB], plan(level=1))
    assert [item.id for item in resolved.plans["web1"].items] == ["spoken"]


def test_severities_are_given_by_id_glob_and_number_and_the_last_that_means_a_check_counts(
    tmp_path: Path,
) -> None:
    found = policies(
        tmp_path,
        ("all", "severities: {'1.2': low, 'rep*': critical}"),
        ("web", "severities: {limited: high, '1.2': medium}"),
    )
    resolved = found.resolve([WEB, DB], plan())
    given = {
        host.name: {item.id: item.severity for item in resolved.plans[host.name].items}
        for host in resolved.hosts
    }
    assert given["db1"]["limited"] is Severity.LOW
    assert given["db1"]["repeated"] is Severity.CRITICAL
    assert given["web1"]["limited"] is Severity.MEDIUM
    assert resolved.plans["web1"].texts()["limited"].severity is Severity.LOW, "its own, in the catalogue"


def test_parameters_beat_the_inventorys_key_by_key(tmp_path: Path) -> None:
    host = Host("web1", groups=("web",), policy=Policy(certificate_warning_days=60, engine_port=2376))
    found = policies(
        tmp_path,
        ("all", "parameters: {certificate_warning_days: 45, allowed_ports: [80]}"),
        ("web", "parameters: {allowed_ports: [443]}"),
    )
    (judged,) = found.resolve([host], plan()).hosts
    assert judged.policy == Policy(certificate_warning_days=45, engine_port=2376, allowed_ports=(443,))


def test_hosts_of_which_the_same_is_said_share_a_plan_and_all_tell_what_any_compares(tmp_path: Path) -> None:
    found = policies(tmp_path, ("db", "skip: [repeated]"))
    web2 = Host("web2")
    plans = found.resolve([WEB, web2, DB], plan()).plans
    assert plans["web1"] is plans["web2"]
    assert plans["db1"].compared == frozenset()
    assert plans["db1"].shared == plan().compared != frozenset()
    assert set(plans["db1"].sections) == {"words"}


def test_a_pattern_that_means_nobody_and_a_host_of_which_nothing_is_asked_are_pointed_out(
    tmp_path: Path,
) -> None:
    found = policies(tmp_path, ("wbe", "level: 1"), ("db", "skip: ['*']"))
    assert [text.removeprefix(str(tmp_path)) for text in found.resolve([WEB, DB], plan()).warnings] == [
        "/policy.yaml:2: the policy for 'wbe' means no host of this run",
        "/policy.yaml:5: the policy for 'db' leaves nothing to ask",
    ]


def test_a_policy_without_entries_changes_nothing(tmp_path: Path) -> None:
    resolved = policies(tmp_path).resolve([WEB], plan())
    assert resolved.hosts == (WEB,)
    assert resolved.plans["web1"].items == plan().items


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("only: [nonsense]", r"yaml:3: policies\[0\].only\[0\]: no check .*'nonsense'"),
        ("skip: ['9.9']", "'9.9'"),
        ("also: [x]", r"also\[0\]"),
        ("severities: {nonsense: low}", "yaml:3: .*severities.nonsense"),
        ("severities: {spoken: grave}", "yaml:3"),
        ("severities: {1.2: low}", "in quotes"),
        ("level: 3", "yaml:3"),
        ("parameters: {certificate_days: 3}", "certificate_days.*unknown key"),
        ("parameters: {certificate_warning_days: soon}", "yaml:3"),
        ("limit: web", "unknown key"),
    ],
)
def test_a_malformed_policy_is_an_error_with_its_line(tmp_path: Path, says: str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        policies(tmp_path, ("all", says))


def test_an_empty_pattern_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="hosts: is empty"):
        policies(tmp_path, ("''", "level: 1"))

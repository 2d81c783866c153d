"""Audit rules as auditctl and its files write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section
from auditor.facts.audit_rules import AuditRules, Rule, read_rules
from auditor.gaps import Inconclusive


def parse(text: str, status: int = 0, machine: str = "x86_64") -> AuditRules:
    sections = {
        "audit-rules": Section(text.encode(), status),
        "host": Section(f"machine={machine}\n".encode()),
    }
    return AuditRules.parse(Bundle(sections))


def one(line: str) -> Rule:
    [rule] = read_rules([line])
    return rule


def test_a_watch_without_permissions_is_for_all_of_them() -> None:
    rule = one("-w /etc/docker/ -k docker")
    assert (rule.path, rule.permissions, rule.below) == ("/etc/docker", frozenset("rwxa"), True)


def test_a_watch_has_the_permissions_it_names() -> None:
    assert one("-w /etc/docker -p wa -k docker").permissions == frozenset("wa")


def test_a_rule_on_a_path_is_for_nothing_below_and_one_on_a_folder_is() -> None:
    assert not one("-a always,exit -F path=/etc/docker -F perm=wa").below
    assert one("-a exit,always -F dir=/etc/docker -F perm=wa").below


@pytest.mark.parametrize(
    ("line", "narrowed"),
    [
        ("-a always,exit -F path=/x -F auid>=1000 -F auid!=-1 -F key=k", ("auid>=1000", "auid!=-1")),
        ("-a always,exit -S open,openat -F path=/x", ("-S open,openat",)),
        ("-a always,exit -S all -F path=/x -F perm=x", ()),
    ],
)
def test_conditions_that_leave_events_out_are_kept(line: str, narrowed: tuple[str, ...]) -> None:
    assert one(line).narrowed == narrowed


@pytest.mark.parametrize(
    ("arch", "table"), [("b32", "b32"), ("b64", "b64"), ("i386", "b32"), ("x86_64", "b64")]
)
def test_a_rule_is_for_one_table_of_system_calls_when_it_says_so(arch: str, table: str) -> None:
    assert one(f"-a always,exit -F arch={arch} -F path=/x").arches == {table}


def test_never_is_read_in_either_order() -> None:
    assert (one("-a never,task").action, one("-a task,never").filter) == ("never", "task")


def test_rules_stand_in_the_order_in_which_they_are_tried() -> None:
    rules = read_rules(
        ["-w /gone", "-D", "-b 8192", "-w /a", "-A never,exit -F path=/a", "-e 2", "-W /a", ""]
    )
    assert [rule.action for rule in rules] == ["never", "always"]


def test_what_is_loaded_and_what_is_on_disk_are_told_apart() -> None:
    rules = parse(
        "kernel enabled 1\nloaded -w /a -p wa\n"
        "disk /etc/audit/rules.d/docker.rules:-w /b -k x:y\ndisk /etc/audit/audit.rules:  -w /c\n"
    )
    assert [rule.path for rule in rules.loaded or ()] == ["/a"]
    assert {source: [rule.path for rule in told] for source, told in rules.on_disk.items()} == {
        "/etc/audit/audit.rules": ["/c"],
        "/etc/audit/rules.d": ["/b"],
    }


def test_no_rules_is_an_answer_and_a_refusal_is_none() -> None:
    assert parse("kernel enabled 1\nloaded No rules\n").loaded == ()
    for said in ("loaded You must be root to run this program.\n", ""):
        rules = parse(said)
        assert rules.loaded is None
        assert rules.unread


def test_a_folder_that_may_not_be_read_is_told() -> None:
    assert parse("loaded No rules\ndenied /etc/audit\n").unread == ("/etc/audit: permission denied",)


def test_auditing_that_is_off_and_a_host_without_it_are_seen() -> None:
    assert not parse("kernel enabled 0\nloaded No rules\n").enabled
    assert not parse("", 66).installed
    with pytest.raises(Inconclusive):
        parse("", 77)


def test_only_where_programs_for_32_bits_run_do_they_matter() -> None:
    assert parse("loaded No rules\n").arches == {"b32", "b64"}
    assert parse("loaded No rules\n", machine="aarch64").arches == {"b64"}
    assert AuditRules.parse(Bundle({"audit-rules": Section(b"loaded No rules\n")})).arches == {"b32", "b64"}


@given(
    st.lists(
        st.one_of(st.sampled_from(["-w", "-p", "-F", "-a", "-A", "-S", "-D", "arch=b32", "path="]), st.text())
    )
)
def test_no_line_crashes_the_reader(words: list[str]) -> None:
    for rule in read_rules([" ".join(words)]):
        assert rule.action in ("always", "never")


@given(st.text())
def test_no_section_crashes_the_parser(text: str) -> None:
    with contextlib.suppress(Inconclusive):
        parse(text)

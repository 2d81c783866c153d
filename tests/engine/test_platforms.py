"""Hosts of two platforms in one run: who is asked what, by which benchmark."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import audit, sections_to_ask
from auditor.cli.auditing import INCOMPLETE, run_audit
from auditor.cli.catalogue import benchmarks_named, everything
from auditor.cli.selection import Selection, platforms_of
from auditor.collect.bundle import Bundle, Section
from auditor.collect.scripts import sections
from auditor.errors import UsageError
from auditor.facts.containers import Container, Containers
from auditor.facts.machine import platform_of
from auditor.gaps import NotApplicable
from auditor.host import Host, Platform

ROOT = Path(__file__).parents[2]
WINDOWS = ROOT / "tests/recordings/windows/server-2019-default.bundle"


def bundle_host(name: str, path: Path) -> Host:
    return Host(name, "bundle", path=path)


def test_the_usual_benchmark_of_a_platform_holds_where_none_is_named() -> None:
    assert [it.id for it in benchmarks_named(())] == ["cis-docker-1.8.0", "windows-container-host"]
    named = benchmarks_named(["cis-docker-1.7.0"])
    assert [it.id for it in named] == ["cis-docker-1.7.0", "windows-container-host"]
    assert benchmarks_named(["windows-container-host"]) == benchmarks_named(())


def test_two_benchmarks_for_one_platform_are_refused() -> None:
    with pytest.raises(UsageError, match="are for the same"):
        benchmarks_named(["cis-docker-1.7.0", "cis-docker-1.8.0"])


def test_each_platform_is_asked_what_its_benchmark_says_and_no_check_of_the_other() -> None:
    plan = everything()
    linux, windows = plan.on("linux"), plan.on("windows")
    assert (linux.benchmark, windows.benchmark) == ("cis-docker-1.8.0", "windows-container-host")
    assert {number[0] for item in windows.items for number in item.controls} == {"W"}
    assert not [item.id for item in linux.items if item.check and item.check.section == "windows"]
    assert set(linux.sections) <= sections("linux") | sections("windows")


def test_a_host_is_asked_for_the_sections_that_its_platform_has() -> None:
    plan = everything()
    assert set(sections_to_ask(plan, Host("a", "ssh"))) <= sections("linux")
    assert set(sections_to_ask(plan, Host("b", "winrm", platform="windows"))) <= sections("windows")


def test_one_report_has_both_each_by_its_own_benchmark_and_a_bundle_tells_its_platform() -> None:
    hosts = [
        bundle_host("linux", ROOT / "tests/recordings/default.bundle.gz"),
        bundle_host("windows", WINDOWS),
    ]
    report = audit(everything(), hosts, workers=2)
    assert report.benchmark == "cis-docker-1.8.0, windows-container-host"
    assert [(it.name, it.platform, it.benchmark) for it in report.hosts] == [
        ("linux", "linux", "cis-docker-1.8.0"),
        ("windows", "windows", "windows-container-host"),
    ]
    for host in report.hosts:
        assert {name for result in host.results for name in result.controls} == {host.benchmark}


@pytest.mark.parametrize(
    ("told", "platform"),
    [
        ({"host": b"kernel=10.0.20348.1\nos.ID=windows\n"}, "windows"),
        ({"host": b"os.ID=debian\n"}, "linux"),
        ({"engine-info": b'{"ServerVersion":"29.0.1","OSType": "windows"}'}, "windows"),
        ({"engine-info": b'{"ServerVersion":"29.0.1","OSType":"linux"}'}, "linux"),
        ({"engine-info": b'{"ServerVersion":"29.0.1","Name":"OSType:windows"}'}, "linux"),
        (
            {"host": b"os.ID=debian\n", "engine-info": b'{"ServerVersion":"29.0.1","OSType":"windows"}'},
            "linux",
        ),
        ({"engine-info": b"no JSON"}, None),
        ({}, None),
    ],
)
def test_the_platform_is_told_by_the_host_else_by_its_engine(
    told: dict[str, bytes], platform: str | None
) -> None:
    sections = {name: Section(data) for name, data in told.items()}
    assert platform_of(Bundle({"engine-version": Section(b"{}"), **sections})) == platform


def test_options_of_linux_do_not_apply_where_all_containers_run_windows() -> None:
    windows, linux = Container(name="iis", platform="windows"), Container(name="web")
    assert [it.name for it in Containers((windows, linux)).linux] == ["web"]
    assert [it.name for it in Containers((windows, linux)).windows] == ["iis"]
    with pytest.raises(NotApplicable, match="a Windows engine refuses this option"):
        list(Containers((windows,)).linux)
    with pytest.raises(NotApplicable, match="no Windows containers"):
        list(Containers((linux,)).windows)
    with pytest.raises(NotApplicable, match="no containers on this host"):
        list(Containers().linux)


def test_the_json_list_of_checks_tells_the_platform(capsys: pytest.CaptureFixture[str]) -> None:
    from auditor.cli.show_checks import list_checks  # noqa: PLC0415  it prints

    list_checks((), 0, as_json=True)
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert {row["platform"] for row in rows} == {"linux", "windows"}


def test_what_no_host_is_asked_is_no_clean_audit(tmp_path: Path) -> None:
    only_windows = Selection(only=("W1.1",))
    with pytest.raises(UsageError, match="left to ask"):
        only_windows.resolve([Host("here")])
    hosts = [Host("here"), Host("win", "winrm", platform="windows")]
    assert [host.name for host in only_windows.resolve(hosts).hosts] == ["here", "win"]
    report = tmp_path / "report.json"
    host = bundle_host("linux", ROOT / "tests/recordings/default.bundle.gz")
    assert run_audit([host], only_windows, "low", [f"json={report}"], 1, quiet=True) == INCOMPLETE
    assert json.loads(report.read_text())["warnings"] == [
        "linux: nothing of what was picked is asked of linux hosts"
    ]


def test_a_run_over_linux_hosts_alone_asks_them_what_every_run_does() -> None:
    linux, windows = Host("here"), Host("win", "winrm", platform="windows")
    assert platforms_of([linux]) == {"linux"}
    assert platforms_of([linux, windows]) == platforms_of([Host("saved", "bundle")]) == {"linux", "windows"}
    alone = Selection(platforms=platforms_of([linux]))
    assert {item.platform for item in alone.plan.items} == {"linux"}
    assert alone.plan.on("linux") == Selection().plan.on("linux")


def test_a_check_of_another_platform_may_be_named_and_is_then_known() -> None:
    windows_only = frozenset[Platform]({"windows"})
    assert Selection(skip=("2.8",), platforms=windows_only).plan.items
    with pytest.raises(UsageError, match="no check and no control"):
        Selection(skip=("nonsense",), platforms=windows_only).resolve([])


def test_no_check_of_another_platform_is_loaded_where_nobody_names_one() -> None:
    program = "import sys; from auditor.cli.selection import Selection; Selection(platforms=frozenset({'linux'})).plan; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = told.stdout.split()
    assert "checks.runtime.mounts" in loaded
    assert not [
        name
        for name in loaded
        if name.startswith(("checks.windows", "cryptography", "rich.", "auditor.inventory"))
    ]

"""How Windows containers are run, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Check, Inconclusive, Manual, NotApplicable
from auditor.facts.containers import Port
from checks.windows.containers import (
    management_port_published,
    process_isolated_container,
    secret_in_container_environment,
)
from checks.windows.users import container_runs_as_administrator
from tests.checks.runtime.judging import NONE, UNSEEN, WEB, answer, containers, observed
from tests.checks.windows.runtime_hosts import IIS

EVERY = [
    process_isolated_container,
    management_port_published,
    secret_in_container_environment,
    container_runs_as_administrator,
]


@pytest.mark.parametrize("check", EVERY, ids=lambda check: check.id)
def test_a_hardened_one_passes_and_what_is_not_there_or_not_read_does_not(check: Check[...]) -> None:
    assert answer(check(containers(IIS))) == ([], None)
    assert isinstance(answer(check(containers(WEB)))[1], NotApplicable)
    assert isinstance(answer(check(NONE))[1], NotApplicable)
    assert isinstance(answer(check(UNSEEN))[1], Inconclusive)


def test_a_person_says_whether_containers_may_share_the_hosts_kernel() -> None:
    shared = replace(IIS, isolation="process")
    gap = answer(process_isolated_container(containers(IIS, shared, replace(IIS, isolation=""))))[1]
    assert isinstance(gap, Manual)
    assert str(gap).endswith("with each other? iis")


def test_an_isolation_that_is_not_told_is_no_pass() -> None:
    gap = answer(process_isolated_container(containers(replace(IIS, isolation=""))))[1]
    assert isinstance(gap, Inconclusive)


@pytest.mark.parametrize(
    ("port", "name"),
    [
        (Port(13389, 13389, "", "3389/tcp"), "Remote Desktop"),
        (Port(5985, 5985, "", "80/tcp"), "WinRM"),
        (Port(440, 450, "", "80/tcp"), "SMB"),
        (Port(0, 0, "", "2375/tcp"), "the engine without TLS"),
    ],
)
def test_a_port_for_administration_is_found_on_the_host_and_inside(port: Port, name: str) -> None:
    (finding,) = answer(management_port_published(containers(replace(IIS, ports=(port,)))))[0]
    assert finding.observed == f"NetworkSettings.Ports = {port} ({name})"


def test_other_ports_are_not_for_administration_and_a_stopped_container_is_judged_by_what_it_will_publish() -> (
    None
):
    fine = replace(IIS, ports=(Port(8080, 8080), Port(1, 1, "", "odd")))
    assert not observed(management_port_published(containers(fine)))
    stopped = replace(IIS, status="exited", ports=(Port(135, 135),))
    assert observed(management_port_published(containers(stopped)))[0].startswith(
        "iis: HostConfig.PortBindings"
    )


def test_a_variable_named_for_a_secret_is_told_by_its_name() -> None:
    found = observed(secret_in_container_environment(containers(replace(IIS, secrets=("DB_PASSWORD",)))))
    assert found == ["iis: Config.Env = DB_PASSWORD=…"]


def test_an_environment_that_was_not_asked_for_is_no_pass() -> None:
    gap = answer(secret_in_container_environment(containers(replace(IIS, secrets=None))))[1]
    assert isinstance(gap, Inconclusive)


@pytest.mark.parametrize(
    ("user", "seen"),
    [
        ("", "none, which is ContainerAdministrator"),
        ("ContainerAdministrator", "ContainerAdministrator"),
        (r"User Manager\ContainerAdministrator", r"User Manager\ContainerAdministrator"),
        (r"NT AUTHORITY\SYSTEM", r"NT AUTHORITY\SYSTEM"),
        ("nt authority/system", "nt authority/system"),
    ],
)
def test_an_administrator_is_found_under_any_of_his_names(user: str, seen: str) -> None:
    found = observed(container_runs_as_administrator(containers(replace(IIS, user=user))))
    assert found == [f"iis: Config.User = {seen}"]


def test_the_services_accounts_are_no_administrators() -> None:
    for user in (r"NT AUTHORITY\Network Service", "Local Service", "S-1-5-93-2-2"):
        assert answer(container_runs_as_administrator(containers(replace(IIS, user=user)))) == ([], None)


def test_a_person_looks_at_other_names_and_at_what_starts_services() -> None:
    monitor = replace(IIS, name="web", user="", path=r"C:\ServiceMonitor.exe")
    found, gap = answer(
        container_runs_as_administrator(
            containers(replace(IIS, user="app"), replace(IIS, user=r"CORP\system"), monitor)
        )
    )
    assert not found
    assert isinstance(gap, Manual)
    assert "iis: app" in str(gap)
    assert r"iis: CORP\system" in str(gap)
    assert "web: the service" in str(gap)

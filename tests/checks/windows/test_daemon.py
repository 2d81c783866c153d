"""How the daemon of a Windows host is set up, judged."""

import pytest

from auditor.check import Inconclusive, Manual, NotApplicable
from auditor.facts.containers import Container, Containers
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine
from auditor.facts.networks import Network, Networks
from auditor.facts.windows_environment import Variable, WindowsEnvironment
from auditor.facts.windows_leftovers import Authority, Leftover, WindowsLeftovers
from auditor.policy import Policy
from checks.daemon.privileges import authorization_plugin_missing
from checks.windows.daemon import (
    windows_container_logs_unbounded,
    windows_containers_on_default_nat,
    windows_default_isolation_process,
    windows_secret_in_service_environment,
)
from checks.windows.leftovers import windows_authority_left_on_host


def test_process_isolation_by_default_is_for_a_person_to_judge() -> None:
    assert list(windows_default_isolation_process(Engine(isolation="hyperv"))) == []
    for isolation in ("process", ""):
        with pytest.raises(Manual, match="trust each other"):
            list(windows_default_isolation_process(Engine(isolation=isolation)))


NAT = Networks((Network("nat", "nat"), Network("app", "nat")))


def test_the_default_nat_network_is_shared_by_all_that_name_none() -> None:
    two = Containers(
        (
            Container(name="web", platform="windows", networks=("nat",)),
            Container(name="db", platform="windows", networks=("app",)),
        )
    )
    (finding,) = windows_containers_on_default_nat(two, NAT)
    assert (finding.subject, finding.observed) == ("web", "on network nat")
    assert list(windows_containers_on_default_nat(two, Networks())) == []


@pytest.mark.parametrize(("networks", "mode"), [((), "nat"), ((), "default"), (("default",), "default")])
def test_one_that_never_ran_is_on_the_network_that_it_asked_for(networks: tuple[str, ...], mode: str) -> None:
    new = Containers((Container(platform="windows", networks=networks, network_mode=mode),))
    assert len(list(windows_containers_on_default_nat(new, NAT))) == 1
    assert list(windows_containers_on_default_nat(new, Networks((Network("app", "nat"),)))) == []


def test_linux_containers_have_no_nat_network() -> None:
    with pytest.raises(NotApplicable):
        list(windows_containers_on_default_nat(Containers((Container(),)), NAT))


def test_json_files_need_a_largest_size() -> None:
    files = Engine(logging_driver="json-file")
    (finding,) = windows_container_logs_unbounded(files, DaemonConfig.of())
    assert finding.observed == "log driver json-file without max-size"
    assert list(windows_container_logs_unbounded(files, DaemonConfig.of(log_opts={"max-size": "10m"}))) == []
    assert list(windows_container_logs_unbounded(Engine(logging_driver="etwlogs"), DaemonConfig.of())) == []
    with pytest.raises(Inconclusive, match="no log driver"):
        list(windows_container_logs_unbounded(Engine(logging_driver=""), DaemonConfig.of()))


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "Registry_Token", "AWS_SECRET_ACCESS_KEY", "DB_PASS", "STORAGE_ACCOUNT_KEY"]
)
def test_a_variable_that_is_a_secret_by_name_is_a_finding(name: str) -> None:
    (finding,) = windows_secret_in_service_environment(
        WindowsEnvironment(variables=(Variable("service", name, userinfo=False),))
    )
    assert finding.source == rf"HKLM\SYSTEM\CurrentControlSet\Services\docker\Environment\{name}"


def test_credentials_in_an_address_are_a_finding_and_other_variables_none() -> None:
    variables = (
        Variable("machine", "HTTP_PROXY", userinfo=True),
        Variable("machine", "Path", userinfo=False),
        Variable("service", "TOKEN_FILE", userinfo=False),
    )
    (finding,) = windows_secret_in_service_environment(WindowsEnvironment(variables=variables))
    assert (finding.subject, finding.observed) == ("HTTP_PROXY", "credentials in an address")


def test_what_is_left_of_an_authority_is_a_finding() -> None:
    files = (Leftover(r"C:\ca-key.pem"), Leftover(r"C:\ca-key-pass.txt"), Leftover(r"C:\gone", exists=False))
    found = windows_authority_left_on_host(WindowsLeftovers(files, (Authority("CN=CA", "0A1B"),)))
    assert [(it.observed, it.source) for it in found] == [
        ("an authority's key by its name", r"C:\ca-key.pem"),
        ("the passphrase of an authority's key", r"C:\ca-key-pass.txt"),
        ("an authority with its private key", r"Cert:\LocalMachine\My\0A1B"),
    ]
    assert list(windows_authority_left_on_host(WindowsLeftovers())) == []


@pytest.mark.parametrize(
    "leftovers",
    [
        WindowsLeftovers(unread=("CN=odd",)),
        WindowsLeftovers(elevated=False),
        WindowsLeftovers((Leftover(r"C:\x", exists=False, error="denied"),)),
    ],
)
def test_what_could_not_be_seen_may_be_an_authority(leftovers: WindowsLeftovers) -> None:
    with pytest.raises(Inconclusive, match="not readable"):
        list(windows_authority_left_on_host(leftovers))


def windows(**settings: object) -> DaemonConfig:
    made = DaemonConfig.of(**settings)
    return DaemonConfig(settings=made.settings, directory="C:\\Windows\\System32")


def test_a_pipe_needs_no_plugin_on_windows_and_a_port_does() -> None:
    with pytest.raises(NotApplicable, match="no TCP port"):
        list(
            authorization_plugin_missing(
                Engine(authorization_plugins=()), windows(hosts=("npipe://",)), Policy()
            )
        )
    open_one = windows(hosts=("tcp://10.0.0.5:2376",))
    assert len(list(authorization_plugin_missing(Engine(authorization_plugins=()), open_one, Policy()))) == 1

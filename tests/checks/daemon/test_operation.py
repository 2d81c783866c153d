"""How the daemon logs, limits and survives, judged."""

import pytest

from auditor.check import Manual, NotApplicable
from auditor.facts.daemon import DaemonConfig, Setting
from auditor.facts.engine import Engine
from checks.daemon.operation import (
    cgroup_parent_changed,
    default_ulimits_unset,
    live_restore_off,
    log_level_not_info,
    logs_stay_on_host,
)


def test_info_is_the_default_level() -> None:
    assert list(log_level_not_info(DaemonConfig())) == []


@pytest.mark.parametrize("level", ["debug", "warn", "error", "fatal"])
def test_any_other_level_is_a_finding(level: str) -> None:
    (finding,) = log_level_not_info(DaemonConfig.of(log_level=level))
    assert finding.observed == f"log-level = {level}"


def test_the_debug_switch_counts_too() -> None:
    (finding,) = log_level_not_info(DaemonConfig.of(debug=True))
    assert finding.observed == "debug = true"


@pytest.mark.parametrize("driver", ["none", "local", "json-file"])
def test_local_log_drivers_keep_logs_on_the_host(driver: str) -> None:
    (finding,) = logs_stay_on_host(Engine(logging_driver=driver), DaemonConfig())
    assert driver in finding.observed


@pytest.mark.parametrize("driver", ["gcplogs", "awslogs"])
def test_drivers_of_a_service_elsewhere_pass(driver: str) -> None:
    assert list(logs_stay_on_host(Engine(logging_driver=driver), DaemonConfig())) == []


@pytest.mark.parametrize(
    ("driver", "option", "elsewhere", "here"),
    [
        ("fluentd", "fluentd-address", "logs.example:24224", "localhost:24224"),
        ("fluentd", "fluentd-address", "tcp://192.0.2.7:24224", "unix:///run/fluent.sock"),
        ("gelf", "gelf-address", "udp://192.0.2.7:12201", "udp://127.0.0.1:12201"),
        ("gelf", "gelf-address", "udp://192.0.2.7:12201", "udp://0.0.0.0:12201"),
        ("splunk", "splunk-url", "https://splunk.example:8088", "https://[::1]:8088"),
    ],
)
def test_a_driver_that_sends_logs_where_it_is_told_passes_when_that_is_elsewhere(
    driver: str, option: str, elsewhere: str, here: str
) -> None:
    engine = Engine(logging_driver=driver)
    assert list(logs_stay_on_host(engine, DaemonConfig.of(log_opts={option: elsewhere}))) == []
    for config in (DaemonConfig.of(log_opts={option: here}), DaemonConfig()):
        with pytest.raises(Manual, match=driver):
            list(logs_stay_on_host(engine, config))


@pytest.mark.parametrize(
    "address", ["tcp://192.0.2.7:514", "tcp+tls://logs.example:6514", "udp://[2001:db8::1]:514"]
)
def test_syslog_to_another_machine_passes(address: str) -> None:
    config = DaemonConfig.of(log_opts={"syslog-address": address})
    assert list(logs_stay_on_host(Engine(logging_driver="syslog"), config)) == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "unixgram:///dev/log",
        "tcp://127.0.0.1:514",
        "udp://localhost:514",
        "tcp://[bad",
        "tcp://127.1:514",
        "udp://localhost.localdomain:514",
    ],
)
def test_syslog_on_the_host_itself_is_for_a_person_to_judge(address: str) -> None:
    config = DaemonConfig.of(log_opts={"syslog-address": address} if address else {})
    with pytest.raises(Manual, match="log driver syslog"):
        list(logs_stay_on_host(Engine(logging_driver="syslog"), config))


@pytest.mark.parametrize("driver", ["journald", "some/plugin:latest"])
def test_other_drivers_are_for_a_person_to_judge(driver: str) -> None:
    with pytest.raises(Manual, match=driver):
        list(logs_stay_on_host(Engine(logging_driver=driver), DaemonConfig()))


def test_no_default_limits_is_a_finding() -> None:
    assert len(list(default_ulimits_unset(DaemonConfig()))) == 1


@pytest.mark.parametrize(
    ("limits", "findings"),
    [
        ({"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048}}, 0),
        ({"nofile": {"Name": "nofile", "Soft": 1024, "Hard": -1}}, 1),
        ({"nofile": "1024:2048"}, 0),
        ({"nofile": "1024:-1", "nproc": "unlimited"}, 2),
    ],
)
def test_limits_from_the_file_and_from_flags_are_judged_alike(
    limits: dict[str, object], findings: int
) -> None:
    config = DaemonConfig(settings={"default-ulimits": Setting(limits, "flag --default-ulimit")})
    assert len(list(default_ulimits_unset(config))) == findings


def test_a_control_group_of_ones_own_is_for_a_person_to_confirm() -> None:
    with pytest.raises(Manual, match="/limited"):
        list(cgroup_parent_changed(DaemonConfig.of(cgroup_parent="/limited")))
    assert list(cgroup_parent_changed(DaemonConfig())) == []


def test_live_restore_off_is_a_finding() -> None:
    (finding,) = live_restore_off(Engine(live_restore=False), DaemonConfig.of(live_restore=True))
    assert finding.source == "docker info:/LiveRestoreEnabled"


def test_live_restore_that_is_lost_at_the_next_restart_is_a_finding() -> None:
    (finding,) = live_restore_off(Engine(), DaemonConfig())
    assert "no longer configured" in finding.observed


def test_live_restore_on_passes() -> None:
    assert list(live_restore_off(Engine(), DaemonConfig.of(live_restore=True))) == []


def test_swarm_mode_excludes_live_restore() -> None:
    with pytest.raises(NotApplicable, match="swarm"):
        list(live_restore_off(Engine(swarm_state="active"), DaemonConfig()))

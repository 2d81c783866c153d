"""What the daemon runs on and what lies on disk, told apart."""

import pytest
from msgspec.structs import replace

from auditor.check import Inconclusive, Manual, NotApplicable
from auditor.facts.daemon import DaemonConfig
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.engine import Engine
from auditor.facts.files import File, Files
from auditor.results import Finding
from checks.daemon.drift import daemon_config_changed_since_start

START = 1_767_225_600  # 2026-01-01, a month before the default engine's clock
PATH = "/etc/docker/daemon.json"
UNIT = "/usr/lib/systemd/system/docker.service"
RUNNING = Engine(security_options={"seccomp": "builtin"}, logging_driver="json-file", live_restore=False)


def config(**settings: object) -> DaemonConfig:
    return replace(DaemonConfig.of(**settings), started=START)


def on_disk(modified: int = START - 10, unit: int = START - 10) -> Files:
    return Files.of(File(PATH, modified=modified), File(UNIT, modified=unit), absent=ABSENT)


ABSENT = ("/etc/default/docker", "/etc/sysconfig/docker")


def judge(
    configured: DaemonConfig | None = None, files: Files | None = None, engine: Engine = RUNNING
) -> list[Finding]:
    check = daemon_config_changed_since_start
    return list(check(engine, configured or config(), files or on_disk(), DaemonPaths()))


def test_files_of_before_the_start_and_values_that_agree_pass() -> None:
    assert not judge()


@pytest.mark.parametrize(
    ("key", "value", "running"),
    [
        ("live_restore", True, {"live_restore": True}),
        ("log_driver", "syslog", {"logging_driver": "syslog"}),
        ("experimental", True, {"experimental": True}),
        ("debug", True, {"debug": True}),
        ("log_level", "debug", {"debug": True}),
        ("default_runtime", "runsc", {"default_runtime": "runsc"}),
        ("userns_remap", "default", {"security_options": {"seccomp": "", "userns": ""}}),
        ("no_new_privileges", True, {"security_options": {"seccomp": "", "no-new-privileges": ""}}),
        ("insecure_registries", ("http://old:5000", "10.1.2.3/16", "a/b"), {"insecure_registries": ("old:5000", "10.1.0.0/16", "a/b")}),
        ("storage_driver", "btrfs", {"storage_driver": "btrfs"}),
    ],
)  # fmt: skip
def test_what_docker_info_shows_is_compared(key: str, value: object, running: dict[str, object]) -> None:
    changed = config(**{key: value})
    assert not judge(changed, engine=replace(RUNNING, **running))
    (finding,) = judge(changed)
    assert finding.subject == "daemon"
    assert finding.source.startswith("docker info:/")
    if key != "storage_driver":  # unset, it is what the daemon chose
        assert len(judge(engine=replace(RUNNING, **running))) == 1


def test_a_snapshotter_by_the_old_drivers_name_is_no_difference() -> None:
    assert not judge(config(storage_driver="overlay2"), engine=replace(RUNNING, storage_driver="overlayfs"))


def test_engines_that_do_not_tell_of_new_privileges_and_rootless_ones_are_not_compared_in_that() -> None:
    assert not judge(config(no_new_privileges=True), engine=replace(RUNNING, version="20.10.24"))
    rootless = replace(RUNNING, security_options={"rootless": ""})
    assert not judge(config(userns_remap="default"), engine=rootless)


def test_a_file_written_since_the_start_is_told_with_the_keys_that_wait_and_both_dates() -> None:
    (finding,) = judge(config(icc=False, live_restore=False), on_disk(START + 3))
    assert finding.observed == (
        "written 2026-01-01 00:00:03 UTC, after the daemon started 2026-01-01 00:00:00 UTC; taken at a start only: icc"
    )
    assert (finding.subject, finding.source) == (PATH, f"stat of {PATH}")


def test_of_a_file_that_was_emptied_nobody_knows_what_it_had() -> None:
    (finding,) = judge(config(), on_disk(START + 60))
    assert finding.observed.endswith("taken at a start only: whatever was removed from it")


def test_a_file_of_keys_that_a_reload_takes_is_for_a_person() -> None:
    with pytest.raises(Manual, match="was it reloaded"):
        judge(config(live_restore=False), on_disk(START + 60))


def test_a_unit_written_since_the_start_waits_for_a_restart() -> None:
    (finding,) = judge(files=on_disk(unit=START + 60))
    assert (finding.subject, finding.expected) == (UNIT, "a restart since")


@pytest.mark.parametrize(
    ("configured", "files", "engine", "why"),
    [
        (replace(config(), started=0), on_disk(START + 60), RUNNING, "when the daemon started could not be seen"),
        (config(), on_disk(START + 2), RUNNING, "within 2 seconds of the daemon's start"),
        (config(live_restore=False), on_disk(START + 10**8), RUNNING, "dated after the host's own clock"),
        (config(), on_disk(), replace(RUNNING, system_time=""), "clock says is not known"),
        (config(), Files.of(denied=[PATH], absent=[UNIT, *ABSENT]), RUNNING, "permission denied"),
        (config(), Files.of(File(PATH), denied=[UNIT], absent=ABSENT), RUNNING, "permission denied"),
    ],
)  # fmt: skip
def test_what_dates_do_not_tell_is_no_pass(
    configured: DaemonConfig, files: Files, engine: Engine, why: str
) -> None:
    with pytest.raises(Inconclusive, match=why):
        judge(configured, files, engine)


def test_a_daemon_without_any_file_has_nothing_that_could_have_changed() -> None:
    with pytest.raises(NotApplicable, match="there is no /etc/docker/daemon"):
        judge(files=Files.of(absent=[PATH, UNIT, *ABSENT]))

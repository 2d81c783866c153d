"""What the kernel lets containers do, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Inconclusive, NotApplicable
from auditor.facts.container import Container
from auditor.facts.engine import Engine
from auditor.facts.surroundings import Surroundings
from checks.runtime.confinement import (
    apparmor_unconfined,
    seccomp_unconfined,
    selinux_unconfined,
    system_paths_unmasked,
    writable_root_filesystem,
)
from tests.checks.runtime.judging import WEB, answer, containers, observed

BARE = Engine(security_options={})
SELINUX = Engine(security_options={"selinux": "", "seccomp": "builtin"})
NEW = replace(WEB, status="created", apparmor_profile="")


@pytest.mark.parametrize(
    "container",
    [
        replace(WEB, apparmor_profile="unconfined"),
        replace(WEB, apparmor_profile=""),
        replace(NEW, security_opt=("apparmor=unconfined",)),
        replace(NEW, security_opt=("apparmor:unconfined",)),
        replace(NEW, privileged=True),
    ],
)
def test_a_container_without_a_profile_is_found(container: Container) -> None:
    assert observed(apparmor_unconfined(containers(container), Engine()))


@pytest.mark.parametrize(
    "container",
    [
        NEW,
        replace(NEW, security_opt=("apparmor=mine",)),
        replace(WEB, apparmor_profile="mine", privileged=True),
    ],
)
def test_one_that_gets_a_profile_at_its_start_passes(container: Container) -> None:
    assert answer(apparmor_unconfined(containers(container), Engine())) == ([], None)


def test_an_engine_without_apparmor_is_not_asked_for_it() -> None:
    _, gap = answer(apparmor_unconfined(containers(replace(WEB, apparmor_profile="")), BARE))
    assert isinstance(gap, NotApplicable)


@pytest.mark.parametrize(
    ("container", "seen"),
    [
        (replace(WEB, process_label=""), "empty"),
        (replace(WEB, process_label="", security_opt=("label=disable",)), "empty (label=disable)"),
        (replace(WEB, process_label="", security_opt=("label:disable",)), "empty (label=disable)"),
        (replace(WEB, process_label="u:r:spc_t:s0"), "u:r:spc_t:s0"),
    ],
)
def test_selinux_is_judged_by_the_label_of_the_process(container: Container, seen: str) -> None:
    said = selinux_unconfined(containers(container, WEB), SELINUX, Surroundings())
    assert observed(said) == [f"web: ProcessLabel = {seen}"]


def test_an_engine_that_leaves_the_kernels_selinux_unused_is_found() -> None:
    (finding,) = selinux_unconfined(containers(WEB), BARE, Surroundings(selinux_in_kernel=True))
    assert finding.subject == "daemon"


def test_a_kernel_without_selinux_is_not_asked_for_it() -> None:
    for engine, kernel in ((BARE, False), (Engine(), None), (Engine(), False)):
        _, gap = answer(selinux_unconfined(containers(WEB), engine, Surroundings(selinux_in_kernel=kernel)))
        assert isinstance(gap, NotApplicable)


def test_on_windows_neither_applies_whatever_could_be_seen_of_the_kernel() -> None:
    engine = Engine(os_type="windows", security_options={})
    for said in (
        apparmor_unconfined(containers(WEB), engine),
        selinux_unconfined(containers(WEB), engine, Surroundings(selinux_in_kernel=None)),
    ):
        found, gap = answer(said)
        assert not found
        assert isinstance(gap, NotApplicable)
        assert "Windows" in str(gap)


def test_an_unknown_kernel_is_no_pass() -> None:
    _, gap = answer(selinux_unconfined(containers(WEB), BARE, Surroundings(selinux_in_kernel=None)))
    assert isinstance(gap, Inconclusive)


@pytest.mark.parametrize(
    ("container", "default", "seen"),
    [
        (
            replace(WEB, security_opt=("seccomp=unconfined",)),
            "builtin",
            "HostConfig.SecurityOpt = seccomp=unconfined",
        ),
        (
            replace(WEB, security_opt=("seccomp:unconfined",)),
            "builtin",
            "HostConfig.SecurityOpt = seccomp=unconfined",
        ),
        (replace(WEB, privileged=True), "builtin", "HostConfig.Privileged = true: no filter"),
        (
            WEB,
            "unconfined",
            "HostConfig.SecurityOpt = nothing, and the engine's default profile is unconfined",
        ),
        (WEB, None, "HostConfig.SecurityOpt = not heeded: the engine runs without seccomp"),
    ],
)
def test_a_container_without_a_filter_is_found(container: Container, default: str | None, seen: str) -> None:
    engine = Engine(security_options={} if default is None else {"seccomp": default})
    assert observed(seccomp_unconfined(containers(container), engine)) == [f"web: {seen}"]


@pytest.mark.parametrize(
    "option",
    [
        'seccomp={"defaultAction":"SCMP_ACT_ERRNO"}',
        'seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["reboot"],"action":"SCMP_ACT_ERRNO"}]}',
        "seccomp=builtin",
        "seccomp=",
        "label=type:x",
    ],
)
def test_the_default_profile_or_one_of_its_own_passes(option: str) -> None:
    web = containers(replace(WEB, security_opt=(option,)))
    assert not observed(seccomp_unconfined(web, Engine()))


def test_a_profile_of_its_own_stands_in_for_an_unconfined_default() -> None:
    web = containers(replace(WEB, security_opt=('seccomp={"defaultAction":"SCMP_ACT_ERRNO"}',)))
    assert not observed(seccomp_unconfined(web, Engine(security_options={"seccomp": "unconfined"})))


# Seen with 20.10: {} starts without a filter, and one that allows everything filters nothing.
@pytest.mark.parametrize(
    "profile",
    [
        "{}",
        '{"defaultAction":"SCMP_ACT_ALLOW"}',
        '{"defaultAction":"SCMP_ACT_LOG","syscalls":null}',
        '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["reboot"],"action":"SCMP_ACT_ALLOW"}]}',
        "[]",
        '{"syscalls":[1]}',
        "/etc/seccomp.json",
        "[" * 100_000,
    ],
)
def test_a_profile_that_blocks_nothing_is_no_filter(profile: str) -> None:
    web = containers(replace(WEB, security_opt=(f"seccomp={profile}",)))
    assert observed(seccomp_unconfined(web, Engine())) == [
        "web: HostConfig.SecurityOpt = a seccomp profile that blocks no system call"
    ]


def test_an_empty_option_asks_for_the_default() -> None:
    engine = Engine(security_options={"seccomp": "unconfined", "apparmor": ""})
    web = replace(NEW, security_opt=("seccomp=builtin", "seccomp="), privileged=False)
    assert observed(seccomp_unconfined(containers(web), engine))
    confined = replace(NEW, security_opt=("apparmor=",), privileged=True)
    assert observed(apparmor_unconfined(containers(confined), engine))


def test_system_paths_that_are_not_masked_are_found() -> None:
    bare = replace(WEB, system_paths_masked=False)
    assert observed(system_paths_unmasked(containers(bare, WEB))) == [
        "web: HostConfig.MaskedPaths = shorter than the engine's, or ReadonlyPaths is"
    ]
    assert observed(system_paths_unmasked(containers(replace(bare, privileged=True)))) == [
        "web: HostConfig.Privileged = true: none is masked"
    ]
    _, gap = answer(system_paths_unmasked(containers(replace(WEB, system_paths_masked=None))))
    assert isinstance(gap, Inconclusive)


def test_a_writable_root_is_found() -> None:
    web = containers(replace(WEB, readonly_rootfs=False), WEB)
    assert observed(writable_root_filesystem(web)) == ["web: HostConfig.ReadonlyRootfs = false"]

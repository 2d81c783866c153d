"""Whether the kernel audits what makes up the engine, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Check, Finding, Inconclusive, NotApplicable
from auditor.facts.audit_rules import AuditRules, read_rules
from auditor.facts.daemon_paths import UNIT_FOLDERS, DaemonPaths
from auditor.facts.files import File, Files
from checks.host.auditing import audited

PATHS = DaemonPaths()
PROGRAMS = [
    path
    for name in (
        "containerd",
        "containerd-shim",
        "containerd-shim-runc-v1",
        "containerd-shim-runc-v2",
        "runc",
    )
    for path in PATHS.programs(name)
]
FOLDERS = ["/var/lib/docker", "/etc/docker", "/run/containerd"]
PLACES = [
    *PROGRAMS,
    PATHS.program,
    PATHS.config_file,
    "/etc/containerd/config.toml",
    *PATHS.sockets,
    *PATHS.containerd_sockets,
    *(PATHS.service or ()),
    *PATHS.environment_files,
    *PATHS.sysconfig_files,
]
ALL_THERE = Files.of(*(File(path) for path in PLACES), *(File(path, kind="folder") for path in FOLDERS))
BY_ID = {each.id: each for each in audited}
ENGINE, DATA, RUNC = (BY_ID[f"{name}-not-audited"] for name in ("engine-program", "data-root", "runc"))


def rules(*loaded: str, disk: tuple[str, ...] | None = None) -> AuditRules:
    """Rules that are loaded, and the same on disk unless others are given."""
    kept = {"/etc/audit/rules.d": read_rules(loaded if disk is None else disk)}
    return AuditRules(loaded=read_rules(loaded), on_disk=kept)


def judge(
    rule: Check[...], told: AuditRules, files: Files = ALL_THERE, paths: DaemonPaths = PATHS
) -> list[Finding]:
    return list(rule(told, files, paths))


def observed(*loaded: str, rule: Check[...] = ENGINE) -> str:
    [found] = judge(rule, rules(*loaded))
    return found.observed


WHOLE = [f"-w {path} -p wxa -k docker" for path in [*PLACES, *FOLDERS]]


@pytest.mark.parametrize("rule", audited, ids=lambda rule: rule.id)
def test_a_watch_on_each_path_passes(rule: Check[...]) -> None:
    assert not judge(rule, rules(*WHOLE))


@pytest.mark.parametrize("rule", audited, ids=lambda rule: rule.id)
def test_without_rules_each_path_is_found(rule: Check[...]) -> None:
    found = judge(rule, rules())
    assert found
    assert {each.observed for each in found} == {"no audit rule"}


@pytest.mark.parametrize("rule", audited, ids=lambda rule: rule.id)
def test_what_is_not_on_this_distribution_is_not_applicable(rule: Check[...]) -> None:
    with pytest.raises(NotApplicable, match="there is no /"):
        judge(rule, rules(), Files.of(absent=[*PLACES, *FOLDERS]))


@pytest.mark.parametrize("rule", audited, ids=lambda rule: rule.id)
def test_what_may_not_be_seen_is_not_judged(rule: Check[...]) -> None:
    with pytest.raises(Inconclusive, match="permission denied"):
        judge(rule, rules(*WHOLE), Files.of(denied=[*PLACES, *FOLDERS]))


@pytest.mark.parametrize("rule", audited, ids=lambda rule: rule.id)
def test_rules_that_could_not_be_listed_are_not_judged(rule: Check[...]) -> None:
    with pytest.raises(Inconclusive, match="must be root"):
        judge(rule, AuditRules(loaded=None, unread=("auditctl -l: You must be root",)))


def test_a_rule_on_a_folder_above_covers_and_one_on_the_folders_path_alone_does_not() -> None:
    assert not judge(DATA, rules("-w /var/lib -p wa"))
    assert not judge(DATA, rules("-a always,exit -F dir=/var/lib/docker -F perm=wa"))
    assert "no audit rule" in observed("-a always,exit -F path=/var/lib/docker -F perm=wa", rule=DATA)
    assert "no audit rule" in observed("-w /var/lib/docker/containers -p wa", rule=DATA)
    assert "no audit rule" in observed("-w /var/lib/dock -p wa", rule=DATA)


def test_running_a_program_counts_and_running_a_folder_does_not() -> None:
    assert observed("-w /usr/bin/dockerd -p wa").startswith("x audited only in part")
    assert not judge(DATA, rules("-w /var/lib/docker -p wa"))


def test_a_rule_for_some_users_or_one_table_of_system_calls_is_a_part() -> None:
    assert "auid>=1000" in observed("-a always,exit -F path=/usr/bin/dockerd -F perm=wxa -F auid>=1000")
    sixty_four = "-a always,exit -F arch=b64 -F path=/usr/bin/dockerd -F perm=wxa"
    assert "in part" in observed(sixty_four)
    assert not judge(ENGINE, rules(sixty_four, sixty_four.replace("b64", "b32")))
    assert not judge(ENGINE, replace(rules(sixty_four), arches=frozenset({"b64"})))


@pytest.mark.parametrize(
    "never",
    [
        "-a never,task",
        "-a never,exit",
        "-a never,exit -F path=/usr/bin/dockerd",
        "-a never,exit -F dir=/usr/bin -F auid=0",
        "-a never,exit -F path=/usr/bin/dockerd -F exe=/bin/sh",
    ],
)
def test_a_never_rule_counts_when_it_stands_before(never: str) -> None:
    watch = "-w /usr/bin/dockerd -p wxa"
    assert observed(never, watch).startswith("left out by -a never")
    assert not judge(ENGINE, rules(watch, never))


@pytest.mark.parametrize(
    "other",
    [
        "-a always,task",
        "-a never,exclude -F msgtype=CWD",
        "-a never,exit -F exe=/bin/x",
        "-a never,exit -F path=/x",
    ],
)
def test_rules_about_something_else_do_not_count(other: str) -> None:
    assert not judge(ENGINE, rules(other, "-w /usr/bin/dockerd -p wxa"))


def test_a_part_of_a_folder_that_is_left_out_is_found() -> None:
    assert "overlay2" in observed(
        "-a never,exit -F dir=/var/lib/docker/overlay2", "-w /var/lib/docker -p wa", rule=DATA
    )


def test_a_rule_that_is_only_on_disk_and_one_that_is_only_loaded_are_told_apart() -> None:
    watch = "-w /usr/bin/dockerd -p wxa"
    [only_on_disk] = judge(ENGINE, rules(disk=(watch,)))
    assert only_on_disk.observed == "no audit rule: a rule in /etc/audit/rules.d is not loaded"
    [only_loaded] = judge(ENGINE, rules(watch, disk=()))
    assert "lost at the next start" in only_loaded.observed


def test_files_of_rules_that_may_not_be_read_leave_open_what_is_lost() -> None:
    with pytest.raises(Inconclusive, match="/etc/audit"):
        judge(
            ENGINE, replace(rules("-w /usr/bin/dockerd", disk=()), unread=("/etc/audit: permission denied",))
        )


def test_no_audit_system_and_one_that_is_off_are_found() -> None:
    [absent] = judge(ENGINE, AuditRules(installed=False))
    assert "no audit system" in absent.observed
    [off] = judge(ENGINE, replace(rules("-w /usr/bin/dockerd"), enabled=False))
    assert "off in the kernel" in off.observed


def test_links_are_followed_as_the_kernel_does() -> None:
    program = File("/usr/bin/runc", resolved="/usr/sbin/runc")
    files = Files.of(program, File("/sbin", resolved="/usr/sbin", kind="folder"), absent=PROGRAMS)
    assert not judge(RUNC, rules("-w /sbin/runc -p wxa"), files)
    assert not judge(RUNC, rules("-w /usr/sbin/runc -p wxa"), files)
    [found] = judge(RUNC, rules("-w /usr/bin/runc -p wxa"), files)
    assert found.subject == "/usr/sbin/runc"


def test_without_systemd_the_unit_is_looked_for_on_disk() -> None:
    names = [f"{folder}/docker.service" for folder in UNIT_FOLDERS]
    drop_in = "/etc/systemd/system/docker.service.d/tls.conf"
    files = Files.of(File(names[3]), File(drop_in), File(drop_in + ".old"), absent=names)
    found = judge(BY_ID["service-unit-not-audited"], rules(), files, replace(PATHS, service=None))
    assert [each.subject for each in found] == [names[3], drop_in]

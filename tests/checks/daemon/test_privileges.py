"""What the daemon may do, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Finding, Manual
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine
from auditor.policy import Policy
from checks.daemon.privileges import (
    authorization_plugin_missing,
    daemon_runs_as_root,
    experimental_features_on,
    new_privileges_allowed_by_default,
    seccomp_profile_not_chosen,
    user_namespace_not_remapped,
)

ROOTLESS = Engine(security_options={"rootless": "", "seccomp": "builtin"})
BARE = Engine(security_options={"seccomp": "builtin"})


def test_a_rootless_daemon_passes() -> None:
    assert list(daemon_runs_as_root(ROOTLESS)) == []


def test_whether_a_daemon_must_run_as_root_is_for_a_person_to_say() -> None:
    with pytest.raises(Manual, match="runs as root"):
        list(daemon_runs_as_root(BARE))


@pytest.mark.parametrize("engine", [Engine(), ROOTLESS])
def test_remapped_or_rootless_root_is_nobody_on_the_host(engine: Engine) -> None:
    assert list(user_namespace_not_remapped(engine, DaemonConfig())) == []


def test_without_user_namespaces_root_is_root() -> None:
    (finding,) = user_namespace_not_remapped(BARE, DaemonConfig())
    assert finding.source == "docker info:/SecurityOptions"


def test_a_remapping_that_is_only_configured_protects_nobody() -> None:
    (finding,) = user_namespace_not_remapped(BARE, DaemonConfig.of(userns_remap="default"))
    assert "not restarted" in finding.observed
    assert finding.source == "/etc/docker/daemon.json:/userns-remap"


def test_no_authorization_plugin_is_a_finding() -> None:
    (finding,) = authorization_plugin_missing(Engine(), DaemonConfig(), Policy())
    assert finding.observed == "no authorization plugin"


def test_any_active_plugin_will_do_when_none_is_asked_for() -> None:
    config = DaemonConfig.of(authorization_plugins=("opa",))
    assert list(authorization_plugin_missing(Engine(authorization_plugins=("opa",)), config, Policy())) == []


def test_a_configured_plugin_that_is_not_active_is_a_finding() -> None:
    (finding,) = authorization_plugin_missing(
        Engine(), DaemonConfig.of(authorization_plugins=("opa",)), Policy()
    )
    assert finding == Finding("daemon", "active: none", "opa", "docker info:/Plugins/Authorization")


def test_the_policy_names_the_plugin_that_must_be_active() -> None:
    engine = Engine(authorization_plugins=("other",))
    (finding,) = authorization_plugin_missing(engine, DaemonConfig(), Policy(authorization_plugins=("opa",)))
    assert (finding.observed, finding.expected) == ("active: other", "opa")


def test_no_new_privileges_is_off_by_default_and_has_to_be_in_force() -> None:
    set_in_file = DaemonConfig.of(no_new_privileges=True)
    (finding,) = new_privileges_allowed_by_default(Engine(), DaemonConfig())
    assert finding.source == "dockerd's default"
    assert list(new_privileges_allowed_by_default(Engine(), set_in_file)) == []
    (finding,) = new_privileges_allowed_by_default(BARE, set_in_file)
    assert "not in force" in finding.observed
    assert list(new_privileges_allowed_by_default(replace(BARE, version="20.10.24"), set_in_file)) == []


@pytest.mark.parametrize("options", [{}, {"seccomp": "unconfined"}])
def test_a_daemon_without_seccomp_is_a_finding(options: dict[str, str]) -> None:
    (finding,) = seccomp_profile_not_chosen(Engine(security_options=options))
    assert finding.expected.startswith("the built-in profile")


def test_the_builtin_seccomp_profile_is_for_a_person_to_judge_and_an_own_one_passes() -> None:
    with pytest.raises(Manual, match="built-in"):
        list(seccomp_profile_not_chosen(BARE))
    assert (
        list(seccomp_profile_not_chosen(Engine(security_options={"seccomp": "/etc/docker/seccomp.json"})))
        == []
    )


def test_experimental_features_are_a_finding() -> None:
    assert len(list(experimental_features_on(Engine(experimental=True)))) == 1
    assert list(experimental_features_on(Engine())) == []

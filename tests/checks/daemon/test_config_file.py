"""The configuration file itself, judged."""

import pytest

from auditor.check import Inconclusive, NotApplicable
from auditor.facts.daemon import ConfigFile
from checks.daemon.config_file import daemon_config_invalid, daemon_config_unknown_key

ABSENT = ConfigFile(exists=False)
BROKEN = ConfigFile(problem="Expecting ',' delimiter")


def test_a_good_file_passes_both() -> None:
    file = ConfigFile(content={"icc": False, "log-opts": {"anything": "goes"}})
    assert list(daemon_config_invalid(file)) == []
    assert list(daemon_config_unknown_key(file)) == []


def test_no_file_is_nothing_to_judge() -> None:
    for check in (daemon_config_invalid, daemon_config_unknown_key):
        with pytest.raises(NotApplicable, match=r"there is no /etc/docker/daemon\.json"):
            list(check(ABSENT))


def test_a_broken_file_is_a_finding_of_its_own_and_leaves_its_keys_unknown() -> None:
    (finding,) = daemon_config_invalid(BROKEN)
    assert finding.observed == "Expecting ',' delimiter"
    with pytest.raises(Inconclusive):
        list(daemon_config_unknown_key(BROKEN))


def test_a_misspelt_key_is_named_with_its_place() -> None:
    (finding,) = daemon_config_unknown_key(ConfigFile(content={"userland_proxy": False}))
    assert finding.source == "/etc/docker/daemon.json:/userland_proxy"

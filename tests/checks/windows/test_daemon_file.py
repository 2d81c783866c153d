"""The configuration file of a Windows daemon, judged."""

import pytest

from auditor.check import Inconclusive, NotApplicable
from auditor.facts.daemon import ConfigFile, DaemonFlags, Setting
from auditor.facts.engine import Engine
from auditor.facts.windows_daemon_file import WindowsDaemonFile
from checks.windows.daemon_file import (
    windows_daemon_config_encoding,
    windows_daemon_config_linux_key,
    windows_daemon_config_refused,
)

BYTES = WindowsDaemonFile()


def test_a_byte_order_mark_stops_old_engines_only() -> None:
    marked = WindowsDaemonFile(marked=True)
    (finding,) = windows_daemon_config_encoding(marked, Engine(version="20.10.9"))
    assert "20.10.9 does not read" in finding.observed
    assert list(windows_daemon_config_encoding(marked, Engine(version="23.0.0"))) == []
    assert list(windows_daemon_config_encoding(BYTES, Engine(version="20.10.9"))) == []
    with pytest.raises(Inconclusive):
        list(windows_daemon_config_encoding(marked, Engine(version="dev")))


def test_bytes_that_are_no_text_stop_every_engine() -> None:
    (finding,) = windows_daemon_config_encoding(WindowsDaemonFile(decodes=False), Engine())
    assert finding.observed == "bytes that are not utf-8"


def refused(file: WindowsDaemonFile = BYTES, flags: tuple[str, ...] = (), **content: object) -> list[str]:
    told = DaemonFlags({flag: Setting("x", f"flag --{flag}") for flag in flags})
    return [it.observed for it in windows_daemon_config_refused(file, ConfigFile(content=content), told)]


def test_what_stops_the_daemon_or_is_not_what_it_seems() -> None:
    assert refused(WindowsDaemonFile(twice=("hosts",))) == ["hosts stands there twice"]
    assert refused(WindowsDaemonFile(broken_paths=("tlskey",))) == ["tlskey has a control character"]
    assert refused(tlsverify="true") == ["tlsverify is str 'true'"]
    assert refused(flags=("debug",), debug=True) == ["debug is set in the file and by flag --debug"]


def test_what_dockerd_takes_is_no_finding() -> None:
    assert refused(flags=("features", "group"), features={}, debug=True) == []


def test_a_file_that_cannot_be_read_leaves_the_answer_open() -> None:
    with pytest.raises(Inconclusive):
        refused(WindowsDaemonFile(problem="no JSON"))
    with pytest.raises(Inconclusive):
        list(windows_daemon_config_linux_key(ConfigFile(problem="no JSON")))


def test_keys_of_linux_do_nothing_on_windows() -> None:
    (finding,) = windows_daemon_config_linux_key(ConfigFile(content={"icc": False, "debug": False}))
    assert finding.observed == "icc is for Linux only"
    options = ["isolation=hyperv", "native.cgroupdriver=systemd"]
    (finding,) = windows_daemon_config_linux_key(ConfigFile(content={"exec-opts": options}))
    assert finding.observed == "exec-opts native.cgroupdriver=systemd is for Linux only"
    with pytest.raises(NotApplicable):
        list(windows_daemon_config_linux_key(ConfigFile(exists=False)))

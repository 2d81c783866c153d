"""How the daemon uses TLS, by its configuration."""

from typing import Any

import pytest

from auditor.facts.daemon import DaemonConfig, Setting, read_flags
from auditor.facts.tls import DaemonTls

NEW, OLD, UNKNOWN = (29, 1), (19, 3), ()
CA = "/etc/docker/ca.pem"


def read(
    *flags: str, version: tuple[int, ...] = NEW, environment: dict[str, str] | None = None, **file: Any
) -> DaemonTls:
    of_file = DaemonConfig.of(**file).settings
    config = DaemonConfig(settings={**of_file, **read_flags(flags)}, environment=environment or {})
    return DaemonTls.read(config, version)


MODES: dict[str, tuple[DaemonTls, bool, bool | None]] = {
    "nothing set": (read(), False, False),
    "paths only": (read(tlscacert=CA, tlscert="/c", tlskey="/k"), False, False),
    "tls false": (read("--tls=false"), False, False),
    "tlsverify": (read("--tlsverify"), True, True),
    "tlsverify in the file": (read(tlsverify=True), True, True),
    "tls since 20.10": (read(tls=True), True, True),
    "tls up to 19.03": (read(tls=True, version=OLD), True, False),
    "tls under an unknown version": (read(tls=True, version=UNKNOWN), True, None),
    "tlsverify false turns TLS on": (read(tlsverify=False), True, False),
    "both false too": (read(tls=False, tlsverify=False), True, False),
    "tlsverify wins over tls false": (read(tls=False, tlsverify=True), True, True),
    "the variable since 20.10": (read(environment={"DOCKER_TLS_VERIFY": "1"}), False, False),
    "the variable up to 19.03": (read(environment={"DOCKER_TLS_VERIFY": "1"}, version=OLD), True, True),
}


@pytest.mark.parametrize("mode", MODES)
def test_the_mode_follows_dockerd(mode: str) -> None:
    tls, enabled, verifies = MODES[mode]
    assert (tls.enabled, tls.verifies_clients) == (enabled, verifies)


def test_tls_turned_on_in_the_file_takes_paths_from_the_file_only() -> None:
    tls = read(f"--tlscacert={CA}", tlsverify=True, tlscert="/c.pem", tlskey="/k.pem")
    assert (tls.ca, tls.certificate, tls.key) == ("", "/c.pem", "/k.pem")
    [idle] = tls.idle
    assert (idle.name, idle.source) == ("tlscacert", "flag --tlscacert")
    assert "/etc/docker/daemon.json" in idle.why


def test_tls_turned_on_by_flag_takes_paths_from_both_and_has_defaults() -> None:
    tls = read("--tls", "--tlscert=/c.pem", environment={"HOME": "/home/x"}, tlscacert=CA)
    assert (tls.ca, tls.certificate, tls.key) == (CA, "/c.pem", "/home/x/.docker/key.pem")
    assert tls.idle == ()
    assert read("--tlsverify", environment={"DOCKER_CERT_PATH": "/certs"}).ca == "/certs/ca.pem"


def test_settings_without_effect_are_told_with_their_source() -> None:
    tls = read("--tlscert=/c.pem", environment={"DOCKER_TLS_VERIFY": "1"}, tlscacert=CA)
    assert [(idle.name, idle.source) for idle in tls.idle] == [
        ("DOCKER_TLS_VERIFY", "environment of the daemon"),
        ("tlscacert", "/etc/docker/daemon.json:/tlscacert"),
        ("tlscert", "flag --tlscert"),
    ]


def test_relative_paths_are_those_of_the_daemon() -> None:
    config = DaemonConfig(settings={"tlsverify": Setting(value=True, source="flag --tlsverify")})
    assert config.resolve("a/../ca.pem") == "/ca.pem"
    assert read("--tlsverify", "--tlscacert=tls/ca.pem").ca == "/tls/ca.pem"

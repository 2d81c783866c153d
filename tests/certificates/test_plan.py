"""What an installation would change, from what a host says of itself."""

import json

import pytest

from auditor.certificates.bundles import Parts
from auditor.certificates.daemonfiles import drop_in
from auditor.certificates.ledger import Certificate, now
from auditor.certificates.plan import Found, Plan, make_plan
from auditor.certificates.profile import Purpose
from auditor.errors import AuditorError

DOCKERD = "/usr/bin/dockerd --containerd=/run/containerd/containerd.sock"
UNIT = f"# /lib/systemd/system/docker.service\n[Service]\nExecStart={DOCKERD} -H fd://\n"
CERTIFICATE = Certificate(
    "ab" * 10, Purpose.SERVER, "web1", "a", "f", "c" * 64, now(), now(), 1, "p256", ("web1",)
)
PIECES = Parts("web1", b"trust", b"certificate", b"key")


def plan(unit: str = UNIT, config: str | None = None, ours: str | None = None, running: str = "") -> Plan:
    if ours is not None:
        unit += f"\n# /etc/systemd/system/docker.service.d/zz.conf\n{ours}"
    found = Found(unit, tuple(running.split()), "/etc/docker/daemon.json", config, ours)
    return make_plan(found, CERTIFICATE, PIECES, "tcp://0.0.0.0:2376")


def test_listeners_move_from_the_unit_to_daemon_json() -> None:
    made = plan()
    assert json.loads(made.new_config)["hosts"] == ["fd://", "tcp://0.0.0.0:2376"]
    assert made.new_drop_in == drop_in(DOCKERD)
    assert not made.nothing


def test_a_second_installation_of_the_same_changes_nothing() -> None:
    first = plan()
    again = plan(config=first.new_config, ours=first.new_drop_in, running=DOCKERD)
    assert again.nothing


def test_a_new_packages_start_command_is_taken_over_by_the_next_installation() -> None:
    first = plan()
    newer = UNIT.replace("/run/containerd", "/run/docker/containerd")
    again = plan(newer, first.new_config, first.new_drop_in, DOCKERD)
    assert not again.nothing
    assert again.new_drop_in == drop_in(DOCKERD.replace("/run/containerd", "/run/docker/containerd"))
    assert json.loads(again.new_config)["hosts"] == json.loads(first.new_config)["hosts"]


def test_a_listener_that_was_taken_out_of_daemon_json_does_not_come_back() -> None:
    first = plan()
    config = first.new_config.replace('"fd://",', "")
    again = plan(UNIT, config, first.new_drop_in, DOCKERD)
    assert json.loads(again.new_config)["hosts"] == ["tcp://0.0.0.0:2376"]


@pytest.mark.parametrize("unit", ["", "[Unit]\nAfter=x\n"])
def test_a_host_without_a_unit_is_not_changed(unit: str) -> None:
    with pytest.raises(AuditorError, match="daemon-linux"):
        plan(unit)


def test_what_a_file_of_the_host_holds_does_not_steer_the_terminal() -> None:
    lines = list(plan(config='{"labels": ["a\x9b31mb"]}').text())
    assert all(sign.isprintable() or sign == "\t" for line in lines for sign in line)
    assert any("a?31mb" in line for line in lines)


def test_a_text_that_no_file_can_hold_is_refused() -> None:
    with pytest.raises(AuditorError, match=r"daemon\.json.*nothing was changed"):
        plan(config='{"labels": ["\\ud800"]}')


@pytest.mark.parametrize("old", ['"tlsverify": true', '"tcp://0.0.0.0:2376"'])
def test_certificates_in_use_stay_where_they_are_while_something_else_is_mended(old: str) -> None:
    first = plan()
    spoilt = first.new_config.replace(old, '"x": true' if "tls" in old else '"tcp://0.0.0.0:2377"')
    again = plan(config=spoilt, ours=first.new_drop_in, running=DOCKERD)
    assert not again.nothing
    assert again.folder != first.folder
    assert again.folder in again.new_config
    newer = plan(UNIT.replace("/run/c", "/c"), first.new_config, first.new_drop_in, DOCKERD)
    assert newer.folder != first.folder
    assert newer.folder in newer.new_config

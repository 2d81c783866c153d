"""How the daemon stores layers, judged."""

import pytest

from auditor.check import Check, NotApplicable
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine
from checks.daemon.storage import aufs_storage_driver, base_device_size_changed, devicemapper_storage_driver


@pytest.mark.parametrize(
    ("check", "driver"), [(aufs_storage_driver, "aufs"), (devicemapper_storage_driver, "devicemapper")]
)
def test_a_dead_driver_is_a_finding_where_the_engine_still_has_it(check: Check[Engine], driver: str) -> None:
    (finding,) = check(Engine(version="20.10.24", storage_driver=driver))
    assert finding.observed == f"Driver = {driver}"
    assert list(check(Engine(version="20.10.24"))) == []


@pytest.mark.parametrize(
    ("check", "version"), [(aufs_storage_driver, "24.0.0"), (devicemapper_storage_driver, "25.0.3")]
)
def test_an_engine_without_the_driver_cannot_use_it(check: Check[Engine], version: str) -> None:
    with pytest.raises(NotApplicable, match=f"engine {version} has no"):
        list(check(Engine(version=version)))


def test_an_aufs_that_an_engine_still_has_before_24_is_judged() -> None:
    assert list(aufs_storage_driver(Engine(version="23.0.6"))) == []


def test_a_changed_base_device_size_is_a_finding() -> None:
    engine = Engine(version="20.10.24", storage_driver="devicemapper")
    config = DaemonConfig.of(storage_opts=("dm.fs=xfs", "dm.basesize=40G"))
    (finding,) = base_device_size_changed(engine, config)
    assert finding.observed == "dm.basesize=40G"
    assert list(base_device_size_changed(engine, DaemonConfig())) == []


def test_other_drivers_have_no_base_device() -> None:
    with pytest.raises(NotApplicable, match="overlay2"):
        list(base_device_size_changed(Engine(version="20.10.24"), DaemonConfig()))

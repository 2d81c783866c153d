"""How the daemon stores layers."""

from auditor.check import Finding, Findings, NotApplicable, Severity, check
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine

# The first releases without the driver.
_NO_AUFS = (24,)
_NO_DEVICEMAPPER = (25,)


@check(severity=Severity.MEDIUM)
def aufs_storage_driver(engine: Engine) -> Findings:
    """
    Layers are not stored by the aufs driver.

    The aufs driver is no longer maintained, never was part of the kernel, and has
    crashed it.

    Remediation:
        Move to overlay2: save the images, set ``"storage-driver": "overlay2"`` in
        daemon.json, restart the daemon, and load the images again.
    """
    _only_before(_NO_AUFS, engine, "aufs")
    if engine.storage_driver == "aufs":
        yield Finding("daemon", "Driver = aufs", "overlay2", "docker info:/Driver")


@check(severity=Severity.MEDIUM)
def devicemapper_storage_driver(engine: Engine) -> Findings:
    """
    Layers are not stored by the devicemapper driver.

    The devicemapper driver is gone from current engines and no longer maintained
    in those that have it; on loop devices, its default, it loses data.

    Remediation:
        Move to overlay2: save the images, set ``"storage-driver": "overlay2"`` in
        daemon.json, restart the daemon, and load the images again.
    """
    _only_before(_NO_DEVICEMAPPER, engine, "devicemapper")
    if engine.storage_driver == "devicemapper":
        yield Finding("daemon", "Driver = devicemapper", "overlay2", "docker info:/Driver")


@check(severity=Severity.LOW)
def base_device_size_changed(engine: Engine, config: DaemonConfig) -> Findings:
    """
    The base device size is left alone.

    A larger base device lets every container and image fill more of the disk, and
    it cannot be made smaller again.

    Remediation:
        Remove ``dm.basesize`` from ``"storage-opts"`` in daemon.json.
    """
    _only_before(_NO_DEVICEMAPPER, engine, "devicemapper")
    if engine.storage_driver != "devicemapper":
        raise NotApplicable(f"layers are stored by {engine.storage_driver}, which has no base device")
    setting = config.setting("storage-opts")
    for option in setting.value:
        if option.startswith("dm.basesize="):
            yield Finding("daemon", option, "no dm.basesize", setting.source)


def _only_before(release: tuple[int, ...], engine: Engine, driver: str) -> None:
    if engine.version_tuple >= release:
        raise NotApplicable(f"engine {engine.version} has no {driver} driver any more")

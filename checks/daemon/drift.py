"""Whether the daemon runs on the configuration that lies on disk."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_network

from auditor.check import Finding, Findings, Inconclusive, Manual, Severity, check
from auditor.facts.daemon import DaemonConfig
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.engine import TELLS_NO_NEW_PRIVILEGES, Engine
from auditor.facts.files import File, Files

# Keys that a running daemon takes over when it is told to reload its file (dockerd's reference).
_RELOADED = frozenset(
    [
        "allow-nondistributable-artifacts", "authorization-plugins", "debug", "default-runtime", "features", "insecure-registries",
        "labels", "live-restore", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "registry-mirrors",
        "runtimes", "shutdown-timeout",
    ]
)  # fmt: skip
# The kernel tells a process's start by whole seconds since a boot that is told by whole seconds too.
_BLUR = 2
# With containerd's image store these names stand for the same.
_SNAPSHOTTERS = {"overlay": "overlayfs", "overlay2": "overlayfs"}


@check(severity=Severity.MEDIUM)
def daemon_config_changed_since_start(
    engine: Engine, config: DaemonConfig, files: Files, paths: DaemonPaths
) -> Findings:
    """
    The daemon runs on the configuration that lies on disk.

    What was changed since the daemon's start waits for its next one: the host does not do
    what its files say, and an unattended restart makes it something that nobody tried.

    Values that ``docker info`` shows are compared. For the others the dates of the
    configuration file, of the unit's files and of its environment files tell: one written after the start
    may have the same content as before, and a change that kept its date does not show.

    Remediation:
        Look at the change, then restart the daemon (after ``systemctl daemon-reload`` where
        a unit was changed); ``systemctl reload docker`` is enough for the few keys that it
        takes while it runs.
    """
    for key, running, configured, field in _shown(engine, config):
        if running != configured:
            yield Finding(
                "daemon",
                f"{key} = {running} in force",
                f"{configured}, as configured",
                f"docker info:/{field}",
            )
    places = dict.fromkeys((config.config_path, *_unit_files(paths, files)))
    for file in _later(config, files.present(places)):
        if file.path != config.config_path:
            yield Finding(file.path, _dates(config, file), "a restart since", f"stat of {file.resolved}")
        elif waiting := _waiting(config):
            observed = f"{_dates(config, file)}; taken at a start only: {', '.join(waiting)}"
            yield Finding(file.path, observed, "a restart since", f"stat of {file.resolved}")
    _settle(engine, config, files, tuple(places))


def _settle(engine: Engine, config: DaemonConfig, files: Files, places: tuple[str, ...]) -> None:
    """After the findings: what the dates do not tell."""
    if not config.started:
        raise Inconclusive("when the daemon started could not be seen")
    files.explain(places)
    for file in files.present(places):
        if file.modified > _clock(engine):
            raise Inconclusive(f"{file.path} is dated after the host's own clock")
        if 0 < file.modified - config.started <= _BLUR:
            raise Inconclusive(f"{file.path} was written within {_BLUR} seconds of the daemon's start")
    later = [file.path for file in _later(config, files.present(places))]
    if config.config_path in later and not _waiting(config):
        raise Manual(
            f"{config.config_path} was written after the daemon started; it takes all its keys on a reload: was it reloaded?"
        )


def _later(config: DaemonConfig, files: list[File]) -> list[File]:
    return [file for file in files if config.started and file.modified > config.started + _BLUR]


def _waiting(config: DaemonConfig) -> list[str]:
    """The keys of the file that wait for a restart; those of an empty one, by name, are not known."""
    own = f"{config.config_path}:/"
    keys = sorted(key for key, setting in config.settings.items() if setting.source.startswith(own))
    return [key for key in keys if key not in _RELOADED] if keys else ["whatever was removed from it"]


def _dates(config: DaemonConfig, file: File) -> str:
    return f"written {_moment(file.modified)}, after the daemon started {_moment(config.started)}"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _clock(engine: Engine) -> float:
    """What the host's clock said, in seconds since 1970."""
    try:
        return datetime.fromisoformat(engine.system_time).timestamp()
    except ValueError:
        raise Inconclusive("what the host's clock says is not known, so dates tell nothing") from None


def _unit_files(paths: DaemonPaths, files: Files) -> tuple[str, ...]:
    """Files that decide the daemon's flags and variables; those that are only usual, not told of, as far as they are there."""
    usual = (*paths.unit_files("service", files), *paths.environment_files, *paths.sysconfig_files)
    return tuple(path for path in usual if path not in files.absent)


def _shown(engine: Engine, config: DaemonConfig) -> Iterator[tuple[str, object, object, str]]:
    """Key, value in force, value configured and field, of all that ``docker info`` shows in a form to compare."""
    value = {
        key: config.setting(key).value
        for key in ("live-restore", "log-driver", "experimental", "log-level", "debug")
    }
    debug = bool(value["debug"]) or value["log-level"] in ("debug", "trace")
    yield "live-restore", engine.live_restore, bool(value["live-restore"]), "LiveRestoreEnabled"
    yield "log-driver", engine.logging_driver, value["log-driver"] or "json-file", "LoggingDriver"
    yield "experimental", engine.experimental, bool(value["experimental"]), "ExperimentalBuild"
    yield "debug", engine.debug, debug, "Debug"
    yield (
        "default-runtime",
        engine.default_runtime,
        config.setting("default-runtime").value or "runc",
        "DefaultRuntime",
    )
    yield "insecure-registries", *_registries(engine, config), "RegistryConfig"
    if not engine.rootless:
        yield (
            "userns-remap",
            "userns" in engine.security_options,
            bool(config.setting("userns-remap").value),
            "SecurityOptions",
        )
    if engine.version_tuple >= TELLS_NO_NEW_PRIVILEGES:
        privileges = bool(config.setting("no-new-privileges").value)
        yield (
            "no-new-privileges",
            "no-new-privileges" in engine.security_options,
            privileges,
            "SecurityOptions",
        )
    if driver := config.setting("storage-driver").value:
        running = engine.storage_driver
        yield "storage-driver", running, running if _SNAPSHOTTERS.get(driver) == running else driver, "Driver"


def _registries(engine: Engine, config: DaemonConfig) -> tuple[str, str]:
    """Insecure registries in force and as configured, in one spelling."""
    return _list(engine.insecure_registries), _list(config.setting("insecure-registries").value)


def _list(registries: Iterable[object]) -> str:
    """Loopback is insecure always, and not told."""
    names = {_plain(str(name)) for name in registries} - {"127.0.0.0/8", "::1/128"}
    return ", ".join(sorted(names)) or "none"


def _plain(registry: str) -> str:
    name = registry.rpartition("://")[2]
    try:
        return str(ip_network(name, strict=False)) if "/" in name else name
    except ValueError:
        return name

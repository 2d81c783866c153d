"""How the daemon logs, limits and survives."""

import ipaddress
import re
from urllib.parse import urlsplit

from auditor.check import Finding, Findings, Manual, NotApplicable, Severity, check
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import Engine

_LOOPBACK_NAME = re.compile(r"localhost(\.localdomain)?|ip6-(localhost|loopback)|127(\.\d+){1,2}")
_LOCAL_DRIVERS = {"none", "local", "json-file"}
_REMOTE_DRIVERS = {"awslogs", "gcplogs", "logentries"}
# Drivers that send logs where they are told to, which may be this very host.
_ADDRESSES = {
    "syslog": "syslog-address",
    "fluentd": "fluentd-address",
    "gelf": "gelf-address",
    "splunk": "splunk-url",
}


@check(severity=Severity.LOW)
def log_level_not_info(config: DaemonConfig) -> Findings:
    """
    The daemon logs at level info.

    A quieter daemon leaves no trace of what was done with it; at level debug the
    log fills with detail, bodies of requests among it.

    Remediation:
        Remove ``"log-level"`` and ``"debug"`` from daemon.json, or set
        ``"log-level": "info"``.
    """
    level = config.setting("log-level")
    if level.value != "info":
        yield Finding("daemon", f"log-level = {level.value}", "info", level.source)
    debug = config.setting("debug")
    if debug.value:
        yield Finding("daemon", "debug = true", "false", debug.source)


@check(severity=Severity.MEDIUM)
def logs_stay_on_host(engine: Engine, config: DaemonConfig) -> Findings:
    """
    Container logs leave the host.

    Whoever takes over a host can change what is logged there. Logs kept elsewhere
    show what happened, and survive the host.

    Remediation:
        Set ``"log-driver"`` in daemon.json to one that sends logs away, for instance
        ``"syslog"`` with ``"syslog-address": "tcp+tls://logs.example:6514"`` in
        ``"log-opts"``, ``"fluentd"`` or ``"gelf"``.
    """
    driver, source = engine.logging_driver, "docker info:/LoggingDriver"
    if driver in _LOCAL_DRIVERS:
        yield Finding("daemon", f"log driver {driver}", "a driver that sends logs to another machine", source)
    elif driver in _REMOTE_DRIVERS:
        return
    else:
        address = str(config.setting("log-opts").value.get(_ADDRESSES.get(driver), ""))
        if not _is_remote(address):
            raise Manual(
                f"log driver {driver}{f' to {address}' if address else ''}: does something on this host send these logs on?"
            )


def _is_remote(address: str) -> bool:
    """Whether an address names another machine; ``host:port`` does without a scheme."""
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return False
    return bool(host) and not is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this very machine, by itself or as the one that is meant by none."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return bool(_LOOPBACK_NAME.fullmatch(host))
    return found.is_loopback or found.is_unspecified


@check(severity=Severity.LOW)
def default_ulimits_unset(config: DaemonConfig) -> Findings:
    """
    Containers get sensible resource limits by default.

    Containers inherit the daemon's own limits, which are often none at all: one
    container can use up the host's files and processes.

    Remediation:
        Set ``"default-ulimits"`` in daemon.json, for instance
        ``{"nofile": {"Name": "nofile", "Soft": 64000, "Hard": 64000}}``.
    """
    setting = config.setting("default-ulimits")
    if not setting.value:
        yield Finding("daemon", "no default-ulimits", "limits for nofile and nproc", setting.source)
    for name, limit in setting.value.items():
        if _is_unlimited(limit):
            yield Finding("daemon", f"default-ulimits {name} is unlimited", "a limit", setting.source)


def _is_unlimited(limit: object) -> bool:
    """A limit from the file (``{"Soft": …, "Hard": …}``) or from a flag (``1024:2048``)."""
    values = [limit.get("Soft"), limit.get("Hard")] if isinstance(limit, dict) else str(limit).split(":")
    return any(str(value) in ("-1", "unlimited") for value in values)


@check(severity=Severity.LOW)
def cgroup_parent_changed(config: DaemonConfig) -> Findings:
    """
    Containers are accounted for in the expected control group.

    A control group of one's own changes which limits and accounting hold for the
    containers. Whether it was meant so is for a person to say.

    Remediation:
        Remove ``"cgroup-parent"`` from daemon.json unless it is there on purpose.
    """
    setting = config.setting("cgroup-parent")
    if setting.value:
        raise Manual(
            f"containers are put below {setting.value} ({setting.source}): is that meant, with the limits it has?"
        )
    yield from ()


@check(severity=Severity.LOW)
def live_restore_off(engine: Engine, config: DaemonConfig) -> Findings:
    """
    Containers survive a restart of the daemon.

    Without live restore every update and every change of the daemon's certificates
    stops all containers, so updates are put off.

    Remediation:
        Set ``"live-restore": true`` in daemon.json and reload the daemon. Swarm mode
        does without it.
    """
    if engine.swarm_state == "active":
        raise NotApplicable("live restore and swarm mode exclude each other, and the host is in a swarm")
    configured = config.setting("live-restore")
    if not engine.live_restore:
        yield Finding("daemon", "LiveRestoreEnabled = false", "true", "docker info:/LiveRestoreEnabled")
    elif not configured.value:
        yield Finding(
            "daemon",
            "live-restore is in force but no longer configured: lost at the next restart",
            "true",
            configured.source,
        )

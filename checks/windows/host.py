"""What a Windows container host is made of: its edition, features, drives, and where the engine's events go."""

import re

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.engine import Engine
from auditor.facts.windows_events import WindowsEvents
from auditor.facts.windows_features import WindowsFeatures
from auditor.facts.windows_host import WindowsHost
from auditor.facts.windows_volumes import WindowsVolumes

_FREE = 0.1
_LOG_BYTES = 32 * 1024**2
# Names on servers, then on clients. Each is a service or an old protocol that containers do not need of their host.
_NEEDLESS = re.compile(
    "FS-SMB1.*|PowerShell-V2|Telnet-Client|TFTP-Client|Web-Server|Web-WebServer|DHCP|DNS|Print-Services|Print-Server|Fax|RDS-.*"
    "|AD-Domain-Services|SMB1Protocol.*|MicrosoftWindowsPowerShellV2.*|TelnetClient|TFTP|IIS-WebServerRole|Printing-PrintToPDFServices-Server"
)
_DESKTOPS = {"Server": "a server with a desktop", "Client": "a Windows for workstations"}


@check(severity=Severity.LOW)
def windows_with_desktop(host: WindowsHost) -> Findings:
    """
    Windows is a Server Core installation.

    The desktop brings hundreds of programs that no container needs, more updates and
    more restarts. A Windows for workstations is not meant to serve at all: it isolates
    otherwise, and its vendor supports it for development only.

    Remediation:
        Install the host anew as Windows Server without Desktop Experience: an
        installation cannot be turned into the other kind.
    """
    if host.installation in _DESKTOPS:
        observed = f"{host.installation} ({_DESKTOPS[host.installation]}), edition {host.edition}"
        yield Finding("Windows", observed, "Server Core", "registry CurrentVersion:InstallationType")
    elif host.installation not in ("Server Core", "Nano Server"):
        raise Inconclusive(f"the kind of installation is not known to us: {host.installation}")


@check(severity=Severity.MEDIUM)
def windows_features_needless(features: WindowsFeatures) -> Findings:
    """
    The host has no Windows role or feature that a container host does not need.

    Each role is one more service that listens and one more set of updates. What the
    containers do is done inside them. SMB 1 and PowerShell 2 are there for old programs
    only, and attackers use them to get around what newer versions refuse.

    Remediation:
        ``Uninstall-WindowsFeature NAME`` on a server, ``Disable-WindowsOptionalFeature
        -Online -FeatureName NAME`` on a client; then restart.
    """
    for name in features.installed:
        if _NEEDLESS.fullmatch(name):
            yield Finding(name, "installed", "not installed", "Get-WindowsFeature")


@check(severity=Severity.MEDIUM)
def windows_data_volume_unfit(volumes: WindowsVolumes) -> Findings:
    """
    The engine's data lies on an NTFS volume that has room left.

    The engine keeps layers in a way that only NTFS has. When the volume is full no
    container can write, and pulling or removing images fails halfway.

    Remediation:
        Move the data root to an NTFS volume (``"data-root"`` in daemon.json), enlarge
        it, or ``docker system prune`` what is not needed.
    """
    volume = volumes.data_volume
    if volume.file_system != "NTFS":
        observed = f"{volume.drive} is {volume.file_system or 'of no known file system'}"
        yield Finding(volumes.data_root, observed, "NTFS", "Win32_LogicalDisk:FileSystem")
    if volume.size <= 0:
        raise Inconclusive(f"the size of {volume.drive} is not told")
    if volume.free < volume.size * _FREE:
        observed = f"{volume.free / volume.size:.0%} of {volume.drive} is free"
        yield Finding(volumes.data_root, observed, f"at least {_FREE:.0%}", "Win32_LogicalDisk:FreeSpace")


@check(severity=Severity.LOW)
def windows_data_on_system_volume(volumes: WindowsVolumes) -> Findings:
    r"""
    The engine's data lies on another volume than Windows.

    Images and what containers write grow without limit. On the system's volume they
    fill it up sooner or later, and then Windows itself can write no more. Drives are
    compared by their letters: a volume mounted in a folder is not told apart.

    Remediation:
        Move the data root to a volume of its own: ``"data-root": "D:\\\\docker"`` in
        daemon.json, then restart the engine.
    """
    if volumes.data_volume.drive.upper() == volumes.system_drive.upper():
        observed = f"on {volumes.system_drive}, Windows' own volume"
        yield Finding(volumes.data_root, observed, "a volume of its own", "docker info:/DockerRootDir")


@check(severity=Severity.MEDIUM)
def windows_swarm_secrets_unencrypted(engine: Engine, volumes: WindowsVolumes) -> Findings:
    """
    The volume that swarm secrets are written to is encrypted.

    Windows has no file system in memory: what a service gets as a secret lies in clear
    text on the container's disk, below the engine's data, while the container runs.
    Whoever gets hold of the disk or of a copy of it can read it.

    Remediation:
        ``Install-WindowsFeature BitLocker``, restart, then ``Enable-BitLocker -MountPoint
        D: -RecoveryPasswordProtector`` on the volume of the data root.
    """
    if engine.swarm_state == "inactive":
        raise NotApplicable("the host is in no swarm, so no swarm secret comes here")
    if engine.swarm_state != "active":
        raise Inconclusive(f"swarm mode is {engine.swarm_state or 'not told'}: not assessed")
    volume = volumes.data_volume
    if volume.encrypted is None:
        raise Inconclusive(f"whether BitLocker protects {volume.drive} could not be seen: {volumes.problem}")
    if not volume.encrypted:
        yield Finding(
            volume.drive,
            "not protected by BitLocker",
            "protected",
            "Win32_EncryptableVolume:ProtectionStatus",
        )


@check(severity=Severity.LOW)
def windows_engine_events_lost(events: WindowsEvents) -> Findings:
    """
    The engine's events reach the application log, which has room for them.

    The engine writes its errors to Windows' application log when it runs as a service
    that is registered there. A small log overwrites them within days, and without them
    nobody can tell later what happened.

    Remediation:
        ``dockerd --unregister-service`` and ``--register-service`` register the source
        anew; ``Limit-EventLog -LogName Application -MaximumSize 64MB`` enlarges the log.
    """
    if not events.service:
        yield Finding("daemon", "runs as no service", "a service, whose events are logged", "Win32_Service")
    elif not events.registered:
        where = rf"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\{events.service}"
        yield Finding(events.service, "no source of events", "registered", where)
    if not events.enabled:
        yield Finding("Application", "the log is off", "on", "Get-WinEvent -ListLog Application:IsEnabled")
    elif events.max_bytes < _LOG_BYTES:
        observed, expected = (f"{size // 1024**2} MB" for size in (events.max_bytes, _LOG_BYTES))
        yield Finding(
            "Application",
            observed,
            f"at least {expected}",
            "Get-WinEvent -ListLog Application:MaximumSizeInBytes",
        )

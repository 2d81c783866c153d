"""Whether the Windows in an image fits that of the host."""

from collections.abc import Iterator

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.used_images import UsedImage, UsedImages
from auditor.facts.windows_builds import WindowsVersion
from auditor.facts.windows_host import WindowsHost

_SERVER_2016, _SERVER_2022, _SERVER_2025 = 14393, 20348, 26100
_WINDOWS_11 = 22000
# Hosts beside its own build that run containers of Server 2022 on their kernel: version 23H2 and Server 2025.
_RUN_2022 = (25398, _SERVER_2025)


def windows_images(used: UsedImages) -> Iterator[UsedImage]:
    """
    The images in use that have Windows inside.

    Raises:
        NotApplicable: there is none.
        Inconclusive: some could not be read.
    """
    some = False
    for each in used:
        if each.image.os == "windows":
            some = True
            yield each
    if not some:
        raise NotApplicable("no image in use has Windows inside")


@check(severity=Severity.HIGH)
def image_windows_mismatch(used: UsedImages, host: WindowsHost) -> Findings:
    """
    The Windows in every container's image fits the host and the container's isolation.

    With process isolation a container runs on the host's kernel, and its programs are
    made for one version of it: another build does not start, or fails in ways nobody
    tested. With Hyper-V isolation it brings its own kernel, which may be older than the
    host's but not newer. Images of Server 2016 have to have the host's very revision.

    Remediation:
        Rebuild the image on the base of the host's version, or run it with
        ``--isolation=hyperv`` where it is older than the host.
    """
    unknown = []
    for each in windows_images(used):
        version = WindowsVersion.of(each.image.os_version)
        for container in each.containers:
            if version is None or not _told(version, container.isolation):
                unknown.append(container.name)
            elif expected := _expected(version, host, container.isolation):
                observed = f"{version} on a host of {host.version}, isolation {container.isolation}"
                yield Finding(container.name, observed, expected, "docker image inspect:/OsVersion")
    if unknown:
        raise Inconclusive(f"the Windows inside or the isolation is not told of: {', '.join(unknown[:5])}")


def _told(image: WindowsVersion, isolation: str) -> bool:
    """Whether all is told that decides: of Server 2016 on the host's kernel the revision, too."""
    if isolation == "process":
        return image.build != _SERVER_2016 or image.revision >= 0
    return isolation == "hyperv"


def _expected(image: WindowsVersion, host: WindowsHost, isolation: str) -> str:
    """What would fit; empty when this does."""
    if isolation == "hyperv":
        return "" if image.build <= host.version.build else f"build {host.version.build} or older"
    if image.build == host.version.build:
        same = image.build != _SERVER_2016 or image.revision == host.version.revision
        return "" if same else f"{host.version}, to the revision"
    if image.build == _SERVER_2022 and _runs_2022(host):
        return ""
    # A client of 25H2 is the kernel of 24H2 with more switched on, so what is made for that runs there, too.
    if image.build == _SERVER_2025 and host.client and host.version.build > _SERVER_2025:
        return ""
    return f"build {host.version.build}, or isolation hyperv"


def _runs_2022(host: WindowsHost) -> bool:
    return host.version.build in _RUN_2022 or (host.client and host.version.build >= _WINDOWS_11)

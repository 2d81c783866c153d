"""What the history of a Windows image tells of how it was built."""

import re
from collections.abc import Callable, Iterator

from auditor.check import Findings, NotApplicable, Severity, check
from auditor.facts.histories import Histories, Written
from auditor.facts.images import Image
from checks.images.evidence import misbuilt

_TOOLS = frozenset(
    [
        "vs_buildtools",
        "vs_community",
        "vs_professional",
        "vs_enterprise",
        "msbuild",
        "csc",
        "cl",
        "nuget",
        "mvn",
        "gradle",
        "cmake",
        "ninja",
        "gcc",
        "mingw",
        "git",
        "visualstudio2017buildtools",
        "visualstudio2019buildtools",
        "visualstudio2022buildtools",
        "visualcpp-build-tools",
        "windows-sdk-10.0",
        "dotnet-sdk",
        "golang",
        "rust",
        "rustup",
        "cargo",
        "msys2",
    ]
)
_INSTALL = frozenset(
    [
        "install-windowsfeature",
        "add-windowsfeature",
        "enable-windowsoptionalfeature",
        "add-windowscapability",
        "/enable-feature",
        "/add-capability",
    ]
)
_NEEDLESS = frozenset(
    [
        "-includeallsubfeature",
        "fs-smb1",
        "fs-smb1-client",
        "fs-smb1-server",
        "smb1protocol",
        "smb1protocol-client",
        "smb1protocol-server",
        "powershell-v2",
        "microsoftwindowspowershellv2",
        "microsoftwindowspowershellv2root",
        "powershell-ise",
        "telnet-client",
        "telnetclient",
        "telnet-server",
        "tftp",
        "tftp-client",
        "dhcp",
        "dns",
        "fax",
        "print-server",
        "print-services",
        "print-lpd-service",
        "rds-rd-server",
        "rds-connection-broker",
        "rds-licensing",
        "rds-gateway",
        "ad-domain-services",
        "adlds",
        "adcs-cert-authority",
        "snmp",
        "snmp-service",
        "smtp-server",
        "wins",
        "wds",
        "simple-tcpip",
        "simpletcp",
        "remoteaccess",
        "hyper-v",
        "web-ftp-server",
        "web-dav-publishing",
        "web-mgmt-service",
        "iis-ftpserver",
        "iis-webdav",
        "iis-managementservice",
        "openssh.server",
        "openssh.server~~~~0.0.1.0",
    ]
)
_KIT = re.compile(r"/sdk(?=[:@]|$)")


@check(severity=Severity.MEDIUM)
def build_tools_in_windows_image(histories: Histories) -> Findings:
    """
    Images that run in production hold no build tools.

    Compilers and package clients make an image gigabytes larger, each with security
    updates of its own, and help whoever gets in.

    Remediation:
        Build in a stage of its own (``FROM mcr.microsoft.com/dotnet/sdk AS build``) and copy the
        result into a runtime image (``COPY --from=build``).
    """
    for used in histories.images.used:
        image = used.image
        stack = (image, *histories.images.images.bases(image)) if image.os == "windows" else ()
        if kit := next(filter(_is_for_building, stack), None):
            observed = (
                "an image for building" if kit is image else f"built on {kit.name}, an image for building"
            )
            yield misbuilt(image, observed, "a runtime image")
    yield from _found(histories, _TOOLS.intersection, "no build tools")


@check(severity=Severity.MEDIUM)
def needless_windows_features_in_image(histories: Histories) -> Findings:
    """
    Images get only those features of Windows that their application needs.

    ``-IncludeAllSubFeature`` brings in all that belongs to one; old protocols, servers for
    administration and roles of infrastructure have no place in a container.

    Remediation:
        Name each feature that the application needs in ``Install-WindowsFeature``, and leave
        out ``-IncludeAllSubFeature``.
    """

    def needless(words: tuple[str, ...]) -> frozenset[str]:
        return _NEEDLESS.intersection(words) if _INSTALL.intersection(words) else frozenset()

    yield from _found(histories, needless, "the features that are needed")


def _found(
    histories: Histories, pick: Callable[[tuple[str, ...]], frozenset[str]], expected: str
) -> Findings:
    for written in _runs(histories):
        if names := sorted(pick(written.instruction.words)):
            yield misbuilt(written.image, f"RUN … {', '.join(names)}", expected)


def _runs(histories: Histories) -> Iterator[Written]:
    """
    The commands that Windows images were built by; then the gap if there is one.

    Raises:
        NotApplicable: no Windows image is in use.
    """
    for written in histories:
        if written.image.os == "windows" and written.instruction.keyword == "RUN":
            yield written
    if not any(used.image.os == "windows" for used in histories.images.used):
        raise NotApplicable("no Windows image is in use")


def _is_for_building(image: Image) -> bool:
    """Whether it is a kit for developers, by what it is called or was pulled as."""
    return any(map(_KIT.search, (image.name, *image.tags, *image.origins)))

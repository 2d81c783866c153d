"""The Windows in images against that of the host, judged."""

import pytest

from auditor.check import Inconclusive, NotApplicable
from auditor.facts.containers import Container
from auditor.facts.images import Image
from auditor.facts.used_images import UsedImage, UsedImages
from auditor.facts.windows_builds import WindowsVersion
from auditor.facts.windows_host import WindowsHost
from checks.windows.images import image_windows_mismatch

HYPERV, PROCESS = "hyperv", "process"


def used(version: str, isolation: str) -> UsedImages:
    image = Image(os="windows", os_version=version)
    return UsedImages((UsedImage(image, (Container("iis", platform="windows", isolation=isolation),)),))


def host(text: str, *, client: bool = False) -> WindowsHost:
    version = WindowsVersion.of(text)
    assert version
    return WindowsHost(version, installation="Client" if client else "Server Core")


@pytest.mark.parametrize(
    ("image", "on", "isolation", "client", "fits"),
    [
        ("10.0.20348.1", "10.0.20348.5761", PROCESS, False, True),
        ("10.0.17763.1", "10.0.20348.5761", PROCESS, False, False),
        ("10.0.26100.1", "10.0.20348.5761", PROCESS, False, False),
        ("10.0.20348.1", "10.0.26100.33650", PROCESS, False, True),
        ("10.0.20348.1", "10.0.25398.1", PROCESS, False, True),
        ("10.0.17763.1", "10.0.26100.33650", PROCESS, False, False),
        ("10.0.14393.9688", "10.0.14393.9688", PROCESS, False, True),
        ("10.0.14393.9612", "10.0.14393.9688", PROCESS, False, False),
        ("10.0.20348.1", "10.0.22631.1", PROCESS, True, True),
        ("10.0.20348.1", "10.0.19045.1", PROCESS, True, False),
        ("10.0.26100.1", "10.0.26200.1", PROCESS, True, True),
        ("10.0.26100.1", "10.0.22631.1", PROCESS, True, False),
        ("10.0.17763.1", "10.0.26100.1", HYPERV, False, True),
        ("10.0.14393", "10.0.20348.1", HYPERV, False, True),
        ("10.0.20348.1", "10.0.17763.1", HYPERV, False, False),
        ("10.0.20348.1", "10.0.20348.1", HYPERV, False, True),
    ],
)
def test_what_fits_depends_on_the_isolation(
    image: str, on: str, isolation: str, client: bool, fits: bool
) -> None:
    found = list(image_windows_mismatch(used(image, isolation), host(on, client=client)))
    assert [it.subject for it in found] == ([] if fits else ["iis"])


@pytest.mark.parametrize(
    ("version", "isolation"),
    [("", PROCESS), ("10.0.14393", PROCESS), ("10.0.14393.1", ""), ("10.0.14393.1", "default")],
)
def test_what_is_not_told_is_not_judged(version: str, isolation: str) -> None:
    with pytest.raises(Inconclusive, match="iis"):
        list(image_windows_mismatch(used(version, isolation), host("10.0.14393.9688")))


def test_where_no_image_is_windows_nothing_is_asked() -> None:
    with pytest.raises(NotApplicable):
        list(image_windows_mismatch(UsedImages((UsedImage(),)), WindowsHost()))
    with pytest.raises(Inconclusive):
        list(image_windows_mismatch(UsedImages(unseen=("container x",)), WindowsHost()))

"""What the tests of Windows containers share: a hardened container, and how the recorded hosts are judged."""

from functools import cache

from msgspec.structs import replace

from auditor.cli.catalogue import everything
from auditor.evaluate import compare, judge
from auditor.facts.containers import Container
from auditor.facts.images import Image
from auditor.facts.used_images import UsedImage, UsedImages
from auditor.host import Host
from auditor.results import Result
from tests.checks.runtime.judging import WEB
from tests.lab.wsman.powershell import recorded

IIS: Container = replace(WEB, name="iis", platform="windows", isolation="hyperv", user="ContainerUser")
IMAGE = Image(user="ContainerUser", tags=("registry.example/iis:1.4",))
UNSEEN_IMAGES = UsedImages(unseen=("container 0123456789ab: it was not inspected",))


def used(*images: Image) -> UsedImages:
    """Images, each in use by a Windows container."""
    return UsedImages(tuple(UsedImage(image, (IIS,)) for image in images))


@cache
def results(name: str) -> dict[str, Result]:
    """The results of a recorded host, by check."""
    host = Host(name, "bundle", platform="windows")
    (report,) = compare([judge(everything().on("windows"), host, recorded(name))])
    return {result.check: result for result in report.results}

"""How Windows images were built: without tools and features that they do not need."""

import pytest
from msgspec.structs import replace

from auditor.check import Check
from auditor.facts.histories import Histories, Instruction
from auditor.facts.images import Image, Images
from auditor.facts.used_images import UsedImage, UsedImages
from auditor.testing import Outcome, judge
from checks.windows.builds import build_tools_in_windows_image, needless_windows_features_in_image

BOTH = [build_tools_in_windows_image, needless_windows_features_in_image]


def built(
    *words: str, name: str = "corp.example/app:1", os: str = "windows", keyword: str = "RUN"
) -> Histories:
    image = Image(tags=(name,), os=os)
    used = UsedImages((UsedImage(image),))
    return Histories(used, {image.id: (Instruction(keyword, words),)})


@pytest.mark.parametrize(
    ("check", "words", "observed"),
    [
        (
            build_tools_in_windows_image,
            "choco install -y git visualstudio2022buildtools",
            "RUN … git, visualstudio2022buildtools",
        ),
        (build_tools_in_windows_image, "_ msbuild _", "RUN … msbuild"),
        (
            needless_windows_features_in_image,
            "install-windowsfeature web-server -includeallsubfeature",
            "RUN … -includeallsubfeature",
        ),
        (
            needless_windows_features_in_image,
            "dism /online /enable-feature telnetclient",
            "RUN … telnetclient",
        ),
    ],
)
def test_what_an_image_does_not_need_is_found_in_how_it_was_built(
    check: Check[...], words: str, observed: str
) -> None:
    (finding,) = judge(check, built(*words.split())).findings
    assert finding.observed == observed
    assert judge(check, built(*words.split(), keyword="ENV")).outcome is Outcome.PASS
    assert judge(check, built(*words.split(), os="linux")).outcome is Outcome.NOT_APPLICABLE


def test_a_feature_that_is_removed_or_needed_is_none() -> None:
    check = needless_windows_features_in_image
    assert judge(check, built("uninstall-windowsfeature", "fs-smb1")).outcome is Outcome.PASS
    assert (
        judge(check, built("install-windowsfeature", "web-server", "web-asp-net45")).outcome is Outcome.PASS
    )


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("mcr.microsoft.com/dotnet/sdk:8.0", Outcome.FAIL),
        ("mcr.microsoft.com/dotnet/framework/sdk", Outcome.FAIL),
        ("localhost:5000/dotnet/sdk", Outcome.FAIL),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", Outcome.PASS),
    ],
)
def test_an_image_for_building_is_known_by_its_name(name: str, outcome: Outcome) -> None:
    assert judge(build_tools_in_windows_image, built(name=name)).outcome is outcome


def test_an_image_for_building_is_seen_below_another_and_under_another_name() -> None:
    kit = Image(
        "sha256:" + "0a" * 32,
        ("mcr.microsoft.com/dotnet/sdk:8.0",),
        os="windows",
        created="2026-01-01T00:00:00Z",
        layers=("a",),
    )
    app = Image(
        "sha256:" + "0b" * 32, ("app:1",), os="windows", created="2026-02-01T00:00:00Z", layers=("a", "b")
    )
    histories = Histories(UsedImages((UsedImage(app),), Images((kit, app))), {app.id: (), kit.id: ()})
    (finding,) = judge(build_tools_in_windows_image, histories).findings
    assert (finding.subject, finding.observed) == (
        "app:1",
        "built on mcr.microsoft.com/dotnet/sdk:8.0, an image for building",
    )
    renamed = replace(kit, tags=("app:2",), digests=("mcr.microsoft.com/dotnet/sdk@sha256:" + "0c" * 32,))
    told = Histories(UsedImages((UsedImage(renamed),)), {renamed.id: ()})
    assert judge(build_tools_in_windows_image, told).outcome is Outcome.FAIL


@pytest.mark.parametrize("check", BOTH, ids=lambda check: check.id)
def test_a_history_that_did_not_come_is_a_gap(check: Check[...]) -> None:
    used = UsedImages((UsedImage(Image(os="windows")),))
    assert judge(check, Histories(used)).outcome is Outcome.ERROR

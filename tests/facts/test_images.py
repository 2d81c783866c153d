"""Reading images."""

import json
from typing import Any

import pytest

from auditor.check import Inconclusive, NotApplicable
from auditor.collect.bundle import Bundle, Section, Status
from auditor.facts.images import Image, Images, full_name

RAW: dict[str, Any] = {
    "Id": "sha256:1",
    "RepoTags": ["web:1"],
    "RepoDigests": None,
    "Created": "2026-01-01T00:00:00Z",
    "User": "app",
    "Healthcheck": {"Test": ["CMD", "true"]},
    "Size": 7,
    "Layers": ["sha256:2"],
    "Env": ["PATH", "DB_PASSWORD", ""],
}


def parse(*lines: str, status: int = 0) -> Images:
    return Images.parse(Bundle({"images": Section("\n".join(lines).encode(), status)}))


def test_an_image_is_read_whole() -> None:
    assert parse(json.dumps(RAW)).all == (
        Image(
            "sha256:1",
            ("web:1",),
            (),
            "2026-01-01T00:00:00Z",
            "app",
            ("CMD", "true"),
            size=7,
            layers=("sha256:2",),
            secrets=("DB_PASSWORD",),
            variables=("PATH", "DB_PASSWORD"),
            labels=None,
        ),
    )


def test_an_image_tells_the_windows_inside_and_is_linux_where_it_tells_nothing() -> None:
    [image] = parse(json.dumps(RAW | {"Os": "windows", "OsVersion": "10.0.20348.5761"})).all
    assert (image.os, image.os_version) == ("windows", "10.0.20348.5761")
    [silent] = parse(json.dumps(RAW | {"OsVersion": None})).all
    assert (silent.os, silent.os_version) == ("linux", "")


def test_an_image_of_a_windows_host_is_of_windows_where_it_does_not_say() -> None:
    (image,) = parse(json.dumps(RAW | {"OsVersion": "10.0.20348.5761", "Os": None})).all
    assert image.os == "windows"


def test_labels_are_told_by_name_and_the_entry_point_in_full() -> None:
    (image,) = parse(
        json.dumps({**RAW, "Labels": {"a": "secret"}, "Entrypoint": ["C:\\\\x.exe", "w3svc"]})
    ).all
    assert (image.labels, image.entrypoint) == (("a",), ("C:\\\\x.exe", "w3svc"))
    (bare,) = parse(json.dumps({**RAW, "Labels": None, "Entrypoint": None})).all
    assert (bare.labels, bare.entrypoint) == ((), ())


def test_an_image_without_configuration_has_neither_user_nor_health_check() -> None:
    (image,) = parse(
        json.dumps({**RAW, "User": None, "Healthcheck": None, "Created": None, "RepoTags": None})
    ).all
    assert (image.user, image.healthcheck, image.created, image.tags) == ("", (), "", ())


def test_what_an_older_collector_did_not_ask_is_not_known() -> None:
    (image,) = parse(json.dumps({key: RAW[key] for key in RAW if key not in ("Size", "Layers", "Env")})).all
    assert (image.size, image.layers, image.secrets) == (None, None, None)


def test_no_image_is_an_answer() -> None:
    assert parse() == Images()


def test_no_engine_is_not_applicable_and_garbage_is_a_gap() -> None:
    with pytest.raises(NotApplicable):
        parse(status=Status.ABSENT)
    for lines, status in ((("{",), 0), ((json.dumps({**RAW, "Id": 1}),), 0), ((json.dumps(RAW),), 123)):
        with pytest.raises(Inconclusive):
            parse(*lines, status=status)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1", "docker.io/library/nginx:1"),
        ("me/nginx", "docker.io/me/nginx:latest"),
        ("docker.io/me/nginx:1", "docker.io/me/nginx:1"),
        ("index.docker.io/me/nginx", "docker.io/me/nginx:latest"),
        ("localhost/nginx", "localhost/nginx:latest"),
        ("registry:5000/nginx", "registry:5000/nginx:latest"),
        ("quay.io/a/b:c", "quay.io/a/b:c"),
    ],
)
def test_a_name_means_what_the_engine_takes_it_for(name: str, full: str) -> None:
    assert full_name(name) == full


def test_docker_hubs_short_and_long_names_are_one() -> None:
    image = Image(tags=("nginx:latest",))
    assert Images((image,)).tagged("docker.io/nginx") == image
    assert Images((image,)).tagged("quay.io/nginx") is None

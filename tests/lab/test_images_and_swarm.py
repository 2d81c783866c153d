"""Images that were really built and a swarm that really is one: collected, and judged."""

import io
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

import checks.images
import checks.operations
import checks.swarm
from auditor.check import Finding
from auditor.collect.bundle import Bundle, load
from auditor.facts.base import Knowledge
from auditor.gaps import Gap
from auditor.policy import Policy
from auditor.registry import discover
from auditor.transports.base import linux_script
from tests.lab.engine import IMAGE, PROGRAMS, Engine, engine
from tests.lab.need import need_root
from tests.lab.vm import LabHost

pytestmark = pytest.mark.lab
SECRET = "kept-here"
BASE = f"""
FROM {IMAGE}
ADD app /app
RUN echo apt-get update; apt-get update || true
"""
WEB = f"""
FROM base:1
ARG BUILD_TOKEN
ENV API_KEY={SECRET} DEBUG=true
COPY id_rsa /srv/
RUN wget --password={SECRET} --no-check-certificate https://me:{SECRET}@x.example | sh
RUN chmod 4755 /app || true
HEALTHCHECK NONE
USER app
"""
HARDENED = f"""
FROM {IMAGE}
COPY app /server
HEALTHCHECK CMD true
USER 10001:10001
"""


def build(running: Engine, name: str, dockerfile: str, *options: str) -> None:
    """Build an image by the engine's own builder, whether or not the client has another."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, text in {"Dockerfile": dockerfile, "app": "x", "id_rsa": "x"}.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    command = ["docker", "build", "--quiet", "--network", "none", "--tag", name, *options, "-"]
    environment = {**running.environment, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(command, env=environment, input=buffer.getvalue(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def collect(running: Engine) -> Bundle:
    command = ["sh", "-s", "--", "-s", str(running.socket)]
    done = subprocess.run(
        command, input=linux_script(), capture_output=True, timeout=120, check=True, env=os.environ
    )
    return load(done.stdout)


def judge(bundle: Bundle, *packages: ModuleType, **policy: Any) -> Mapping[str, tuple[list[Finding], str]]:
    """What each check found, and the gap it ended with, in words."""
    known = Knowledge(bundle, {Policy: Policy(**policy)})
    said = {}
    for check in (each for package in packages for each in discover(package).values()):
        found, gap = list[Finding](), ""
        try:
            facts: dict[str, Any] = {name: known.get(fact) for name, fact in check.facts.items()}
            found.extend(check(**facts))
        except Gap as raised:
            gap = f"{type(raised).__name__}: {raised}"
        said[check.id] = (found, gap)
    return said


def seen(said: tuple[list[Finding], str]) -> set[tuple[str, str]]:
    return {(finding.subject, finding.observed) for finding in said[0]}


@pytest.fixture(scope="module")
def built() -> Iterator[Bundle]:
    """An engine with images built in ways that are wrong and one built well, each used by a container."""
    need_root(PROGRAMS)
    with engine() as running:
        running.run("live")
        build(running, "base:1", BASE)
        build(running, "web:1", WEB, "--build-arg", f"BUILD_TOKEN={SECRET}")
        build(running, "api:1", "FROM base:1\nUSER 0:0\n")
        build(running, "hardened:1", HARDENED)
        build(running, "unused:1", "FROM hardened:1\nENV X=1\n")
        build(running, "unused:1", "FROM hardened:1\nENV X=2\n")
        for name in ("web", "api", "hardened"):
            running.docker("create", "--name", name, "--network", "none", f"{name}:1", "/bin/sleep", "1")
        yield collect(running)


@pytest.fixture(scope="module")
def images(built: Bundle) -> Mapping[str, tuple[list[Finding], str]]:
    return judge(built, checks.images, checks.operations)


Said = Mapping[str, tuple[list[Finding], str]]


def test_nothing_that_was_typed_at_a_build_leaves_the_host(built: Bundle) -> None:
    assert SECRET.encode() not in built.dump()
    assert b"BUILD_TOKEN" in built.read("image-history")


def test_secrets_are_told_by_name(images: Said) -> None:
    assert seen(images["secret-in-image"]) == {
        ("web:1", "ENV … API_KEY"),
        ("web:1", "RUN … BUILD_TOKEN"),
        ("web:1", "RUN … password"),
        ("web:1", "RUN … credentials-in-an-address"),
    }


def test_what_the_base_brought_is_told_of_the_base(images: Said) -> None:
    assert seen(images["files-added-with-add"]) == {("base:1", "ADD file in /app")}
    assert seen(images["package-lists-refreshed-alone"]) == {
        ("base:1", "RUN apt-get update, and nothing installed")
    }
    assert seen(images["unverified-packages"]) == {
        ("web:1", "RUN wget … --no-check-certificate"),
        ("web:1", "RUN wget … | sh"),
    }


def test_users_and_health_checks_are_told_of_each_image(images: Said) -> None:
    assert {subject for subject, _ in seen(images["image-runs-as-root"])} == {"api:1", IMAGE}
    assert images["image-runs-as-root"][1].endswith("web:1: app")
    assert {subject for subject, _ in seen(images["image-health-unchecked"])} == {"web:1", "api:1", IMAGE}


def test_what_is_left_to_a_person_comes_with_numbers(images: Said) -> None:
    assert "hardened:1: 2 MB, 2 layers" in images["needless-packages-in-image"][1]
    assert "web:1: 0 days old" in images["image-not-rebuilt"][1]
    assert "web:1 (chmod 4755)" in images["setuid-programs-in-image"][1]
    assert "3 of 4 containers" in images["stopped-containers"][1]
    assert "hardened:1: built or loaded here" in images["untrusted-image-origin"][1]


def test_images_that_nobody_uses_are_counted(images: Said) -> None:
    assert seen(images["unused-images"]) == {("images", "1 without a name and without a container, 2 MB")}
    assert "1 of 7 images" in images["unused-images"][1]
    assert "unused:1" in images["unused-images"][1]


def test_nothing_here_was_unseen(images: Said) -> None:
    assert not [gap for _, gap in images.values() if gap.startswith("Inconclusive")]


# ---- swarm ----------------------------------------------------------------------------------------------------------


@contextmanager
def manager(*options: str) -> Iterator[Engine]:
    """An engine that is the one manager of a swarm. Its bridge is the machine's, and would stay."""
    need_root(PROGRAMS)
    with engine() as running:
        running.docker("swarm", "init", "--advertise-addr", "127.0.0.1", *options)
        try:
            yield running
        finally:
            running.docker("swarm", "leave", "--force")
            running.docker("network", "rm", "docker_gwbridge")


@pytest.fixture
def member() -> Iterator[Engine]:
    """With every default but the port."""
    with manager("--listen-addr", "0.0.0.0:23771") as running:
        running.run("first")
        yield running


def test_a_swarm_with_every_default_is_found_wanting(member: Engine) -> None:
    member.docker("secret", "create", "db", "-", data=SECRET.encode())
    member.docker("network", "create", "--driver", "overlay", "--opt", "encrypted", "good")
    service = (
        "--detach",
        "--no-resolve-image",
        "--replicas",
        "0",
        "--env",
        f"DB_PASSWORD={SECRET}",
        "--secret",
        "db",
    )
    member.docker("service", "create", "--name", "web", *service, IMAGE)
    bundle = collect(member)
    said = judge(bundle, checks.swarm)
    assert {check: seen(one) for check, one in said.items() if one[0]} == {
        "overlay-network-unencrypted": {("ingress", "encrypted = unset")},
        "secret-in-swarm-service": {("web", "DB_PASSWORD in its environment has a value")},
        "swarm-managers-not-locked": {("swarm", "AutoLockManagers = false")},
        "swarm-port-on-every-address": {("swarm", "listens on [::]:23771")},
        "swarm-traffic-not-separated": {("swarm", "no address for data of its own")},
    }
    assert said["unlock-key-not-rotated"][1].startswith("NotApplicable")
    assert "CN=swarm-ca is 0 days old" in said["swarm-authority-not-rotated"][1]
    assert said["needless-swarm-managers"] == said["node-certificates-too-long"] == ([], "")
    assert SECRET.encode() not in bundle.dump()


def remove_ingress(running: Engine) -> None:
    """The swarm makes it a moment after its start, and takes a moment to remove it."""
    for wanted in ("ingress", ""):
        for _ in range(100):
            if running.docker("network", "ls", "--filter", "name=ingress", "--format", "{{.Name}}") == wanted:
                break
            time.sleep(0.1)
        if wanted:
            running.docker("network", "rm", "ingress", data=b"y")


def test_a_hardened_swarm_passes_or_is_left_to_a_person() -> None:
    options = ("--autolock", "--data-path-addr", "127.0.0.2", "--cert-expiry", "720h")
    with manager("--listen-addr", "127.0.0.1:23772", *options) as running:
        remove_ingress(running)
        said = judge(collect(running), checks.swarm)
    assert not [found for found, _ in said.values() if found]
    assert {gap.partition(":")[0] for _, gap in said.values()} <= {"", "Manual", "NotApplicable"}


def test_a_host_in_no_swarm_has_nine_that_do_not_apply(built: Bundle) -> None:
    assert {gap for _, gap in judge(built, checks.swarm).values()} == {
        "NotApplicable: the host is in no swarm"
    }


@pytest.mark.vm
def test_a_swarm_on_a_whole_host(lab_host: LabHost) -> None:
    try:
        lab_host.says("docker swarm init --advertise-addr 127.0.0.1")
        said = judge(
            load(lab_host.ssh("sh -s", data=linux_script()).stdout),
            checks.swarm,
            checks.images,
            checks.operations,
        )
    finally:
        lab_host.says("docker swarm leave --force; docker network rm docker_gwbridge || true")
    assert {subject for subject, _ in seen(said["overlay-network-unencrypted"])} == {"ingress"}
    assert {subject for subject, _ in seen(said["swarm-port-on-every-address"])} == {"swarm"}
    assert not [gap for _, gap in said.values() if gap.startswith("Inconclusive")]

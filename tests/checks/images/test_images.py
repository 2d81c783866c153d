"""Checks of images: fail, pass, a person, not applicable, unreadable."""

from typing import Any

import pytest
from msgspec.structs import replace

import checks.images
from auditor.check import Check, Inconclusive, Manual, NotApplicable
from auditor.facts.containers import Container, Containers
from auditor.facts.engine import Engine
from auditor.facts.histories import Histories, Instruction
from auditor.facts.images import Image, Images
from auditor.facts.processes import Process, Processes
from auditor.facts.used_images import UsedImage, UsedImages
from auditor.policy import Policy
from auditor.registry import discover
from checks.images.build import (
    files_added_with_add,
    package_lists_refreshed_alone,
    secret_in_image,
    unverified_packages,
)
from checks.images.config import image_health_unchecked, image_runs_as_root
from checks.images.contents import image_not_rebuilt, needless_packages_in_image, setuid_programs_in_image
from checks.images.evidence import age_in_days, megabytes
from checks.images.origin import unsigned_image_tags, untrusted_image_origin, unverified_artifacts
from tests.checks.runtime.judging import answer, observed

WEB = Image("sha256:" + "1a" * 32, ("web:1",), created="2026-01-02T00:00:00Z", layers=("a", "b"))
BASE = Image("sha256:" + "2b" * 32, ("base:1",), layers=("a",))
RUNS = Container(image_id=WEB.id, image="web:1")
CHECKS = list(discover(checks.images).values())
HARDENED_ENGINE = Engine(security_options={"seccomp": "builtin"})


def used(
    image: Image = WEB,
    *others: Image,
    containers: tuple[Container, ...] = (RUNS,),
    unseen: tuple[str, ...] = (),
) -> UsedImages:
    return UsedImages((UsedImage(image, containers),), Images((image, *others)), unseen)


def built(*instructions: Instruction, image: Image = WEB) -> Histories:
    return Histories(used(image), {image.id: instructions})


def run(words: str) -> Instruction:
    return Instruction("RUN", tuple(words.split()))


# ---- what holds for every one ---------------------------------------------------------------------------------------


def ask(check: Check[...], images: UsedImages, histories: Histories | None = None) -> Any:
    every = {each.image.id: (Instruction(),) for each in images.used}
    known: dict[Any, Any] = {
        UsedImages: images,
        Histories: histories or Histories(images, every),
        Engine: HARDENED_ENGINE,
        Processes: Processes(),
        Policy: Policy(),
    }
    return answer(check(**{name: known[fact] for name, fact in check.facts.items()}))


def ids(check: Check[...]) -> str:
    return check.id


@pytest.mark.parametrize("check", CHECKS, ids=ids)
def test_without_containers_no_image_is_judged(check: Check[...]) -> None:
    found, gap = ask(check, UsedImages())
    assert not found
    assert isinstance(gap, NotApplicable)


@pytest.mark.parametrize("check", CHECKS, ids=ids)
def test_an_image_that_could_not_be_read_leaves_the_answer_open(check: Check[...]) -> None:
    found, gap = ask(check, used(unseen=("the image of container x is not among those listed",)))
    assert not found
    assert isinstance(gap, Inconclusive)
    assert "container x" in str(gap)


@pytest.mark.parametrize("check", [check for check in CHECKS if Histories in check.facts.values()], ids=ids)
def test_a_history_that_could_not_be_read_leaves_the_answer_open(check: Check[...]) -> None:
    found, gap = ask(check, used(), Histories(used(), {}, {WEB.id: "the engine answered 500"}))
    assert not found
    assert isinstance(gap, Inconclusive)
    assert "web:1: the engine answered 500" in str(gap)


@pytest.mark.parametrize("check", CHECKS, ids=ids)
def test_a_hardened_image_passes_or_is_left_to_a_person(check: Check[...]) -> None:
    found, gap = ask(check, used())
    assert not found
    assert gap is None or isinstance(gap, Manual)


# ---- user and health ------------------------------------------------------------------------------------------------


def judge_user(user: str, engine: Engine = HARDENED_ENGINE, **process: Any) -> Any:
    container = replace(RUNS, user=process.pop("as_user", user))
    seen = Processes({container.id: (Process(pid=container.pid, **process),)} if process else {})
    return answer(image_runs_as_root(used(replace(WEB, user=user), containers=(container,)), seen, engine))


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "root:1000", ":1000", "00"])
def test_root_is_root_however_it_is_written(user: str) -> None:
    ((finding,), gap) = judge_user(user)
    assert (finding.subject, gap) == ("web:1", None)
    assert finding.source == "image 1a1a1a1a1a1a:/Config/User"


@pytest.mark.parametrize("user", ["1", "1000:0", "65534"])
def test_another_uid_is_proof(user: str) -> None:
    assert judge_user(user) == ([], None)


def test_a_name_is_proof_only_where_its_process_shows_the_uid() -> None:
    assert judge_user("app", uid=1000) == ([], None)
    ((finding,), gap) = judge_user("app", uid=0)
    assert (finding.observed, gap) == ("Config.User = app, which runs with uid 0", None)
    for found, gap in (
        judge_user("app"),
        judge_user("app", uid=1000, as_user="other"),
        judge_user("app", Engine(security_options={"userns": ""}), uid=100000),
        judge_user("app", Engine(security_options={"rootless": ""}), uid=1000),
    ):
        assert not found
        assert isinstance(gap, Manual)
        assert "web:1: app" in str(gap)


def test_a_health_check_is_a_command() -> None:
    for test in ((), ("NONE",)):
        assert len(list(image_health_unchecked(used(replace(WEB, healthcheck=test))))) == 1
    assert observed(image_health_unchecked(used(replace(WEB, healthcheck=("CMD-SHELL", "true"))))) == []


# ---- origin ---------------------------------------------------------------------------------------------------------


def pulled(*names: str, image: Image = WEB) -> Image:
    return replace(image, digests=tuple(f"{name}@sha256:{'5e' * 32}" for name in names))


@pytest.mark.parametrize(
    ("allowed", "name"),
    [
        ("docker.io", "nginx"),
        ("docker.io/library/*", "nginx"),
        ("*.corp.example", "registry.corp.example/a/b"),
        ("registry:5000", "registry:5000/a"),
    ],
)
def test_an_origin_is_allowed_by_registry_or_by_repository(allowed: str, name: str) -> None:
    assert answer(untrusted_image_origin(used(pulled(name)), Policy(allowed_registries=(allowed,)))) == (
        [],
        None,
    )


@pytest.mark.parametrize(
    ("allowed", "name"),
    [
        ("docker.io/library/*", "me/nginx"),
        ("corp.example", "corp.example.evil.example/a"),
        ("quay.io", "nginx"),
    ],
)
def test_another_origin_is_not(allowed: str, name: str) -> None:
    (finding,) = untrusted_image_origin(used(pulled(name)), Policy(allowed_registries=("x", allowed)))
    assert finding.subject == "web:1"
    assert finding.expected == f"from x, {allowed}"


def test_a_tag_is_no_origin() -> None:
    tagged = replace(WEB, tags=("registry.corp.example/web:1",))
    policy = Policy(allowed_registries=("registry.corp.example",))
    found, gap = answer(untrusted_image_origin(used(tagged), policy))
    assert not found
    assert isinstance(gap, Manual)
    assert "built or loaded here" in str(gap)


def test_what_was_built_here_is_judged_by_what_it_is_built_on() -> None:
    images = used(WEB, pulled("nginx", image=BASE))
    assert answer(untrusted_image_origin(images, Policy(allowed_registries=("docker.io",)))) == ([], None)
    (finding,) = untrusted_image_origin(images, Policy(allowed_registries=("quay.io",)))
    assert finding.observed == "web:1: built here on base:1 from docker.io/library/nginx"


def test_without_a_policy_a_person_is_shown_the_origins() -> None:
    found, gap = answer(untrusted_image_origin(used(pulled("nginx", "quay.io/a/b")), Policy()))
    assert not found
    assert "web:1: from docker.io/library/nginx, quay.io/a/b" in str(gap)
    assert "allowed_registries" in str(gap)


def test_names_that_can_be_moved_are_shown() -> None:
    by_digest = replace(RUNS, image="nginx@sha256:" + "5e" * 32)
    _, gap = answer(unsigned_image_tags(used(containers=(RUNS, by_digest))))
    assert "1 image(s) are named by digest, 1 by a name that can be moved: web:1" in str(gap)
    _, gap = answer(unsigned_image_tags(used(containers=(by_digest,))))
    assert str(gap).endswith("0 by a name that can be moved")


def test_the_digest_that_a_signature_would_be_for_is_shown() -> None:
    assert "web:1: sha256:5e5e5e5e5e5e" in str(answer(unverified_artifacts(used(pulled("nginx"))))[1])
    assert "web:1: no digest of a registry" in str(answer(unverified_artifacts(used()))[1])


# ---- build ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "apt-get update",
        "apt update ; _ ; apt clean",
        "apk update ; _ apk add",
        "dnf makecache",
        "yum check-update",
        "zypper refresh",
        "= sudo apt-get _ update ; pip install _",
        "microdnf makecache ; tdnf makecache ; microdnf install _",
    ],
)
def test_a_refresh_without_an_installation_is_found(words: str) -> None:
    (finding,) = package_lists_refreshed_alone(built(run(words)))
    assert "nothing installed" in finding.observed


@pytest.mark.parametrize(
    "words",
    [
        "apt-get update ; apt-get install _",
        "apt-get update ; apt-get _ upgrade",
        "apk --no-cache add _",
        "yum update -y",
        "dnf makecache ; dnf update",
        "zypper ref ; zypper in _",
        "_ apt-get update",
        "pip install _",
        "",
    ],
)
def test_a_refresh_beside_an_installation_is_fine(words: str) -> None:
    assert observed(package_lists_refreshed_alone(built(run(words)))) == []


def test_add_is_found_and_the_archive_a_base_begins_with_is_not() -> None:
    root = Instruction("ADD", ("file:8582af", "in", "/"))
    later = Instruction("ADD", ("--chown", "multi:1", "dir:2", "https://", "/srv"))
    assert observed(files_added_with_add(built(root, later, root))) == [
        "web:1: ADD --chown multi dir https:// /srv",
        "web:1: ADD file in /",
    ]
    assert observed(files_added_with_add(built(Instruction("ADD", ("app.tar", "/app"))))) == [
        "web:1: ADD app.tar /app"
    ]


def test_what_a_base_brought_is_told_of_the_base_once() -> None:
    sibling = replace(WEB, id="sha256:" + "3c" * 32, tags=("api:1",), layers=("a", "c"))
    bad, good = Instruction("ADD", ("x", "/x")), Instruction()
    images = UsedImages((UsedImage(WEB), UsedImage(sibling)), Images((WEB, sibling, BASE)))
    histories = Histories(images, {WEB.id: (bad, good), sibling.id: (bad, bad), BASE.id: (bad,)})
    assert observed(files_added_with_add(histories)) == ["base:1: ADD x /x", "api:1: ADD x /x"]


def secret(*instructions: Instruction, image: Image = WEB, bases: tuple[Image, ...] = ()) -> list[str]:
    return observed(secret_in_image(Histories(used(image, *bases), {image.id: instructions})))


def test_a_secret_is_told_by_name_and_once() -> None:
    told = secret(
        Instruction("ARG", (), ("TOKEN",)),
        Instruction("RUN", ("_",), ("TOKEN", "private-key")),
        Instruction("ENV", (), ("DB_PASSWORD",)),
        Instruction("COPY", ("id_rsa", "/root"), ("id_rsa",)),
        image=replace(WEB, secrets=("DB_PASSWORD",)),
    )
    assert told == [
        "web:1: ENV … DB_PASSWORD",
        "web:1: ARG … TOKEN",
        "web:1: RUN … private-key",
        "web:1: COPY … id_rsa",
    ]


def test_a_variable_belongs_to_the_lowest_base_that_has_it() -> None:
    lowest = replace(BASE, id="sha256:low", tags=("lowest:1",), secrets=())
    base = replace(BASE, created="2026-01-01T00:00:00Z", layers=("a", "b"), secrets=("DB_PASSWORD",))
    web = replace(WEB, layers=("a", "b", "c"), secrets=("DB_PASSWORD", "OWN_TOKEN"))
    assert secret(image=web, bases=(lowest, base)) == ["base:1: ENV … DB_PASSWORD", "web:1: ENV … OWN_TOKEN"]
    assert secret(image=web, bases=(base,)) == ["base:1: ENV … DB_PASSWORD", "web:1: ENV … OWN_TOKEN"]


def test_an_environment_that_is_not_known_leaves_the_answer_open() -> None:
    histories = built(Instruction("ARG", (), ("TOKEN",)), image=replace(WEB, secrets=None))
    found, gap = answer(secret_in_image(histories))
    assert len(found) == 1
    assert isinstance(gap, Inconclusive)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("apt-get install -y --allow-unauthenticated _", "RUN apt-get … --allow-unauthenticated"),
        ("dnf --nogpgcheck install _", "RUN dnf … --nogpgcheck"),
        ("apk add --allow-untrusted _", "RUN apk … --allow-untrusted"),
        ("pip install --trusted-host _", "RUN pip … --trusted-host"),
        ("curl -k _", "RUN curl … -k"),
        ("curl _ | sudo bash", "RUN curl … | bash"),
    ],
)
def test_verification_that_is_turned_off_is_found(words: str, what: str) -> None:
    found, gap = answer(unverified_packages(built(run(words))))
    assert [finding.observed for finding in found] == [what]
    assert isinstance(gap, Manual)


def test_installations_are_shown_to_a_person() -> None:
    instructions = (run("apt-get update ; apt-get install _ ; curl _ | _"), run("pip install -k _"))
    found, gap = answer(unverified_packages(built(*instructions)))
    assert not found
    assert "web:1: apt-get, pip" in str(gap)
    assert "no installation" in str(answer(unverified_packages(built()))[1])


# ---- contents -------------------------------------------------------------------------------------------------------


def test_size_layers_and_installers_are_shown() -> None:
    _, gap = answer(needless_packages_in_image(built(run("apk add _"))))
    assert "web:1: 50 MB, 2 layers, installed by apk" in str(gap)
    _, gap = answer(needless_packages_in_image(built(image=replace(WEB, size=None, layers=None))))
    assert "web:1: of unknown size, an unknown number of layers" in str(gap)


def test_the_oldest_image_is_shown_first() -> None:
    old = replace(WEB, created="2025-01-31T12:00:00.123456789Z")
    new = replace(BASE, created="2026-01-21T12:00:00+00:00")
    never = replace(BASE, id="sha256:3", tags=("x:1",), created="0001-01-01T00:00:00Z")
    images = UsedImages(tuple(UsedImage(image) for image in (new, never, old)))
    _, gap = answer(image_not_rebuilt(images, Engine()))
    assert str(gap).endswith("x:1: age not known; web:1: 364 days old; base:1: 10 days old")


@pytest.mark.parametrize("created", ["", "yesterday", "2026-01-01T00:00:00"])
def test_an_age_that_makes_no_sense_is_not_known(created: str) -> None:
    assert age_in_days(replace(WEB, created=created), "2026-01-31T12:00:00Z") is None


def test_sizes_add_up_when_all_are_known() -> None:
    assert megabytes([WEB, BASE]) == "100 MB"
    assert megabytes([WEB, replace(BASE, size=None)]) == "of unknown size"


def test_setuid_programs_matter_where_privileges_may_be_gained() -> None:
    gains = replace(RUNS, security_opt=())
    histories = Histories(
        used(containers=(RUNS, gains)),
        {WEB.id: (run("chmod u+s _ ; chmod 4755 _ ; chmod 755 _ ; chmod ; _"),)},
    )
    assert "may gain privileges: web:1 (chmod u+s, 4755)" in str(
        answer(setuid_programs_in_image(histories))[1]
    )
    for option in ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"):
        harmless = Histories(used(containers=(replace(RUNS, security_opt=(option,)),)), {WEB.id: ()})
        assert "disarms them" in str(answer(setuid_programs_in_image(harmless))[1])
    off = replace(RUNS, security_opt=("no-new-privileges:false",))
    _, gap = answer(setuid_programs_in_image(Histories(used(containers=(off,)), {WEB.id: ()})))
    assert str(gap).endswith("may gain privileges: web:1")


def test_an_image_is_matched_with_its_containers() -> None:
    assert [each.image for each in UsedImages.of(Containers((RUNS,)), Images((WEB, BASE)))] == [WEB]

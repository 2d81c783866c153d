"""What images hold: packages, their age, setuid programs. Facts show where to look; a person has to."""

from auditor.check import Findings, Manual, Severity, check
from auditor.facts.containers import Container
from auditor.facts.engine import Engine
from auditor.facts.histories import Histories
from auditor.facts.images import Image
from auditor.facts.used_images import UsedImages
from checks.images.build import installers
from checks.images.evidence import age_in_days, megabytes
from checks.runtime.evidence import listing


@check(severity=Severity.LOW)
def needless_packages_in_image(histories: Histories) -> Findings:
    """
    Images hold no packages that they do not need.

    Every program in an image is one more that can have a flaw, and one more tool for
    whoever gets in. Size, number of layers, and the package managers that its history
    shows tell where to look first.

    Remediation:
        Build on a minimal image (distroless, alpine, ``-slim``), build in stages, and
        install with ``--no-install-recommends``.
    """
    list(histories)  # raises what could not be read
    yield from ()
    shown = (_contents(used.image, histories) for used in histories.images.used)
    raise Manual(f"does each of these images need what it holds? {listing(shown)}")


def _contents(image: Image, histories: Histories) -> str:
    programs = [program for written in histories.of(image) for program in installers(written.instruction)]
    layers = "an unknown number of" if image.layers is None else len(image.layers)
    by = f", installed by {', '.join(sorted(set(programs)))}" if programs else ""
    return f"{image.name}: {megabytes([image])}, {layers} layers{by}"


@check(severity=Severity.MEDIUM)
def image_not_rebuilt(images: UsedImages, engine: Engine) -> Findings:
    """
    Images are scanned and rebuilt when their packages get security fixes.

    An image keeps the flaws of the day it was built. How old it is can be seen;
    which flaws are in it, a scanner has to say.

    Remediation:
        Scan images regularly (Trivy, Grype, Clair), rebuild them with ``--pull
        --no-cache`` at least monthly, and recreate their containers.
    """
    list(images)  # raises what could not be read
    yield from ()
    ages = [(age_in_days(used.image, engine.system_time), used.image.name) for used in images.used]
    oldest_first = sorted(ages, key=lambda each: (-(each[0] if each[0] is not None else 10**6), each[1]))
    shown = (
        f"{name}: {f'{days} days old' if days is not None else 'age not known'}"
        for days, name in oldest_first
    )
    raise Manual(f"when were these images last scanned and rebuilt? {listing(shown)}")


@check(severity=Severity.LOW)
def setuid_programs_in_image(histories: Histories) -> Findings:
    """
    Images hold no setuid or setgid programs that they do not need.

    A program with such a bit runs with its owner's rights, mostly root's, whoever
    starts it. In a container with ``no-new-privileges`` the bits do nothing. Whether
    there are such files cannot be seen without reading the image's layers.

    Remediation:
        Take the bits away at the end of the Dockerfile:
        ``RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} +``. Run containers with
        ``--security-opt=no-new-privileges``.
    """
    list(histories)  # raises what could not be read
    yield from ()
    exposed = [used for used in histories.images.used if not all(map(_powerless, used.containers))]
    shown = listing(_bits(used.image, histories) for used in exposed)
    raise Manual(
        "are there setuid programs in these images that they do not need? "
        + (
            f"Their containers may gain privileges: {shown}"
            if exposed
            else "All containers run with no-new-privileges, which disarms them"
        )
    )


def _powerless(container: Container) -> bool:
    return container.security_options("no-new-privileges")[-1:] in (("",), ("true",))


def _bits(image: Image, histories: Histories) -> str:
    """The image's name, and which chmod of its history sets or takes away the bits."""
    modes = [
        command[1]
        for written in histories.of(image)
        for command in written.instruction.commands
        if command[0] == "chmod" and _about_setuid(command[1:2])
    ]
    return f"{image.name} (chmod {', '.join(dict.fromkeys(modes))})" if modes else image.name


def _about_setuid(mode: tuple[str, ...]) -> bool:
    return any("s" in word or (word.isdecimal() and int(word, 8) & 0o6000) for word in mode)

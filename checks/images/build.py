"""How images were built, by their histories. What a base brought is told of the base, where that is on the host."""

from collections.abc import Iterator

from auditor.check import Findings, Inconclusive, Manual, Severity, check
from auditor.facts.histories import Histories, Instruction
from auditor.facts.images import Image, Images
from checks.images.evidence import misbuilt
from checks.runtime.evidence import listing

_REFRESHES = {
    "apt": {"update"}, "apt-get": {"update"}, "aptitude": {"update"}, "apk": {"update"},
    "yum": {"makecache", "check-update"}, "dnf": {"makecache", "check-update"}, "microdnf": {"makecache"}, "tdnf": {"makecache"},
    "zypper": {"refresh", "ref"},
}  # fmt: skip
_USES = {
    "install", "reinstall", "build-dep", "add", "upgrade", "dist-upgrade", "full-upgrade", "groupinstall", "localinstall", "distro-sync",
    "in", "up", "dup", "patch", "fix",
}  # fmt: skip
_INSTALLERS = {*_REFRESHES, "rpm", "dpkg", "pip", "pip3", "npm", "gem"}
_UNVERIFIED = {
    "--allow-unauthenticated", "--force-yes", "--nogpgcheck", "--no-gpg-checks", "--no-gpg-check", "--nosignature", "--force-bad-verify",
    "--allow-untrusted", "--trusted-host", "--no-check-certificate", "--insecure",
}  # fmt: skip
_SHELLS = {"sh", "bash", "ash", "dash"}


@check(severity=Severity.LOW)
def package_lists_refreshed_alone(histories: Histories) -> Findings:
    """
    Package lists are refreshed where they are used.

    Builds cache layers. A layer that does nothing but refresh the package lists is
    not built anew, so that later builds install from old lists, flaws that have long
    been mended included.

    Remediation:
        Put both into one instruction: ``RUN apt-get update && apt-get install -y …``.
    """
    for written in histories:
        commands = written.instruction.commands
        for manager in sorted({command[0] for command in commands} & _REFRESHES.keys()):
            words = {word for command in commands if command[0] == manager for word in command[1:]}
            # yum and dnf call their upgrade 'update': it installs.
            uses = _USES | ({"update"} - _REFRESHES[manager])
            if words & _REFRESHES[manager] and not words & uses:
                yield misbuilt(
                    written.image,
                    f"RUN {manager} {min(words & _REFRESHES[manager])}, and nothing installed",
                    "an installation in the same RUN",
                )


@check(severity=Severity.LOW)
def files_added_with_add(histories: Histories) -> Findings:
    """
    Files come into images by COPY.

    ``ADD`` also fetches addresses and unpacks archives, from wherever and into
    wherever their maker pleases. ``COPY`` only copies what lies there. The archive
    that a base image begins with is not counted: nothing else can unpack it.

    Remediation:
        Write ``COPY`` instead of ``ADD``. Fetch in a ``RUN`` that verifies a checksum
        before it unpacks.
    """
    for written in histories:
        instruction = written.instruction
        if instruction.keyword == "ADD" and not (written.first and instruction.words[-1:] == ("/",)):
            yield misbuilt(written.image, _shown(instruction), "COPY")


def _shown(instruction: Instruction) -> str:
    """The instruction without the hashes that an engine puts in place of files."""
    words = [
        word.partition(":")[0] if word.startswith(("file:", "multi:", "dir:")) else word
        for word in instruction.words
    ]
    return " ".join((instruction.keyword, *words))


@check(severity=Severity.HIGH)
def secret_in_image(histories: Histories) -> Findings:
    """
    Images hold no secrets.

    Whoever can pull an image can read all of its layers, its history and its
    environment, those of deleted files and of build arguments included. Variables,
    build arguments, options and files are told by their names; values never leave
    the host. A secret under a harmless name is not seen.

    Remediation:
        Replace the secret, for it is known now. Give it to builds with
        ``RUN --mount=type=secret``, and to containers as a swarm secret or a mounted
        file. Then build the image anew: removing it in a later layer does not help.
    """
    told = set[tuple[str, str]]()
    for image, keyword, name in (*_in_environments(histories), *_in_builds(histories)):
        if (image.id, name) not in told:
            told.add((image.id, name))
            yield misbuilt(image, f"{keyword} … {name}", "no secret, and no variable named for one")
    unread = [used.image.name for used in histories.images.used if used.image.secrets is None]
    if unread:
        raise Inconclusive(f"the bundle does not tell the environment of {listing(unread)}")
    list(histories)  # raises what could not be read


def _in_environments(histories: Histories) -> Iterator[tuple[Image, str, str]]:
    for used in histories.images.used:
        for name in used.image.secrets or ():
            yield _setter(histories.images.images, used.image, name), "ENV", name


def _setter(images: Images, image: Image, name: str) -> Image:
    """The lowest of an image and the bases it is built on that has the variable."""
    setter = image
    for base in images.bases(image):
        if name not in (base.secrets or ()):
            break
        setter = base
    return setter


def _in_builds(histories: Histories) -> Iterator[tuple[Image, str, str]]:
    for written in histories.told():
        for name in written.instruction.secrets:
            yield written.image, written.instruction.keyword, name


@check(severity=Severity.MEDIUM)
def unverified_packages(histories: Histories) -> Findings:
    """
    Packages are verified before they are installed in an image.

    Package managers verify signatures unless they are told not to. A script that
    goes from the network straight into a shell is verified by nobody. What else was
    put into an image without its maker being known, only its author can say.

    Remediation:
        Remove the option that turns verification off and import the repository's
        signing key. Download scripts and archives to a file and compare a checksum
        written down in the Dockerfile before using them.
    """
    found = dict[str, list[str]]()
    for written in histories:
        instruction = written.instruction
        for observed in _unverified(instruction):
            yield misbuilt(written.image, observed, "verified packages")
        for program in installers(instruction):
            found.setdefault(written.image.name, []).append(program)
    shown = (f"{name}: {', '.join(sorted(set(programs)))}" for name, programs in found.items())
    raise Manual(
        "do all packages come from sources that sign them? "
        + (f"Histories show installations by {listing(shown)}" if found else "Histories show no installation")
    )


def _unverified(instruction: Instruction) -> Iterator[str]:
    for command in instruction.commands:
        switches = [word for word in command if word in _UNVERIFIED]
        if command[0] == "curl" and "-k" in command:
            switches.append("-k")
        yield from (f"RUN {command[0]} … {switch}" for switch in switches)
    for source, reader in instruction.pipes:
        if source in ("curl", "wget") and reader in _SHELLS:
            yield f"RUN {source} … | {reader}"


def installers(instruction: Instruction) -> list[str]:
    """The package managers that an instruction installs with."""
    return [
        command[0] for command in instruction.commands if command[0] in _INSTALLERS and _USES & {*command[1:]}
    ]

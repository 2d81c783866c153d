"""What the kernel lets containers do: AppArmor, SELinux, seccomp, a read-only root."""

import json

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.containers import Container, Containers
from auditor.facts.engine import Engine
from auditor.facts.surroundings import Surroundings
from checks.runtime.evidence import deviation, listing

UNCONFINED_TYPES = ("spc_t", "unconfined_t")


@check(severity=Severity.MEDIUM)
def apparmor_unconfined(containers: Containers, engine: Engine) -> Findings:
    """
    Containers run under an AppArmor profile.

    The profile ``docker-default`` keeps a container's root from writing to /proc and
    /sys and from mounting. A container that never ran shows no profile yet: it gets
    the default one at its start, unless it is privileged or asks for none.

    Remediation:
        Recreate the container without ``--security-opt=apparmor=unconfined`` and
        without ``--privileged``, or with a profile of its own
        (``--security-opt=apparmor=NAME``; compose: ``security_opt:``).
    """
    if engine.os_type == "windows":
        raise NotApplicable("Windows has no AppArmor")
    if "apparmor" not in engine.security_options:
        raise NotApplicable(
            "the engine runs without AppArmor: the kernel has none, or the daemon is rootless"
        )
    for container in containers.linux:
        asked = _last(container, "apparmor") or ("unconfined" if container.privileged else "")
        profile = container.apparmor_profile or asked
        if profile == "unconfined":
            yield deviation(container, "AppArmorProfile", profile, "docker-default, or a profile of its own")
        elif not profile and container.live:
            yield deviation(
                container, "AppArmorProfile", "empty while it runs", "docker-default, or a profile of its own"
            )


@check(severity=Severity.MEDIUM)
def selinux_unconfined(containers: Containers, engine: Engine, surroundings: Surroundings) -> Findings:
    """
    Containers run under an SELinux label where the kernel has SELinux.

    SELinux keeps a container's processes from the host's files and from other
    containers' even when they are root. The label of the process counts:
    ``label=disable``, a privileged container and the type ``spc_t`` all end
    without that confinement.

    Remediation:
        Set ``"selinux-enabled": true`` in daemon.json, restart the daemon, and
        recreate the container without ``--security-opt=label=disable`` and without
        ``--privileged`` (compose: ``security_opt:``). ``:z`` and ``:Z`` on a volume
        label it for the container.
    """
    if engine.os_type == "windows":
        raise NotApplicable("Windows has no SELinux")
    selinux = "selinux" in engine.security_options
    if not selinux and "apparmor" not in engine.security_options and surroundings.selinux_in_kernel is None:
        raise Inconclusive("the engine runs without SELinux, and whether the kernel has it could not be seen")
    if not selinux and not surroundings.selinux_in_kernel:
        raise NotApplicable("this kernel runs without SELinux")
    if not selinux:
        yield Finding(
            "daemon",
            "no selinux in SecurityOptions, though the kernel has it",
            "selinux-enabled",
            "docker info:/SecurityOptions",
        )
        return
    for container in containers.linux:
        if not container.process_label:
            options = ", ".join(f"label={value}" for value in container.security_options("label"))
            yield deviation(
                container,
                "ProcessLabel",
                f"empty ({options})" if options else "empty",
                "a label such as container_t",
            )
        elif set(UNCONFINED_TYPES) & set(container.process_label.split(":")):
            yield deviation(container, "ProcessLabel", container.process_label, "a label such as container_t")


@check(severity=Severity.HIGH)
def seccomp_unconfined(containers: Containers, engine: Engine) -> Findings:
    """
    Containers' system calls are filtered by seccomp.

    Docker's default profile blocks the system calls that containers hardly need and
    kernel exploits often do. A profile of one's own is fine if it blocks any;
    ``unconfined``, a privileged container, and an engine without seccomp mean no
    filter at all.

    Remediation:
        Recreate the container without ``--security-opt=seccomp=unconfined`` and
        without ``--privileged``; where the default blocks too much, allow the one
        call in a profile (``--security-opt=seccomp=profile.json``; compose:
        ``security_opt:``).
    """
    for container in containers.linux:
        field, why = _unfiltered(container, engine.security_options.get("seccomp"))
        if why:
            yield deviation(container, field, why, "the default profile, or one of its own")


def _unfiltered(container: Container, default: str | None) -> tuple[str, str]:
    """The field and why there is no filter; empty when there is one. ``default`` is the engine's profile, None without seccomp."""
    asked = _last(container, "seccomp")
    if container.privileged:
        return "HostConfig.Privileged", "true: no filter"
    if default is None:
        return "HostConfig.SecurityOpt", "not heeded: the engine runs without seccomp"
    if (asked or default) == "unconfined":
        return (
            "HostConfig.SecurityOpt",
            "seccomp=unconfined" if asked else "nothing, and the engine's default profile is unconfined",
        )
    if asked and asked != "builtin" and not _blocks(asked):
        return "HostConfig.SecurityOpt", "a seccomp profile that blocks no system call"
    return "", ""


def _last(container: Container, option: str) -> str:
    """The value of a security option that counts: the last; an empty one asks for the engine's default."""
    return next(reversed(container.security_options(option)), "")


def _blocks(profile: str) -> bool:
    """Whether a seccomp profile blocks anything; one that cannot be read does not."""
    try:
        content = json.loads(profile)
        actions = [
            content.get("defaultAction"),
            *(rule.get("action") for rule in content.get("syscalls") or ()),
        ]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return False
    return any(action not in (None, "", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG") for action in actions)


@check(severity=Severity.MEDIUM)
def system_paths_unmasked(containers: Containers) -> Findings:
    """
    Containers see no more of /proc and /sys than the engine shows by default.

    The engine hides files such as /proc/kcore and /sys/firmware, and makes others,
    /proc/sys and /proc/sysrq-trigger among them, read-only: they are the host's, and
    no namespace divides them. A privileged container sees them all.

    Remediation:
        Recreate the container without ``--security-opt=systempaths=unconfined``
        (compose: ``security_opt:``) and without ``--privileged``; ``--sysctl`` sets the
        kernel's parameters that a container may have for itself.
    """
    unknown = []
    for container in containers.linux:
        if container.system_paths_masked is None:
            unknown.append(container.subject)
        elif not container.system_paths_masked:
            field = "HostConfig.Privileged" if container.privileged else "HostConfig.MaskedPaths"
            seen = (
                "true: none is masked"
                if container.privileged
                else "shorter than the engine's, or ReadonlyPaths is"
            )
            yield deviation(container, field, seen, "the engine's own list")
    if unknown:
        raise Inconclusive(f"which system paths are masked was not told: {listing(unknown)}")


@check(severity=Severity.MEDIUM)
def writable_root_filesystem(containers: Containers) -> Findings:
    """
    Containers cannot write to their root filesystem.

    Who takes over a process in a container with a writable root can replace its
    programs and stay. With a read-only one there is nowhere to put tools, and what
    the image holds is what runs.

    Remediation:
        Recreate the container with ``--read-only`` (compose: ``read_only: true``) and
        give it ``--tmpfs /tmp`` or a volume for what it must write.
    """
    for container in containers.linux:
        if not container.readonly_rootfs:
            yield deviation(container, "HostConfig.ReadonlyRootfs", "false", "true")

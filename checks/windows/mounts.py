"""What of a Windows host containers see: the engine's pipe, folders, raw disks."""

import re

from auditor.check import Findings, Inconclusive, Manual, Severity, check
from auditor.facts.containers import Containers, Mount
from auditor.facts.engine import Engine
from auditor.facts.surroundings import Surroundings
from auditor.facts.windows_paths import is_pipe, is_within, plain_windows_path
from auditor.policy import Policy
from checks.runtime.evidence import deviation, listing

PROGRAM_FOLDERS = (r"c:\windows", r"c:\program files", r"c:\program files (x86)")
"""Whoever writes below these owns the host."""
GATHERING_FOLDERS = (r"c:\programdata", r"c:\users")
"""Whoever has all of these learns secrets of many programs and people."""
SECRET_FOLDERS = (
    r"c:\programdata\docker",
    r"c:\programdata\ssh",
    r"c:\programdata\microsoft\crypto",
    r"c:\windows\system32\config",
)
"""Whoever reads below these learns secrets; the engine's own folder is another."""
_PROFILE = re.compile(r"c:\\users\\[^\\]+(\\(\.docker|\.ssh|\.aws|\.azure|\.kube|appdata)(\\.*)?)?")
_SHARE = re.compile(r"\\\\(\?\\unc\\)?[^\\?.]+\\([a-z]|admin)\$(\\.*)?")
_RAW = re.compile(r"\\\\[?.](\\.*)?")
_SHORT = re.compile(r"~\d")
_ENGINE_PIPE = re.compile(r"\\\\[^\\]+\\pipe(\\(docker|containerd).*)?")


@check(severity=Severity.CRITICAL)
def engine_pipe_mounted(containers: Containers, surroundings: Surroundings, policy: Policy) -> Findings:
    r"""
    No container is given an engine's named pipe.

    Who can talk to the engine can start a container with all of C: in it, and
    Hyper-V isolation opens that as LocalSystem: the pipe is the host. containerd's
    pipe is as good as Docker's. Portainer and build agents are often given it.

    Remediation:
        Recreate the container without the mount (``-v \\.\pipe\docker_engine:…``;
        compose: ``volumes:``). Give a tool that must watch containers a proxy that
        lets only the calls through which it needs. Name what is accepted in the
        policy's ``allowed_mounts``.
    """
    allowed = set(map(plain_windows_path, policy.allowed_mounts))
    asked = []
    for container in containers.windows:
        for mount in container.mounts:
            path = mount.windows_path
            if not is_pipe(path) or path in allowed:
                continue
            if _ENGINE_PIPE.fullmatch(path) or path in surroundings.sockets:
                yield deviation(
                    container, "Mounts", f"{mount.source} at {mount.destination}", "no engine's pipe"
                )
            else:
                asked.append(f"{container.subject}: {mount.source}")
    if asked and not surroundings.configured:
        raise Manual(
            f"the daemon's own choice of pipes could not be seen; is one of these its? {listing(asked)}"
        )


@check(severity=Severity.HIGH)
def sensitive_windows_mount(containers: Containers, engine: Engine, policy: Policy) -> Findings:
    r"""
    No folder that Windows or the engine lives by is mounted into a container.

    Who writes to C:\Windows or C:\Program Files from a container controls the
    host; who reads C:\Users or the engine's own folder learns its secrets. A mount
    of such a folder or of one above it is a deviation, also when it is read-only.
    Below one it is when it is writable, or when it holds secrets. Administrative
    shares and raw disks are all of it. A volume that a plugin put elsewhere than
    with the engine's own is judged by where it lies. A container with Hyper-V
    isolation opens what is mounted as LocalSystem, whoever its own user is. A short
    name (``C:\PROGRA~3``) stands for a folder that is not told; junctions are not followed.

    Remediation:
        Recreate the container without the mount (``--volume``, ``--mount``; compose:
        ``volumes:``), or mount just the folder it needs with ``:ro``. Copy what it
        needs into the image or a named volume. Name what is accepted in the
        policy's ``allowed_mounts``.
    """
    allowed = set(map(plain_windows_path, policy.allowed_mounts))
    data_root = plain_windows_path(engine.data_root)
    secret, unknown = (*SECRET_FOLDERS, data_root), list[str]()
    for container in containers.windows:
        account = ", as LocalSystem" if container.isolation == "hyperv" else ""
        for mount in container.mounts:
            if mount.windows_path in allowed or not _of_the_host(mount, data_root):
                continue
            why = _sensitive(mount, secret) if mount.source else ""
            if not why and (not mount.source or _SHORT.search(mount.windows_path)):
                unknown.append(f"{container.subject}: {mount.source or 'a volume'} at {mount.destination}")
            if why:
                rights = "read-write" if mount.rw else "read-only"
                yield deviation(
                    container,
                    "Mounts",
                    f"{mount.source} ({rights}{account}) at {mount.destination}: {why}",
                    "not mounted",
                )
    if unknown:
        raise Inconclusive(f"which folder of the host these are is not told: {listing(unknown)}")


def _of_the_host(mount: Mount, data_root: str) -> bool:
    """Whether it may be any folder of the host: not a volume among those of the engine itself."""
    own = mount.type == "volume" and is_within(mount.windows_path, rf"{data_root}\volumes")
    return mount.type not in ("npipe", "tmpfs", "image") and not own


def _sensitive(mount: Mount, secret: tuple[str, ...]) -> str:
    """Why a mount is a deviation; empty when it is none."""
    path = mount.windows_path
    if _SHARE.fullmatch(path):
        return "is an administrative share"
    if _RAW.match(path):
        return "" if is_pipe(path) else "is a device or a raw disk"
    for folder in (*PROGRAM_FOLDERS, *GATHERING_FOLDERS, *secret):
        if is_within(folder, path):
            return f"is {folder}" if path == folder else f"has {folder} in it"
    for folder in secret:
        if is_within(path, folder):
            return f"is in {folder}"
    if _PROFILE.fullmatch(path):
        return "is of a user's profile"
    return next(
        (f"is writable in {folder}" for folder in PROGRAM_FOLDERS if mount.rw and is_within(path, folder)), ""
    )

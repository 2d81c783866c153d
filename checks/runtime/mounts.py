"""What of the host's files and devices containers see."""

import re
from collections.abc import Iterable, Iterator

from auditor.check import Findings, Inconclusive, Manual, Severity, check
from auditor.facts.containers import Containers, Mount
from auditor.facts.engine import Engine
from auditor.facts.surroundings import Surroundings
from auditor.facts.volumes import Volumes
from auditor.policy import Policy
from checks.runtime.evidence import deviation, listing

SYSTEM_FOLDERS = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/run/systemd",
    "/sbin",
    "/sys",
    "/usr",
    "/var/spool/cron",
)
"""Whoever writes below these owns the host."""
SECRET_FOLDERS = ("/root", "/etc/shadow", "/etc/gshadow", "/etc/ssh", "/etc/docker", "/var/lib/containerd")
"""Whoever reads below these learns secrets; the engine's own folder is another."""
SOCKET_NAMES = ("docker.sock", "containerd.sock", "podman.sock", "crio.sock")
ROOTLESS_FOLDER = re.compile(r"/run/user(/\d+(/(podman|containerd|docker))?)?")


@check(severity=Severity.HIGH)
def sensitive_mount(containers: Containers, engine: Engine, volumes: Volumes, policy: Policy) -> Findings:
    """
    No sensitive folder of the host is mounted into a container.

    Who writes to the host's /etc, /usr or /dev from a container controls the host;
    who reads all of /etc, /root or the engine's own folder learns its secrets. A
    mount of such a folder or of one above it is a deviation, also when it is
    read-only. A single file or folder below one is when it is writable, or when
    it holds secrets. A link counts as what it leads to, a folder that is mounted in
    several places by all its names, a volume as the folder that it was made to stand
    for, if there is one, a plugin's as where the plugin put it.

    Remediation:
        Recreate the container without the mount (``--volume``, ``--mount``; compose:
        ``volumes:``), or mount just the file it needs with ``:ro``. Copy what it
        needs into the image or a named volume. Name what is accepted in the
        policy's ``allowed_mounts``.
    """
    allowed = {Mount(path).path for path in policy.allowed_mounts}
    secret = (*SECRET_FOLDERS, Mount(engine.data_root).path)
    unknown = []
    for container in containers:
        for mount in _judged(volumes.mounts(container), allowed):
            seen = ((path, _sensitive(path, secret, rw=mount.rw)) for path in mount.paths)
            path, why = next((each for each in seen if each[1]), ("", ""))
            if why:
                rights = "read-write" if mount.rw else "read-only"
                yield deviation(
                    container,
                    "Mounts",
                    f"{mount.told(path)} ({rights}) at {mount.destination}: {why}",
                    "not mounted",
                )
            elif not mount.seen_through:
                unknown.append(f"{container.subject}: {mount.source}")
    _settle(volumes, containers, unknown)


def _judged(mounts: Iterable[Mount], allowed: set[str]) -> Iterator[Mount]:
    """What is of the host and nobody accepted."""
    return (mount for mount in mounts if mount.type == "bind" and not allowed & set(mount.names))


def _settle(volumes: Volumes, containers: Containers, unknown: list[str]) -> None:
    """After the findings: which mounts could not be seen through."""
    volumes.explain(containers.all)
    if unknown:
        raise Inconclusive(
            f"whether these are links or mounted elsewhere too is not known: {listing(unknown)}"
        )


def _sensitive(path: str, secret: tuple[str, ...], *, rw: bool) -> str:
    """Why a mount is a deviation; empty when it is none."""
    for folder in (*SYSTEM_FOLDERS, *secret):
        if _within(folder, path):
            return f"is {folder}" if path == folder else f"has {folder} in it"
    for folder in secret:
        if _within(path, folder):
            return f"is in {folder}"
    return next((f"is writable in {folder}" for folder in SYSTEM_FOLDERS if rw and _within(path, folder)), "")


@check(severity=Severity.CRITICAL)
def engine_socket_mounted(
    containers: Containers, surroundings: Surroundings, volumes: Volumes, policy: Policy
) -> Findings:
    """
    No container is given an engine's socket.

    Who can talk to the engine can start a privileged container: the socket is root
    on the host. Mounting it read-only changes nothing, since the right to connect
    is not the right to write the file. A folder that holds the socket is as good,
    and so is a link to it; containerd's socket is as good as Docker's.

    Remediation:
        Recreate the container without the mount. Give a tool that must watch
        containers a proxy that lets only the calls through which it needs, or use
        rootless builders instead of Docker in Docker. Name what is accepted in the
        policy's ``allowed_mounts``.
    """
    allowed = {Mount(path).path for path in policy.allowed_mounts}
    asked, unknown = [], []
    for container in containers:
        for mount in _judged(volumes.mounts(container), allowed):
            seen = ((path, _socket(path, surroundings.sockets)) for path in mount.paths)
            path, socket = next((each for each in seen if each[1]), ("", ""))
            if socket:
                held = "" if socket in mount.paths else f", which holds {socket},"
                yield deviation(
                    container,
                    "Mounts",
                    f"{mount.told(path)}{held} at {mount.destination}",
                    "no engine's socket",
                )
            else:
                asked.append(f"{container.subject}: {mount.source}")
                unknown += [] if mount.seen_through else asked[-1:]
    _settle(volumes, containers, unknown)
    if asked and not (surroundings.configured and surroundings.others_known):
        whose = "the daemon's own" if not surroundings.configured else "further daemons'"
        raise Manual(
            f"{whose} choice of sockets could not be seen; does one of these hold it? {listing(asked)}"
        )


def _socket(path: str, sockets: tuple[str, ...]) -> str:
    """The socket that a mounted path gives access to: itself, by its name, or one of rootless users' in /run/user."""
    if path.rpartition("/")[2] in SOCKET_NAMES:
        return path
    if ROOTLESS_FOLDER.fullmatch(path):
        return f"{path}/…/docker.sock"
    return next((socket for socket in sockets if _within(socket, path)), "")


@check(severity=Severity.MEDIUM)
def shared_mount_propagation(containers: Containers) -> Findings:
    """
    What a container mounts does not appear on the host.

    With propagation ``shared`` or ``rshared`` a mount made in the container shows up
    on the host and in every other container that shares the folder, over whatever
    was there.

    Remediation:
        Recreate the container with the default propagation, ``rprivate``, or with
        ``rslave`` where it must see the host's new mounts (compose:
        ``bind: {propagation: rslave}``).
    """
    for container in containers.linux:
        for mount in container.mounts:
            if mount.propagation in ("shared", "rshared"):
                observed = f"{mount.source} at {mount.destination}, propagation {mount.propagation}"
                yield deviation(container, "Mounts", observed, "rprivate, private, rslave or slave")


@check(severity=Severity.HIGH)
def host_device(containers: Containers, policy: Policy) -> Findings:
    """
    No device of the host is handed to a container.

    A raw disk is every file on it, /dev/mem is every process's memory. A privileged
    container has all devices; ``--device``, ``--gpus`` and ``--device-cgroup-rule``
    give some.

    Remediation:
        Recreate the container without the device (compose: ``devices:``,
        ``device_cgroup_rules:``, ``gpus:``), or with fewer rights to it
        (``--device=/dev/x:/dev/x:r``). Name what is accepted in the policy's
        ``allowed_devices``.
    """
    for container in containers:
        if container.privileged:
            yield deviation(container, "HostConfig.Privileged", "true: every device", "no device of the host")
        given = {
            "HostConfig.Devices": container.devices,
            "HostConfig.DeviceRequests": container.device_requests,
            "HostConfig.DeviceCgroupRules": container.device_cgroup_rules,
        }
        for field, devices in given.items():
            for device in devices:
                if device not in policy.allowed_devices:
                    yield deviation(container, field, device, "no device of the host")


def _within(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or below it."""
    return f"{path}/".startswith("/" if folder == "/" else f"{folder}/")

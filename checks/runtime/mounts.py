"""What of the host's files and devices containers see."""

import re

from auditor.check import Findings, Manual, Severity, check
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
    it holds secrets. A volume is judged by the folder that it was made to stand
    for, if there is one, and a plugin's by where the plugin put it.

    Remediation:
        Recreate the container without the mount (``--volume``, ``--mount``; compose:
        ``volumes:``), or mount just the file it needs with ``:ro``. Copy what it
        needs into the image or a named volume. Name what is accepted in the
        policy's ``allowed_mounts``.
    """
    allowed = {Mount(path).path for path in policy.allowed_mounts}
    secret = (*SECRET_FOLDERS, Mount(engine.data_root).path)
    for container in containers:
        for mount in volumes.mounts(container):
            why = _sensitive(mount, secret)
            if mount.type == "bind" and why and mount.path not in allowed:
                rights = "read-write" if mount.rw else "read-only"
                yield deviation(
                    container,
                    "Mounts",
                    f"{mount.source} ({rights}) at {mount.destination}: {why}",
                    "not mounted",
                )
    volumes.explain(containers.all)


def _sensitive(mount: Mount, secret: tuple[str, ...]) -> str:
    """Why a mount is a deviation; empty when it is none."""
    path = mount.path
    for folder in (*SYSTEM_FOLDERS, *secret):
        if _within(folder, path):
            return f"is {folder}" if path == folder else f"has {folder} in it"
    for folder in secret:
        if _within(path, folder):
            return f"is in {folder}"
    return next(
        (f"is writable in {folder}" for folder in SYSTEM_FOLDERS if mount.rw and _within(path, folder)), ""
    )


@check(severity=Severity.CRITICAL)
def engine_socket_mounted(
    containers: Containers, surroundings: Surroundings, volumes: Volumes, policy: Policy
) -> Findings:
    """
    No container is given an engine's socket.

    Who can talk to the engine can start a privileged container: the socket is root
    on the host. Mounting it read-only changes nothing, since the right to connect
    is not the right to write the file. A folder that holds the socket is as good,
    and containerd's socket is as good as Docker's.

    Remediation:
        Recreate the container without the mount. Give a tool that must watch
        containers a proxy that lets only the calls through which it needs, or use
        rootless builders instead of Docker in Docker. Name what is accepted in the
        policy's ``allowed_mounts``.
    """
    allowed = {Mount(path).path for path in policy.allowed_mounts}
    asked = []
    for container in containers:
        for mount in volumes.mounts(container):
            socket = _socket(mount, surroundings.sockets)
            if mount.type != "bind" or mount.path in allowed:
                continue
            if not socket:
                asked.append(f"{container.subject}: {mount.source}")
            else:
                held = "" if mount.path == socket else f", which holds {socket},"
                yield deviation(
                    container, "Mounts", f"{mount.source}{held} at {mount.destination}", "no engine's socket"
                )
    volumes.explain(containers.all)
    if asked and not surroundings.configured:
        raise Manual(
            f"the daemon's own choice of sockets could not be seen; does one of these hold it? {listing(asked)}"
        )


def _socket(mount: Mount, sockets: tuple[str, ...]) -> str:
    """The socket a mount gives access to: by its path, its name, or as one of rootless users' in /run/user."""
    path = mount.path
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

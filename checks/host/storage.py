"""Where the engine's data lies."""

import re

from auditor.check import Finding, Findings, Manual, Severity, check
from auditor.facts.storage import Storage

# Volumes that the rest of the system lives on.
_SYSTEM = {"/", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/usr", "/var", "/var/lib", "/var/log"}  # noqa: S108  names to compare with
# A daemon that maps users keeps its data in a folder of its data root that is named for the mapping.
_UNMAPPED = re.compile(r"/\d+\.\d+$")


@check(severity=Severity.LOW)
def layers_on_a_system_volume(storage: Storage) -> Findings:
    """
    Images, layers and volumes of containers lie on a volume of their own.

    Images and what containers write grow without limit. On the system's own volume
    they fill it up sooner or later, and then nothing on the host can write any more.

    With the containerd image store the layers lie in containerd's folder, not in the
    engine's data root: both need room of their own. A folder that is mounted on itself
    is still on the volume around it.

    Remediation:
        Mount a volume at the folder named (stop the engine, copy its content, mount,
        start), or move the data root with ``"data-root"`` in daemon.json and containerd's
        with ``root`` in config.toml.
    """
    shared = []
    for folder in storage.folders:
        volume = storage.volume_of(folder)
        if volume.point in _SYSTEM:
            yield Finding(
                folder,
                f"on the volume of {volume.point} ({volume.kind}, device {volume.device})",
                "a volume of its own",
                "mountinfo of the daemon",
            )
        elif volume.point not in (folder, _UNMAPPED.sub("", folder)):
            shared.append(f"{folder} lies on the volume at {volume.point}")
    if shared:
        raise Manual(f"{'; '.join(shared)}: does anything but the engine's data lie there?")

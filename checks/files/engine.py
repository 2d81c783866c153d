"""Owner and mode of the files that decide what the engine does, at the paths of this very daemon."""

from collections.abc import Callable
from typing import NamedTuple

from auditor.check import Check, Finding, Findings, NotApplicable, Severity, check
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.files import File, Files

# A rootless engine sets it against what cleans up /run; on a socket it grants nothing.
_STICKY = 0o1000
_CERTIFICATES, _KEYS = (".crt", ".cert"), (".key",)
Places = Callable[[DaemonPaths, Files], tuple[str, ...]]


def registry_files(paths: DaemonPaths, files: Files, endings: tuple[str, ...]) -> tuple[str, ...]:
    """Files for registries that end so, and what could not be listed; the folder itself when that is not there."""
    folder = paths.certificate_folder
    if folder in files.absent:
        return (folder,)
    found = tuple(path for path in files.seen if path.startswith(f"{folder}/") and path.endswith(endings))
    return (*found, *(path for path in files.denied if f"{path}/".startswith(f"{folder}/")))


class Kind(NamedTuple):
    """A kind of file: its name, where such files are, the bits that their mode may have, and why it matters."""

    name: str
    what: str
    places: Places
    allowed: int
    severity: Severity
    danger: str
    owned_by_the_group: bool = False


KINDS = (
    Kind(
        "service-unit", "the unit file of the engine's service, and each of its drop-ins,",
        lambda paths, files: paths.unit_files("service", files), 0o644, Severity.HIGH,
        "systemd starts as root whatever stands there.",
    ),
    Kind(
        "socket-unit", "the unit file of the engine's socket, and each of its drop-ins,",
        lambda paths, files: paths.unit_files("socket", files), 0o644, Severity.HIGH,
        "It decides where the engine can be reached, and by whom.",
    ),
    Kind(
        "config-folder", "the engine's configuration folder", lambda paths, _files: (paths.config_folder,), 0o755,
        Severity.HIGH, "Whoever can write in it puts another configuration in place of the engine's.",
    ),
    Kind(
        "registry-certificate", "each certificate for a registry",
        lambda paths, files: registry_files(paths, files, _CERTIFICATES), 0o444, Severity.MEDIUM,
        "Whoever can change a registry's CA can pose as the registry, and serve images of their own.",
    ),
    Kind(
        "registry-key", "each key for a registry", lambda paths, files: registry_files(paths, files, _KEYS), 0o400,
        Severity.HIGH, "Whoever holds this key can pose as the host to the registry.",
    ),
    Kind(
        "engine-socket", "every unix socket of the engine", lambda paths, _files: paths.sockets, 0o660,
        Severity.CRITICAL, "Whoever may write to it is root on the host.", owned_by_the_group=True,
    ),
    Kind(
        "daemon-config", "the engine's configuration file", lambda paths, _files: (paths.config_file,), 0o644,
        Severity.HIGH, "Whoever can change it decides where the engine listens and which programs it runs as root.",
    ),
    Kind(
        "default-file", "the environment file of the engine's service", lambda paths, _files: paths.environment_files,
        0o644, Severity.HIGH, "It can hold flags and variables that the engine starts with.",
    ),
    Kind(
        "sysconfig-file", "the engine's file below /etc/sysconfig", lambda paths, _files: paths.sysconfig_files, 0o644,
        Severity.HIGH, "It can hold flags and variables that the engine starts with.",
    ),
    Kind(
        "containerd-socket", "containerd's socket", lambda paths, _files: paths.containerd_sockets, 0o660,
        Severity.HIGH, "Whoever may write to it runs containers behind the engine's back, as root.",
    ),
)  # fmt: skip

_OWNER_TEXT = """
{What} belongs to {owner}.

{danger} Its owner can change it, and can grant that to others. Owners are compared by
number; a file of a rootless engine may belong to the user that it runs as.

Remediation:
    chown {owner_argument} on the path that the finding names.
"""
_MODE_TEXT = """
{What} has mode {allowed:04o} or stricter.

{danger} Bits that are not needed are an invitation, and special bits have no place there.

Remediation:
    chmod {allowed:04o} on the path that the finding names{remark}.
"""
_SOCKET_REMARK = " for now, and ``SocketMode=`` in the unit that opens it for good"


def _words(kind: Kind) -> dict[str, object]:
    return {
        **kind._asdict(),
        "What": kind.what[0].upper() + kind.what[1:],
        "owner": "root and the engine's group" if kind.owned_by_the_group else "root and root's group",
        "owner_argument": "root:docker" if kind.owned_by_the_group else "root:root",
        "remark": _SOCKET_REMARK if kind.owned_by_the_group else "",
    }


def _owner_check(kind: Kind) -> Check[...]:
    @check(severity=kind.severity, name=f"{kind.name}-owner", text=_OWNER_TEXT.format(**_words(kind)))
    def rule(files: Files, paths: DaemonPaths) -> Findings:
        for file in files.present(kind.places(paths, files)):
            if not _well_owned(file, paths, kind):
                yield Finding(file.path, file.owners, _wanted(paths, kind), f"stat of {file.resolved}")
        _explain(kind, files, paths)

    return rule


def _mode_check(kind: Kind) -> Check[...]:
    @check(severity=kind.severity, name=f"{kind.name}-mode", text=_MODE_TEXT.format(**_words(kind)))
    def rule(files: Files, paths: DaemonPaths) -> Findings:
        for file in files.present(kind.places(paths, files)):
            if file.beyond(kind.allowed | (_STICKY if file.kind == "socket" else 0)):
                yield Finding(
                    file.path,
                    f"{file.mode:04o}",
                    f"{kind.allowed:04o} or stricter",
                    f"stat of {file.resolved}",
                )
        _explain(kind, files, paths)

    return rule


def _explain(kind: Kind, files: Files, paths: DaemonPaths) -> None:
    places = kind.places(paths, files)
    if not places:
        raise NotApplicable(f"the engine has no {kind.name.replace('-', ' ')} here")
    files.explain(places)


def _well_owned(file: File, paths: DaemonPaths, kind: Kind) -> bool:
    if paths.rootless and file.uid == paths.uid:
        return True
    group_is_good = file.gid == 0 or (kind.owned_by_the_group and paths.group in (file.group, str(file.gid)))
    return file.uid == 0 and group_is_good


def _wanted(paths: DaemonPaths, kind: Kind) -> str:
    groups = f"root:{paths.group} or root:root" if kind.owned_by_the_group else "root:root"
    return f"{groups}, or user {paths.uid} of the rootless engine" if paths.rootless else groups


def every_file(paths: DaemonPaths, files: Files) -> list[File]:
    """All files of the engine that are there, each once."""
    return files.present(_every_place(paths, files))


def every_hidden_file(paths: DaemonPaths, files: Files) -> list[str]:
    """The paths among them that may not be looked at."""
    return [path for path in _every_place(paths, files) if path in files.denied]


def _every_place(paths: DaemonPaths, files: Files) -> list[str]:
    return list(dict.fromkeys(path for kind in KINDS for path in kind.places(paths, files)))


owners: tuple[Check[...], ...] = tuple(map(_owner_check, KINDS))
modes: tuple[Check[...], ...] = tuple(map(_mode_check, KINDS))

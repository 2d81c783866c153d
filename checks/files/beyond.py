"""What owner and mode of a file do not show: folders on the way to it, and access lists."""

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.access_lists import AccessLists
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.files import File, Files
from checks.files.engine import every_file, every_hidden_file

_ROOT = 0
_STICKY, _GROUP_WRITE, _OTHERS_WRITE = 0o1000, 0o020, 0o002


@check(severity=Severity.HIGH)
def engine_file_replaceable_by_others(files: Files, paths: DaemonPaths) -> Findings:
    """
    Only root can replace the engine's files.

    Whoever can write in a folder can put another file in the place of one that they may
    not touch. That goes for every folder on the way to a file and to what it links to, up
    to the root of the file system.

    Remediation:
        chown root:root and chmod go-w on the folder that the finding names.
    """
    there = every_file(paths, files)
    folders = {folder.resolved: folder for file in there for folder in files.folders_above(file.path)}
    for folder in folders.values():
        if folder.uid not in (_ROOT, max(paths.uid, _ROOT)):
            yield _finding(folder, f"belongs to {folder.owners}", "belongs to root")
        elif _open_to_others(folder):
            yield _finding(folder, f"{folder.owners} {folder.mode:04o}", "not writable by others")
    _explain(there, every_hidden_file(paths, files))


@check(severity=Severity.HIGH)
def engine_file_granted_by_access_list(files: Files, paths: DaemonPaths, lists: AccessLists) -> Findings:
    """
    No access list lets others at the engine's files.

    An access list grants rights to further users and groups, and the mode shows no more of
    it than the widest of them, as if it were the group's. On a socket or a folder that the
    group may write to, it does not show at all.

    Remediation:
        ``getfacl PATH`` shows the list, ``setfacl -b PATH`` takes it away.
    """
    there = every_file(paths, files)
    folders = [folder for file in there for folder in files.folders_above(file.path)]
    each = {file.resolved: file for file in (*there, *folders)}
    unknown = []
    for file in each.values():
        entries = [
            entry
            for path in {file.path, file.resolved}
            for entry in (lists.entries or {}).get(path, ())
            if "w" in entry.rights or not entry.rights or (file.path.endswith(".key") and "r" in entry.rights)
        ]
        if entries:
            granted = ", ".join(map(str, dict.fromkeys(entries)))
            yield Finding(file.path, granted, "no access list", f"access list of {file.resolved}")
        elif lists.entries is None and file.mode & _GROUP_WRITE:
            unknown.append(file.path)
    _explain(there, every_hidden_file(paths, files))
    if unknown:
        raise Inconclusive(
            f"{', '.join(unknown)}: the host has no tool that shows access lists (package acl)"
        )


def _finding(folder: File, observed: str, expected: str) -> Finding:
    return Finding(folder.path, observed, expected, f"stat of {folder.resolved}")


def _open_to_others(folder: File) -> bool:
    """Whether others than its owner can put files there; a sticky folder keeps them from replacing its owner's."""
    writable = folder.mode & _OTHERS_WRITE or (folder.mode & _GROUP_WRITE and folder.gid != _ROOT)
    return bool(writable) and not folder.mode & _STICKY


def _explain(there: list[File], hidden: list[str]) -> None:
    if hidden:
        raise Inconclusive(f"permission denied: {', '.join(hidden)}")
    if not there:
        raise NotApplicable("the engine has none of these files")

"""Owner and mode of the daemon's TLS files."""

from collections.abc import Callable
from typing import NamedTuple

from auditor.check import Check, Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.files import File, Files
from auditor.facts.tls import DaemonTls

_ROOT = 0
_STICKY, _GROUP_WRITE, _OTHERS_WRITE = 0o1000, 0o020, 0o002


class _TlsFile(NamedTuple):
    """A file, the setting that names it, and the bits that its mode may have."""

    name: str
    what: str
    path: Callable[[DaemonTls], str]
    setting: str
    allowed: int
    severity: Severity
    danger: str


_FILES = (
    _TlsFile(
        "ca", "client CA", lambda tls: tls.ca, "tlscacert", 0o444, Severity.HIGH,
        "Whoever can change this file decides who may command the engine.",
    ),
    _TlsFile(
        "certificate", "server certificate", lambda tls: tls.certificate, "tlscert", 0o444, Severity.MEDIUM,
        "Whoever can change this file can cut off every client at the next restart.",
    ),
    _TlsFile(
        "key", "server key", lambda tls: tls.key, "tlskey", 0o400, Severity.HIGH,
        "Whoever holds this key can pose as the engine to its clients.",
    ),
)  # fmt: skip

_OWNER_TEXT = """
The engine's {what} belongs to root.

{danger} Its owner can change it, and can grant that to others.

Remediation:
    chown root:root on the file that ``{setting}`` names (for a rootless engine, the
    user it runs as).
"""
_MODE_TEXT = """
The engine's {what} has mode {allowed:03o} or stricter.

{danger} The daemon only ever reads it.

Remediation:
    chmod {allowed:04o} on the file that ``{setting}`` names.
"""


def _file(each: _TlsFile, files: Files, tls: DaemonTls) -> File:
    path = each.path(tls)
    if not path:
        raise NotApplicable(f"the engine uses no {each.what}: {each.setting} is not set")
    try:
        return files.find(path)
    except NotApplicable:
        if not tls.enabled:
            raise NotApplicable(f"TLS is off, and there is no {path}") from None
        # The daemon read it when it started, so somebody has taken it away since.
        raise Inconclusive(f"there is no {path}, though {each.setting} names it") from None


def _owner_check(each: _TlsFile) -> Check[...]:
    @check(severity=each.severity, name=f"tls-{each.name}-owner", text=_OWNER_TEXT.format(**each._asdict()))
    def rule(files: Files, tls: DaemonTls) -> Findings:
        file = _file(each, files, tls)
        own_uid = tls.uid if tls.uid > 0 else _ROOT
        good = (file.uid, file.gid) == (_ROOT, _ROOT) or (own_uid != _ROOT and file.uid == own_uid)
        if not good:
            wanted = (
                "root:root" if own_uid == _ROOT else f"root:root, or user {own_uid} of the rootless engine"
            )
            yield Finding(file.path, file.owners, wanted, f"stat of {file.resolved}")

    return rule


def _mode_check(each: _TlsFile) -> Check[...]:
    @check(severity=each.severity, name=f"tls-{each.name}-mode", text=_MODE_TEXT.format(**each._asdict()))
    def rule(files: Files, tls: DaemonTls) -> Findings:
        file = _file(each, files, tls)
        if file.beyond(each.allowed):
            yield Finding(
                file.path, f"{file.mode:04o}", f"{each.allowed:04o} or stricter", f"stat of {file.resolved}"
            )

    return rule


owners = tuple(_owner_check(each) for each in _FILES)
modes = tuple(_mode_check(each) for each in _FILES)


@check(severity=Severity.HIGH)
def tls_folder_writable_by_others(files: Files, tls: DaemonTls) -> Findings:
    """
    Only root can replace the engine's TLS files.

    Whoever can write in a folder can put another file in the place of one that they may
    not touch. That goes for every folder on the way, up to the root of the file system.

    Remediation:
        chown root:root and chmod go-w on the folder, or move the files to a folder of
        root's such as /etc/docker/tls.
    """
    own = (tls.ca, tls.certificate, tls.key)
    paths = [path for path in own if path in files.seen]
    folders = {folder.path: folder for path in paths for folder in files.folders_above(path)}
    for folder in folders.values():
        if folder.uid not in (_ROOT, max(tls.uid, _ROOT)):
            yield Finding(
                folder.path, f"belongs to {folder.owners}", "belongs to root", f"stat of {folder.resolved}"
            )
        if _open_to_others(folder):
            yield Finding(
                folder.path, f"{folder.mode:04o}", "not writable by others", f"stat of {folder.resolved}"
            )
    denied = [path for path in own if path in files.denied]
    if denied:
        raise Inconclusive(f"permission denied: {', '.join(denied)}")
    if not paths:
        raise NotApplicable("the engine has no TLS files")


def _open_to_others(folder: File) -> bool:
    """Whether others than its owner can put files there; a sticky folder keeps them from replacing its owner's."""
    writable = folder.mode & _OTHERS_WRITE or (folder.mode & _GROUP_WRITE and folder.gid != _ROOT)
    return bool(writable) and not folder.mode & _STICKY

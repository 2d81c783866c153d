"""Paths as Windows means them: either slash, any case, a few ways to say the same."""

import ntpath
import re

ENGINE_PIPE = r"\\.\pipe\docker_engine"
_DEVICE = re.compile(r"\\\\[?.]\\(?=[a-z]:)")
_GLOBAL = re.compile(r"\\\\\?\\(?:globalroot\\device\\namedpipe|pipe)\\")
_BIND = re.compile(
    r"(?P<source>(?:[\\/]{2}[?.][\\/])?[A-Za-z]:[^:]*|[\\/]{2}[^:]*)"
    r":(?P<destination>[A-Za-z]:[^:]*|[\\/]{2}[^:]*)(?::(?P<mode>[^:\\/]*))?"
)


def plain_windows_path(path: str) -> str:
    r"""In lower case, with backslashes, without ``..``, ``\\?\`` before a drive, doubled or trailing signs that Windows drops."""
    text = path.lower().replace("/", "\\")
    text = _DEVICE.sub("", _GLOBAL.sub(r"\\\\.\\pipe\\", text), count=1)
    start, rest = ntpath.splitdrive(ntpath.normpath(text))
    parts = (part.rstrip(" .") or part for part in rest.split("\\"))
    return (start + "\\".join(parts)).rstrip("\\") or "\\"


def is_within(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or below it; both plain."""
    return path == folder or path.startswith(f"{folder}\\")


def split_bind(bind: str) -> tuple[str, str, str] | None:
    r"""``C:\data:C:\app:ro`` -> source, destination and mode; None for a volume's name and whatever else is no path of the host."""
    match = _BIND.fullmatch(bind)
    return (match["source"], match["destination"], match["mode"] or "") if match else None


def pipe_of(host: str) -> str:
    """The pipe, plain, that an entry of ``hosts`` opens (``npipe:////./pipe/docker_engine``); empty for one that opens none."""
    scheme, separator, path = host.partition("://")
    return plain_windows_path(path or ENGINE_PIPE) if scheme == "npipe" and separator else ""


def is_pipe(path: str) -> bool:
    """Whether a plain path is that of a named pipe, on this machine or another."""
    return bool(re.match(r"\\\\[^\\]+\\pipe(\\|$)", path))

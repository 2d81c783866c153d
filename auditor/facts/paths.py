r"""Paths of either platform, told apart by their form: ``C:\ProgramData`` and ``\\.\pipe`` are of Windows."""

import ntpath
import posixpath
import re
from types import ModuleType

_WINDOWS = re.compile(r"[A-Za-z]:|\\\\")


def is_windows(path: str) -> bool:
    """Whether an absolute path is one of Windows."""
    return bool(_WINDOWS.match(path))


def normal(path: str) -> str:
    """A path without detours, so that two spellings of it compare equal."""
    plain: str = _of(path).normpath(path)
    return plain


def join(folder: str, path: str) -> str:
    """A path seen from a folder, which tells the platform."""
    module = _of(folder)
    joined: str = module.normpath(module.join(folder, path))
    return joined


def _of(path: str) -> ModuleType:
    return ntpath if is_windows(path) else posixpath

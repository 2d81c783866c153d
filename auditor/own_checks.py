"""A user's own checks: a folder of Python files, loaded and run as they are. Whoever names a folder runs what is in it."""

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from hashlib import sha256
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from auditor.check import Check
from auditor.errors import BadFile
from auditor.registry import checks_of

_TESTS = ("test_*.py", "*_test.py", "conftest.py")


def load_own_checks(folder: Path, taken: Mapping[str, Check[...]]) -> dict[str, Check[...]]:
    """
    Every check in the Python files of a folder and of those below it, by id.

    The folder need not be on Python's path and needs no ``__init__.py``; files import each other relatively. Tests
    (``test_*.py``, ``*_test.py``, ``conftest.py``) and names that begin with a dot stay out.

    Args:
        folder: where they are.
        taken: the checks that there are already, whose ids theirs must not be.

    Raises:
        BadFile: a file cannot be read or imported, with the line at fault; there is no check; or two have one id.
    """
    package = _package(folder)
    found: dict[str, Check[...]] = {}
    for path in _files(folder):
        for item in checks_of(_imported(folder, path, _name(package, folder, path))):
            other = taken.get(item.id) or found.get(item.id)
            if other and other is not item:
                _, line = _place(item)
                where = ":".join(map(str, _place(other)))
                raise BadFile(
                    path, f"there is a check {item.id!r} already, in {where}: give it another name", line=line
                )
            found[item.id] = item
    if not found:
        raise BadFile(
            folder, "holds no check: a check is a function under @check, in a .py file of this folder"
        )
    return dict(sorted(found.items()))


def _files(folder: Path) -> Iterator[Path]:
    """The Python files to load; what cannot be listed is an error, never an empty folder."""
    for root, folders, files in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        for name in sorted(files):
            is_test = any(fnmatchcase(name, glob) for glob in _TESTS)
            if name.endswith(".py") and not name.startswith(".") and not is_test:
                yield Path(root, name)


def _unreadable(error: OSError) -> None:
    raise BadFile(error.filename, f"cannot be read as a folder of checks: {error.strerror}") from None


def _package(folder: Path) -> str:
    """A package that stands for the folder, under a name of its own: the folder may be called ``checks`` as ours is."""
    name = f"own_checks_{sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder.resolve())]
    sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
    return name


def _name(package: str, folder: Path, path: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    for part in parts:
        if not part.isidentifier():
            raise BadFile(path, f"{part!r} is no name that Python can import: use letters, digits and '_'")
    return ".".join((package, *parts))


def _imported(folder: Path, path: Path, name: str) -> ModuleType:
    """The fence around users' files: whatever one of them raises is said with its line, and ``sys.exit`` ends no audit as clean."""
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise _blame(folder, path, error) from error


def _blame(folder: Path, path: Path, error: BaseException) -> BadFile:
    if isinstance(error, SyntaxError):
        return BadFile(error.filename or path, f"is no valid Python: {error.msg}", line=error.lineno or 0)
    inside = str(folder.resolve()) + os.sep
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(inside)
    ]
    at, line = (frames[-1].filename, frames[-1].lineno or 0) if frames else (path, 0)
    return BadFile(at, f"cannot be loaded: {type(error).__name__}: {error}", line=line)


def _place(item: Check[...]) -> tuple[str, int]:
    """File and line of a check's rule."""
    code = getattr(item.rule, "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code else (item.rule.__module__, 0)

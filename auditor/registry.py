"""Finding the checks of a package. There is no list to edit: a check is found because it is there."""

import importlib
import pkgutil
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Any

from auditor.check import Check
from auditor.errors import AuditorError


def discover(package: ModuleType, *, without: Collection[str] = ()) -> dict[str, Check[...]]:
    """
    Every check in the modules below ``package``, by id, sorted; those in folders named in ``without`` are not even loaded.

    Raises:
        AuditorError: there is none (another package of that name hides ours), or two share an id.
    """
    found: dict[str, Check[...]] = {}
    for module in _modules(package, without):
        for item in checks_of(module):
            if found.setdefault(item.id, item) is not item:
                raise AuditorError(f"two checks are called {item.id}: the second is in {module.__name__}")
    if not found:
        raise AuditorError(
            f"no check found in {list(package.__path__)}: is there another folder called "
            f"'{package.__name__}' in the working directory? Run auditor from elsewhere."
        )
    return dict(sorted(found.items()))


def _modules(package: ModuleType, without: Collection[str]) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(package.__path__):
        if info.name not in without:
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            yield module
            if info.ispkg:
                yield from _modules(module, ())


def checks_of(module: ModuleType) -> Iterator[Check[...]]:
    """The checks that a module defines, not those that it imports."""
    for value in vars(module).values():
        candidates: tuple[Any, ...] = value if isinstance(value, tuple) else (value,)
        for candidate in candidates:
            # A module that imports another's check does not own it.
            if isinstance(candidate, Check) and candidate.rule.__module__ == module.__name__:
                yield candidate

"""How the checks of containers put what they saw."""

from collections.abc import Iterable

from auditor.check import Finding
from auditor.facts.container import Container


def deviation(container: Container, field: str, value: object, expected: str) -> Finding:
    """
    A finding about one container: a field of its inspection, by the API's name, and the value wanted.

    The subject is the bare name, which waivers match; the source tells a state other than running.
    """
    state = "" if container.status == "running" else f" ({container.status})"
    source = f"container {container.id[:12]}{state}:/{field.replace('.', '/')}"
    return Finding(container.name, f"{field} = {value}", expected, source)


def listing(items: Iterable[str], *, most: int = 20) -> str:
    """Evidence for a person, at most ``most`` items of it."""
    every = list(items)
    return "; ".join(every[:most]) + (f"; and {len(every) - most} more" if len(every) > most else "")

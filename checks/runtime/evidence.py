"""How the checks of containers put what they saw."""

from collections.abc import Iterable

from auditor.check import Finding
from auditor.facts.container import Container


def deviation(container: Container, field: str, value: object, expected: str) -> Finding:
    """A finding about one container: a field of its inspection, by the API's name, and the value wanted."""
    return Finding(
        container.subject,
        f"{field} = {value}",
        expected,
        f"container {container.id[:12]}:/{field.replace('.', '/')}",
    )


def listing(items: Iterable[str], *, most: int = 20) -> str:
    """Evidence for a person, at most ``most`` items of it."""
    every = list(items)
    return "; ".join(every[:most]) + (f"; and {len(every) - most} more" if len(every) > most else "")

"""What people and pipelines read: pure functions from an audit report to text."""

import importlib
from collections.abc import Callable, Iterator

from auditor.results import AuditReport

Renderer = Callable[[AuditReport], Iterator[str]]
"""Yields the text in pieces, free of lone surrogates; the caller writes it as UTF-8, whatever its size."""


def _lazily(module: str) -> Renderer:
    """Start-up pays for a format's library only where that format is asked for."""

    def render(report: AuditReport) -> Iterator[str]:
        renderer: Renderer = importlib.import_module(module).render
        return renderer(report)

    return render


FORMATS: dict[str, Renderer] = {
    name: _lazily(f"reports.{name}") for name in ("console", "html", "json", "junit")
}
"""Format name -> renderer, for ``--report FORMAT=PATH``."""

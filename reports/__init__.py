"""What people and pipelines read: pure functions from an audit report to text."""

import importlib
import threading
from collections.abc import Callable, Iterable, Iterator

from auditor.results import AuditReport

Renderer = Callable[[AuditReport], Iterator[str]]
"""Yields the text in pieces, free of lone surrogates; the caller writes it as UTF-8, whatever its size."""


def _lazily(module: str) -> Renderer:
    """Start-up pays for a format's library only where that format is asked for."""

    def render(report: AuditReport) -> Iterator[str]:
        renderer: Renderer = importlib.import_module(module).render
        return renderer(report)

    return render


def load_ahead(names: Iterable[str]) -> None:
    """Load the libraries of some formats in the background, while hosts are waited for."""

    def load() -> None:
        for name in names:
            importlib.import_module(f"reports.{name}")

    threading.Thread(target=load, daemon=True).start()


FORMATS: dict[str, Renderer] = {
    name: _lazily(f"reports.{name}") for name in ("console", "html", "json", "junit")
}
"""Format name -> renderer, for ``--report FORMAT=PATH``."""

"""Progress of a run, on a terminal only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from auditor.fleet import Done, Event, Started


@contextmanager
def progress(hosts: int, *, shown: bool) -> Iterator[Callable[[Event], None] | None]:
    """Something to tell events to; it draws a bar on standard error, or nothing where that is no terminal."""
    if not shown or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415  only a terminal pays for it
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=hosts)
        busy: dict[str, None] = {}

        def tell(event: Event) -> None:
            if isinstance(event, Started):
                busy[event.host.name] = None
            elif isinstance(event, Done):
                busy.pop(event.host.name, None)
                bar.advance(task)
            names = list(busy)
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""  # noqa: PLR2004  what fits beside the bar
            bar.update(task, description=escape(", ".join(names[:3]) + more))

        yield tell

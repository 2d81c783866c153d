"""``run``, ``collect`` and ``evaluate``: the parts put together."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from auditor.audit import audit, see_from_here
from auditor.cli.progress import progress
from auditor.cli.selection import Selection
from auditor.collect.bundle import Bundle
from auditor.errors import AuditorError, UsageError
from auditor.fleet import audit_all, stop_on_interrupt
from auditor.host import Host
from auditor.results import AuditReport, Outcome, Severity
from reports import FORMATS, Renderer, load_ahead

CLEAN, FINDINGS, INCOMPLETE, INTERRUPTED = 0, 1, 3, 130


@dataclass(frozen=True)
class Destination:
    """One ``--report FORMAT=PATH``."""

    format: str
    path: str
    render: Renderer

    def write(self, report: AuditReport) -> None:
        """Write the report: whole, or not at all. The console report fits itself to the terminal."""
        if (self.format, self.path) == ("console", "-"):
            from rich.console import Console  # noqa: PLC0415  nothing but this needs it

            from reports.console import show  # noqa: PLC0415

            show(report, Console())
            return
        text = (piece.encode("utf-8", "backslashreplace") for piece in self.render(report))
        if self.path == "-":
            sys.stdout.buffer.writelines(text)
            sys.stdout.buffer.flush()
        else:
            write_whole(Path(self.path), text)


def run_audit(
    hosts: Sequence[Host],
    selection: Selection,
    fail_on: str,
    reports: Iterable[str],
    workers: int,
    *,
    quiet: bool,
) -> int:
    """Audit, write every report, and return the exit code. What can be wrong with the command line is found first."""
    destinations = list(_destinations(reports, quiet=quiet))
    asked = selection.resolve(hosts)
    waivers, attestations = selection.waivers(), selection.attestations()
    plan = selection.plan
    _look_for_garbage()
    load_ahead(destination.format for destination in destinations)
    with stop_on_interrupt() as stop, progress(len(hosts), shown=not quiet) as tell:
        report = audit(
            plan,
            asked.hosts,
            workers=workers,
            plans=asked.plans,
            waivers=waivers,
            attestations=attestations,
            warnings=asked.warnings,
            on_event=tell,
            stop=stop,
        )
    for destination in destinations:
        destination.write(report)
    return exit_code(report, fail_on)


def _look_for_garbage() -> None:
    """What is made from here on is hosts': that may be much, and goes again."""
    gc.freeze()
    gc.set_threshold(50_000)


def exit_code(report: AuditReport, fail_on: str) -> int:
    """0 clean, 1 unwaived findings at or above ``fail_on``, 3 incomplete; 1 wins over 3; 130 when interrupted."""
    if report.interrupted:
        return INTERRUPTED
    if fail_on != "never" and any(
        result.outcome is Outcome.FAIL
        and not result.waiver
        and result.severity.rank >= Severity(fail_on).rank
        for host in report.hosts
        for result in host.results
    ):
        return FINDINGS
    nothing_asked = report.hosts and not any(host.results for host in report.hosts)
    return INCOMPLETE if report.summary.incomplete or nothing_asked else CLEAN


def collect_bundles(hosts: Sequence[Host], folder: Path, workers: int, *, quiet: bool) -> int:
    """Write each host's bundle to ``folder/NAME.bundle``; 3 when a host gave none."""
    paths = _bundle_paths(hosts, folder)
    _make_folder(folder)

    def save(host: Host, bundle: Bundle) -> Path:
        write_whole(paths[host.name], [bundle.dump()], mode=0o600)
        return paths[host.name]

    failed = False
    _look_for_garbage()
    with stop_on_interrupt() as stop, progress(len(hosts), shown=not quiet) as tell:
        outcomes = audit_all(
            hosts, lambda _host: (), save, workers=workers, enrich=see_from_here, on_event=tell, stop=stop
        )
        for outcome in outcomes:
            failed = failed or outcome.error is not None
            said = f"{outcome.host.name}: {outcome.error or outcome.value}"
            sys.stdout.write(said.encode("utf-8", "backslashreplace").decode() + "\n")
    return INTERRUPTED if stop.is_set() else INCOMPLETE if failed else CLEAN


def _bundle_paths(hosts: Sequence[Host], folder: Path) -> dict[str, Path]:
    """A file for each host. A host's name is data: only harmless characters of it reach the file's."""
    paths = {host.name: folder / f"{_harmless(host.name)}.bundle" for host in hosts}
    if len(set(paths.values())) < len(hosts):
        raise UsageError("two of the hosts would write the same bundle file: give them names that differ")
    return paths


def _harmless(name: str) -> str:
    kept = "".join(char if char.isascii() and (char.isalnum() or char in "._-@") else "_" for char in name)
    return kept.lstrip(".") or "host"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AuditorError(f"{folder}: {error.strerror}: give another folder with --output") from error


def _destinations(reports: Iterable[str], *, quiet: bool) -> Iterator[Destination]:
    """Where the report goes: as asked, and to the console unless something else goes to standard output."""
    asked = [_destination(text) for text in reports]
    if sum(destination.path == "-" for destination in asked) > 1:
        raise UsageError("two reports cannot both go to standard output: give one of them a file")
    _see_that_they_differ(asked)
    yield from asked
    if not (quiet and asked) and not any(
        destination.path == "-" or destination.format == "console" for destination in asked
    ):
        yield Destination("console", "-", FORMATS["console"])


def _see_that_they_differ(asked: Iterable[Destination]) -> None:
    """That no report would write over another one."""
    taken = set[Path]()
    for destination in asked:
        path = Path(destination.path).resolve()
        if destination.path != "-" and not _is_device(path):
            if path in taken:
                raise UsageError(
                    f"two reports cannot both go to {destination.path}: give each a file of its own"
                )
            taken.add(path)


def _destination(text: str) -> Destination:
    name, equals, path = text.partition("=")
    if name not in FORMATS:
        raise UsageError(f"--report {text}: no format {name!r}; there are: {', '.join(FORMATS)}")
    path = path if equals else "-"
    if not path:
        raise UsageError(
            f"--report {text}: say where to: --report {name}=PATH, or {name}=- for standard output"
        )
    if path != "-" and not Path(path).parent.is_dir():
        raise UsageError(f"--report {text}: there is no folder {Path(path).parent}; make it first")
    if path != "-" and Path(path).is_dir():
        raise UsageError(f"--report {text}: that is a folder; name a file in it")
    if path != "-" and not os.access(
        path if _is_device(Path(path)) else Path(path).resolve().parent, os.W_OK
    ):
        raise UsageError(f"--report {text}: you may not write there; name a file in a folder of yours")
    return Destination(name, path, FORMATS[name])


def write_whole(path: Path, pieces: Iterable[bytes], mode: int = 0o644) -> None:
    """
    Write a file so that nobody ever sees half of it: to a temporary file beside it, then renamed.

    What is no file, such as /dev/null or a pipe, is written to and stays what it is; so does a link.

    Raises:
        AuditorError: it cannot be written; nothing is left behind.
    """
    try:
        with path.open("wb") if _is_device(path) else _beside(path.resolve(), mode) as file:
            for piece in pieces:
                file.write(piece)
    except OSError as error:
        raise AuditorError(f"{path}: {error.strerror}") from error


def _is_device(path: Path) -> bool:
    """Whether something is there that is neither a file nor a folder."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def _beside(path: Path, mode: int) -> Iterator["tempfile._TemporaryFileWrapper[bytes]"]:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            with file:  # Windows renames and removes no file that is open
                yield file
            Path(file.name).chmod(mode & ~_umask())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

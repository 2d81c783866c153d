"""
Many hosts at once: each one fenced off, its time limited, its result handed on as soon as it is there.

``audit_all`` keeps no bundle: the caller's ``work`` turns it into what is kept, in the thread that collected it.
A host that makes us wait, because it is down or slow, does not hold a place: after ``PATIENCE`` seconds another one
is begun beside it.
"""

import json
import queue
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, TypeVar

from auditor import __version__
from auditor.collect.bundle import Bundle, Section
from auditor.errors import AuditorError, HostError, Interrupted
from auditor.host import Host
from auditor.transports.base import Deadline, open_transport, shortened

WORKERS = 16
PATIENCE = 0.15
_AT_MOST = 8
_GRACE = 5.0
_TICK = 0.1
_FAREWELL = 1.0

R = TypeVar("R")
T = TypeVar("T")
Work = Callable[[Host, Bundle], R]
Enrich = Callable[[Host, Bundle, Deadline], Bundle]


@dataclass(frozen=True)
class Started:
    """A host is begun."""

    host: Host


@dataclass(frozen=True)
class Phase:
    """What is being done for a host now: ``collect``, ``probe`` or ``evaluate``."""

    host: Host
    phase: str


@dataclass(frozen=True)
class Done:
    """A host is finished; ``error`` says why without a value, or None."""

    host: Host
    error: HostError | None
    seconds: float


Event = Started | Phase | Done


@dataclass(frozen=True)
class HostOutcome(Generic[R]):
    """
    What came of one host: ``value`` (what ``work`` returned), or ``error``.

    ``warning`` tells what went wrong beside it (the live probe). ``traceback`` is set when the fault is ours.
    """

    host: Host
    value: R | None = None
    error: HostError | None = None
    warning: str = ""
    traceback: str = ""
    seconds: float = 0.0


def audit_all(
    hosts: Iterable[Host],
    sections_for: Callable[[Host], Sequence[str]],
    work: Work[R],
    *,
    workers: int = WORKERS,
    enrich: Enrich | None = None,
    on_event: Callable[[Event], None] | None = None,
    stop: threading.Event | None = None,
) -> Generator[HostOutcome[R], None, None]:
    """
    One outcome per host, in the order in which they finish. Nothing that a host does raises here.

    Args:
        hosts: whom to audit.
        sections_for: which sections to ask a host for.
        work: what to make of a host's bundle; it runs in a worker thread.
        workers: how many hosts are worked at once, not counting those that make us wait (up to 8 times as many in all).
        enrich: adds sections that are seen from here (the live TLS probe); when it fails, the bundle goes on without.
        on_event: told of progress, in the caller's thread.
        stop: when set, no further host is begun and those unfinished end as ``Interrupted``; see ``stop_on_interrupt``.
    """
    crew = _Crew(deque(hosts), sections_for, work, enrich, workers)
    stop = stop or threading.Event()
    tell = on_event or (lambda _event: None)
    try:
        while not crew.finished:
            crew.hire()
            for message in crew.messages():
                if isinstance(message, HostOutcome):
                    tell(Done(message.host, message.error, message.seconds))
                    yield message
                else:
                    tell(message)
            if stop.is_set():
                break
    except KeyboardInterrupt:
        stop.set()
    finally:
        unfinished = crew.dismiss()
    for host in unfinished:
        error = Interrupted("interrupted before it was finished: run it again for this host")
        tell(Done(host, error, 0.0))
        yield HostOutcome(host, error=error)


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one interrupts as usual. Main thread only."""
    stop = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def interrupted(_signal: int, _frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def describe(host: Host, bundle: Bundle, collected: datetime) -> Bundle:
    """The bundle with a section that says whose it is and when it was collected (UTC); a replayed one has it already."""
    if "auditor" in bundle.sections:
        return bundle
    about = {
        "name": host.name,
        "address": host.address,
        "transport": host.transport,
        "collected": collected.astimezone(UTC).isoformat(timespec="seconds"),
        "version": __version__,
    }
    return bundle.adding({"auditor": Section(json.dumps(about).encode())})


@dataclass
class _Job:
    """A host that a thread is busy with."""

    host: Host
    deadline: Deadline
    begun: float
    thread: threading.Thread | None = None

    @property
    def overdue(self) -> bool:
        """Whether not even the deadline ended it."""
        return time.monotonic() > self.begun + self.deadline.seconds + _GRACE


@dataclass(frozen=True)
class _Fault:
    """Why a step for a host came to nothing."""

    error: HostError
    traceback: str = ""


class _Crew(Generic[R]):
    """The threads and what they are busy with. ``_work_off`` and what it calls runs in theirs, the rest in the caller's."""

    def __init__(
        self,
        waiting: deque[Host],
        sections_for: Callable[[Host], Sequence[str]],
        work: Work[R],
        enrich: Enrich | None,
        workers: int,
    ) -> None:
        self._waiting, self._sections_for, self._work, self._enrich = waiting, sections_for, work, enrich
        self._workers = workers
        self._said: queue.SimpleQueue[tuple[_Job, Event | HostOutcome[R]]] = queue.SimpleQueue()
        self._busy: dict[int, _Job] = {}

    @property
    def finished(self) -> bool:
        return not self._waiting and not self._busy

    def hire(self) -> None:
        """Begin further hosts, as long as there are places."""
        now = time.monotonic()
        fresh = sum(1 for job in self._busy.values() if now - job.begun < PATIENCE)
        while self._waiting and fresh < self._workers and len(self._busy) < self._workers * _AT_MOST:
            host = self._waiting.popleft()
            job = _Job(host, Deadline(host.timeouts.total), now)
            job.thread = threading.Thread(
                target=self._work_off, args=(job,), name=f"host {host.name}", daemon=True
            )
            self._busy[id(job)] = job
            job.thread.start()
            fresh += 1

    def messages(self) -> Iterator[Event | HostOutcome[R]]:
        """What was said meanwhile; waits a moment if nothing was."""
        wait = _TICK
        with suppress(queue.Empty):
            while True:
                job, message = self._said.get(timeout=wait)
                wait = 0
                if id(job) not in self._busy:
                    continue
                if isinstance(message, HostOutcome):
                    del self._busy[id(job)]
                yield message
        for key, job in list(self._busy.items()):
            if job.overdue:
                del self._busy[key]
                error = job.deadline.exceeded(f"auditing {job.host.name} (it hangs where nothing ends it)")
                yield HostOutcome(job.host, error=error, seconds=time.monotonic() - job.begun)

    def dismiss(self) -> list[Host]:
        """End what is under way, without waiting long; the hosts that are not finished."""
        jobs = list(self._busy.values())
        for job in jobs:
            job.deadline.cut()
        end = time.monotonic() + _FAREWELL
        for job in jobs:
            if job.thread:
                job.thread.join(max(0.0, end - time.monotonic()))
        unfinished = [*(job.host for job in jobs), *self._waiting]
        self._busy.clear()
        self._waiting.clear()
        return unfinished

    def _work_off(self, job: _Job) -> None:
        """Runs in a thread of its own."""
        host = job.host
        self._said.put((job, Started(host)))
        bundle = self._step(job, "collect", lambda: _collect(host, self._sections_for(host), job.deadline))
        outcome: HostOutcome[R]
        if isinstance(bundle, _Fault):
            outcome = HostOutcome(host, error=bundle.error, traceback=bundle.traceback)
        else:
            outcome = self._judge(job, bundle)
        self._said.put((job, replace(outcome, seconds=time.monotonic() - job.begun)))

    def _judge(self, job: _Job, bundle: Bundle) -> HostOutcome[R]:
        warning, enrich, host = "", self._enrich, job.host
        if enrich:
            enriched = self._step(job, "probe", lambda: enrich(host, bundle, job.deadline))
            if isinstance(enriched, _Fault):
                warning = f"what is seen from here is missing: {enriched.error}"
            else:
                bundle = enriched
        value = self._step(job, "evaluate", lambda: self._work(host, bundle))
        if isinstance(value, _Fault):
            return HostOutcome(host, error=value.error, warning=warning, traceback=value.traceback)
        return HostOutcome(host, value, warning=warning)

    def _step(self, job: _Job, phase: str, call: Callable[[], T]) -> T | _Fault:
        """The fence: whatever goes wrong with this host stays with it."""
        self._said.put((job, Phase(job.host, phase)))
        try:
            return call()
        except HostError as error:
            return _Fault(_bare(error))
        except AuditorError as error:
            return _Fault(HostError(str(error)))
        except Exception as error:  # noqa: BLE001  the one fence per host: our mistake costs this host only, and is kept
            what = f"{type(error).__name__}: {shortened(str(error))}"
            return _Fault(
                HostError(f"a mistake of the auditor's own ({what}): report it with the traceback"),
                traceback.format_exc(),
            )


def _collect(host: Host, sections: Sequence[str], deadline: Deadline) -> Bundle:
    collected = datetime.now(UTC)
    return describe(host, open_transport(host).collect(host, sections, deadline), collected)


def _bare(error: HostError) -> HostError:
    """The error to keep: without the frames that it and its causes were raised in, and the replies that they hold."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)

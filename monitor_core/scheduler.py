"""When each host is looked at: one APScheduler job a host, which sets its own next time."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import DBAPIError

log = logging.getLogger(__name__)

_THREADS = 16
# A poll has deadlines of its own that add up to less: later than this it hangs, or the machine has no time for it.
_OVERDUE = 120.0
_WATCH_EVERY, _SETTLE_EVERY = 15.0, 2.0
_HOUSEKEEPING = "housekeeping"


@dataclass(slots=True)
class Scheduler:
    """Runs `poll` for each host when it is due, and `settle` every two seconds.

    `poll` returns when it wants to be called again (seconds since 1970). `report` is told of a host that has not been
    looked at when it was due, and again with an empty error when it has been. A poll that raises, since the
    database refuses for a moment or by a bug of ours, is followed by the next one `after_error` seconds later.
    """

    poll: Callable[[str], float]
    settle: Callable[[], None]
    report: Callable[[str, str], None]
    after_error: float = 5.0
    _due: dict[str, float] = field(default_factory=dict)
    _lags: dict[str, float] = field(default_factory=dict)
    _late: set[str] = field(default_factory=set)
    _unsure: set[str] = field(default_factory=set)
    _running: int = 0
    _idle: threading.Condition = field(default_factory=threading.Condition)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _jobs: BackgroundScheduler = field(init=False)

    def __post_init__(self) -> None:
        # The default grace of one second would drop each job that waited for a thread; a late poll is still wanted.
        # Housekeeping has threads of its own: hosts that hang must not keep it from noticing.
        self._jobs = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(_THREADS), _HOUSEKEEPING: ThreadPoolExecutor(2)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self, hosts: Iterable[str], spread: float) -> None:
        """Start looking; the first looks are spread over so many seconds, so that not all hosts are asked at once."""
        names, now = list(hosts), time.time()
        # What an earlier process has reported of a host may still stand.
        self._unsure.update(names)
        for number, host in enumerate(names):
            self._add(host, now + spread * number / max(1, len(names)))
        for work, seconds in ((self.settle, _SETTLE_EVERY), (self._watch, _WATCH_EVERY)):
            self._jobs.add_job(_calmly, "interval", args=[work], seconds=seconds, executor=_HOUSEKEEPING)
        self._jobs.start()

    def stop(self) -> None:
        """Plan and begin nothing more; polls that are running end by themselves, see `wait`."""
        self._stopping.set()
        # A job that falls due in this moment finds its threads gone, which APScheduler reports with a traceback.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        self._jobs.shutdown(wait=False)

    def wait(self, seconds: float) -> bool:
        """Wait for the polls that are running; return whether all have ended within so many seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: self._running == 0, max(0.0, seconds))

    def lags(self) -> dict[str, float]:
        """Return by how many seconds the last poll of each host was late, or the next one is by now."""
        now = time.time()
        return {host: max(self._lags.get(host, 0.0), now - due, 0.0) for host, due in list(self._due.items())}

    def _add(self, host: str, due: float) -> None:
        """Add the job of a host; its interval only keeps APScheduler from dropping it: each poll plans the next one.

        That happens before the poll has ended. Were only one instance allowed, a next one that is due at once would be
        refused.
        """
        self._due[host] = due
        first = datetime.fromtimestamp(due, UTC)
        options = {"args": [host], "id": host, "next_run_time": first, "max_instances": 2}
        self._jobs.add_job(self._tick, "interval", days=1, **options)

    def _plan(self, host: str, due: float) -> None:
        self._due[host] = due
        # After a stop there are no jobs.
        with contextlib.suppress(JobLookupError):
            self._jobs.modify_job(host, next_run_time=datetime.fromtimestamp(due, UTC))

    def _tick(self, host: str) -> None:
        with self._idle:
            if self._stopping.is_set():
                return
            self._running += 1
        began = time.time()
        self._lags[host] = max(0.0, began - self._due[host])
        due = began + self.after_error
        try:
            due = self._poll(host, due)
        finally:
            self._plan(host, due)
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def _poll(self, host: str, later: float) -> float:
        """Poll a host and tell how that went; return when to do so again, `later` if it failed."""
        try:
            due = self.poll(host)
        except Exception as error:  # noqa: BLE001 `_complain` logs it
            _complain(f"host={host} could not be polled", error)
            self._report(host, _sentence(error))
            return later
        if host in self._unsure:
            self._report(host, "")
        return due

    def _watch(self) -> None:
        """A hung or starved poll must not leave a host unwatched in silence."""
        now = time.time()
        for host, due in list(self._due.items()):
            if now - due > _OVERDUE and host not in self._late:
                self._report(host, f"its poll was due {now - due:.0f} s ago and has not ended.")

    def _report(self, host: str, error: str) -> None:
        """Tell of a host; what the database does not take is told at the next occasion."""
        if error:
            self._unsure.add(host)
        try:
            self.report(host, error)
        except Exception as refusal:  # noqa: BLE001 `_complain` logs it
            _complain(f"host={host} this could not be written down ({error or 'it is looked at again'})", refusal)
            return
        if error:
            self._late.add(host)
        else:
            self._unsure.discard(host)
            self._late.discard(host)


def _calmly(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 `_complain` logs it
        _complain("housekeeping failed, it is tried again", error)


def _complain(what: str, error: Exception) -> None:
    """Log what went wrong: that the database refuses is one line, anything else needs its traceback."""
    log.error("%s: %s", what, _sentence(error), exc_info=None if isinstance(error, DBAPIError) else error)


def _sentence(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        return f"the database refused: {error.orig}"
    return f"{type(error).__name__}: {error}"

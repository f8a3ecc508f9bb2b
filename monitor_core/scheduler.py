"""When each host is looked at: one APScheduler job a host, which sets its own next time."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import DBAPIError

from monitor_core.complaints import Complaints, sentence
from monitor_core.errors import Retired

log = logging.getLogger(__name__)

_THREADS = 16
_WATCH_EVERY, _SETTLE_EVERY = 15.0, 2.0
_HOUSEKEEPING = "housekeeping"
# Never reached, since polls of one host do not overlap; were it, a poll would be dropped for good.
_INSTANCES = 100


@dataclass(slots=True)
class Scheduler:
    """Runs `poll` for each host when it is due, and `settle` every two seconds.

    `poll` returns when it wants to be called again (seconds since 1970). `report` is told of a host that has not been
    looked at when it was due, and again with an empty error when it has been. A poll that raises, since the
    database refuses for a moment or by a bug of ours, is followed by the next one `after_error` seconds later; a bug is
    reported at once. A poll has deadlines of its own that add up to less than `overdue` seconds: later than that it
    hangs, the database refuses for good, or the machine has no time.
    """

    poll: Callable[[str], float]
    settle: Callable[[], None]
    report: Callable[[str, str], None]
    after_error: float = 5.0
    overdue: float = 120.0
    _due: dict[str, float] = field(default_factory=dict)
    _wishes: dict[str, float] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _refusals: dict[str, str] = field(default_factory=dict)
    _lags: dict[str, float] = field(default_factory=dict)
    _late: set[str] = field(default_factory=set)
    _unsure: set[str] = field(default_factory=set)
    _idle: threading.Condition = field(default_factory=threading.Condition)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _complain: Complaints = field(default_factory=lambda: Complaints(log))
    _jobs: BackgroundScheduler = field(init=False)

    def __post_init__(self) -> None:
        # The default grace of one second would drop each job that waited for a thread; a late poll is still wanted.
        # Housekeeping has threads of its own: hosts that hang must not keep it from noticing.
        self._jobs = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(_THREADS), _HOUSEKEEPING: ThreadPoolExecutor(2)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self, hosts: Iterable[str] = (), spread: float = 0.0) -> None:
        """Start looking, see `follow`."""
        self.follow(hosts, spread)
        for work, seconds in ((self.settle, _SETTLE_EVERY), (self._watch, _WATCH_EVERY)):
            self._jobs.add_job(self._calmly, "interval", args=[work], seconds=seconds, executor=_HOUSEKEEPING)
        self._jobs.start()

    def follow(self, hosts: Iterable[str], spread: float, again: Collection[str] = ()) -> None:
        """Look at these hosts from now on, and at no others; those that stay keep their rhythm.

        The first looks at new ones, and at those named by `again`, are spread over so many seconds, so that not all are
        asked at once. A poll that is under way was begun under what held before: it is done again.
        """
        wanted, now = list(hosts), time.time()
        with self._idle:
            for host in self._due.keys() - set(wanted):
                self._forget(host)
            soon = [host for host in wanted if host in again or host not in self._due]
            for number, host in enumerate(soon):
                self._look(host, now + spread * number / len(soon))
            for host in self._busy & self._due.keys():
                self._look(host, now)

    def stop(self) -> None:
        """Plan and begin nothing more; polls that are running end by themselves, see `wait`."""
        self._stopping.set()
        # A job that falls due in this moment finds its threads gone, which APScheduler reports with a traceback.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        self._jobs.shutdown(wait=False)

    def wait(self, seconds: float) -> bool:
        """Wait for the polls that are running; return whether all have ended within so many seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, max(0.0, seconds))

    def _look(self, host: str, due: float) -> None:
        """Look at a host at a moment, or sooner if that was planned; after the poll that is under way, if one is."""
        if host not in self._due:
            # What an earlier process has reported of a host may still stand.
            self._unsure.add(host)
            self._add(host, due)
        elif host in self._busy:
            self._wishes[host] = due
        else:
            self._plan(host, min(due, self._due[host]))

    def lags(self) -> dict[str, float]:
        """Return by how many seconds the last poll of each host was late, or the next one is by now."""
        now = time.time()
        return {host: max(self._lags.get(host, 0.0), now - due, 0.0) for host, due in list(self._due.items())}

    def _add(self, host: str, due: float) -> None:
        """Add the job of a host; its interval only keeps APScheduler from dropping it: each poll plans the next one.

        That happens before APScheduler knows that the poll has ended, so it must not be the one to keep them apart.
        """
        self._due[host] = due
        first = datetime.fromtimestamp(due, UTC)
        options = {"args": [host], "id": host, "next_run_time": first, "max_instances": _INSTANCES}
        self._jobs.add_job(self._tick, "interval", days=1, **options)

    def _plan(self, host: str, due: float) -> None:
        self._due[host] = due
        self._move(host, due)

    def _move(self, host: str, due: float) -> None:
        # After a stop there are no jobs.
        with contextlib.suppress(JobLookupError):
            self._jobs.modify_job(host, next_run_time=datetime.fromtimestamp(due, UTC))

    def _forget(self, host: str) -> None:
        self._jobs.remove_job(host)
        for known in (self._due, self._wishes, self._refusals, self._lags):
            known.pop(host, None)
        self._late.discard(host)
        self._unsure.discard(host)

    def _tick(self, host: str) -> None:
        with self._idle:
            # Whoever is at it plans the next one.
            if self._stopping.is_set() or host in self._busy:
                return
            self._busy.add(host)
        began = time.time()
        self._lags[host] = max(0.0, began - self._due[host])
        due = began + self.after_error
        try:
            due = self._poll(host, due)
        finally:
            with self._idle:
                self._busy.discard(host)
                self._plan_next(host, min(due, self._wishes.pop(host, due)))
                self._idle.notify_all()

    def _plan_next(self, host: str, due: float) -> None:
        if host not in self._due:
            return
        if host in self._refusals:
            # It is still due since then.
            self._move(host, due)
        else:
            self._plan(host, due)

    def _poll(self, host: str, later: float) -> float:
        """Poll a host and tell how that went; return when to do so again, `later` if it failed."""
        try:
            due = self.poll(host)
        except Retired:
            return later
        except DBAPIError as error:
            self._refusals[host] = sentence(error)
            self._complain(f"host={host} could not be polled", error)
            return later
        except Exception as error:  # noqa: BLE001 `_complain` logs it
            self._refusals.pop(host, None)
            self._complain(f"host={host} could not be polled", error)
            self._report(host, sentence(error))
            return later
        self._refusals.pop(host, None)
        if host in self._unsure:
            self._report(host, "")
        return due

    def _watch(self) -> None:
        """A hung or starved poll, or a database that refuses for long, must not leave a host unwatched in silence."""
        now = time.time()
        for host, due in list(self._due.items()):
            if now - due > self.overdue and host not in self._late:
                why = f": {self._refusals[host]}" if host in self._refusals else " and has not ended."
                self._report(host, f"its poll was due {now - due:.0f} s ago{why}")

    def _report(self, host: str, error: str) -> None:
        """Tell of a host; what the database does not take is told at the next occasion."""
        if error:
            self._unsure.add(host)
        try:
            self.report(host, error)
        except Retired:
            return
        except Exception as refusal:  # noqa: BLE001 `_complain` logs it
            said = error or "it is looked at again"
            self._complain(f"host={host} this could not be written down ({said})", refusal)
            return
        if error:
            self._late.add(host)
        else:
            self._unsure.discard(host)
            self._late.discard(host)

    def _calmly(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Retired:
            return
        except Exception as error:  # noqa: BLE001 `_complain` logs it
            self._complain("housekeeping failed, it is tried again", error)

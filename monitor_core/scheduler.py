"""When each host is looked at: one APScheduler job a host, which sets its own next time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)

_THREADS = 16
# A poll that raises is a bug of ours; the host is looked at again after so many seconds.
_AFTER_ERROR = 60.0
# A poll has deadlines of its own that add up to less: later than this it hangs, or the machine has no time for it.
_OVERDUE = 120.0
_WATCH_EVERY, _SETTLE_EVERY = 15.0, 2.0


@dataclass(slots=True)
class Scheduler:
    """Runs `poll` for each host when it is due, and `settle` every two seconds.

    `poll` returns when it wants to be called again (seconds since 1970). `report` is told of a host that has not been
    looked at when it was due, and again with an empty error when it has been.
    """

    poll: Callable[[str], float]
    settle: Callable[[], None]
    report: Callable[[str, str], None]
    _due: dict[str, float] = field(default_factory=dict)
    _late: set[str] = field(default_factory=set)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _jobs: BackgroundScheduler = field(init=False)

    def __post_init__(self) -> None:
        # The default grace of one second would drop each job that waited for a thread; a late poll is still wanted.
        self._jobs = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(_THREADS)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self, hosts: Iterable[str], spread: float) -> None:
        """Start looking; the first looks are spread over so many seconds, so that not all hosts are asked at once."""
        names, now = list(hosts), time.time()
        for number, host in enumerate(names):
            self._plan(host, now + spread * number / max(1, len(names)))
        self._jobs.add_job(self.settle, "interval", seconds=_SETTLE_EVERY, id="settle")
        self._jobs.add_job(self._watch, "interval", seconds=_WATCH_EVERY, id="watch")
        self._jobs.start()

    def stop(self) -> None:
        """Plan nothing more; polls that are running end by themselves."""
        self._stopping.set()
        self._jobs.shutdown(wait=False)

    def _plan(self, host: str, due: float) -> None:
        self._due[host] = due
        when = datetime.fromtimestamp(due, UTC)
        self._jobs.add_job(self._tick, "date", run_date=when, args=[host], id=f"host {host}", replace_existing=True)

    def _tick(self, host: str) -> None:
        try:
            due = self.poll(host)
        except Exception as error:
            log.exception("host=%s could not be polled", host)
            self.report(host, f"{type(error).__name__}: {error}")
            self._late.add(host)
            due = time.time() + _AFTER_ERROR
        else:
            self._relieve(host)
        if not self._stopping.is_set():
            self._plan(host, due)

    def _watch(self) -> None:
        """A hung or starved poll must not leave a host unwatched in silence."""
        now = time.time()
        for host, due in list(self._due.items()):
            if now - due > _OVERDUE and host not in self._late:
                self._late.add(host)
                self.report(host, f"its poll was due {now - due:.0f} s ago and has not ended.")

    def _relieve(self, host: str) -> None:
        if host in self._late:
            self._late.discard(host)
            self.report(host, "")

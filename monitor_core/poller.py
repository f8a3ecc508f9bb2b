"""Looks at a host: one trip for its runs that are due, one transaction for each run and one for the host."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.exc import DBAPIError

from monitor_core.absence import answered, missed
from monitor_core.announce import announce_all, announce_flapping
from monitor_core.complaints import Complaints
from monitor_core.errors import CollectError, Retired
from monitor_core.incident.lifecycle import step
from monitor_core.looker import Brief, Look, Looker, Reader
from monitor_core.model.incidents import SELF, Finding, Kind, Number, Severity, Subject, SubjectKind
from monitor_core.model.records import HostReading, LogReading
from monitor_core.roster import Roster
from monitor_core.sighting import Sight
from monitor_core.store import progress, queries
from monitor_core.store.database import Database
from monitor_core.store.queries import RunRow
from monitor_core.track import memory
from monitor_core.watch import Watch

log = logging.getLogger(__name__)

# Runs that fall due within this part of their check interval come along in the same trip.
_EARLY = 0.1
_SOONEST = 0.05
# A host that gives no answer is asked again after 5, 10, 20, 40, then every 60 s, and up to a quarter later.
_RETRY, _RETRY_CAP = 5.0, 60.0
# A log may begin with many lines before the first iteration.
_ENOUGH = 200
_NO_MATCH = (
    "run=%s: format %s matches none of %d lines; `trainstatus replay LOG --config … --format … --explain` shows why"
)
# On first sight what has ended is over; a failure still needs somebody.
_OVER = frozenset({Kind.FINISHED, Kind.STOPPED})


@dataclass(slots=True)
class Poller:
    """Polls hosts. `clock` gives seconds since 1970; `readers` has one reader for each host.

    `due` is when each run is to be looked at, `looked` when each host last was, whether it answered or not. `_quiet`
    are the details of which no incident of the monitor is open. `_begun` are first sights that are not complete,
    `_doubted` the runs whose format was said to match nothing.
    """

    engine: Database
    roster: Roster
    readers: Mapping[str, Reader]
    clock: Callable[[], float]
    due: dict[str, float] = field(default_factory=dict)
    looked: dict[str, float] = field(default_factory=dict)
    _quiet: set[str] = field(default_factory=set)
    _doubted: set[str] = field(default_factory=set)
    _complain: Complaints = field(default_factory=lambda: Complaints(log))
    _closing: bool = False
    _begun: dict[str, Sight] = field(default_factory=dict, init=False)

    def close(self) -> None:
        """Poll no more; whoever closes the readers next does not look like a host that gives no answer."""
        self._closing = True

    def heir(self, engine: Database, roster: Roster, readers: Mapping[str, Reader], again: Collection[str]) -> Poller:
        """Return a poller that goes on where this one stands; the runs `again` are due at once."""
        due = {run: at for run, at in self.due.items() if run not in again}
        doubted = self._doubted.difference(again)
        return replace(self, engine=engine, roster=roster, readers=readers, due=due, _doubted=doubted, _closing=False)

    def poll_host(self, host: str) -> float:
        """Look at the runs of a host that are due, and return when to look at it again (seconds since 1970)."""
        now = self.clock()
        runs = [run for run in self.roster.runs_on(host) if self._is_due(run, now)]
        if not runs or self._closing:
            return self._next(host, now)
        briefs = self._briefs(runs)
        try:
            reading, at = self._read(host, briefs)
        except CollectError as error:
            return self._next(host, self.clock()) if self._closing else self._missed(host, error)
        with self.engine.begin() as connection:
            answered(connection, self.roster, host, at)
        refusal = None
        for answer in reading.logs:
            try:
                self._advance_safely(host, answer, briefs[answer.run], reading.skew(at), at)
            except DBAPIError as error:
                refusal = error
        if refusal is not None:
            raise refusal
        self.looked[host] = self.clock()
        return self._next(host, self.clock())

    def _is_due(self, run: str, now: float) -> bool:
        return self.due.get(run, 0.0) <= now + min(1.0, _EARLY * self.roster.check_interval(run))

    def _next(self, host: str, now: float) -> float:
        times = [self.due.get(run, now) for run in self.roster.runs_on(host)]
        return max(min(times, default=now + self.roster.config.defaults.check_interval), now + _SOONEST)

    def _briefs(self, runs: Sequence[str]) -> dict[str, Brief]:
        with self.engine.begin() as connection:
            settings = queries.load_settings(connection)
            return {
                run: Brief(
                    queries.load_run(connection, run),
                    self._begun[run].cursors if run in self._begun else queries.load_cursors(connection, run),
                    tuple(queries.active_incidents(connection, Subject(SubjectKind.RUN, run))),
                    self.roster.values(run, settings),
                    self._begun.get(run),
                )
                for run in runs
            }

    def _read(self, host: str, briefs: Mapping[str, Brief]) -> tuple[HostReading, float]:
        before = self.clock()
        reading = self._looker(host).read(briefs)
        return reading, (before + self.clock()) / 2

    def _looker(self, host: str) -> Looker:
        return Looker(self.roster, self.readers[host])

    def _missed(self, host: str, error: CollectError) -> float:
        now = self.clock()
        with self.engine.begin() as connection:
            row = missed(connection, self.roster, host, error, now)
        self.looked[host] = now
        log.warning("host=%s no answer (%d in a row): %s", host, row.failures, error)
        return now + min(_RETRY * 2.0 ** (row.failures - 1), _RETRY_CAP) * _apart(host, row.failures)

    def _advance_safely(self, host: str, answer: LogReading, brief: Brief, skew: float, now: float) -> None:
        """One run's trouble, even a bug of ours, never stops the others. A database that refuses is not its trouble."""
        what = f"{answer.run} could not be judged"
        try:
            self._advance(host, answer, brief, skew, now)
        except (DBAPIError, Retired):
            raise
        except Exception as error:  # noqa: BLE001 `_complain` logs it
            self._complain(f"run={answer.run} could not be judged", error)
            self.due[answer.run] = now + self.roster.check_interval(answer.run)
            self.report(f"run {answer.run}", what, f"{type(error).__name__}: {error}")
        else:
            self.report(f"run {answer.run}", what, "")

    def report(self, detail: str, what: str, error: str) -> None:
        """Open, keep or (with an empty `error`) close an incident of the monitor itself, told apart by `detail`."""
        if not error and detail in self._quiet:
            return
        now = self.clock()
        with self.engine.begin() as connection:
            stored = [i for i in queries.active_incidents(connection, SELF) if i.detail == detail]
            since = stored[0].starts_at if stored else now
            facts: dict[str, Number] = {"what": what, "error": error}
            found = [Finding(Kind.MONITOR_ERROR, Severity.WARNING, since, facts, detail)] if error else []
            done = step(SELF, stored, found, now)
            announce_all(connection, self.roster, stored, (*done.closed, *done.active), now)
        (self._quiet.discard if error else self._quiet.add)(detail)

    def peek(self, host: str, runs: Sequence[str]) -> dict[str, Look]:
        """Look at runs now and judge them, without writing anything; raise CollectError.

        A run that cannot be judged, which is a bug of ours or a damaged database, is missing from the answer.
        """
        briefs = self._briefs(runs)
        reading, at = self._read(host, briefs)
        looker, looks = self._looker(host), {}
        for answer in reading.logs:
            try:
                looks[answer.run] = looker.look_through(answer, briefs[answer.run], reading.skew(at), at)
            except Exception as error:  # noqa: BLE001 `_complain` logs it
                self._complain(f"run={answer.run} could not be judged", error)
        return looks

    def _advance(self, host: str, answer: LogReading, brief: Brief, skew: float, now: float) -> None:
        # What goes wrong from here on makes a first sight begin anew.
        self._begun.pop(answer.run, None)
        look = self._looker(host).look(answer, brief, skew, now)
        if look.begun is None:
            self._commit(host, look, skew, now)
            self._doubt(look.watch)
        else:
            self._begun[answer.run] = look.begun
        self.due[answer.run] = now if look.more else self._next_look(answer.run, look, now)

    def _doubt(self, watch: Watch) -> None:
        """Say once in our own log that the format of one's own, which a run has, matches nothing."""
        run, lines = watch.subject.name, watch.unrecognised
        if isinstance(watch.format, str) or run in self._doubted or lines < _ENOUGH:
            return
        self._doubted.add(run)
        log.warning(_NO_MATCH, run, watch.format[0].name, lines)

    def _commit(self, host: str, look: Look, skew: float, now: float) -> None:
        watch, name = look.watch, look.watch.subject.name
        watch.remember_tail()
        parsers = json.dumps({path: parser.state() for path, parser in watch.parsers.items()})
        row = RunRow(name, host, memory.dump(watch.state), parsers, watch.state.seen_at, skew)
        with self.engine.begin() as connection:
            queries.save_run(connection, row)
            queries.save_cursors(connection, name, look.cursors.values())
            full_since = now - self.roster.config.retention.progress_full
            progress.add(connection, name, watch.points, full_since=full_since)
            changed = (*watch.closed, *watch.active)
            quiet = _OVER if look.first else frozenset()
            announce_all(connection, self.roster, look.stored, changed, now, quiet=quiet)
            announce_flapping(connection, self.roster, (*look.stored, *changed), watch.values, now)

    def _next_look(self, run: str, look: Look, now: float) -> float:
        due = now + self.roster.check_interval(run)
        return min(due, look.deadline) if look.deadline is not None and look.deadline > now else due


def _apart(host: str, failures: int) -> float:
    """Return 1 to 1.25: hosts that went away together, as with a network, do not come back in the same moment."""
    return 1.0 + zlib.crc32(f"{host} {failures}".encode()) / 2.0**34

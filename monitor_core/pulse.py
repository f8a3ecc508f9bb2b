"""Notices that nobody has looked for too long, and tells it once somebody looks again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from monitor_core.announce import announce
from monitor_core.incident.lifecycle import resolve
from monitor_core.model.incidents import SELF, Incident, IncidentState, Kind, Setting, Severity
from monitor_core.roster import Roster
from monitor_core.store import pulse, queries
from monitor_core.store.database import Database
from monitor_core.thresholds import seconds

# That we look is written down so often, in seconds: by so much a gap may seem longer than it was.
_EVERY = 10.0
# The notice waits so long, in seconds, for hosts to be looked at again, so that it can say what came and went.
_PATIENCE = 60.0
_INTERVALS = 2


@dataclass(slots=True)
class Pulse:
    """The heartbeat of looking. `clock` gives seconds since 1970.

    What is known moves on only in the transaction that writes the notice: a kill in between loses nothing. A first
    start is not blind, and nor is a host that gives no answer: looking at it was tried.
    """

    engine: Database
    roster: Roster
    clock: Callable[[], float]
    _started_at: float = field(init=False)
    _beaten_at: float | None = None
    _back_at: float | None = None

    def __post_init__(self) -> None:
        self._started_at = self.clock()

    def beat(self, looked: Mapping[str, float]) -> None:
        """Note that we look; `looked` is when each host last was looked at. Called every few seconds."""
        now, looked = self.clock(), dict(looked)
        if not self.roster.config.runs:
            return
        if self._back_at is None and self._beaten_at is not None and 0 <= now - self._beaten_at < _EVERY:
            return
        with self.engine.begin() as connection:
            before = pulse.looked_at(connection)
            if before is not None and self._back_at is None:
                self._back_at = self._return(connection, before, looked, now)
            if before is not None and self._back_at is not None:
                if not self._seen(looked, self._back_at, now):
                    return
                self._tell(connection, before, self._back_at, now)
            pulse.save_look(connection, now)
        self._beaten_at, self._back_at = now, None

    def _return(self, connection: Connection, before: float, looked: Mapping[str, float], now: float) -> float | None:
        """Return since when we look again; None if we never stopped, or not for long."""
        settings = queries.load_settings(connection)
        limit = min(self._limit(run, settings) for run in self.roster.config.runs)
        if now - before <= limit:
            return None
        return min((at for at in looked.values() if at - before > limit), default=now)

    def _limit(self, run: str, settings: list[Setting]) -> float:
        """Return how long a run may go without a look, in seconds."""
        patience = seconds(self.roster.values(run, settings)["blind"])
        return max(patience, _INTERVALS * self.roster.check_interval(run))

    def _seen(self, looked: Mapping[str, float], back_at: float, now: float) -> bool:
        """Return whether every host has been looked at since, or has taken its time."""
        hosts = {run.host for run in self.roster.config.runs.values()}
        return now - back_at >= _PATIENCE or all(looked.get(host, 0.0) >= back_at for host in hosts)

    def _tell(self, connection: Connection, before: float, back_at: float, now: float) -> None:
        why = "down" if self._started_at > before else "asleep"
        state, facts = IncidentState.FIRING, {"why": why}
        blind = Incident(SELF, Kind.BLIND, Severity.WARNING, state, before, facts, fired_at=now)
        told = announce(connection, self.roster, None, blind, now)
        announce(connection, self.roster, told, resolve(told, back_at), now)

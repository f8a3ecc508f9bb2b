"""Runs whose weeks pass in seconds: what the monitor would have written of them, through its own queries."""

from __future__ import annotations

import itertools

from monitor_core.config.models import Config
from monitor_core.housekeeping import Housekeeping
from monitor_core.incident.lifecycle import resolve
from monitor_core.model.decisions import Attempt, Judgement
from monitor_core.model.deliveries import Delivery, DeliveryState, Reason, Receiver
from monitor_core.model.incidents import Incident, IncidentState, Kind, Mute, Severity, Subject, SubjectKind
from monitor_core.model.records import Point
from monitor_core.store import ledger, outbox, progress, queries
from monitor_core.store.database import open_database
from monitor_core.store.queries import RunRow

START = 1_795_513_955.0  # Tue 24 Nov 2026, 09:52:35 UTC
HOUR, DAY = 3600.0, 86400.0
HOST = "gpu-01"
SLACK = Receiver("slack", "C0123ABCD")
_STATE = "{}" * 4000  # what is known of a run takes some kilobytes
_EXCERPT = "[rank5] RuntimeError: NCCL error: remote process exited or there was a network error\n" * 5


class Fleet:
    """So many runs, with a progress line every `every` seconds and, once a day each, a trouble that is told."""

    def __init__(self, folder, *, runs=10, every=10.0, **retention):
        self.now, self.every = START, every
        self.names = [f"llama-70b-{number}" for number in range(runs)]
        self.config = Config.model_validate(
            {
                "database": f"sqlite:///{folder}/t.db",
                "hosts": {HOST: {"transport": "local"}},
                "runs": {name: {"host": HOST, "logs": f"/data/{name}.log"} for name in self.names},
                "retention": retention,
            }
        )
        self.engine = open_database(self.config.database)
        self.reports = []
        self.housekeeping = Housekeeping(folder / "t.db", self.engine, self.engine, self.clock, self._report)
        self.housekeeping.follow(self.config)
        self._iterations, self._numbers = itertools.count(1), itertools.count(1)
        with self.engine.begin() as connection:
            for name in self.names:
                queries.save_run(connection, RunRow(name, HOST, _STATE, "{}", self.now, 0.0))

    def _report(self, *said):
        self.reports.append(said)

    def clock(self):
        return self.now

    def close(self):
        self.engine.dispose()

    def live(self, days, *, at_once=HOUR):
        """Let days pass; what comes of a run is written every `at_once` seconds, and all is tidied as often."""
        for _ in range(round(days * DAY / at_once)):
            self.pass_time(at_once)
            self.tidy()

    def pass_time(self, seconds):
        """Write what all runs did in so many seconds; on each day every run has a trouble."""
        for name in self.names:
            self.add(name, self.points(self.now, round(seconds / self.every)))
        self.now += seconds
        if (self.now - START) % DAY < seconds:
            for name in self.names:
                self.trouble(name)

    def points(self, since, count, *, relaunched=False):
        """Return so many lines from a moment on, with the digits that real ones have."""
        return [
            Point(
                since + number * self.every + 0.123456,
                next(self._iterations),
                self.every * 1000 + number % 7 / 10,
                2.3 + number % 1000 / 997,
                relaunched and number == 0,
            )
            for number in range(count)
        ]

    def add(self, run, points):
        full_since = self.now - self.config.retention.progress_full
        with self.engine.begin() as connection:
            progress.add(connection, run, points, full_since=full_since)

    def trouble(self, run, *, resolved=True, state=DeliveryState.SENT):
        """Let an incident of a run fire and, if so, be resolved; return its number."""
        with self.engine.begin() as connection:
            subject = Subject(SubjectKind.RUN, run)
            facts = {"text": _EXCERPT, "limit": 120.0}
            fired = Incident(
                subject, Kind.STUCK, Severity.WARNING, IncidentState.FIRING, self.now, facts, fired_at=self.now
            )
            incident = queries.save_incident(connection, fired)
            ledger.add_judgement(connection, Judgement(incident.number, self.now, fired.severity, facts, ()))
            for reason in (Reason.FIRING, Reason.RESOLVED) if resolved else (Reason.FIRING,):
                self._tell(connection, incident, reason, state)
            if resolved:
                queries.save_incident(connection, resolve(incident, self.now))
            queries.add_audit(connection, at=self.now, actor="U012ALICE", verb="ack", subject=f"incident {incident}")
            mute = queries.add_mute(connection, Mute(0, subject, None, self.now + HOUR, "U012ALICE", self.now, "swap"))
            queries.end_mute(connection, mute.number, self.now + 60)
        return incident.number

    def tidy(self):
        """Let the housekeeping do what is due; return in how many steps."""
        steps = 0
        while self.housekeeping.step():
            steps += 1
        return steps

    def _tell(self, connection, incident, reason, state):
        key = f"{incident.number}:{next(self._numbers)}"
        waiting = Delivery(key, incident.number, SLACK, reason, DeliveryState.PENDING, self.now, self.now)
        ledger.add_decisions(connection, [outbox.enqueue(connection, waiting)])
        told = outbox.told(connection, incident.number)[SLACK]
        outbox.change(connection, told.number, {"state": str(state), "ref": "1795513955.000100", "sent_at": self.now})
        ledger.add_attempt(connection, told, Attempt(self.now, ""))

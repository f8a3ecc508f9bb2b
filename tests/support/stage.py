"""The core of the monitor on a database file, with a clock that tests set: what happens between store and people."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from bot.notifier import SlackNotifier, make_client
from monitor_core.announce import announce
from monitor_core.config.models import Config
from monitor_core.control import Control
from monitor_core.delivery import Outbox
from monitor_core.incident.lifecycle import resolve
from monitor_core.model.incidents import Incident, IncidentState, Kind, Severity, Subject, SubjectKind
from monitor_core.notify.email import EmailNotifier
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.store.database import open_database

START = 1_795_513_955.0  # Tue 24 Nov 2026, 09:52:35 UTC
RUN, OTHER_RUN, HOST = "llama-70b", "moe-16x3b", "gpu-01"
ONCALL, BOSS = "oncall@example.com", "boss@example.com"
OTHER_CHANNEL = "C0OTHER01"


class Clock:
    """Seconds since 1970 that pass only when a test says so."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Stage:
    """Two runs on one host; `slack` and `mail` are the servers of those who are told."""

    def __init__(self, folder, *, slack=None, mail=None, recipients=({"address": ONCALL},), host=None, **runs):
        self.clock = Clock()
        self.folder = folder
        self.config = Config.model_validate(_configuration(folder, slack, mail, recipients, host, runs))
        self.engine = open_database(self.config.database)
        notifiers = [SlackNotifier(make_client(self.config.slack))] if slack else []
        notifiers += [EmailNotifier(self.config.email)] if mail else []
        self.roster = Roster(self.config, frozenset(notifier.name for notifier in notifiers))
        self.outboxes = {n.name: Outbox(self.engine, self.roster, n, self.clock) for n in notifiers}
        self.control = Control(self.engine, self.roster, self.clock)

    def close(self):
        self.engine.dispose()

    def fire(self, run=RUN, kind=Kind.STUCK, severity=Severity.WARNING, *, host=""):
        """Decide that people are to be told of a trouble of a run, or of a host; return the incident."""
        now = self.clock.now
        subject = Subject(SubjectKind.HOST, host) if host else Subject(SubjectKind.RUN, run)
        incident = Incident(subject, kind, severity, IncidentState.FIRING, now - 120, {"limit": 120.0}, fired_at=now)
        return self._announce(None, incident)

    def resolve(self, incident):
        return self._announce(incident, resolve(incident, self.clock.now))

    def escalate(self, incident):
        return self._announce(incident, replace(incident, severity=Severity.CRITICAL))

    def drain(self):
        """Deliver what is due, and what follows from that."""
        for _ in range(2):
            for outbox in self.outboxes.values():
                outbox.drain()

    def wait(self, seconds):
        self.clock.now += seconds
        self.drain()

    def rows(self, query):
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def execute(self, statement):
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def refuse(self, change, when):
        """Let the database refuse a change (`INSERT ON incidents`) until the trigger `full` is dropped."""
        action = "BEGIN SELECT raise(ABORT, 'disk full'); END"
        self.execute(f"CREATE TRIGGER full BEFORE {change} WHEN {when} {action}")

    def incidents(self):
        return self.rows("SELECT subject, kind, state FROM incidents ORDER BY number")

    def incident(self, number):
        with self.engine.begin() as connection:
            return queries.load_incident(connection, number)

    def _announce(self, before, after):
        with self.engine.begin() as connection:
            return announce(connection, self.roster, before, after, self.clock.now)


def _configuration(folder, slack, mail, recipients, host, runs):
    config = {
        "database": f"sqlite:///{folder}/stage.db",
        "hosts": {HOST: host or {"transport": "local"}},
        "runs": {
            RUN: {"host": HOST, "logs": [f"{folder}/{RUN}.log"], "owner": "U034BOB"},
            OTHER_RUN: {"host": HOST, "logs": [f"{folder}/{OTHER_RUN}.log"], "channel": OTHER_CHANNEL},
        }
        | {name.replace("_", "-"): run for name, run in runs.items()},
    }
    if slack is not None:
        tokens = {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.api_url}
        config["slack"] = {"channel": slack.channel, **tokens}
    if mail is not None:
        smtp = {"host": "127.0.0.1", "port": mail.port, "security": "none"}
        config["email"] = {"smtp": smtp, "from": "trainstatus@example.com", "recipients": list(recipients)}
    return config


def subjects(mail):
    """Return the subjects of the mails that came, without what they have in common."""
    return [received.mail["Subject"].replace("[trainstatus] ", "") for received in mail.received]

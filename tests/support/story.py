"""Stories on simulated time: a Megatron log grows, stops, slows and ends, and people are told.

Everything is real but the clock: the poller with a shell on this machine (or a real sshd), the database file, the mail
server, Slack's protocol. The clock of the "remote" host is a `date` of ours in the PATH, and each write sets the mtime.
"""

from __future__ import annotations

import heapq
import json
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header, make_header
from pathlib import Path

from sqlalchemy import select, text

from bot.notifier import SlackNotifier, make_client
from monitor_core.collect.hosts import HostReader
from monitor_core.config.models import Config
from monitor_core.control import Control
from monitor_core.delivery import Outbox
from monitor_core.notify.email import EmailNotifier
from monitor_core.poller import Poller
from monitor_core.pulse import Pulse
from monitor_core.roster import Roster
from monitor_core.store import tables
from monitor_core.store.database import open_database

START = 1_795_513_955.0  # Tue 24 Nov 2026, 09:52:35 UTC
RUN, HOST = "llama-70b", "gpu-01"


@dataclass(frozen=True)
class Told:
    """What one receiver got: `at` in seconds since the story began; `how` is post, update, reply or mail."""

    at: float
    how: str
    to: str
    text: str


class SimulatedClock:
    """Seconds since 1970 that pass only when a story says so; `date` in `folder` tells it to shells."""

    def __init__(self, folder, start=START):
        self.folder = folder
        self._file = folder / "now"
        shim = folder / "date"
        shim.write_text(f"#!/bin/sh\ncat '{self._file}'\n")
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
        self.skew = 0.0
        self.set(start)

    def set(self, now):
        self.now = now
        self._file.write_text(f"{now + self.skew:.6f}\n")

    def __call__(self):
        return self.now


class Story:
    """One run on one host. `write_*` and `train` plan what the training writes; `play` lets time pass."""

    def __init__(
        self, folder, clock, *, slack=None, mail=None, recipients=(), host=None, zone=0.0, house_every=60.0, **run
    ):
        self.clock, self.slack, self.mail, self.zone, self.house_every = clock, slack, mail, zone, house_every
        self.log = folder / "train.log"
        self.at = self.began = clock.now
        self.iteration, self.total = 0, 1000
        self.told: list[Told] = []
        self._planned: list[tuple[float, int, str, Path]] = []
        self._written = self._seen_calls = self._seen_mails = 0
        self.config = Config.model_validate(_configuration(folder, self.log, slack, mail, recipients, host, run))
        self.open()

    def open(self):
        """Start the monitor, as after a start of the process."""
        self.engine = open_database(self.config.database)
        notifiers = [SlackNotifier(make_client(self.config.slack))] if self.slack else []
        notifiers += [EmailNotifier(self.config.email)] if self.mail else []
        roster = Roster(self.config, frozenset(notifier.name for notifier in notifiers))
        self.reader = HostReader(self.config.hosts[HOST], self.config.hosts)
        self.poller = Poller(self.engine, roster, {HOST: self.reader}, self.clock)
        self.control = Control(self.engine, roster, self.clock)
        self.pulse = Pulse(self.engine, roster, self.clock)
        self.outboxes = [Outbox(self.engine, roster, notifier, self.clock) for notifier in notifiers]
        for outbox in self.outboxes:
            outbox.recover()
        self.due = self.housekeeping = self.clock.now

    def close(self):
        self.reader.close()
        self.engine.dispose()

    def write(self, text, after=0.0, *, to=None):
        """Plan a line (or several) for `after` seconds later than the one before; `to` is another file than the log."""
        self.at += after
        self._written += 1
        heapq.heappush(self._planned, (self.at, self._written, text, to or self.log))

    def train(self, lines, every=10.0, ms=None, step=1, loss=2.3, to=()):
        """Plan progress lines; `ms` is what they say of the time per iteration, `to` are the files of several ranks."""
        for _ in range(lines):
            self.at += every
            self.iteration += step
            for file in to or (self.log,):
                self.write(self.line(self.iteration, ms if ms is not None else every * 1000 / step, loss), to=file)

    def line(self, iteration, ms, loss=2.3):
        stamp = datetime.fromtimestamp(self.at + self.zone + self.clock.skew, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        shown = "" if loss is None else f" lm loss: {loss:.6E} |"
        return (
            f" [{stamp}] iteration {iteration:8d}/{self.total:8d} | consumed samples: {iteration * 256:12d} |"
            f" elapsed time per iteration (ms): {ms:.1f} | learning rate: 3.000E-04 | global batch size:   256 |"
            f"{shown} loss scale: 1.0 | grad norm: 0.41 | number of skipped iterations:   0 |"
            " number of nan iterations:   0 |"
        )

    def silence(self, seconds):
        self.at += seconds

    def play(self, seconds=0.0):
        """Let time pass until everything planned has been written, and `seconds` more."""
        ends_at = self.at + seconds
        while True:
            times = [
                self.due,
                self.housekeeping,
                *(planned[0] for planned in self._planned[:1]),
                *self._deliveries_due(),
            ]
            moment = max(min(times), self.clock.now)
            if moment > ends_at:
                break
            self.clock.set(moment)
            self._write_planned()
            if self.due <= moment:
                self.due = max(self.poller.poll_host(HOST), moment + 0.01)
            self._keep_house(moment)
            self.deliver()
        self.clock.set(ends_at)
        self.at = ends_at

    def _keep_house(self, moment):
        self.control.settle()
        self.pulse.beat(self.poller.looked)
        self.housekeeping = moment + self.house_every

    def skip(self):
        """Let time pass in which nobody looks: what is planned is written."""
        self.clock.set(self.at)
        self._write_planned()
        self.due = self.housekeeping = self.at

    def incidents(self):
        """Return kind and state of every incident in the database, oldest first."""
        with self.engine.begin() as connection:
            rows = connection.execute(select(tables.incidents).order_by(tables.incidents.c.number))
            return [(row.kind, row.state) for row in rows]

    def execute(self, statement):
        with self.engine.begin() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []

    def deliver(self):
        for outbox in self.outboxes:
            outbox.drain()
        self._take_down()

    def texts(self, how=None):
        return [told.text for told in self.told if how is None or told.how == how]

    def _deliveries_due(self):
        for outbox in self.outboxes:
            due = outbox.drain()
            self._take_down()
            if due is not None:
                yield max(due, self.clock.now + 0.1)

    def _write_planned(self):
        while self._planned and self._planned[0][0] <= self.clock.now:
            at, _, text, file = heapq.heappop(self._planned)
            with file.open("a") as out:
                out.write(text + "\n")
            os.utime(file, (at + self.clock.skew, at + self.clock.skew))

    def _take_down(self):
        at = self.clock.now - START
        if self.slack:
            for call in self.slack.calls[self._seen_calls :]:
                self._seen_calls += 1
                if call.method in {"chat.postMessage", "chat.update"} and call.status == 200 and not call.error:
                    self.told.append(Told(at, _how(call), call.args["channel"], _headline(call)))
        if self.mail:
            for received in self.mail.received[self._seen_mails :]:
                self._seen_mails += 1
                first = received.body("plain").splitlines()[0]
                subject = str(make_header(decode_header(received.mail["Subject"])))
                self.told.append(Told(at, "mail", received.mail["To"], f"{subject} / {first}"))


def _how(call):
    if call.method == "chat.update":
        return "update"
    return "reply" if call.args.get("thread_ts") else "post"


def _headline(call):
    blocks = call.args.get("blocks") or []
    if isinstance(blocks, str):
        blocks = json.loads(blocks)
    header = next((block["text"]["text"] for block in blocks if block["type"] == "header"), "")
    return header or call.args["text"]


def _configuration(folder, log, slack, mail, recipients, host, run):
    config = {
        "database": f"sqlite:///{folder}/story.db",
        "hosts": {HOST: host.model_dump() if host is not None else {"transport": "local"}},
        "runs": {RUN: {"host": HOST, "logs": [str(log)], "owner": "U034BOB"} | run},
    }
    if slack is not None:
        config["slack"] = {
            "channel": slack.channel,
            "bot_token": slack.bot_token,
            "app_token": slack.app_token,
            "api_url": slack.api_url,
            "operators": [slack.alice],
        }
    if mail is not None:
        config["email"] = {
            "smtp": {"host": "127.0.0.1", "port": mail.port, "security": "none"},
            "from": "trainstatus@example.com",
            "recipients": list(recipients) or [{"address": "oncall@example.com", "severity": "info"}],
        }
    return config

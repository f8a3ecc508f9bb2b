"""A day of several trainings on several hosts, watched by one monitor on simulated time.

As in the stories of the acceptance tests all is real but the clock: shells read the logs, people are told through a
Slack server and a mail server. A host that is cut off is the one thing that is only said.
"""

from __future__ import annotations

import heapq
import itertools
import math
import os
from dataclasses import dataclass
from pathlib import Path

from bot.notifier import SlackNotifier, make_client
from monitor_core.collect.hosts import HostReader
from monitor_core.config.models import Config
from monitor_core.control import Control
from monitor_core.delivery import Outbox
from monitor_core.errors import Unreachable
from monitor_core.notify.email import EmailNotifier
from monitor_core.poller import Poller
from monitor_core.pulse import Pulse
from monitor_core.roster import Roster
from monitor_core.store.database import open_database
from tests.support.training import line

_NUMBERS = itertools.count()  # what is planned for the same moment is written in the order of planning


class CutHost:
    """Reads a host's logs until it is cut off."""

    def __init__(self, reader, address):
        self._reader, self._address = reader, address
        self.cut = False

    def read(self, requests, *, deadline=20.0):
        if self.cut:
            raise Unreachable(f"no answer from {self._address}:22 within 10 s")
        return self._reader.read(requests, deadline=deadline)

    def close(self):
        self._reader.close()


@dataclass
class Training:
    """A run that writes its log; `at` is when its last planned line is written."""

    log: Path
    plan: list
    at: float
    total: int
    iteration: int = 0

    def train(self, lines, step, seconds):
        """Plan progress lines, one for each `step` iterations of `seconds` each."""
        for _ in range(lines):
            self.at += step * seconds
            self.iteration += step
            loss = f"{2.1 + 2.4 * math.exp(-self.iteration / 5200):.6E}"
            self.write(line(self.iteration, stamp=self.at, ms=round(1000 * seconds, 1), total=self.total, loss=loss))

    def write(self, text, after=0.0):
        self.at += after
        heapq.heappush(self.plan, (self.at, next(_NUMBERS), self.log, text))


class Day:
    """One monitor of all `runs` (name → host, owner), whose hosts are `hosts` (name → address)."""

    def __init__(self, folder, clock, slack, mail, hosts, runs):
        self.clock, self.slack, self.mail = clock, slack, mail
        self._folder, self._plan = folder, []
        config = Config.model_validate(_configuration(folder, slack, mail, hosts, runs))
        self._engine = open_database(config.database)
        notifiers = (SlackNotifier(make_client(config.slack)), EmailNotifier(config.email))
        roster = Roster(config, frozenset(notifier.name for notifier in notifiers))
        self.hosts = {
            name: CutHost(HostReader(host, config.hosts), host.address) for name, host in config.hosts.items()
        }
        self._poller = Poller(self._engine, roster, self.hosts, clock)
        self._outboxes = [Outbox(self._engine, roster, notifier, clock) for notifier in notifiers]
        self._due = dict.fromkeys(self.hosts, clock.now)
        self.control = Control(self._engine, roster, clock)
        self._pulse = Pulse(self._engine, roster, clock)

    def close(self):
        for host in self.hosts.values():
            host.close()
        self._engine.dispose()

    def training(self, run, start, total, iteration=0):
        return Training(_log(self._folder, run), self._plan, start, total, iteration)

    def play(self, until):
        """Let time pass: trainings write, hosts are looked at, people are told."""
        while (moment := min([*self._due.values(), *(entry[0] for entry in self._plan[:1])])) <= until:
            self.clock.set(max(moment, self.clock.now))
            self._write()
            for host in [host for host, due in self._due.items() if due <= self.clock.now]:
                self._due[host] = max(self._poller.poll_host(host), self.clock.now + 0.1)
            self.tell()
        self.clock.set(until)

    def sleep(self, until):
        """Let time pass in which trainings write and nobody looks."""
        self.clock.set(until)
        self._write()

    def tell(self):
        self.control.settle()
        self._pulse.beat(self._poller.looked)
        for outbox in self._outboxes:
            outbox.drain()

    def _write(self):
        while self._plan and self._plan[0][0] <= self.clock.now:
            at, _, log, text = heapq.heappop(self._plan)
            with log.open("a", encoding="utf-8") as out:
                out.write(text)
            os.utime(log, (at, at))


def _log(folder, run):
    return folder / f"{run}.log"


def _configuration(folder, slack, mail, hosts, runs):
    return {
        "database": f"sqlite:///{folder}/day.db",
        "hosts": {name: {"transport": "local", "address": address} for name, address in hosts.items()},
        "runs": {
            name: {"host": host, "logs": [str(_log(folder, name))], "owner": owner}
            for name, (host, owner) in runs.items()
        },
        "slack": {
            "channel": slack.channel,
            "bot_token": slack.bot_token,
            "app_token": slack.app_token,
            "api_url": slack.api_url,
            "operators": [slack.alice],
        },
        "email": {
            "smtp": {"host": "127.0.0.1", "port": mail.port, "security": "none"},
            "from": "trainstatus@example.com",
            "recipients": [{"address": "oncall@example.com"}],
        },
    }

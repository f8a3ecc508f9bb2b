"""Several hosts with many runs, watched on simulated time; people are told in Slack, by mail and in a terminal."""

from __future__ import annotations

import io
import os

from rich.console import Console

from bot.notifier import SlackNotifier, make_client
from monitor_core.collect.hosts import HostReader
from monitor_core.config.models import Config, Host
from monitor_core.control import Control
from monitor_core.delivery import Outbox
from monitor_core.notify.console import ConsoleNotifier
from monitor_core.notify.email import EmailNotifier
from monitor_core.poller import Poller
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.store.database import open_database
from tests.support.sshd import free_port
from tests.support.training import line


class Cluster:
    """`hosts` and `runs` are those of a configuration; all logs lie on this machine, and are written every 10 s."""

    def __init__(self, folder, clock, slack, mail, hosts, runs, recipients):
        self.folder, self.clock = folder, clock
        self.config = Config.model_validate(_configuration(folder, slack, mail, hosts, runs, recipients))
        self.engine = open_database(self.config.database)
        self.printed = io.StringIO()
        notifiers = (
            SlackNotifier(make_client(self.config.slack)),
            EmailNotifier(self.config.email),
            ConsoleNotifier(Console(file=self.printed, width=100)),
        )
        roster = Roster(self.config, frozenset(notifier.name for notifier in notifiers))
        self.readers = {name: HostReader(Host(name=name, transport="local"), {}) for name in hosts}
        self.poller = Poller(self.engine, roster, self.readers, clock)
        self.control = Control(self.engine, roster, clock)
        self.outboxes = [Outbox(self.engine, roster, notifier, clock) for notifier in notifiers]
        self.iterations = dict.fromkeys(runs, 0)
        self.dead = set()
        watched = {run["host"] for run in runs.values()}
        self.due = {host: clock.now for host in hosts if host in watched}

    def close(self):
        for reader in self.readers.values():
            reader.close()
        self.engine.dispose()

    def cut(self, *hosts, **changed):
        """Let nobody listen any more at the addresses of hosts; others may be `changed`."""
        port = free_port()
        known = {name: host.model_copy(update=_remote(name in hosts, port)) for name, host in self.config.hosts.items()}
        known |= changed
        for name in self.due:
            if {name, self.config.hosts[name].jump} & {*hosts, *changed}:
                self._reach(name, HostReader(known[name], known))

    def mend(self, *hosts):
        for name in hosts:
            self._reach(name, HostReader(Host(name=name, transport="local"), {}))

    def train(self, seconds):
        """Let time pass in which all runs but the dead write their lines, hosts are looked at and people are told."""
        for _ in range(int(seconds / 10)):
            self.clock.set(self.clock.now + 10)
            for run in self.iterations.keys() - self.dead:
                self.iterations[run] += 1
                log = self.folder / f"{run}.log"
                with log.open("a") as out:
                    out.write(line(self.iterations[run], stamp=self.clock.now))
                os.utime(log, (self.clock.now,) * 2)
            self._look()

    def incidents(self):
        with self.engine.begin() as connection:
            return [(str(i.subject), str(i.kind)) for i in queries.active_incidents(connection)]

    def _look(self):
        for host in [host for host, due in self.due.items() if due <= self.clock.now]:
            self.due[host] = max(self.poller.poll_host(host), self.clock.now + 0.1)
        self.control.settle()
        for outbox in self.outboxes:
            outbox.drain()

    def _reach(self, host, reader):
        self.readers[host].close()
        self.readers[host] = reader


def _remote(gone, port):
    return {"transport": "ssh", "address": "127.0.0.1", "user": "nobody"} | ({"port": port} if gone else {})


def _configuration(folder, slack, mail, hosts, runs, recipients):
    return {
        "database": f"sqlite:///{folder}/cluster.db",
        "hosts": {name: {"user": "nobody"} | host for name, host in hosts.items()},
        "runs": {name: {"logs": [f"{folder}/{name}.log"]} | run for name, run in runs.items()},
        "slack": {
            "channel": slack.channel,
            "bot_token": slack.bot_token,
            "app_token": slack.app_token,
            "api_url": slack.api_url,
        },
        "email": {
            "smtp": {"host": "127.0.0.1", "port": mail.port, "security": "none"},
            "from": "trainstatus@example.com",
            "recipients": recipients,
        },
        "console": True,
    }

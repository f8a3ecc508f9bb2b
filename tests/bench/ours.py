"""Our way: the reader, the poller and the parser as the monitor runs them, on a database file."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import bot.app
import monitor_core.app
from monitor_core.collect import HostReader
from monitor_core.collect.lines import cut
from monitor_core.config.models import Config, Host
from monitor_core.model.incidents import IncidentState
from monitor_core.model.records import LogRequest, Progress
from monitor_core.parse.parser import Parser
from monitor_core.poller import Poller
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.store.database import open_database
from monitor_core.track import memory
from tests.bench.training_log import grow, last_iteration

# What the process of a monitor with Slack holds besides.
LOADED = (monitor_core.app, bot.app)
HOST, RUN = "gpu-01", "llama-70b"
_PIECE = 256 * 1024
_ALL = 1 << 40
_TRIP = 16 * 2**20


class FirstLook:
    """A log that was never seen: connect, read the end of it, judge and store. Each time on a new database."""

    def __init__(self, job):
        self.log, self.growth = Path(job["log"]), job["growth"]
        self._folder, self._numbers = Path(job["folder"]), itertools.count(1)
        self._host = Host.model_validate(job["host"])
        self.poller = self.reader = self.engine = None

    def prepare(self):
        self.close()
        config = Config.model_validate(
            {
                "database": f"sqlite:///{self._folder}/{next(self._numbers)}.db",
                "hosts": {HOST: self._host},
                "runs": {RUN: {"host": HOST, "logs": [str(self.log)]}},
            }
        )
        self.engine = open_database(config.database)
        self.reader = HostReader(config.hosts[HOST], config.hosts)
        self.poller = Poller(self.engine, Roster(config, frozenset()), {HOST: self.reader}, time.time)
        grow(self.log, self.growth, time.time())

    def run(self):
        """Poll until the first sight, which comes in pieces, is stored."""
        while not self._seen():
            self.poller.due.clear()
            self.poller.poll_host(HOST)

    def _seen(self):
        with self.engine.begin() as connection:
            return queries.load_run(connection, RUN) is not None

    def check(self):
        """The last line was seen and stored, and nobody had to be told anything."""
        with self.engine.begin() as connection:
            row = queries.load_run(connection, RUN)
            incidents = queries.active_incidents(connection)
        assert memory.load(row.state).iteration == last_iteration(self.log)
        assert not [incident for incident in incidents if incident.state is IncidentState.FIRING]

    def close(self):
        if self.engine is not None:
            self.reader.close()
            self.engine.dispose()


class Poll(FirstLook):
    """A poll like all that follow the first look: the connection stands, and the log has grown."""

    def __init__(self, job):
        super().__init__(job)
        super().prepare()
        super().run()

    def prepare(self):
        grow(self.log, self.growth, time.time())
        self.poller.due.clear()

    def run(self):
        self.poller.poll_host(HOST)


class Read:
    """Of a poll the trip to the host alone: the new bytes arrive as clean lines and are neither parsed nor stored."""

    def __init__(self, job, **limits):
        self._limits = limits
        self.log, self.growth, self._folder = Path(job["log"]), job["growth"], Path(job["folder"])
        host = Host.model_validate(job["host"])
        self.reader, self.cursors, self.lines = HostReader(host, {HOST: host}), {}, b""
        while self.read().more:
            pass

    def read(self):
        answer = self.reader.read([LogRequest(RUN, (str(self.log),), self.cursors, **self._limits)])
        (chunk,) = answer.logs[0].chunks
        self.cursors, self.lines = {chunk.cursor.path: chunk.cursor}, chunk.lines
        return chunk

    def prepare(self):
        grow(self.log, self.growth, time.time())

    def run(self):
        self.read()

    def check(self):
        assert b"iteration %8d/" % last_iteration(self.log) in self.lines

    def close(self):
        self.reader.close()


class ReadAll(Read):
    """What we never do: read a log from its first byte on, and parse all of it."""

    def __init__(self, job):
        super().__init__(job, backfill=_ALL, limit=_TRIP)

    def prepare(self):
        self.close()
        super().prepare()
        self.cursors, self.found = {}, 0

    def run(self):
        parser, more = Parser(), True
        while more:
            more = self.read().more
            self.found += sum(isinstance(record, Progress) for record in parser.feed(self.lines))

    def check(self):
        assert self.found == last_iteration(self.log)


class Parse:
    """The parser on a log that is in memory already, in blocks of whole lines."""

    format = "auto"

    def __init__(self, job):
        self._last = last_iteration(Path(job["log"]))
        self._blocks = list(_blocks(Path(job["log"]).read_bytes()))
        self._records = []

    def prepare(self):
        self._records = []

    def run(self):
        parser = Parser(self.format)
        self._records = [record for block in self._blocks for record in parser.feed(block)]

    def check(self):
        found = [record.iteration for record in self._records if isinstance(record, Progress)]
        assert found == list(range(1, self._last + 1))

    def close(self):
        """Nothing is open."""


class ParseNamed(Parse):
    """The same when the format is named: what it takes less is the cost of recognising it."""

    format = "megatron"


class ParseStream:
    """The parser on a log that is read block by block, and nothing of which is kept."""

    def __init__(self, job):
        self._log = Path(job["log"])
        self._found = 0

    def prepare(self):
        self._found = 0

    def run(self):
        parser, partial = Parser(), b""
        with self._log.open("rb") as log:
            while data := log.read(_PIECE):
                lines, partial = cut(partial, data)
                self._found += sum(isinstance(record, Progress) for record in parser.feed(lines))

    def check(self):
        assert self._found == last_iteration(self._log)

    def close(self):
        """Nothing is open."""


def _blocks(data):
    at = 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + _PIECE) + 1
        yield data[at:end]
        at = end

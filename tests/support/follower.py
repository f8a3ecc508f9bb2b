"""Reads logs the way the monitor does: each read goes on where the one before it ended."""

from __future__ import annotations

from monitor_core.collect import HostReader
from monitor_core.model.records import LogRequest

DEADLINE = 20.0


class Follower:
    """Reads one run's logs from a host; `hosts` are the configured ones, the first of them is read."""

    def __init__(self, *hosts, patterns, network=None, **limits):
        self.reader = HostReader(hosts[0], {host.name: host for host in hosts}, network)
        self.patterns = tuple(map(str, patterns))
        self.cursors = {}
        self._limits = limits

    def read(self, deadline=DEADLINE):
        request = LogRequest("llama", self.patterns, self.cursors, **self._limits)
        reading = self.reader.read([request], deadline=deadline)
        log = reading.logs[0]
        self.cursors = self.cursors | {chunk.cursor.path: chunk.cursor for chunk in log.chunks}
        return log

    def lines(self):
        """Return the new lines of all files."""
        return b"".join(chunk.lines for chunk in self.read().chunks)

    def close(self):
        self.reader.close()

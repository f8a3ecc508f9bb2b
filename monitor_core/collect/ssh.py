"""Runs the program of a read on a host over SSH."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from monitor_core.collect.connection import Connection, bounded
from monitor_core.collect.hops import route
from monitor_core.collect.network import Network
from monitor_core.config.models import Host
from monitor_core.errors import Unreachable

# What goes wrong is raised as a sentence; paramiko's own lines would only repeat it with a traceback.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class SshTransport:
    """One SSH connection to a host, opened at the first run and kept until something fails; one run at a time."""

    def __init__(self, host: Host, hosts: Mapping[str, Host], network: Network) -> None:
        self._host, self._hosts, self._network = host, hosts, network
        self._turn = threading.Lock()
        self._connection: Connection | None = None

    def run(self, program: bytes, *, deadline: float, cap: int) -> bytes:
        """Let the shell of the host run the program and return what it printed; see `Transport`."""
        ends_at = time.monotonic() + deadline
        if not self._turn.acquire(timeout=max(0.0, deadline)):
            raise Unreachable(f"{self._host.name} is still busy with another read after {deadline:.3g} s")
        try:
            return self._run(program, ends_at - time.monotonic(), cap)
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close the connection; a run under way ends with Unreachable."""
        if connection := self._connection:
            connection.close()
            connection.join()

    def _run(self, program: bytes, deadline: float, cap: int) -> bytes:
        connection = self._connection
        is_open = connection is not None and connection.alive
        if connection is None or not is_open:
            self.close()
            connection = self._connection = Connection(self._network)
        with bounded(connection, deadline) as ends_at:
            if not is_open:
                # What ~/.ssh/config says is read anew for each connection: edits take effect.
                connection.open(route(self._host, self._hosts, ends_at=ends_at), ends_at)
            return connection.run(program, cap)

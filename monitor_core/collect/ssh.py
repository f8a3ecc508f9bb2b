"""Runs the program of a read on a host over SSH."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from monitor_core.collect.connection import Connection
from monitor_core.collect.login import label_of
from monitor_core.config.models import Host
from monitor_core.errors import CollectError, Unreachable

# What goes wrong is raised as a sentence; paramiko's own lines would only repeat it with a traceback.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class SshTransport:
    """One SSH connection to a host, opened at the first run and kept until something fails; one run at a time."""

    def __init__(self, host: Host, hosts: Mapping[str, Host]) -> None:
        self._host, self._hosts = host, hosts
        self._name = label_of(host)
        self._turn = threading.Lock()
        self._connection: Connection | None = None

    def run(self, program: bytes, *, deadline: float, cap: int) -> bytes:
        """Let the shell of the host run the program and return what it printed; see `Transport`."""
        ends_at = time.monotonic() + deadline
        if not self._turn.acquire(timeout=max(0.0, deadline)):
            raise Unreachable(f"{self._name} is still busy with another read after {deadline:.3g} s")
        try:
            return self._run(program, deadline, ends_at, cap)
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close the connection; a run under way ends with Unreachable."""
        if connection := self._connection:
            connection.close()
            connection.join()

    def _run(self, program: bytes, deadline: float, ends_at: float, cap: int) -> bytes:
        connection = self._connection
        is_open = connection is not None and connection.alive
        if connection is None or not is_open:
            self.close()
            connection = self._connection = Connection(route(self._host, self._hosts))
        # Where a peer falls silent between two messages, paramiko waits for ever:
        # https://github.com/paramiko/paramiko/issues/2599
        watch = threading.Timer(ends_at - time.monotonic(), connection.close)
        watch.daemon = True
        watch.start()
        try:
            if not is_open:
                connection.open(ends_at)
            return connection.run(program, cap)
        except Exception as error:  # paramiko hands on whatever its own thread met
            self.close()
            if isinstance(error, CollectError):
                raise
            raise Unreachable(_sentence(connection.stage, deadline, ends_at)) from error
        finally:
            watch.cancel()


def route(host: Host, hosts: Mapping[str, Host]) -> list[Host]:
    """Return the hosts through which a host is reached, itself last; raise Unreachable if they lead nowhere."""
    found = [host]
    while jump := found[0].jump:
        if jump not in hosts:
            raise Unreachable(f"{label_of(found[0])} is to be reached through {jump}, which is not among the hosts")
        if hosts[jump] in found:
            raise Unreachable(f"{label_of(host)} is to be reached through itself: check the `jump` of its hosts")
        found.insert(0, hosts[jump])
    return found


def _sentence(stage: str, deadline: float, ends_at: float) -> str:
    if time.monotonic() >= ends_at:
        return f"no answer within {deadline:.3g} s {stage}"
    return f"the connection broke off {stage}"

"""Meets a host as far as its key, so that a person can compare it."""

from __future__ import annotations

from dataclasses import dataclass

import paramiko

from monitor_core.collect.connection import Connection, bounded
from monitor_core.collect.hops import Hop, Route
from monitor_core.collect.known_hosts import KnownKey, add, fingerprint
from monitor_core.collect.login import known_keys_of, voucher
from monitor_core.collect.network import Network

_DEADLINE = 20.0


@dataclass(frozen=True, slots=True)
class Greeting:
    """The key that a host showed, and the line that vouches for it; None if the key is not known."""

    hop: Hop
    key: paramiko.PKey
    known: KnownKey | None

    @property
    def fingerprint(self) -> str:
        """Return the form in which `ssh` prints the key."""
        return fingerprint(self.key.asbytes())

    def accept(self) -> str:
        """Write the key down as known; return the file. Raises OSError."""
        path = self.hop.known_hosts[0]
        add(path, self.hop.known_as, self.key.get_name(), self.key.asbytes(), hashed=self.hop.hashed)
        return path


def greet(route: Route, network: Network) -> Greeting:
    """Return what the last host of the way shows; those before it are logged in to, so they have to be known.

    Raises HostKeyChanged if another key is known, and Unreachable.
    """
    connection = Connection(network)
    try:
        with bounded(connection, _DEADLINE) as ends_at:
            shown = connection.host_key(route, ends_at)
    finally:
        connection.close()
        connection.join()
    return Greeting(route[-1], shown, voucher(route[-1], known_keys_of(route[-1]), shown))

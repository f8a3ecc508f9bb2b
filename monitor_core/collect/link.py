"""SSH over one way to a host, before anybody has logged in."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence

import paramiko

from monitor_core.collect.known_hosts import KnownKey, offer_order
from monitor_core.collect.ways import Tunnel

Way = socket.socket | Tunnel
# paramiko's own timeouts come later than any deadline of ours, which ends everything by closing the connection.
NEVER = 3600.0
_BANNER_TIMEOUT = 10.0
# paramiko 5.1 still offers these.
_WEAK = {
    "ciphers": ["3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"],
    "macs": ["hmac-md5", "hmac-md5-96", "hmac-sha1", "hmac-sha1-96"],
}


class _Transport(paramiko.Transport):
    """paramiko's own puts the certificates of hosts last."""

    def __init__(self, way: Way, known: Sequence[KnownKey]) -> None:
        super().__init__(way, disabled_algorithms=_WEAK)  # type: ignore[arg-type]  # a Tunnel is socket enough
        # Logs, and the program that asks for them, shrink to a third and less; a server that does not want to need not.
        self.use_compression()
        self.banner_timeout = _BANNER_TIMEOUT
        self.auth_timeout = self.channel_timeout = NEVER
        self._key_types = offer_order(known, self.get_security_options().key_types)

    @property
    def preferred_keys(self) -> Sequence[str]:
        return self._key_types


class Link:
    """A way to a host and the SSH transport over it, which asks for a host key that can be judged by what is known."""

    def __init__(self, way: Way, known: Sequence[KnownKey]) -> None:
        self.way = way
        self.transport = _Transport(way, known)

    def close(self) -> None:
        """End it, and whatever waits for it."""
        with contextlib.suppress(OSError):
            self.way.shutdown(socket.SHUT_RDWR)
        self.transport.close()
        # Its timer of a handshake that failed would run on for 15 s.
        self.transport.packetizer.complete_handshake()
        self.way.close()

"""One SSH connection: to a host, or through others to it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from monitor_core.collect.dial import dial
from monitor_core.collect.known_hosts import offer_order
from monitor_core.collect.login import address_of, check_host_key, known_keys_of, label_of, login
from monitor_core.config.models import Host
from monitor_core.errors import Unreachable

_COMMAND = "exec /bin/sh -s"
_BANNER_TIMEOUT = 10.0
# paramiko's own timeouts come later than any deadline of ours, which ends everything by closing the connection.
_NEVER = 3600.0
_KEEPALIVE = 30
_THREAD_END = 1.0
_PIECE = 128 * 1024
# paramiko 5.1 still offers these.
_WEAK = {
    "ciphers": ["3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"],
    "macs": ["hmac-md5", "hmac-md5-96", "hmac-sha1", "hmac-sha1-96"],
}


class Connection:
    """A connection along a route: the last host is read, the others pass it on.

    `stage` says for people what is being done. Methods raise Unreachable and HostKeyChanged where the reason is known,
    else what paramiko and sockets raise. `close` may be called from any thread and ends what is under way.
    """

    def __init__(self, route: Sequence[Host]) -> None:
        self.stage = ""
        self._route = route
        self._lock = threading.Lock()
        self._closed = False
        self._sockets: list[socket.socket] = []
        self._transports: list[paramiko.Transport] = []

    @property
    def alive(self) -> bool:
        """Return whether the last host let us in and the connection has not ended, as far as is known."""
        return len(self._transports) == len(self._route) and all(
            transport.is_active() and transport.is_authenticated() for transport in self._transports
        )

    def open(self, ends_at: float) -> None:
        """Connect and log in to each host of the route; `ends_at` is a time of the monotonic clock."""
        for host in self._route:
            self.stage = f"while connecting to {label_of(host)}"
            way = self._way_to(host, ends_at)
            self.stage = f"while agreeing on encryption with {label_of(host)}"
            transport = self._greet(host, way)
            self.stage = f"while logging in to {label_of(host)}"
            login(transport, host)
            transport.set_keepalive(_KEEPALIVE)

    def run(self, program: bytes, cap: int) -> bytes:
        """Let the shell of the last host run the program and return all that it printed."""
        host = label_of(self._route[-1])
        self.stage = f"while reading from {host}"
        try:
            channel = self._transports[-1].open_session(timeout=_NEVER)
        except paramiko.ChannelException as error:
            raise Unreachable(f"{host} let us in but opens no session: {error.text}") from error
        with contextlib.closing(channel):
            # Two streams would have to be drained at once: the other one stops when its window is full.
            channel.set_combine_stderr(True)
            channel.exec_command(_COMMAND)
            channel.sendall(program)
            channel.shutdown_write()
            output = _drain(channel, cap, host)
        if not self._transports[-1].is_active():
            raise EOFError
        return output

    def close(self) -> None:
        """End the connection and whatever waits for it."""
        with self._lock:
            self._closed = True
            sockets, transports = [*self._sockets], [*self._transports]
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for transport in transports:
            transport.close()
            # Its timer of a handshake that failed would run on for 15 s.
            transport.packetizer.complete_handshake()
        for each in sockets:
            each.close()

    def join(self) -> None:
        """Wait until the threads of a closed connection have ended."""
        for transport in self._transports:
            if transport.is_alive():
                transport.join(_THREAD_END)

    def _way_to(self, host: Host, ends_at: float) -> socket.socket | paramiko.Channel:
        if not self._transports:
            way = dial(address_of(host), host.port, ends_at=ends_at)
            self._keep(way)
            return way
        target = (address_of(host), host.port)
        before = self._route[len(self._transports) - 1]
        try:
            return self._transports[-1].open_channel("direct-tcpip", target, ("127.0.0.1", 0), timeout=_NEVER)
        except paramiko.ChannelException as error:
            raise Unreachable(f"{label_of(before)} does not pass us on to {label_of(host)}: {error.text}") from error

    def _greet(self, host: Host, way: socket.socket | paramiko.Channel) -> paramiko.Transport:
        """Agree on encryption with a host and check its key."""
        transport = paramiko.Transport(way, disabled_algorithms=_WEAK)
        self._keep(transport)
        transport.banner_timeout = _BANNER_TIMEOUT
        transport.auth_timeout = transport.channel_timeout = _NEVER
        known = known_keys_of(host)
        options = transport.get_security_options()
        options.key_types = offer_order(known, options.key_types)
        try:
            transport.start_client(timeout=_NEVER)
        except IncompatiblePeer as error:
            raise Unreachable(f"{label_of(host)} knows no encryption that is still safe; it needs an update") from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            if self._closed or transport.remote_version:
                raise
            raise Unreachable(f"{label_of(host)} answered, but no SSH banner came: is this its SSH port?") from error
        check_host_key(host, known, transport.get_remote_server_key())
        return transport

    def _keep(self, new: socket.socket | paramiko.Transport) -> None:
        """Remember what `close` has to end; if it was called meanwhile, end it now."""
        with self._lock:
            if isinstance(new, paramiko.Transport):
                self._transports.append(new)
            else:
                self._sockets.append(new)
        if self._closed:
            self.close()
            raise EOFError


def _drain(channel: paramiko.Channel, cap: int, host: str) -> bytes:
    pieces, size = [], 0
    while piece := channel.recv(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > cap:
            raise Unreachable(f"{host} printed more than {cap} bytes at once")
    return b"".join(pieces)

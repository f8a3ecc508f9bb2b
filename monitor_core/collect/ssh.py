"""Runs the program of a read on a host over SSH."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping

import paramiko

from monitor_core.collect.connection import Connection, kill, sentence
from monitor_core.collect.hops import route
from monitor_core.collect.network import Network
from monitor_core.collect.transport import Deadline, NoSession
from monitor_core.collect.ways import BROKEN
from monitor_core.config.models import Host
from monitor_core.errors import CollectError, Unreachable

# What goes wrong is raised as a sentence; paramiko's own lines would only repeat it with a traceback.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

_PIECE = 128 * 1024


class SshTransport:
    """One SSH connection to a host, opened at the first call and kept until something fails."""

    def __init__(self, host: Host, hosts: Mapping[str, Host], network: Network) -> None:
        self._host, self._hosts, self._network = host, hosts, network
        self._connection: Connection | None = None
        self._deadline = Deadline(0.0)

    @property
    def has_shell(self) -> bool:
        """Say whether the account has a shell, as far as its connection has shown."""
        return self._connection is None or self._connection.has_shell or not self._connection.alive

    @contextlib.contextmanager
    def watch(self, deadline: Deadline) -> Iterator[None]:
        """Close the connection if the deadline passes meanwhile.

        Where a peer falls silent between two messages, paramiko waits for ever:
        https://github.com/paramiko/paramiko/issues/2599
        """
        self._deadline = deadline
        watch = threading.Timer(deadline.left, self._abort)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def start(self, program: bytes) -> SshCall:
        """Let the shell of the host run the program; see `Transport`."""
        with self.sentences():
            connection = self._open()
            return SshCall(self, connection, connection.start(program))

    def sftp(self) -> paramiko.SFTPClient:
        """Open the SFTP server of the host; raise NoSftp and what `start` raises."""
        with self.sentences():
            return self._open().sftp(self._deadline.left)

    def call_of(self, client: paramiko.SFTPClient) -> SshCall:
        """Return what waits for an answer of the SFTP server."""
        assert self._connection is not None
        return SshCall(self, self._connection, client.sock)

    def forget_shell(self) -> None:
        """Remember that the account has no shell, until it is connected to anew."""
        if self._connection:
            self._connection.has_shell = False

    def silent(self) -> Unreachable:
        """Close the connection and return what is said of it; see `Transport`."""
        self.close()
        return self._unreachable()

    @contextlib.contextmanager
    def sentences(self) -> Iterator[None]:
        """Close a connection on which something fails, and raise what went wrong as a sentence."""
        try:
            yield
        except NoSession:
            raise
        except Exception as error:  # paramiko hands on whatever its own thread met
            self.close()
            if isinstance(error, CollectError):
                raise
            raise self._unreachable() from error

    def close(self) -> None:
        """Close the connection; what is under way ends with Unreachable."""
        if connection := self._connection:
            connection.close()
            connection.join()

    def _open(self) -> Connection:
        if self._connection and self._connection.alive:
            return self._connection
        self.close()
        connection = self._connection = Connection(self._network)
        # The watch of this read may have closed the one before; it does so only once.
        if not self._deadline.left:
            connection.close()
        ends_at = self._deadline.ends_at
        # What ~/.ssh/config says is read anew for each connection: edits take effect.
        connection.open(route(self._host, self._hosts, ends_at=ends_at), ends_at)
        return connection

    def _unreachable(self) -> Unreachable:
        stage, at = (self._connection.stage, self._connection.at) if self._connection else ("", "")
        return Unreachable(sentence(stage, self._deadline.seconds, self._deadline.ends_at), at)

    def _abort(self) -> None:
        if self._connection:
            self._connection.give_up()


class SshCall:
    """A program that runs on a host, or a question to its SFTP server: whatever has a channel of its own."""

    def __init__(self, transport: SshTransport, connection: Connection, channel: paramiko.Channel) -> None:
        self._transport, self._connection, self._channel = transport, connection, channel
        self._ended = False

    @property
    def lost(self) -> bool:
        """Say whether the connection is gone; see `Call`."""
        return not self._connection.alive

    @property
    def stirs(self) -> bool:
        """Say whether something came or it ended; see `Call`."""
        channel = self._channel
        return channel.recv_ready() or bool(channel.eof_received) or channel.closed

    def listen(self, seconds: float) -> bytes | None:
        """Return what the program printed; see `ProgramCall`."""
        self._channel.settimeout(seconds)
        with self._transport.sentences():
            try:
                piece = self._channel.recv(_PIECE)
            except TimeoutError:
                return None
            if not piece and not self._connection.alive:
                raise EOFError
        self._ended = not piece
        return piece

    def end(self) -> None:
        """Let the server kill it, if it has not ended, and close the channel."""
        if self._channel.closed:
            return
        with contextlib.suppress(*BROKEN):
            if not self._ended:
                kill(self._channel)
            self._channel.close()

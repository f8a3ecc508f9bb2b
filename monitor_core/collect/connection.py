"""One SSH connection to one host: straight, by a command, or through a connection to another host."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import paramiko
from paramiko.common import cMSG_CHANNEL_REQUEST
from paramiko.ssh_exception import IncompatiblePeer

from monitor_core.collect.dial import dial
from monitor_core.collect.hops import Hop, Route
from monitor_core.collect.link import NEVER, Link, Way
from monitor_core.collect.login import check_host_key, known_keys_of, login
from monitor_core.collect.network import Bastion, Network
from monitor_core.collect.transport import NoSession, NoSftp
from monitor_core.collect.ways import BROKEN, Command, Tunnel
from monitor_core.errors import CollectError, Unreachable

_COMMAND = "exec /bin/sh -s"
_KEEPALIVE = 30
_THREAD_END = 1.0
# How long a refused channel is asked for again, and how often, in seconds.
_TURN, _STEP = 1.0, 0.1
# After how many seconds who was dropped before the banner comes again, give or take a half.
_PAUSES = (0.2, 0.5, 1.0, 2.0)
Result = TypeVar("Result")


class _Dropped(Exception):  # noqa: N818 it is what happened
    """The other side closed before it said anything."""


class Connection:
    """A connection to the last hop of a route; those before it are shared with others, see `Network`.

    `stage` says for people what is being done, `at` through which machine, if it waits for one; `has_shell` is true
    until somebody finds out otherwise. Methods raise Unreachable, HostKeyChanged and NoSession where the reason is
    known, else what paramiko and sockets raise; `bounded` makes sentences of that. `close` may be called from any
    thread and ends what is under way, of this connection alone.
    """

    def __init__(self, network: Network) -> None:
        self.stage = self.at = ""
        self.has_shell = True
        self._network = network
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._label = ""
        self._bastion: Bastion | None = None
        self._link: Link | None = None

    @property
    def alive(self) -> bool:
        """Return whether the host let us in and the connection has not ended, as far as is known."""
        link = self._link
        return link is not None and link.transport.is_active() and link.transport.is_authenticated()

    def open(self, route: Route, ends_at: float) -> None:
        """Connect and log in to the last hop; `ends_at` is a time of the monotonic clock."""
        self._meet(route, ends_at, self._log_in)

    def open_within(self, route: Route, deadline: float) -> None:
        """Open for others who come through here; raise CollectError with a sentence."""
        with bounded(self, deadline) as ends_at:
            self.open(route, ends_at)

    def host_key(self, route: Route, ends_at: float) -> paramiko.PKey:
        """Return the key that the last hop shows, without believing it; those before it have to be known."""
        return self._meet(route, ends_at, lambda _hop, transport: transport.get_remote_server_key())

    def start(self, program: bytes) -> paramiko.Channel:
        """Let the shell of the host run the program; what it prints comes through the channel."""
        channel = self._session()
        # Two streams would have to be drained at once: the other one stops when its window is full.
        channel.set_combine_stderr(True)
        try:
            channel.exec_command(_COMMAND)
            channel.sendall(program)
            channel.shutdown_write()
        except BROKEN:
            # What was forced upon the account takes no program; what it says instead can still be read.
            if not self.alive:
                raise
        return channel

    def sftp(self, seconds: float) -> paramiko.SFTPClient:
        """Open the SFTP server of the host, whose first answer may take so many seconds; raise NoSftp too."""
        channel = self._session()
        channel.settimeout(seconds)
        try:
            channel.invoke_subsystem("sftp")
            return paramiko.SFTPClient(channel)
        except (*BROKEN, paramiko.SFTPError) as error:
            channel.close()
            if not self.alive or isinstance(error, TimeoutError):
                raise
            raise NoSftp(f"{self._label} let us in but has no SFTP server for us") from error

    def tunnel(self, hop: Hop, ends_at: float) -> paramiko.Channel:
        """Return a connection from the host to another one."""
        timeout = max(0.1, ends_at - time.monotonic())
        try:
            return self._transport.open_channel(
                "direct-tcpip", (hop.address, hop.port), ("127.0.0.1", 0), timeout=timeout
            )
        except paramiko.ChannelException as error:
            raise Unreachable(f"{self._label} does not pass us on to {hop.label}: {error.text}") from error

    def ping(self) -> None:
        """Return when the host has answered, or the connection has ended."""
        with contextlib.suppress(*BROKEN):
            self._transport.global_request("keepalive@openssh.com", wait=True)

    def close(self) -> None:
        """End the connection and whatever waits for it; leave the hosts on the way to those who still need them."""
        with self._lock:
            self._closed.set()
            link, bastion, self._bastion = self._link, self._bastion, None
        self._network.wake()
        if link is not None:
            link.close()
        if bastion is not None:
            self._network.leave(bastion)

    def give_up(self) -> None:
        """Close it since nothing came in time, which may be the fault of a host on the way."""
        bastion = self._bastion
        if bastion is not None:
            self._network.doubt(bastion)
        self.close()

    def join(self) -> None:
        """Wait until the thread of a closed connection has ended."""
        if self._link is not None and self._link.transport.is_alive():
            self._link.transport.join(_THREAD_END)

    def _session(self) -> paramiko.Channel:
        """Open a channel; where the server allows no further one, wait a little for one that is just ending."""
        self.stage = f"while reading from {self._label}"
        gives_up_at = time.monotonic() + _TURN
        while True:
            try:
                return self._transport.open_session(timeout=NEVER)
            except paramiko.ChannelException as error:
                if time.monotonic() >= gives_up_at:
                    raise NoSession(f"{self._label} let us in but opens no session: {error.text}") from error
            time.sleep(_STEP)

    @property
    def _transport(self) -> paramiko.Transport:
        if self._link is None:
            raise EOFError
        return self._link.transport

    def _meet(self, route: Route, ends_at: float, then: Callable[[Hop, paramiko.Transport], Result]) -> Result:
        """Agree on encryption with the last hop, and do something with it, while few others log in to it."""
        *before, hop = route
        self._label = hop.label
        if before:
            self._enter(tuple(before), ends_at)
        machine = (*before, hop.address, hop.port, hop.command)
        for pause in (*_PAUSES, None):
            self.stage = f"while waiting for others to log in to {hop.label}"
            try:
                with self._network.turn(machine, ends_at, self._closed.is_set):
                    return then(hop, self._greet(hop, ends_at))
            except _Dropped as error:
                if pause is None or time.monotonic() + pause > ends_at:
                    raise Unreachable(_dropped(hop)) from error
                self._network.narrow(machine)
                self._closed.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311 no secret
        raise AssertionError

    def _enter(self, way: Route, ends_at: float) -> None:
        self.stage, self.at = f"while waiting for the connection through {way[-1].label}", way[-1].name
        bastion = self._network.enter(way, lambda: Connection(self._network), ends_at, self._closed.is_set)
        with self._lock:
            if not self._closed.is_set():
                self._bastion, self.at = bastion, ""
                return
        self._network.leave(bastion)
        raise EOFError

    def _greet(self, hop: Hop, ends_at: float) -> paramiko.Transport:
        """Connect and agree on encryption."""
        self.stage = f"while connecting to {hop.label}"
        known = known_keys_of(hop)
        link = Link(self._way_to(hop, ends_at), known)
        self._keep(link)
        self.stage = f"while agreeing on encryption with {hop.label}"
        try:
            link.transport.start_client(timeout=NEVER)
        except IncompatiblePeer as error:
            raise Unreachable(f"{hop.label} knows no encryption that is still safe; it needs an update") from error
        except BROKEN as error:
            if self._closed.is_set() or link.transport.remote_version:
                raise
            link.close()
            # While we wrote our own banner, or waited for theirs.
            if any(isinstance(each, (EOFError, ConnectionError)) for each in (error, error.__context__)):
                raise _Dropped from error
            raise Unreachable(f"{hop.label} answered, but no SSH banner came: is this its SSH port?") from error
        return link.transport

    def _way_to(self, hop: Hop, ends_at: float) -> Way:
        if self._bastion is not None:
            passage = self._bastion.passage
            assert isinstance(passage, Connection)
            return Tunnel(passage.tunnel(hop, ends_at))
        if hop.command:
            return Command.start(hop.command)
        return dial(hop.address, hop.port, ends_at=ends_at)

    def _keep(self, link: Link) -> None:
        """Remember what `close` has to end; if it was called meanwhile, end it now."""
        with self._lock:
            self._link = link
        if self._closed.is_set():
            link.close()
            raise EOFError

    def _log_in(self, hop: Hop, transport: paramiko.Transport) -> None:
        check_host_key(hop, known_keys_of(hop), transport.get_remote_server_key())
        self.stage = f"while logging in to {hop.label}"
        try:
            login(transport, hop, self._network.keyring)
        except Unreachable:
            if self._closed.is_set():
                raise EOFError from None
            raise
        transport.set_keepalive(_KEEPALIVE)


@contextlib.contextmanager
def bounded(connection: Connection, deadline: float) -> Iterator[float]:
    """End what is done with a connection after so many seconds; yield when that is, by the monotonic clock.

    Whatever goes wrong closes the connection, and is raised as CollectError with a sentence.
    """
    ends_at = time.monotonic() + deadline
    # Where a peer falls silent between two messages, paramiko waits for ever:
    # https://github.com/paramiko/paramiko/issues/2599
    watch = threading.Timer(deadline, connection.give_up)
    watch.daemon = True
    watch.start()
    try:
        yield ends_at
    except Exception as error:  # paramiko hands on whatever its own thread met
        connection.close()
        connection.join()
        if isinstance(error, CollectError):
            raise
        raise Unreachable(sentence(connection.stage, deadline, ends_at), connection.at) from error
    finally:
        watch.cancel()


def kill(channel: paramiko.Channel) -> None:
    """Ask the server to kill what it runs for the channel (RFC 4254, 6.9); older servers do not."""
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string("signal")
    message.add_boolean(False)  # noqa: FBT003 it wants no reply
    message.add_string("KILL")
    # paramiko has no public way to send a signal.
    channel.get_transport()._send_user_message(message)  # type: ignore[attr-defined]  # noqa: SLF001


def _dropped(hop: Hop) -> str:
    if hop.command:
        return f"the ProxyCommand of {hop.label} ended before an SSH banner came: try it by hand with ssh {hop.name}"
    return (
        f"{hop.label} closed the connection before an SSH banner came: is this its SSH port? "
        "It may also have too many logins at once (its MaxStartups), or shut our address out for a while"
    )


def sentence(stage: str, deadline: float, ends_at: float) -> str:
    """Return what to say of a connection that failed, or of which nothing came within so many seconds."""
    if time.monotonic() >= ends_at:
        return f"no answer within {deadline:.3g} s {stage}"
    return f"the connection broke off {stage}"

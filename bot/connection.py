"""The socket to Slack: opened in a thread of its own, watched, and opened anew for as long as it takes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any

from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler

from monitor_core.model.views import Link

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between attempts; each failure doubles the wait
_STEADY = 10.0  # seconds; a socket that ends sooner counts as a failure
_OPENING = 10.0  # seconds that a socket may take to open
_ENDING = 1.0  # seconds that the SDK may take to notice that a socket has ended
_LOOK = 0.5  # seconds between looks at an open socket
# Slack answers each ping (every 10 s); without three answers the socket is half open, as behind a forgetful NAT.
_DEAF = 35.0
_log = logging.getLogger(__name__)


class Connection:
    """Keeps one socket open; `connect` returns a handler that is not yet connected, or raises."""

    def __init__(self, connect: Callable[[], SocketModeHandler]) -> None:
        self._connect = connect
        self._stopping = threading.Event()
        self._socket: _Socket | None = None
        self._since = time.time()
        self._thread = threading.Thread(target=self._keep_open, name="slack-connection", daemon=True)

    @property
    def open(self) -> bool:
        """Return whether Slack can reach us now."""
        socket = self._socket
        return socket is not None and socket.is_open

    @property
    def link(self) -> Link:
        """Return whether the socket is open, and since when that is so."""
        return Link("Slack", self.open, self._since)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Close the socket and end the thread; gives up after `timeout` seconds, since the process ends anyway."""
        self._stopping.set()
        if self._socket:
            self._socket.lost.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _keep_open(self) -> None:
        wait = FIRST_WAIT
        while not self._stopping.is_set():
            if self._hold():
                wait = FIRST_WAIT
                continue
            self._stopping.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        if self._socket:
            self._socket.close().join()

    def _hold(self) -> bool:
        """Open a socket and hold it until it is lost; return whether it was steady."""
        socket = self._open()
        if self._socket:
            self._socket.close()
        self._socket = socket
        if socket is None:
            return False
        begun, self._since = time.monotonic(), time.time()
        socket.watch(self._stopping)
        self._since = time.time()
        if not socket.leaving and not self._stopping.is_set():
            _log.warning("the socket to Slack is lost; connecting again")
            socket.close()
        return socket.leaving or time.monotonic() - begun > _STEADY

    def _open(self) -> _Socket | None:
        socket = None
        try:
            socket = _Socket(self._connect())
            if socket.connect(self._stopping):
                _log.info("connected to Slack")
                return socket
            _log.warning("the socket to Slack does not open; trying again")
        except Exception as trouble:  # noqa: BLE001 whatever Slack, bolt or the network raise, we try again
            # The SDK's own words run over several lines.
            _log.warning("cannot connect to Slack: %s", " ".join(f"{type(trouble).__name__}: {trouble}".split()))
        if socket:
            socket.close()
        return None


class _Socket:
    """One session of a handler: `lost` is set when it has ended, or Slack has asked for another: then it is leaving."""

    def __init__(self, handler: SocketModeHandler) -> None:
        self._client = client = handler.client
        self._opened, self._ended, self.lost = threading.Event(), threading.Event(), threading.Event()
        self._closing: threading.Thread | None = None
        self.leaving = False
        # The SDK would reconnect twice a second without end; and where Slack asks for a new session, it may leave its
        # own reader asleep on the old one, deaf from then on. So each session gets a client of its own.
        client.default_auto_reconnect_enabled = False
        client.connect_to_new_endpoint = self._leave  # type: ignore[method-assign] # the SDK has no other seam
        client.on_open_listeners.append(lambda _session: self._opened.set())
        client.on_close_listeners.append(self._on_end)
        client.on_error_listeners.append(self._on_end)

    @property
    def is_open(self) -> bool:
        """Return whether the socket is open now."""
        return self._opened.is_set() and not self.lost.is_set()

    def _leave(self, force: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 the SDK's signature
        self.leaving = True
        self.lost.set()

    def _on_end(self, _session: Any, *_error: Any) -> None:
        self.lost.set()
        self._ended.set()

    def connect(self, stopping: threading.Event) -> bool:
        """Ask Slack for a socket and return whether it opens; raises what the SDK raises."""
        self._client.connect()
        deadline = time.monotonic() + _OPENING
        while not self._opened.wait(0.05):
            if self.lost.is_set() or stopping.is_set() or time.monotonic() > deadline:
                return False
        return True

    def watch(self, stopping: threading.Event) -> None:
        """Return when the socket is lost, answers no pings, or is no longer wanted."""
        session: Any = self._client.current_session
        pong, heard = 0.0, time.monotonic()
        while not self.lost.wait(_LOOK) and not stopping.is_set():
            if session.last_pong_tm != pong:
                pong, heard = session.last_pong_tm, time.monotonic()
            elif time.monotonic() - heard > _DEAF:
                self.lost.set()

    def close(self) -> threading.Thread:
        """Close the socket in a thread, since the SDK waits for its own threads."""
        if self._closing is None:
            self._closing = threading.Thread(target=self._end, name="slack-closing", daemon=True)
            self._closing.start()
        return self._closing

    def _end(self) -> None:
        session = self._client.current_session
        if session and session.sock and session.sock.sock:
            session.on_error = None  # this end is wanted, and no error in the log
            # Closed at once, the socket would never stir again, and the SDK's thread that waits for it never wake:
            # https://man7.org/linux/man-pages/man7/epoll.7.html (a closed descriptor leaves the set).
            with suppress(OSError):
                session.sock.sock.shutdown(SHUT_RDWR)
            self._ended.wait(_ENDING)
        self._client.closed = True
        self._client.message_queue.put(None)  # the SDK looks for its end when a message comes, or each second
        self._client.close()

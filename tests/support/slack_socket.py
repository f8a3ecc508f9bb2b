"""The test Slack's Socket Mode: sockets of the bot, envelopes that go to one of them, and their acknowledgements."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.support.slack_world import APP

MOST_SOCKETS = 10


class Sockets:
    """Serves ws:// on a free port; `on_ack(envelope_id, payload)` is called for each acknowledgement."""

    def __init__(self, on_ack: Callable[[str, Any], None], away: Callable[[], bool]) -> None:
        self._on_ack, self._away = on_ack, away
        self._lock = threading.Lock()
        self._tickets: set[str] = set()
        self._open: list[ServerConnection] = []
        self._all: list[ServerConnection] = []
        self._server = serve(self._handle, "127.0.0.1", 0, process_request=self._admit, close_timeout=1)
        self._thread = threading.Thread(target=self._server.serve_forever, name="slack-sockets")
        self._thread.start()

    @property
    def count(self) -> int:
        """Return how many sockets get envelopes now."""
        return len(self._open)

    def new_url(self, ticket: str) -> str:
        """Return a URL at which one socket may connect once."""
        self._tickets.add(ticket)
        port = self._server.socket.getsockname()[1]
        return f"ws://127.0.0.1:{port}/link/?ticket={ticket}&app_id={APP}"

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        ticket = request.path.partition("ticket=")[2].partition("&")[0]
        with self._lock:
            if self._away() or ticket not in self._tickets:
                return connection.respond(503 if self._away() else 401, "no\n")
            self._tickets.discard(ticket)
        return None

    def _handle(self, connection: ServerConnection) -> None:
        with self._lock:
            self._all.append(connection)
            number = len(self._open) + 1
        try:
            if number > MOST_SOCKETS:
                self._send(connection, _goodbye("too_many_websockets"))
                return
            self._send(connection, _hello(number))
            with self._lock:
                self._open.append(connection)
            for frame in connection:
                self._receive(json.loads(frame))
        except ConnectionClosed:
            pass  # a socket that breaks is what some tests are about
        finally:
            self._retire(connection)

    def _receive(self, message: dict[str, Any]) -> None:
        if "envelope_id" in message:
            self._on_ack(message["envelope_id"], message.get("payload"))

    def _retire(self, connection: ServerConnection) -> None:
        with self._lock:
            self._open = [other for other in self._open if other is not connection]
            self._all = [other for other in self._all if other is not connection]

    @staticmethod
    def _send(connection: ServerConnection, message: dict[str, Any]) -> None:
        connection.send(json.dumps(message))

    def send(self, envelope: dict[str, Any]) -> bool:
        """Send an envelope to one of the sockets, each in turn; return False if there is none: Slack loses it then."""
        with self._lock:
            if not self._open:
                return False
            chosen = self._open.pop(0)
            self._open.append(chosen)
        try:
            self._send(chosen, envelope)
        except ConnectionClosed:
            return False
        return True

    def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask the oldest socket to go; it gets no envelopes any more."""
        with self._lock:
            leaving = self._open.pop(0)
        self._send(leaving, _goodbye(reason))

    def drop(self) -> None:
        """Cut all sockets without a word."""
        with self._lock:
            cut, self._all, self._open = self._all, [], []
        for connection in cut:
            _cut(connection)

    def close(self) -> None:
        self.drop()
        self._server.shutdown()
        self._thread.join()


def _cut(connection: ServerConnection) -> None:
    with contextlib.suppress(OSError):  # it may be gone already
        connection.socket.shutdown(socket.SHUT_RDWR)


def _hello(number: int) -> dict[str, Any]:
    debug = {"host": "test", "build_number": 1, "approximate_connection_time": 18060}
    return {"type": "hello", "num_connections": number, "debug_info": debug, "connection_info": {"app_id": APP}}


def _goodbye(reason: str) -> dict[str, Any]:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "test"}}

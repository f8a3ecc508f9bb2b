"""A bot's sockets that listen and acknowledge, and do nothing else: what envelopes look like without bolt."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack, contextmanager, suppress

from slack_sdk import WebClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


class Socket:
    """A bot's socket that only acknowledges."""

    def __init__(self, connection, *, acknowledges):
        self.envelopes, self.messages = [], []
        self._connection, self._acknowledges = connection, acknowledges
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        with suppress(ConnectionClosed):
            for frame in self._connection:
                self._take(json.loads(frame))

    def _take(self, message):
        self.messages.append(message)
        if "envelope_id" in message:
            self.envelopes.append(message)
            if self._acknowledges:
                self._connection.send(json.dumps({"envelope_id": message["envelope_id"]}))

    @property
    def said(self):
        return [(message["type"], message.get("reason")) for message in self.messages]


def socket_url(slack):
    return WebClient(base_url=slack.api_url).apps_connections_open(app_token=slack.app_token)["url"]


@contextmanager
def sockets(slack, count=1, *, acknowledges=True):
    with ExitStack() as stack:
        listening = []
        for number in range(1, count + 1):
            connection = stack.enter_context(connect(socket_url(slack)))
            listening.append(Socket(connection, acknowledges=acknowledges))
            slack.wait_connected(number)
        yield listening
    for each in listening:
        each.thread.join()

"""A TCP proxy that counts what passes and can fall silent, at once or after so many bytes, without closing anything."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

from tests.support.sshd import ADDRESS

_TICK = 0.02
_MOST = 65536


class Proxy:
    """Passes connections on to a port of this machine.

    `sent` and `received` count bytes of the clients and for the clients, `connections` how many clients came. `quota`
    is how many more bytes they may receive; None for no limit. Beyond it the proxy reads nothing and writes nothing.
    """

    def __init__(self, target: int) -> None:
        self.sent = self.received = self.connections = 0
        self._quota: int | None = None
        self._quota_lock = threading.Lock()
        self._target = target
        self._listener = socket.create_server((ADDRESS, 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: dict[socket.socket, tuple[socket.socket, bool]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="proxy")
        self._thread.start()

    @property
    def quota(self) -> int | None:
        return self._quota

    @quota.setter
    def quota(self, quota: int | None) -> None:
        with self._quota_lock:
            self._quota = quota

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        for end in (self._listener, *self._pairs):
            end.close()

    def cut_connections(self) -> None:
        """Break all connections off."""
        for end in list(self._pairs):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _work(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._ended.is_set():
                if self.quota == 0:
                    self._ended.wait(_TICK)
                    continue
                for key, _ in selector.select(_TICK):
                    self._serve(selector, key.fileobj)

    def _serve(self, selector, end) -> None:
        if end is self._listener:
            client, _ = self._listener.accept()
            self.connections += 1
            server = socket.create_connection((ADDRESS, self._target))
            self._pairs |= {client: (server, True), server: (client, False)}
            selector.register(client, selectors.EVENT_READ)
            selector.register(server, selectors.EVENT_READ)
        elif not self._pass_on(end):
            for each in (end, self._pairs[end][0]):
                with contextlib.suppress(KeyError):
                    selector.unregister(each)
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, end: socket.socket) -> bool:
        other, from_client = self._pairs[end]
        # Whoever sets the quota waits until what is passed on now has been counted against the one before.
        with self._quota_lock:
            limit = _MOST if from_client or self._quota is None else min(self._quota, _MOST)
            if not limit:
                return True
            try:
                data = end.recv(limit)
                other.sendall(data)
            except OSError:
                return False
            if from_client:
                self.sent += len(data)
            else:
                self.received += len(data)
                if self._quota is not None:
                    self._quota -= len(data)
            return bool(data)
